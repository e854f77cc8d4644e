"""Who changed what of a ticket, and when: written in the transaction of the change itself, by people and by rules.

A note is saved while it is typed: what one person writes in one go is one event, from the text before to the last.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import bindparam, insert, select, update

from daemon.call.signals import UnixMs
from daemon.store.audit import By
from daemon.store.reader import Reader
from daemon.store.row import compact_json
from daemon.store.tables import ticket_events
from daemon.store.work import Query, Row, Work

ANOTHER_CALL: Final = "another_call"
"""Why a closed ticket is open again."""

_IN_ONE_GO_MS: Final = 10 * 60_000
_MOST_SHOWN: Final = 200
_WATCHED: Final = ("status", "assignee", "tags")


@dataclass(frozen=True, slots=True, kw_only=True)
class TicketEvent:
    """`by` None is a rule, which `reason` names. `old` and `new` are JSON values.

    `call_back_seconds`: how long the customer had waited, of a ticket that a talk with him closed.
    """

    what: str
    at: UnixMs
    by: str | None
    reason: str | None
    old: Any
    new: Any
    call_back_seconds: int | None = None


INSERT_EVENT = insert(ticket_events)
_LAST_NOTE = (
    select(ticket_events)
    .where(ticket_events.c.ticket_id == bindparam("b_id"), ticket_events.c.what == "note")
    .order_by(ticket_events.c.version.desc())
    .limit(1)
)
_GO_ON = (
    update(ticket_events)
    .where(
        ticket_events.c.ticket_id == bindparam("b_id"),
        ticket_events.c.version == bindparam("b_version"),
        ticket_events.c.what == "note",
    )
    .values(at=bindparam("b_at"), new=bindparam("b_new"))
)
_OF_TICKET = (
    select(ticket_events)
    .where(ticket_events.c.ticket_id == bindparam("b_id"))
    .order_by(ticket_events.c.version.desc())
    .limit(_MOST_SHOWN)
)


def event_row(ticket_id: object, version: int, what: str, old: object, new: object, at: UnixMs) -> dict[str, object]:
    """What a rule did; `old` and `new` are values as the ticket shows them."""
    return {
        "ticket_id": int(str(ticket_id)),
        "version": version,
        "what": what,
        "at": at,
        "by": None,
        "reason": None,
        "old": compact_json(old),
        "new": compact_json(new),
        "call_back_seconds": None,
    }


def note_change(by: By, before: Row, after: Row) -> Work[None]:
    """What differs between two rows of one ticket; the note too, as one event for each go."""
    changed = [name for name in _WATCHED if before[name] != after[name]]
    rows = [
        event_row(after["ticket_id"], after["version"], name, _value(before, name), _value(after, name), by.at)
        for name in changed
    ]
    yield Query(INSERT_EVENT, [{**row, "by": by.name[:128]} for row in rows])
    if before["note"] != after["note"]:
        yield from _note_note(by, before, after)


def _note_note(by: By, before: Row, after: Row) -> Work[None]:
    found = yield Query(_LAST_NOTE, {"b_id": after["ticket_id"]})
    last = found[0] if found else None
    goes_on = last is not None and last["by"] == by.name[:128] and 0 <= by.at - last["at"] < _IN_ONE_GO_MS
    if last is not None and goes_on and json.loads(last["new"]) == before["note"]:
        new = compact_json(after["note"])
        yield Query(_GO_ON, {"b_id": after["ticket_id"], "b_version": last["version"], "b_at": by.at, "b_new": new})
        return
    row = event_row(after["ticket_id"], after["version"], "note", before["note"], after["note"], by.at)
    yield Query(INSERT_EVENT, {**row, "by": by.name[:128]})


async def read_ticket_events(reads: Reader, ticket_id: int) -> list[TicketEvent]:
    """The last ones, newest first."""
    return [
        TicketEvent(
            what=row["what"],
            at=row["at"],
            by=row["by"],
            reason=row["reason"],
            old=json.loads(row["old"]),
            new=json.loads(row["new"]),
            call_back_seconds=row["call_back_seconds"],
        )
        for row in await reads.fetch(_OF_TICKET, {"b_id": ticket_id})
    ]


def _value(row: Mapping[str, Any], name: str) -> object:
    return json.loads(row[name]) if name == "tags" else row[name]
