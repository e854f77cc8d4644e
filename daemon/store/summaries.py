"""What was sent of which day to whom. One row for each target and day, so that nothing is sent twice.

An attempt is written before it is made, so that nobody makes another beside it: neither the daemon nor a command. One
that a crash cut off counts as failed when it is older than any attempt lasts, and is made again: at worst a summary
comes twice, where the daemon died in the moment between the other side's thanks and its own note.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Final

from sqlalchemy import bindparam, func, insert, select, update

from daemon.call.rendering import iso_utc
from daemon.call.signals import UnixMs
from daemon.policy.summary import SummaryReason
from daemon.store.reader import Reader
from daemon.store.summary_tables import summaries, summary_targets
from daemon.store.work import Query, Row, Work

LASTS_MS: Final = 90_000
"""Longer than any attempt: whoever made one that began before is gone."""


class SummaryStatus(StrEnum):
    PENDING = "pending"
    SENT = "sent"
    FAILED = "failed"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sending:
    """The summary of `day` for one target. `next_attempt_at` None while pending: it is being sent, or was cut off."""

    target_id: str
    day: date
    status: SummaryStatus
    attempts: int
    attempted_at: UnixMs | None
    next_attempt_at: UnixMs | None
    reason: SummaryReason | None
    said: str | None

    def as_json(self) -> dict[str, object]:
        return {
            "day": self.day.isoformat(),
            "status": self.status.value,
            "attempts": self.attempts,
            "attempted_at": iso_utc(self.attempted_at),
            "next_attempt_at": iso_utc(self.next_attempt_at),
            "reason": self.reason and self.reason.value,
            "said": self.said,
        }


_KEY = (summaries.c.target_id == bindparam("b_id"), summaries.c.day == bindparam("b_day"))
_ONE = select(summaries).where(*_KEY)
_TARGET = select(summary_targets.c.target_id).where(summary_targets.c.target_id == bindparam("b_id"))
_INSERT = insert(summaries)
_BEGIN = (
    update(summaries)
    .where(*_KEY)
    .values(attempts=summaries.c.attempts + 1, attempted_at=bindparam("b_at"), next_attempt_at=None)
)
_SETTLE = (
    update(summaries)
    .where(*_KEY)
    .values(
        status=bindparam("b_status"),
        next_attempt_at=bindparam("b_next"),
        finished_at=bindparam("b_finished"),
        reason=bindparam("b_reason"),
        said=bindparam("b_said"),
    )
)
_DAYS = select(summaries.c.target_id, func.max(summaries.c.day).label("day")).group_by(summaries.c.target_id).subquery()
_LAST = select(summaries).join(_DAYS, (_DAYS.c.target_id == summaries.c.target_id) & (_DAYS.c.day == summaries.c.day))


def begin_sending(target_id: str, day: date, now: UnixMs, *, again: bool = False) -> Work[int]:
    """Which attempt this is; 0: there is none to make now. `again` also makes one where it was sent or given up.

    Never one beside an attempt that is being made.
    """
    key = {"b_id": target_id, "b_day": day.isoformat()}
    rows = yield Query(_ONE, key)
    if rows:
        waits = rows[0]["status"] == SummaryStatus.PENDING and (rows[0]["next_attempt_at"] or 0) <= now
        if _goes_on(rows[0], now) or not (waits or again):
            return 0
        yield Query(_BEGIN, {**key, "b_at": now})
        return int(rows[0]["attempts"]) + 1
    if not (yield Query(_TARGET, {"b_id": target_id})):
        return 0
    yield Query(_INSERT, _values(target_id, day, SummaryStatus.PENDING, attempts=1, attempted_at=now))
    return 1


def settle_sending(
    target_id: str,
    day: date,
    now: UnixMs,
    reason: SummaryReason | None,
    said: str | None = None,
    next_at: UnixMs | None = None,
) -> Work[None]:
    """What came of the attempt: sent without a reason, else tried again at `next_at`, or given up."""
    retried = reason is not None and next_at is not None
    status = SummaryStatus.SENT if reason is None else SummaryStatus.PENDING if retried else SummaryStatus.FAILED
    yield Query(
        _SETTLE,
        {
            "b_id": target_id,
            "b_day": day.isoformat(),
            "b_status": status.value,
            "b_next": next_at if retried else None,
            "b_finished": None if retried else now,
            "b_reason": reason and reason.value,
            "b_said": said and said[:255],
        },
    )


def leave_out(target_id: str, day: date, now: UnixMs) -> Work[bool]:
    """It is too late. What was tried is given up with its reason; of what was not, it is said why. False: known."""
    rows = yield Query(_ONE, {"b_id": target_id, "b_day": day.isoformat()})
    if rows and rows[0]["status"] != SummaryStatus.PENDING:
        return False
    if rows:
        reason = SummaryReason(rows[0]["reason"] or SummaryReason.BROKEN)
        yield from settle_sending(target_id, day, now, reason, rows[0]["said"])
        return True
    if not (yield Query(_TARGET, {"b_id": target_id})):
        return False
    skipped = _values(target_id, day, SummaryStatus.SKIPPED, reason=SummaryReason.TOO_LATE.value, finished_at=now)
    yield Query(_INSERT, skipped)
    return True


async def read_sending(reads: Reader, target_id: str, day: date) -> Sending | None:
    rows = await reads.fetch(_ONE, {"b_id": target_id, "b_day": day.isoformat()})
    return _sending(rows[0]) if rows else None


async def read_last_sendings(reads: Reader) -> dict[str, Sending]:
    """Of each target that ever had one, the newest day's."""
    return {row["target_id"]: _sending(row) for row in await reads.fetch(_LAST, {})}


def _goes_on(row: Row, now: UnixMs) -> bool:
    is_open = row["status"] == SummaryStatus.PENDING and row["next_attempt_at"] is None
    return is_open and 0 <= now - (row["attempted_at"] or 0) < LASTS_MS


def _values(target_id: str, day: date, status: SummaryStatus, **more: object) -> dict[str, object]:
    return {
        "target_id": target_id,
        "day": day.isoformat(),
        "status": status.value,
        "attempts": 0,
        "attempted_at": None,
        "next_attempt_at": None,
        "finished_at": None,
        "reason": None,
        "said": None,
        **more,
    }


def _sending(row: Row) -> Sending:
    return Sending(
        target_id=row["target_id"],
        day=date.fromisoformat(row["day"]),
        status=SummaryStatus(row["status"]),
        attempts=row["attempts"],
        attempted_at=row["attempted_at"],
        next_attempt_at=row["next_attempt_at"],
        reason=row["reason"] and SummaryReason(row["reason"]),
        said=row["said"],
    )
