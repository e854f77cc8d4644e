"""Real calls while the daemon is dead: after its start the tickets are there, from what Asterisk wrote of them."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing
from pathlib import Path

from tests.live.asterisk import Asterisk
from tests.live.conftest import PhoneMaker
from tests.live.daemon_house import House, Json, daemon_beside
from tests.live.phone import answer, reject
from tests.live.scenarios import TALK_SECONDS
from tests.live.test_outages import back, killed
from tests.live.trunk import Trunk
from tests.whole.house import until

BOTH, LOST = "+84901000301", "+84901000302"


async def test_calls_made_while_the_daemon_is_dead_have_their_tickets_after_its_start(
    asterisk: Asterisk, phone: PhoneMaker, trunk: Trunk, tmp_path: Path
) -> None:
    records = (
        f'cdr = "{asterisk.folder / "log/cdr-csv/Master.csv"}"\nqueue_log = "{asterisk.folder / "log/queue_log"}"\n'
    )
    async with daemon_beside(tmp_path, asterisk, records + 'cdr_time_zone = "UTC"\n') as house:
        agent = await phone("1001")
        await until(lambda: _has_beaten(tmp_path))
        await house.sent()
        await killed(house)
        await agent.on_call(reject(486))
        missed = [await trunk.call("1902", number) for number in (BOTH, LOST)]
        for call in missed:
            await agent.next_call()
            await call.disconnected()
        await agent.on_call(answer(after=0.1))
        talk = await trunk.call("1900", BOTH)
        await talk.confirmed()
        ringing = await agent.next_call()
        await ringing.confirmed()
        await asyncio.sleep(TALK_SECONDS)
        await talk.hangup()
        await ringing.disconnected()
        await back(house)
        await until(lambda: _has_tickets(house, 3), house.tickets)
        assert {
            (t["customer_number"], t["kind"], t["status"], t["assignee"]) for t in await _ours(house, "tickets")
        } == {
            (BOTH, "missed_incoming", "closed", None),
            (LOST, "missed_incoming", "open", None),
            (BOTH, "incoming", "open", "1001"),
        }
        assert all(call["caught_up"] for call in await _ours(house, "calls"))
        await house.sent()
        told = {event["type"] for event in house.events() if event["data"]["customer_number"] in (BOTH, LOST)}
        assert (told, house.popups()) == ({"call.ended", "call.missed", "ticket.created"}, [])


async def _ours(house: House, what: str) -> list[Json]:
    """Other tests call through the same Asterisk."""
    return [one for one in await house.api.every(what) if one["customer_number"] in (BOTH, LOST)]


async def _has_tickets(house: House, count: int) -> bool:
    return len(await _ours(house, "tickets")) == count


async def _has_beaten(folder: Path) -> bool:
    """It has written down that it follows the PBX."""
    with closing(sqlite3.connect(folder / "callwarden.db")) as store:
        return bool(store.execute("SELECT 1 FROM settings WHERE key LIKE 'last_alive%'").fetchall())
