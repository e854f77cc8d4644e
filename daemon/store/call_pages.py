"""Lists of calls, newest first. A page begins after a call, not after a count: new calls move nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Select, TableValuedAlias, and_, bindparam, func, select, tuple_

from daemon.call.model import Call
from daemon.call.rendering import call_json
from daemon.call.signals import UnixMs
from daemon.store.call_search import CallFilter, Place, key_statements, window_statement
from daemon.store.reader import Reader
from daemon.store.row import call_of, compact_json
from daemon.store.tables import calls, ticket_calls
from daemon.store.work import Row


@dataclass(frozen=True, slots=True)
class CallEntry:
    """A call and its ticket."""

    call: Call
    ticket_id: str | None

    def as_json(self) -> dict[str, object]:
        return call_json(self.call, self.ticket_id)

    def place(self) -> list[int | str]:
        """Where the next page begins."""
        return [self.call.started_at, self.call.pbx, self.call.call_id]


def _each_key(name: str) -> Select[Any]:
    """The pairs of a JSON list parameter."""
    pairs: TableValuedAlias = func.json_each(bindparam(name)).table_valued("value")
    return select(func.json_extract(pairs.c.value, "$[0]"), func.json_extract(pairs.c.value, "$[1]"))


_WITH_TICKET = select(calls, ticket_calls.c.ticket_id).select_from(
    calls.outerjoin(ticket_calls, and_(ticket_calls.c.pbx == calls.c.pbx, ticket_calls.c.call_id == calls.c.call_id))
)
_PBXS = select(calls.c.pbx).where(calls.c.pbx > bindparam("b_after")).order_by(calls.c.pbx).limit(1)
_BY_ID = _WITH_TICKET.where(calls.c.pbx == bindparam("b_pbx"), calls.c.call_id == bindparam("b_call_id"))
_OF_KEYS = _WITH_TICKET.where(tuple_(calls.c.pbx, calls.c.call_id).in_(_each_key("b_keys")))


@dataclass(frozen=True, slots=True)
class CallPage:
    """`following` is where the next page begins; None: there is none. `looked_back_to`: no older call was looked at."""

    entries: list[CallEntry]
    following: list[int | str] | None
    looked_back_to: UnixMs | None = None


async def read_page(reads: Reader, wanted: CallFilter, limit: int, after: Place | None) -> CallPage:
    """A page whose cost is bounded however few calls fit: it may be short, and the next one goes on further back."""
    floor = await _floor(reads, wanted, after)
    bounded = wanted if floor is None else replace(wanted, started_from=floor)
    found = await read_calls(reads, bounded, limit + 1, after)
    if len(found) > limit:
        return CallPage(found[:limit], found[limit - 1].place())
    return CallPage(found, None if floor is None else [floor, "", ""], floor)  # what began in that moment was looked at


async def _floor(reads: Reader, wanted: CallFilter, after: Place | None) -> UnixMs | None:
    """None: all that is asked for can be looked at."""
    statement = window_statement(wanted, after)
    rows = await reads.fetch(statement, {}) if statement is not None else []
    floor = UnixMs(rows[0]["started_at"]) if rows else None
    return None if floor is None or floor <= (wanted.started_from or 0) else floor


async def read_calls(reads: Reader, wanted: CallFilter, limit: int, after: Place | None) -> list[CallEntry]:
    """`after` is the place of the last call of the page before."""
    found = [await reads.fetch(statement, {}) for statement in key_statements(wanted, limit, after)]
    keys = {(row["started_at"], row["pbx"], row["call_id"]) for rows in found for row in rows}
    page = sorted(keys, reverse=True)[:limit]
    return await read_entries(reads, [(pbx, call_id) for _, pbx, call_id in page])


async def count_calls(reads: Reader, wanted: CallFilter, most: int) -> int:
    """How many fit, hardly too many where a number is searched in several forms; not counted beyond `most` and one."""
    count = 0
    for keys in key_statements(wanted, most + 1, None):
        rows = await reads.fetch(select(func.count().label("count")).select_from(keys.subquery()), {})
        count += int(rows[0]["count"])
    return count


async def read_entries(reads: Reader, keys: Sequence[tuple[str, str]]) -> list[CallEntry]:
    """The calls of these keys, in their order; what is gone is left out."""
    if not keys:
        return []
    rows = await reads.fetch(_OF_KEYS, {"b_keys": compact_json(keys)})
    found = {(row["pbx"], row["call_id"]): _entry_of(row) for row in rows}
    return [found[key] for key in keys if key in found]


async def find_call(reads: Reader, call_id: str) -> list[CallEntry]:
    """The calls of this id, by PBX: several PBXs may draw the same one."""
    found: list[CallEntry] = []
    after = ""
    while rows := await reads.fetch(_PBXS, {"b_after": after}):  # a few: each step is one look into the index
        after = rows[0]["pbx"]
        found += [_entry_of(row) for row in await reads.fetch(_BY_ID, {"b_pbx": after, "b_call_id": call_id})]
    return found


def _entry_of(row: Row) -> CallEntry:
    ticket_id = row["ticket_id"]
    return CallEntry(call_of(row), None if ticket_id is None else str(ticket_id))
