"""Figures of reports: what became of calls, how long people waited, how soon missed ones were called back.

What waits, is offered and is answered is the same here as in `service_level`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final
from zoneinfo import ZoneInfo

from daemon.call.model import MissedReason
from daemon.call.signals import UnixMs

REASONS: Final = tuple(MissedReason)
_NONE: Final = (0,) * len(REASONS)
_QUARTER_S: Final = 15 * 60
_HOUR_S: Final = 3600


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """Calls that are over or were answered. `reasons` are those of the missed ones, in the order of REASONS.

    Waits are milliseconds: `waited` is the sum of the answered ones', `longest` the longest of them, `longest_missed`
    that of those who were not answered (without who hung up in the IVR, where nobody waits).
    """

    answered: int = 0
    missed: int = 0
    reasons: tuple[int, ...] = _NONE
    waited: int = 0
    longest: int = 0
    longest_missed: int = 0

    def __add__(self, other: Counts) -> Counts:
        return Counts(
            answered=self.answered + other.answered,
            missed=self.missed + other.missed,
            reasons=tuple(map(sum, zip(self.reasons, other.reasons, strict=True))),
            waited=self.waited + other.waited,
            longest=max(self.longest, other.longest),
            longest_missed=max(self.longest_missed, other.longest_missed),
        )

    def of(self, reason: MissedReason) -> int:
        return self.reasons[REASONS.index(reason)]

    @property
    def calls(self) -> int:
        return self.answered + self.missed

    @property
    def offered(self) -> int:
        """To agents: who hung up in the IVR never was."""
        return self.calls - self.of(MissedReason.LEFT_IN_IVR)

    @property
    def abandoned(self) -> int:
        return self.of(MissedReason.ABANDONED)

    @property
    def abandoned_percent(self) -> float | None:
        return percent(self.abandoned, self.offered)

    @property
    def average_wait_seconds(self) -> float | None:
        """Of the answered, known in the field as ASA."""
        return self.waited / self.answered / 1000 if self.answered else None


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentWork:
    """Of one agent. `rings` and `answers` are of incoming calls: each ringing of a phone, each time he was put through.

    `incoming` and `outgoing` are calls that he was the last to answer, `talked` the milliseconds of those `ended`.
    """

    user_id: str
    rings: int = 0
    answers: int = 0
    incoming: int = 0
    outgoing: int = 0
    talked: int = 0
    ended: int = 0

    @property
    def average_talk_seconds(self) -> float | None:
        return self.talked / self.ended / 1000 if self.ended else None


@dataclass(frozen=True, slots=True)
class CallBack:
    """Somebody who was missed: since when he waited, and when a talk made it good (None: not yet).

    `by_us`: an agent called him; else he tried again himself and got through.
    """

    since: UnixMs
    reached: UnixMs | None = None
    by_us: bool = False

    @property
    def seconds(self) -> int | None:
        return None if self.reached is None else max(0, self.reached - self.since) // 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class CallBacks:
    """How soon. The first four add up to `reached`: each counts where it fits first. Seconds are of the reached."""

    quarter: int
    hour: int
    same_day: int
    later: int
    never: int
    by_us: int
    median_seconds: float | None
    most_seconds: float | None
    """Nine of ten were reached sooner or then."""

    @property
    def reached(self) -> int:
        return self.quarter + self.hour + self.same_day + self.later

    @property
    def all(self) -> int:
        return self.reached + self.never


def call_backs(found: Sequence[CallBack], zone: ZoneInfo) -> CallBacks:
    waits = sorted(one.seconds for one in found if one.seconds is not None)
    places = [_place(one, zone) for one in found]
    return CallBacks(
        quarter=places.count("quarter"),
        hour=places.count("hour"),
        same_day=places.count("same_day"),
        later=places.count("later"),
        never=places.count("never"),
        by_us=sum(one.by_us and one.reached is not None for one in found),
        median_seconds=quantile(waits, 50),
        most_seconds=quantile(waits, 90),
    )


def _place(one: CallBack, zone: ZoneInfo) -> str:
    if one.reached is None or one.seconds is None:
        return "never"
    if one.seconds <= _HOUR_S:
        return "quarter" if one.seconds <= _QUARTER_S else "hour"
    return "same_day" if _day(one.since, zone) == _day(one.reached, zone) else "later"


def quantile(ordered: Sequence[int], hundredths: int) -> float | None:
    """The smallest value that so many of a hundred do not exceed (nearest rank): one that somebody really waited."""
    if not ordered:
        return None
    return float(ordered[max(0, -(-len(ordered) * hundredths // 100) - 1)])


def percent(part: int, whole: int) -> float | None:
    return 100 * part / whole if whole else None


def _day(at: UnixMs, zone: ZoneInfo) -> str:
    return datetime.fromtimestamp(at / 1000, UTC).astimezone(zone).date().isoformat()
