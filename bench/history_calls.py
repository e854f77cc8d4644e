"""A store with the calls of an invented year: the same for the same number, skewed as real ones are."""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from itertools import accumulate, islice

from daemon.call.model import Call, CallId, CallState, Direction, EndedBy, MissedReason, Outcome, PbxName, UserId
from daemon.call.signals import UnixMs
from daemon.store import schema
from daemon.store.row import call_row

END = 1_795_305_600_000  # midnight in Hanoi
BEGIN = END - 365 * 86_400_000
HOTLINES = ("19001234", "842871000000", "842471000000")
_AGENTS = [f"agent{n:03}" for n in range(120)]
_QUEUES = ["support", "sales", "billing", "night", "vip", *(f"branch{n}" for n in range(15))]
_REASONS = (MissedReason.ABANDONED, MissedReason.QUEUE_TIMEOUT, MissedReason.NO_ANSWER, MissedReason.REJECTED)
_HOURS = [1, 1, 1, 1, 1, 2, 4, 10, 18, 22, 22, 16, 10, 18, 20, 20, 16, 12, 8, 6, 5, 4, 2, 1]
_GROUP = 20_000
_BY_AGENTS = list(accumulate(1 / (n + 1) ** 0.7 for n in range(len(_AGENTS))))
_BY_QUEUES = list(accumulate([40, 20, 10, 3, 1, *[0.5] * 15]))
_BY_HOURS = list(accumulate(_HOURS))

Rows = dict[str, list[dict[str, object]]]


def fill(path: str, count: int) -> str:
    """Make the store; the id of a call in its middle."""
    schema.upgrade(path)
    chance, calls, middle = random.Random(count), _calls(count), CallId("")  # noqa: S311 - the same every time
    with sqlite3.connect(path, isolation_level=None) as store:
        store.execute("PRAGMA synchronous=OFF")
        written = 0
        while group := list(islice(calls, _GROUP)):
            _write(store, _rows_of(group, written, chance))
            middle = group[0].call_id if written <= count // 2 else middle
            written += len(group)
    store.close()
    return middle


def _calls(count: int) -> Iterator[Call]:
    chance = random.Random(1)  # noqa: S311
    per_day, number = count / 365, 0
    for day in range(365):
        begin = BEGIN + day * 86_400_000
        for at in sorted(begin + _moment(chance) for _ in range(round(per_day * (day + 1)) - round(per_day * day))):
            yield _call(chance, number, UnixMs(at))
            number += 1


def _moment(chance: random.Random) -> int:
    return chance.choices(range(24), cum_weights=_BY_HOURS)[0] * 3_600_000 + chance.randrange(3_600_000)


def _call(chance: random.Random, number: int, at: UnixMs) -> Call:
    direction = chance.choices(list(Direction), cum_weights=(75, 95, 100))[0]
    customer = f"+8490{int(chance.paretovariate(1.1) * 1_001_234) % 10_000_000:07}"
    incoming = direction is Direction.INCOMING
    queue = chance.choices(_QUEUES, cum_weights=_BY_QUEUES)[0] if incoming and chance.random() < 0.8 else None
    call = Call(
        call_id=CallId(f"{at // 1000}.{number}"),
        pbx=PbxName("main"),
        direction=direction,
        customer_number=None if direction is Direction.INTERNAL else customer,
        customer_number_raw=customer,
        customer_name=None,
        hotline=chance.choices(HOTLINES, cum_weights=(70, 95, 100))[0],
        queue=queue,
        user_id=None,
        user_ids=(),
        state=CallState.ENDED,
        outcome=Outcome.MISSED,
        missed_reason=None,
        started_at=at,
        queued_at=UnixMs(at + 3000) if queue else None,
        answered_at=None,
        ended_at=None,
        ended_by=chance.choices(list(EndedBy), cum_weights=(50, 95, 100))[0],
        hangup_cause=16,
        customer_dialled=True,
        rung_at=UnixMs(at + 4000) if incoming else None,
    )
    waited = UnixMs(at + 3000 + int(chance.expovariate(1 / 15_000)))
    return _answered(chance, call, waited) if chance.random() < 0.85 else _missed(chance, call, waited)


