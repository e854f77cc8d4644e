"""Whom the daily summary is sent to. The address holds a password or token: it is read for sending, and for no list."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import Final

from sqlalchemy import bindparam, delete, func, insert, select

from daemon.call.rendering import iso_utc
from daemon.call.signals import UnixMs
from daemon.errors import CallwardenError
from daemon.store.audit import Facts, Subject
from daemon.store.reader import Reader
from daemon.store.summary_address import Place, place_of
from daemon.store.summary_tables import summaries, summary_targets
from daemon.store.work import Query, Row, Work

MOST_TARGETS: Final = 20


class TooManyTargets(CallwardenError):
    """There are as many targets of the summary as there may be; delete one first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SummaryTarget:
    """Without its address."""

    target_id: str
    label: str
    place: Place
    language: str
    created_at: UnixMs

    def as_json(self) -> dict[str, object]:
        return {
            "target_id": self.target_id,
            "label": self.label,
            "kind": self.place.kind,
            "host": self.place.host,
            "language": self.language,
            "created_at": iso_utc(self.created_at),
        }


_ALL = select(summary_targets).order_by(summary_targets.c.created_at, summary_targets.c.target_id)
_ONE = select(summary_targets).where(summary_targets.c.target_id == bindparam("b_id"))
_COUNT = select(func.count().label("count")).select_from(summary_targets)
_INSERT = insert(summary_targets)
_DELETE = delete(summary_targets).where(summary_targets.c.target_id == bindparam("b_id"))
_DELETE_SENT = delete(summaries).where(summaries.c.target_id == bindparam("b_id"))


def new_target_id() -> str:
    return f"sum_{secrets.token_hex(8)}"


def add_target(target_id: str, url: str, label: str, language: str, now: UnixMs) -> Work[None]:
    """Raises TooManyTargets."""
    rows = yield Query(_COUNT)
    if int(rows[0]["count"]) >= MOST_TARGETS:
        raise TooManyTargets
    values = {"target_id": target_id, "url": url, "label": label, "language": language, "created_at": now}
    yield Query(_INSERT, values)


def delete_target(target_id: str) -> Work[bool]:
    """With what was noted of its summaries. False: there is none."""
    rows = yield Query(_ONE, {"b_id": target_id})
    if rows:
        yield Query(_DELETE_SENT, {"b_id": target_id})
        yield Query(_DELETE, {"b_id": target_id})
    return bool(rows)


async def read_targets(reads: Reader) -> list[SummaryTarget]:
    """All, the oldest first; they are few."""
    return [_target(row) for row in await reads.fetch(_ALL, {})]


async def read_target(reads: Reader, target_id: str) -> SummaryTarget | None:
    rows = await reads.fetch(_ONE, {"b_id": target_id})
    return _target(rows[0]) if rows else None


async def read_address(reads: Reader, target_id: str) -> str | None:
    """The secret itself: for whoever sends now."""
    rows = await reads.fetch(_ONE, {"b_id": target_id})
    return str(rows[0]["url"]) if rows else None


def target_facts(target_id: str) -> Work[Facts | None]:
    rows = yield Query(_ONE, {"b_id": target_id})
    if not rows:
        return None
    target = _target(rows[0])
    return {"label": target.label, "kind": target.place.kind, "language": target.language}


SUMMARY_TARGET: Final = Subject("summary_target", target_facts)


def _target(row: Row) -> SummaryTarget:
    return SummaryTarget(
        target_id=row["target_id"],
        label=row["label"],
        place=place_of(row["url"]),
        language=row["language"],
        created_at=row["created_at"],
    )
