"""The company's numbers as an admin labelled them. A number without a row is still a hotline of its calls."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import bindparam, delete, insert, select, update

from daemon.store.audit import Facts, Subject
from daemon.store.reader import Reader
from daemon.store.ringtone_choice import require_ringtone
from daemon.store.tables import hotlines
from daemon.store.work import Query, Row, Work


@dataclass(frozen=True, slots=True, kw_only=True)
class Hotline:
    """`number` as calls show it in `hotline`."""

    number: str
    label: str = ""
    ringtone: str | None = None

    def as_json(self) -> dict[str, object]:
        return {"number": self.number, **self.facts()}

    def facts(self) -> Facts:
        """All but which it is."""
        return {"label": self.label, "ringtone": self.ringtone}


_PAGE = (
    select(hotlines)
    .where(hotlines.c.number > bindparam("b_after"))
    .order_by(hotlines.c.number)
    .limit(bindparam("b_limit"))
)
_ALL = select(hotlines).order_by(hotlines.c.number)
_ONE = select(hotlines).where(hotlines.c.number == bindparam("b_number"))
_INSERT = insert(hotlines)
_UPDATE = (
    update(hotlines)
    .where(hotlines.c.number == bindparam("b_number"))
    .values(label=bindparam("b_label"), ringtone=bindparam("b_ringtone"))
)
_DELETE = delete(hotlines).where(hotlines.c.number == bindparam("b_number"))


async def read_hotlines(reads: Reader, after: str = "", limit: int | None = None) -> list[Hotline]:
    """All of them, or one page."""
    if limit is None:
        return await asyncio.to_thread(_hotlines_of, await reads.fetch(_ALL, {}))
    return _hotlines_of(await reads.fetch(_PAGE, {"b_after": after, "b_limit": limit}))


async def read_hotline(reads: Reader, number: str) -> Hotline | None:
    rows = await reads.fetch(_ONE, {"b_number": number})
    return _hotline_of(rows[0]) if rows else None


def hotline_facts(number: str) -> Work[Facts | None]:
    rows = yield Query(_ONE, {"b_number": number})
    return _hotline_of(rows[0]).facts() if rows else None


HOTLINE: Final = Subject("hotline", hotline_facts)


def put_hotline(hotline: Hotline) -> Work[bool]:
    """True: new. Raises UnknownRingtone."""
    yield from require_ringtone(hotline.ringtone)
    known = yield Query(_ONE, {"b_number": hotline.number})
    if known:
        yield Query(_UPDATE, {"b_number": hotline.number, "b_label": hotline.label, "b_ringtone": hotline.ringtone})
    else:
        yield Query(_INSERT, {"number": hotline.number, "label": hotline.label, "ringtone": hotline.ringtone})
    return not known


def delete_hotline(number: str) -> Work[bool]:
    """False: there is none."""
    known = yield Query(_ONE, {"b_number": number})
    if known:
        yield Query(_DELETE, {"b_number": number})
    return bool(known)


def _hotlines_of(rows: Sequence[Row]) -> list[Hotline]:
    return [_hotline_of(row) for row in rows]


def _hotline_of(row: Row) -> Hotline:
    return Hotline(number=row["number"], label=row["label"], ringtone=row["ringtone"])