def _answered(chance: random.Random, call: Call, at: UnixMs) -> Call:
    """One in thirty is handed to a second agent."""
    agents = [UserId(chance.choices(_AGENTS, cum_weights=_BY_AGENTS)[0])]
    if chance.random() < 0.033:
        agents.append(UserId(chance.choice(_AGENTS)))
    users = tuple(dict.fromkeys(agents))
    ended = UnixMs(at + int(chance.lognormvariate(11.5, 1)))
    return replace(call, outcome=Outcome.ANSWERED, user_id=users[-1], user_ids=users, answered_at=at, ended_at=ended)


def _missed(chance: random.Random, call: Call, at: UnixMs) -> Call:
    reason = chance.choices(_REASONS, cum_weights=(60, 85, 99.85, 100))[0]
    return replace(call, missed_reason=reason, ended_at=at)


def _rows_of(group: list[Call], before: int, chance: random.Random) -> Rows:
    """Each call with its agents, a ring and who was put through; a ticket for four of five, messages for one of ten."""
    rows: Rows = {
        name: [] for name in ("calls", "call_agents", "call_moments", "tickets", "ticket_calls", "deliveries")
    }
    for number, call in enumerate(group, before + 1):
        key = {"pbx": call.pbx, "call_id": call.call_id}
        rows["calls"].append(call_row(call))
        rows["call_agents"] += [{"user_id": one, "started_at": call.started_at, **key} for one in call.user_ids]
        ring = {"at": call.started_at + 4000, "what": "rang", "user_id": call.user_id or "agent007", "about": "SIP/1"}
        rows["call_moments"].append({**key, **ring, "until": call.answered_at or call.ended_at})
        rows["call_moments"] += [
            {**key, "at": call.answered_at, "what": "connected", "user_id": one, "about": "", "until": None}
            for one in call.user_ids
        ]
        if chance.random() < 0.8 and call.direction is not Direction.INTERNAL:
            rows["tickets"].append(_ticket(number, call, chance))
            rows["ticket_calls"].append({**key, "ticket_id": number, "position": 0})
        if number % 10 == 0:
            rows["deliveries"].append(_delivery(number, call))
    return rows


def _ticket(number: int, call: Call, chance: random.Random) -> dict[str, object]:
    missed = call.outcome is Outcome.MISSED
    kind = f"missed_{call.direction}" if missed else str(call.direction)
    return {
        "ticket_id": number,
        "merge_key": str(number),
        "kind": kind,
        "status": "open" if missed and chance.random() < 0.02 else "closed",
        "customer_number": call.customer_number,
        "hotline": call.hotline,
        "queue": call.queue,
        "assignee": call.user_id,
        "missed_count": int(missed),
        "reason": "call_answered",
        "opened_at": call.started_at,
        "updated_at": call.started_at,
    }


def _delivery(number: int, call: Call) -> dict[str, object]:
    return {
        "delivery_id": f"msg_{number}",
        "effect_key": str(number),
        "event_type": "call.ended",
        "method": "POST",
        "url": "https://crm.example.com/hook",
        "body": "{}" * 400,
        "pbx": call.pbx,
        "call_id": call.call_id,
        "status": "delivered",
        "expires_at": call.started_at + 86_400_000,
        "created_at": call.started_at,
    }


def _write(store: sqlite3.Connection, rows: Rows) -> None:
    store.execute("BEGIN")
    for name, found in rows.items():
        if found:
            columns = ", ".join(found[0])
            marks = ", ".join(f":{column}" for column in found[0])
            store.executemany(f"INSERT INTO {name} ({columns}) VALUES ({marks})", found)  # noqa: S608
    store.execute("COMMIT")
