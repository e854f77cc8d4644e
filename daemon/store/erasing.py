"""Takes one customer out of the store: what happened stays and is counted, who it was is gone.

Done again it finds nothing. It must never touch a call that lives: its end would write the number anew.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from daemon.call.model import CallState
from daemon.call.signals import UnixMs
from daemon.errors import TryAgain
from daemon.store.audit import By, note
from daemon.store.customer import (
    ATTEMPTS,
    CALLS,
    DELIVERIES,
    EVENTS,
    NUMBERS,
    POPS,
    TICKETS,
    Customer,
    Found,
    Place,
)
from daemon.store.outbox import PENDING
from daemon.store.row import compact_json
from daemon.store.values import DeliveryStatus
from daemon.store.work import Query, Row, Values, Work

ERASED: Final = "erased"
BATCH: Final = 50
"""Rows of a transaction: some milliseconds, in which no call is written."""

_WHO: Final = NUMBERS | {"customer_name"}
_Change = Callable[[Row], Values]


class CustomerCalls(TryAgain):
    """A call of this customer is under way; try again when it has ended."""


@dataclass(frozen=True, slots=True)
class Step:
    """One transaction."""

    place: Place
    rows: Sequence[Row]
    change: _Change


def steps_of(found: Found, customer: Customer, now: UnixMs) -> list[Step]:
    """In order; the calls last, so that what was cut short is found again. Raises CustomerCalls."""
    if any(row["state"] != CallState.ENDED.value for row in found.own[CALLS]):
        raise CustomerCalls
    spelled = (row[name] for row in found.own[CALLS] for name in NUMBERS)
    pattern = customer.also(text for text in spelled if text)
    changes = _changes(pattern, now)
    mentioned = [Step(place, rows, _scrub(place, pattern)) for place, rows in found.mentions.items()]
    own = [Step(place, found.own[place], changes[place]) for place in (ATTEMPTS, DELIVERIES, POPS, EVENTS)]
    last = [Step(place, found.own[place], changes[place]) for place in (TICKETS, CALLS)]
    return [part for step in (*mentioned, *own, *last) for part in _parts(step)]


def take(step: Step) -> Work[int]:
    """How many rows were changed. What was written meanwhile is read again."""
    done = 0
    for row in step.rows:
        key = {f"k_{name}": row[name] for name in step.place.keys}
        for now in (yield Query(step.place.read(), key)):
            changed = {name: value for name, value in step.change(now).items() if now[name] != value}
            if changed:
                values = {f"v_{name}": value for name, value in changed.items()}
                yield Query(step.place.write(changed), {**key, **values})
                done += 1
    return done


def note_erasing(by: By, counts: Mapping[str, int]) -> Work[None]:
    """Who did it and how much there was; never of whom."""
    return note(by, "customer.erase", "customer", None, dict(counts))


def _changes(pattern: re.Pattern[str], now: UnixMs) -> Mapping[Place, _Change]:
    return {
        CALLS: lambda _: dict.fromkeys(_WHO),
        TICKETS: _ticket(pattern),
        EVENTS: lambda row: {"old": '""', "new": '""'} if row["what"] == "note" else _scrub(EVENTS, pattern)(row),
        POPS: _scrub(POPS, pattern),
        DELIVERIES: lambda row: {
            **_scrub(DELIVERIES, pattern)({**row, "body": _body(row["body"])}),
            **_given_up(row, now),
        },
        ATTEMPTS: lambda row: {**_scrub(ATTEMPTS, pattern)(row), "answer": None},
    }


def _ticket(pattern: re.Pattern[str]) -> _Change:
    def change(row: Row) -> Values:
        return {
            **_scrub(TICKETS, pattern)(row),
            "customer_number": None,
            "note": "",
            "merge_key": f"{ERASED}|{row['ticket_id']}",
            "version": row["version"] + 1,
        }

    return change


def _given_up(row: Row, now: UnixMs) -> Values:
    """What was not delivered yet is not delivered any more."""
    if row["status"] != PENDING:
        return {}
    expired = DeliveryStatus.EXPIRED.value
    return {"status": expired, "next_attempt_at": None, "finished_at": now, "last_error": ERASED}


def _scrub(place: Place, pattern: re.Pattern[str]) -> _Change:
    def change(row: Row) -> Values:
        return {name: row[name] and pattern.sub(ERASED, row[name]) for name in place.texts}

    return change


def _body(text: str) -> str:
    """A payload of ours without who the customer was and what was noted about him."""
    try:
        return compact_json(_without(json.loads(text))) if text else text
    except ValueError:
        return ""


def _without(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: None if key in _WHO else "" if key == "note" else _without(each) for key, each in value.items()}
    return [_without(each) for each in value] if isinstance(value, list) else value


def _parts(step: Step) -> Iterator[Step]:
    for at in range(0, len(step.rows), BATCH):
        yield Step(step.place, step.rows[at : at + BATCH], step.change)
