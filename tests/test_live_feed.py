"""Whom the live feed tells of what the bus says."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from daemon.bus import Bus, CallHappened
from daemon.call.events import AgentReturned
from daemon.call.model import UserId
from daemon.live_feed import connect
from daemon.web.feed import EventFeed, FeedEvent
from tests.factory import NOON, answered

AN, BINH = UserId("an"), UserId("binh")


async def test_a_customer_who_comes_back_is_told_to_who_has_him_again_and_to_who_had_him_meanwhile() -> None:
    bus, feed = Bus(), EventFeed()
    connect(bus, feed, lambda _pbx, _call_id: None)
    begin = feed.last_id
    bus.publish(CallHappened(AgentReturned(NOON, replace(answered(), user_id=AN, user_ids=(AN, BINH)), AN)))
    for user_id in (AN, BINH):
        told = await heard(feed, begin, user_id)
        assert (told.event_type, '"user_id":"an"' in told.data) == ("agent.connected", True)


async def heard(feed: EventFeed, after: str, user_id: str) -> FeedEvent:
    async with asyncio.timeout(2):
        return await anext(feed.listen(after, user_id=user_id))
