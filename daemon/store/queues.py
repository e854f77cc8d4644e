"""What an admin set for a queue. A queue nobody configured has no row and counts as on."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import asdict, fields
from types import MappingProxyType
from typing import Final

from sqlalchemy import bindparam, delete, insert, select, update

from daemon.policy.call_settings import QueueSettings
from daemon.store.audit import Facts, Subject
from daemon.store.reader import Reader
from daemon.store.ringtone_choice import require_ringtone
from daemon.store.tables import queues
from daemon.store.work import Query, Row, Work

QUEUE_FIELDS: Final = tuple(field.name for field in fields(QueueSettings))
"""Each is a column."""
_PAGE = select(queues).where(queues.c.name > bindparam("b_after")).order_by(queues.c.name).limit(bindparam("b_limit"))
_ALL = select(queues)
_NAMES = select(queues.c.name)
_OFF = select(queues.c.name).where(queues.c.create_tickets.is_(False)).order_by(queues.c.name)
_ONE = select(queues).where(queues.c.name == bindparam("b_name"))
_INSERT = insert(queues)
_UPDATE = (
    update(queues)
    .where(queues.c.name == bindparam("b_name"))
    .values({name: bindparam(f"b_{name}") for name in QUEUE_FIELDS})
)
_DELETE = delete(queues).where(queues.c.name == bindparam("b_name"))


async def read_queues(reads: Reader) -> Mapping[str, QueueSettings]:
    """All of them, for the rulebook."""
    return await asyncio.to_thread(_by_name, await reads.fetch(_ALL, {}))


async def read_queue_names(reads: Reader) -> frozenset[str]:
    return frozenset(row["name"] for row in await reads.fetch(_NAMES, {}))


async def read_switched_off(reads: Reader) -> list[str]:
    """The names of the queues that make no tickets."""
    return [row["name"] for row in await reads.fetch(_OFF, {})]


async def read_queue_page(reads: Reader, after: str, limit: int) -> list[tuple[str, QueueSettings]]:
    rows = await reads.fetch(_PAGE, {"b_after": after, "b_limit": limit})
    return [(row["name"], _queue_of(row)) for row in rows]


async def read_queue(reads: Reader, name: str) -> QueueSettings | None:
    rows = await reads.fetch(_ONE, {"b_name": name})
    return _queue_of(rows[0]) if rows else None


def queue_facts(name: str) -> Work[Facts | None]:
    rows = yield Query(_ONE, {"b_name": name})
    return asdict(_queue_of(rows[0])) if rows else None


QUEUE: Final = Subject("queue", queue_facts)


def put_queue(name: str, queue: QueueSettings) -> Work[bool]:
    """True: new. Raises UnknownRingtone."""
    yield from require_ringtone(queue.ringtone)
    known = yield Query(_ONE, {"b_name": name})
    if known:
        yield Query(_UPDATE, {"b_name": name, **{f"b_{field}": value for field, value in asdict(queue).items()}})
    else:
        yield Query(_INSERT, {"name": name, **asdict(queue)})
    return not known


def delete_queue(name: str) -> Work[bool]:
    """Back to the defaults. False: it was on them already."""
    known = yield Query(_ONE, {"b_name": name})
    if known:
        yield Query(_DELETE, {"b_name": name})
    return bool(known)


def _by_name(rows: Iterable[Row]) -> Mapping[str, QueueSettings]:
    return MappingProxyType({row["name"]: _queue_of(row) for row in rows})


def _queue_of(row: Row) -> QueueSettings:
    return QueueSettings(**{name: row[name] for name in QUEUE_FIELDS})
