"""Reports in words: what a period, a duration and a column are called, in the reader's language."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from babel.dates import format_date

from daemon.message import Message
from daemon.policy.report_span import Grain, Span
from daemon.web.agent_state import REASON_WORDS, PauseReason
from daemon.web.call_words import MISSED_REASONS
from daemon.web.formats import Formats
from daemon.web.report_agent_times import reason_of
from daemon.web.report_query import Report, Way
from daemon.web.report_table import Cell, ColumnKind
from daemon.web.words import Translate

SPANS: Final[Mapping[str, Message]] = {
    Span.TODAY: Message("Today"),
    Span.YESTERDAY: Message("Yesterday"),
    Span.WEEK: Message("7 days"),
    Span.MONTH: Message("30 days"),
    Span.THIS_MONTH: Message("This month"),
    Span.LAST_MONTH: Message("Last month"),
    Span.YEAR: Message("A year"),
}
GRAINS: Final[Mapping[str, Message]] = {
    Grain.HOUR: Message("By hour"),
    Grain.DAY: Message("By day"),
    Grain.WEEK: Message("By week"),
    Grain.MONTH: Message("By month"),
}
WAYS: Final[Mapping[str, Message]] = {
    Way.INCOMING: Message("Incoming"),
    Way.OUTGOING: Message("Outgoing"),
    Way.INTERNAL: Message("Internal"),
    Way.ALL: Message("All directions"),
}
TITLES: Final[Mapping[Report, Message]] = {
    Report.CALLS: Message("Calls by outcome"),
    Report.HOURS: Message("When people call"),
    Report.WAITING: Message("How long people wait"),
    Report.SERVICE_LEVEL: Message("Answered in time"),
    Report.CUSTOMERS: Message("Customers not served yet"),
    Report.CALL_BACKS: Message("How soon missed callers were reached"),
    Report.AGENTS: Message("Agents"),
    Report.AGENT_TIMES: Message("Pauses and states"),
}
COLUMNS: Final[Mapping[str, Message]] = {
    "period": Message("Time"),
    "calls": Message("Calls"),
    "answered": Message("Answered"),
    "missed": Message("Missed"),
    "offered": Message("Offered"),
    "average_wait_seconds": Message("Average wait"),
    "longest_wait_seconds": Message("Longest wait"),
    "longest_missed_wait_seconds": Message("Longest wait in vain"),
    "abandoned_percent": Message("Gave up (share)"),
    "answered_within": Message("In time"),
    "percent": Message("Share"),
    "target_met": Message("Target met"),
    "percent_of_offered": Message("Of all who called"),
    "customer_number": Message("Customer"),
    "missed_calls": Message("Missed calls"),
    "last_missed_at": Message("Last missed"),
    "name": Message("Agent"),
    "rings": Message("Times rung"),
    "answers": Message("Picked up"),
    "incoming": Message("Incoming calls"),
    "outgoing": Message("Outgoing calls"),
    "talk_seconds": Message("Talk time"),
    "average_talk_seconds": Message("Average talk"),
    "available_seconds": Message("Available"),
    "wrap_up_seconds": Message("Wrap-up"),
    "paused_seconds": Message("Paused"),
    "paused_seconds_no_reason": Message("Without a reason"),
    "paused_seconds_others": Message("Other reasons"),
    "not_known_seconds": Message("Not known"),
    "reached": Message("Reached"),
    "callers": Message("Callers"),
    **{str(reason): word for reason, word in MISSED_REASONS.items()},
}
NONE: Final = "\u2013"
PLACES: Final[Mapping[str, Message]] = {
    "quarter": Message("within 15 minutes"),
    "hour": Message("within 1 hour"),
    "same_day": Message("the same day"),
    "later": Message("later"),
    "never": Message("not yet"),
}


@dataclass(frozen=True, slots=True)
class Words:
    """Of one reader."""

    _: Translate
    formats: Formats

    def column(self, name: str) -> str:
        reason = reason_of(name)
        return self._reason(reason) if reason else self._(COLUMNS[name])

    def cell(self, value: Cell, kind: ColumnKind) -> str:
        if value is None or isinstance(value, str):
            return value or NONE
        match kind:
            case ColumnKind.SECONDS:
                return self.lasts(value)
            case ColumnKind.PERCENT:
                return self.percent(value)
            case ColumnKind.YES:
                return self._("yes") if value else self._("no")
            case _:
                return self.number(value)

    def number(self, value: float) -> str:
        return self.formats.number(round(value, 1))

    def percent(self, value: float | None) -> str:
        return NONE if value is None else f"{self.number(value)} %"

    def lasts(self, seconds: float | None) -> str:
        """As the history writes it."""
        if seconds is None:
            return NONE
        hours, rest = divmod(int(seconds), 3600)
        return f"{hours}:{rest // 60:02}:{rest % 60:02}" if hours else f"{rest // 60}:{rest % 60:02}"

    def _reason(self, reason: str) -> str:
        """Of a pause: ours in the reader's language, others' as they wrote it."""
        return self._(REASON_WORDS[PauseReason(reason)]) if reason in list(PauseReason) else reason

    def labels(self, keys: Sequence[str], grain: Grain) -> list[str]:
        """Short, for the axis of a chart."""
        days = {key[:10] for key in keys}
        return [self._label(key, grain, is_one_day=len(days) == 1) for key in keys]

    def names(self, keys: Sequence[str], grain: Grain) -> list[str]:
        """In full. Of an hour that comes twice both have their offset."""
        twice = {key for key, count in Counter(key[:16] for key in keys).items() if count > 1}
        return [self._name(key, grain, has_twin=key[:16] in twice) for key in keys]

    def weekdays(self) -> list[str]:
        """From Monday on; the 5th of January 1970 was one."""
        return [self._day(date(1970, 1, 5 + day), "EEE") for day in range(7)]

    def _label(self, key: str, grain: Grain, *, is_one_day: bool) -> str:
        if grain is Grain.HOUR:
            return f"{datetime.fromisoformat(key):{'%H:%M' if is_one_day else '%d/%m %H:%M'}}"
        return f"{_first_day(key, grain):{'%m/%Y' if grain is Grain.MONTH else '%d/%m'}}"

    def _name(self, key: str, grain: Grain, *, has_twin: bool) -> str:
        if grain is Grain.HOUR:
            at = datetime.fromisoformat(key)
            return f"{at:%d/%m/%Y %H:%M}" + (f" ({key[16:]})" if has_twin else "")
        day = _first_day(key, grain)
        match grain:
            case Grain.DAY:
                return self._day(day, "EEE dd/MM/yyyy")
            case Grain.WEEK:
                said = self._("Week {n}, from {day}")
                return said.format(n=int(key[-2:]), day=self._day(day, "dd/MM/yyyy"))
            case _:
                return self._day(day, "LLLL yyyy")

    def _day(self, day: date, pattern: str) -> str:
        return str(format_date(day, pattern, locale=self.formats.locale))


def _first_day(key: str, grain: Grain) -> date:
    if grain is Grain.WEEK:
        return date.fromisocalendar(int(key[:4]), int(key[-2:]), 1)
    return date.fromisoformat(f"{key}-01" if grain is Grain.MONTH else key)
