"""Server-Sent Events: choose, resume, be told what was missed; a listener that stops reading harms nobody."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from aiohttp import ClientResponse

from daemon.policy.decision import EventType
from daemon.web import events
from daemon.web.feed import EventFeed
from tests.web.conftest import House

PATH = "/api/v1/events"


class Listener:
    """Reads the stream as a browser does."""

    def __init__(self, response: ClientResponse) -> None:
        self.response = response
        self.last_id = ""

    async def next(self) -> tuple[str, dict[str, object]]:
        """The next event that is dispatched: one that has data."""
        fields: dict[str, str] = {}
        while True:
            async with asyncio.timeout(5):
                line = (await self.response.content.readline()).decode().rstrip("\r\n")
            if line:
                name, _, value = line.partition(":")
                fields[name] = value.removeprefix(" ")
                continue
            self.last_id = fields.get("id", self.last_id)
            if "data" in fields:
                return fields["event"], json.loads(fields["data"])
            fields = {}


@asynccontextmanager
async def listening(house: House, query: str = "", last_id: str | None = None) -> AsyncIterator[Listener]:
    headers = house.headers() | ({"Last-Event-ID": last_id} if last_id else {})
    async with house.client.get(PATH + query, headers=headers) as response:
        assert response.status == 200
        assert response.headers["Content-Type"] == "text/event-stream"
        yield Listener(response)


async def _listeners(house: House, count: int) -> None:
    for _ in range(1000):
        if house.feed.listeners == count:
            return
        await asyncio.sleep(0.005)
    raise AssertionError(house.feed.listeners)


async def test_events_arrive_in_order_as_json(house: House) -> None:
    async with listening(house) as listener:
        for number in range(3):
            house.feed.publish("call.ended", {"n": number, "name": "a\r\nevent: x\u2028"})
        for number in range(3):
            assert await listener.next() == ("call.ended", {"n": number, "name": "a\r\nevent: x\u2028"})


async def test_only_the_chosen_types_arrive(house: House) -> None:
    async with listening(house, "?types=ticket.created,call.missed") as listener:
        for kind in ("call.ended", "call.missed", "call.ringing", "ticket.created"):
            house.feed.publish(kind, {})
        assert [(await listener.next())[0] for _ in range(2)] == ["call.missed", "ticket.created"]


@pytest.mark.parametrize("kind", [*EventType, "popup", "agent.connected", "agent.ringing", "agent.ringing_ended"])
async def test_every_type_that_is_published_can_be_chosen(house: House, kind: str) -> None:
    async with listening(house, f"?types={kind}") as listener:
        house.feed.publish("something.else", {})
        house.feed.publish(kind, {"n": 1})
        assert await listener.next() == (kind, {"n": 1})


async def test_an_unknown_type_is_refused_and_the_known_ones_are_named(house: House) -> None:
    answer = await house.ask("GET", f"{PATH}?types=popup,call.eaten")
    assert (answer.status, answer.fields()) == (422, {"types"})
    assert "agent.ringing_ended" in answer.body["errors"][0]["message"]


async def test_a_broken_connection_goes_on_where_it_ended(house: House) -> None:
    async with listening(house) as listener:
        house.feed.publish("call.ended", {"n": 1})
        await listener.next()
    for number in (2, 3):
        house.feed.publish("call.ended", {"n": number})
    async with listening(house, last_id=listener.last_id) as again:
        assert [(await again.next())[1]["n"] for _ in range(2)] == [2, 3]


@pytest.mark.parametrize("last_id", ["run1-1", "otherrun-5", "nonsense", "run1-999999", "run1-", "-1"])
async def test_who_missed_events_is_told_so_and_hears_what_follows(house: House, last_id: str) -> None:
    for number in range(100):  # the ring holds 64
        house.feed.publish("call.ended", {"n": number})
    async with listening(house, last_id=last_id) as listener:
        assert (await listener.next())[0] == "reset"
        assert listener.last_id == house.feed.last_id
        house.feed.publish("call.ended", {"n": 100})
        assert await listener.next() == ("call.ended", {"n": 100})


async def test_an_id_grows_with_events_of_other_types() -> None:
    feed = EventFeed(capacity=2000, run="r")
    stream = feed.listen("r-0", ["call.missed"])
    for _ in range(600):
        feed.publish("call.ended", {})
    assert [(await anext(stream)).event_type for _ in range(2)] == ["progress", "progress"]
    feed.publish("call.missed", {})
    assert (await anext(stream)).event_id == "r-601"
    await stream.aclose()
    assert feed.listeners == 0


async def test_a_listener_that_does_not_read_is_dropped_and_harms_nobody(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(events, "SEND_TIMEOUT_S", 0.2)
    async with listening(house) as slow:
        await _listeners(house, 1)
        async with asyncio.timeout(20):
            while house.feed.listeners:
                house.feed.publish("call.ended", {"text": "x" * 200_000})
                await asyncio.sleep(0.001)
        slow.response.close()
    async with listening(house) as listener:
        house.feed.publish("call.ended", {"n": 1})
        assert await listener.next() == ("call.ended", {"n": 1})


async def test_a_listener_who_is_gone_is_noticed_without_any_event(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(events, "KEEP_ALIVE_S", 0.05)
    async with listening(house) as listener:
        assert (await listener.response.content.readuntil(b": ping")).endswith(b": ping")
    await _listeners(house, 0)


async def test_stopping_ends_every_stream(house: House) -> None:
    async with listening(house) as listener:
        await _listeners(house, 1)
        house.feed.close()
        async with asyncio.timeout(5):
            assert b"data" not in await listener.response.content.read()


async def test_too_many_listeners_are_refused(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(events, "_LISTENERS_LIMIT", 1)
    async with listening(house):
        await _listeners(house, 1)
        assert (await house.ask("GET", PATH)).status == 503


async def test_hostile_last_event_ids_are_refused(house: House) -> None:
    for last_id in ("x" * 65, "a\tb"):
        answer = await house.ask("GET", PATH, headers={"Last-Event-ID": last_id})
        assert (answer.status, answer.fields()) == (422, {"Last-Event-ID"})
