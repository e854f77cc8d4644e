"""Calls, units and webhooks as the tests need them, and what a store holds."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable, Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from sqlalchemy import insert

from daemon.call.model import Call, CallId, CallState, Direction, MissedReason, Outcome, PbxName, UserId
from daemon.call.signals import UnixMs
from daemon.policy.decision import (
    AnnounceCall,
    Decision,
    EventType,
    OpenTicket,
    PopScreen,
    Reason,
    TicketKind,
)
from daemon.store.row import compact_json
from daemon.store.tables import webhooks
from daemon.store.values import Committed, Unit
from daemon.store.work import Query, Work

NOON = UnixMs(1_795_320_000_000)
MAIN = PbxName("main")
AN = UserId("an")
BINH = UserId("bình")
CUSTOMER = "+84901701234"
ALL_EVENTS = tuple(event.value for event in EventType)

_INSERT_WEBHOOK = insert(webhooks)
Content = dict[str, list[tuple[object, ...]]]
_TABLES = {
    "calls": "pbx, call_id",
    "tickets": "ticket_id",
    "ticket_calls": "pbx, call_id",
    "screen_pops": "pbx, call_id, user_id",
    "deliveries": "delivery_id",
}


def ringing(number: int, *, customer: str | None = CUSTOMER, queue: str | None = "support", pbx: str = "main") -> Call:
    """An incoming call; every number is another call, a second later."""
    return Call(
        call_id=CallId(f"1795320000.{number}"),
        pbx=PbxName(pbx),
        direction=Direction.INCOMING,
        customer_number=customer,
        customer_number_raw=customer,
        customer_name="Nguyễn Văn A",
        hotline="+842871000000",
        queue=queue,
        user_id=None,
        user_ids=(),
        state=CallState.RINGING,
        outcome=None,
        missed_reason=None,
        started_at=UnixMs(NOON + number * 1000),
        queued_at=UnixMs(NOON + number * 1000 + 100),
        answered_at=None,
        ended_at=None,
        ended_by=None,
        hangup_cause=None,
        customer_dialled=False,
    )


def answered(call: Call, user_id: UserId = AN) -> Call:
    at = UnixMs(call.started_at + 5_000)
    return replace(call, state=CallState.ANSWERED, user_id=user_id, user_ids=(user_id,), answered_at=at)


def ended(call: Call) -> Call:
    done = replace(call, state=CallState.ENDED, ended_at=UnixMs(call.started_at + 60_000), hangup_cause=16)
    if call.answered_at is not None:
        return replace(done, outcome=Outcome.ANSWERED)
    return replace(done, outcome=Outcome.MISSED, missed_reason=MissedReason.ABANDONED)


def unit(call: Call, *decisions: Decision) -> Unit:
    at = call.ended_at or call.answered_at or call.started_at
    return Unit(at, call, decisions)


def announced(call: Call, event_type: EventType, user_id: UserId | None = None, about: str = "") -> AnnounceCall:
    return AnnounceCall(event_type, call, user_id, about, Reason.SUBSCRIBED)


def popped(call: Call, user_id: UserId = AN, *, to_webhook: bool = True) -> PopScreen:
    assert call.answered_at is not None
    url = f"https://crm.example/open?callId={call.call_id}&userId={user_id}"
    return PopScreen(call, user_id, url, call.answered_at, True, to_webhook, Reason.AGENT_ANSWERED)


def missed_unit(call: Call, merge_key: str) -> Unit:
    over = ended(call)
    wanted = OpenTicket(over, TicketKind.MISSED_INCOMING, merge_key, Reason.MISSED_MERGED_BY_CUSTOMER)
    return unit(over, wanted, announced(over, EventType.CALL_ENDED), announced(over, EventType.CALL_MISSED))


def answered_unit(call: Call, user_id: UserId = AN) -> Unit:
    talking = answered(call, user_id)
    wanted = OpenTicket(talking, TicketKind.INCOMING, f"call:{call.pbx}:{call.call_id}", Reason.CALL_ANSWERED)
    return unit(talking, wanted, popped(talking, user_id), announced(talking, EventType.CALL_ANSWERED, user_id))


def answered_call(number: int) -> list[Unit]:
    """All units of a call that An answers."""
    call = ringing(number)
    over = ended(answered(call))
    return [
        unit(call, announced(call, EventType.CALL_RINGING, AN, AN)),
        answered_unit(call),
        unit(over, announced(over, EventType.CALL_ENDED)),
    ]


def missed_call(number: int, merge_key: str = "missed:an:2026-11-22") -> list[Unit]:
    """All units of a call that nobody answers."""
    call = ringing(number)
    return [unit(call, announced(call, EventType.CALL_RINGING, AN, AN)), missed_unit(call, merge_key)]


def bad_unit(number: int) -> Unit:
    """A unit that SQLite refuses: the direction must not be null."""

    class _Null:
        value = None

    return unit(replace(ringing(number), direction=_Null()))  # type: ignore[arg-type]


def add_webhook(
    webhook_id: str = "w1", events: Sequence[str] = ALL_EVENTS, *, enabled: bool = True, created_at: int = 1
) -> Callable[[], Work[None]]:
    def work() -> Work[None]:
        values = {"webhook_id": webhook_id, "url": f"https://hook.example/{webhook_id}", "events": compact_json(events)}
        times = {"created_at": created_at, "updated_at": created_at}
        yield Query(_INSERT_WEBHOOK, {**values, **times, "secret": "whsec_x", "enabled": enabled})

    return work


@dataclass(frozen=True)
class Doing:
    """One piece of work, as the driver wants it."""

    make_work: Callable[[], Work[Any]]

    def work(self) -> Work[Any]:
        return self.make_work()

    def halves(self) -> Sequence[Doing]:
        return ()


def content(connection: sqlite3.Connection) -> Content:
    """Everything that units write."""
    return {
        table: [tuple(row) for row in connection.execute(f"SELECT * FROM {table} ORDER BY {order}")]  # noqa: S608
        for table, order in _TABLES.items()
    }


def content_of_file(path: Path) -> Content:
    with closing(sqlite3.connect(path)) as connection:
        return content(connection)


class Kept:
    """An `on_commit` that keeps what it gets."""

    def __init__(self) -> None:
        self.all: list[Committed] = []
        self._arrived = asyncio.Event()

    def __call__(self, committed: Iterable[Committed]) -> None:
        self.all.extend(committed)
        self._arrived.set()

    async def until(self, count: int) -> list[Committed]:
        async with asyncio.timeout(20):
            while len(self.all) < count:
                self._arrived.clear()
                await self._arrived.wait()
        return self.all
