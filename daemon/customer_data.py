"""One customer's data out of the store, to hand to him or to be gone; and that it is gone from the disk as well."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from daemon.call.rendering import iso_utc
from daemon.call.signals import UnixMs
from daemon.store.audit import By
from daemon.store.customer import Customer, Found, Place, customer_of, find_customer
from daemon.store.erasing import note_erasing, steps_of, take
from daemon.store.lock import StoreLock, StoreTaken
from daemon.store.settings import read_settings
from daemon.store.store import Store
from daemon.store.trouble import sorted_error
from daemon.store.work import Row

_CHUNK: Final = 1 << 20


@dataclass(frozen=True, slots=True)
class Leftovers:
    """`compacted`: the file was written anew. Else a daemon has it open, and `bytes_left` counts what was seen."""

    compacted: bool
    bytes_left: int


async def find(store: Store, typed: str) -> tuple[Customer, Found]:
    """However the number is written. Raises ConfigError, OwnNumber."""
    settings = (await read_settings(store.reader)).settings
    customer = customer_of(typed, settings.country)
    return customer, await find_customer(store.reader, customer)


def export(customer: Customer, found: Found, by: By) -> dict[str, Any]:
    """Everything that is kept of him, row by row as it is kept; times are in ISO 8601."""
    own = {place.table.name: [_shown(row) for row in rows] for place, rows in found.own.items()}
    return {
        "customer_number": customer.number,
        "exported_at": iso_utc(by.at),
        **own,
        "mentions": {place.table.name: _named(place, rows) for place, rows in found.mentions.items() if rows},
    }


async def erase(store: Store, customer: Customer, found: Found, by: By) -> int:
    """Changed rows. Raises CustomerCalls while one of his calls lives."""
    changed = 0
    for step in steps_of(found, customer, by.at):
        changed += await store.writer.change(lambda step=step: take(step))  # type: ignore[misc]
    if changed:
        await store.writer.change(lambda: note_erasing(by, found.counts()))
    return changed


def clean_disk(path: str, customer: Customer) -> Leftovers:
    """Writes the file anew where no daemon needs it now; else only its log, and looks for what is left.

    Deleted content is overwritten as it goes (secure_delete), but pages that were rearranged may keep a piece.
    """
    try:
        with StoreLock.take(path):
            compact(path)
            return Leftovers(compacted=True, bytes_left=_count(path, customer))
    except StoreTaken:
        _run(path, "PRAGMA wal_checkpoint(TRUNCATE)")
        return Leftovers(compacted=False, bytes_left=_count(path, customer))


def compact(path: str) -> None:
    """Gives unused room back, with whatever was once written there; all of it is written anew."""
    _run(path, "PRAGMA wal_checkpoint(TRUNCATE)", "VACUUM", "PRAGMA wal_checkpoint(TRUNCATE)")


def _run(path: str, *statements: str) -> None:
    try:
        with closing(sqlite3.connect(path, isolation_level=None, timeout=5.0)) as connection:
            for statement in statements:
                connection.execute(statement).fetchall()
    except sqlite3.Error as error:
        raise sorted_error(error) from error


def _count(path: str, customer: Customer) -> int:
    """How often the number's digits still stand in the file or its log."""
    wanted = customer.digits.encode() or customer.number.encode()
    return sum(_occurrences(Path(path + end), wanted) for end in ("", "-wal"))


def _occurrences(file: Path, wanted: bytes) -> int:
    found, before = 0, b""
    try:
        with file.open("rb") as opened:
            while part := opened.read(_CHUNK):
                found += (before + part).count(wanted)
                before = part[-(len(wanted) - 1) :] if len(wanted) > 1 else b""
    except FileNotFoundError:
        return 0
    return found


def _named(place: Place, rows: Any) -> list[dict[str, Any]]:
    return [_shown({name: row[name] for name in (*place.keys, *place.texts)}) for row in rows]


def _shown(row: Row) -> dict[str, Any]:
    return {name: _value(name, value) for name, value in row.items()}


def _value(name: str, value: Any) -> Any:
    if isinstance(value, int) and (name.endswith("_at") or name in ("at", "time_answer", "lost_since")):
        return iso_utc(UnixMs(value))
    if name in ("body", "old", "new", "tags", "user_ids") and isinstance(value, str):
        try:
            return json.loads(value)
        except ValueError:
            return value
    return value
