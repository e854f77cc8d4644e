"""Times and numbers as the reader writes them: his language, the call centre's time zone."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from babel.dates import format_date, format_datetime, format_time, format_timedelta
from babel.numbers import format_decimal
from markupsafe import Markup

from daemon.call.rendering import iso_utc
from daemon.call.signals import UnixMs


@dataclass(frozen=True, slots=True)
class Formats:
    """`language` is `vi` or `en`; `time_zone` an IANA zone; `now` the moment the page is made."""

    language: str
    time_zone: str
    now: UnixMs

    @property
    def locale(self) -> str:
        return "en_GB" if self.language == "en" else self.language  # day before month, as all but one country

    def number(self, value: float) -> str:
        return format_decimal(value, locale=self.locale)

    def moment(self, at: UnixMs) -> str:
        """To the second, with the date."""
        return format_datetime(self._local(at), "dd/MM/yyyy HH:mm:ss", locale=self.locale)

    def clock(self, at: UnixMs) -> str:
        return format_time(self._local(at), "HH:mm:ss", locale=self.locale)

    def day(self, at: UnixMs) -> str:
        return format_date(self._local(at), "medium", locale=self.locale)

    def date(self, at: UnixMs) -> str:
        """As `<input type=date>` writes it."""
        return self._local(at).date().isoformat()

    def ago(self, at: UnixMs) -> str:
        """As `5 minutes ago`; what is nearer than a second counts as one."""
        delta = timedelta(milliseconds=min(at - self.now, -1000) if at <= self.now else max(at - self.now, 1000))
        return format_timedelta(delta, add_direction=True, locale=self.locale)

    def span(self, ms: int) -> str:
        """How long, in its largest unit."""
        return format_timedelta(timedelta(milliseconds=max(ms, 1000)), locale=self.locale)

    def when(self, at: UnixMs) -> Markup:
        """Relative, with the exact time on hover, for screen readers and in print."""
        return self._tag(at, self.ago(at), self.moment(at))

    def exact(self, at: UnixMs) -> Markup:
        """Exact, with the relative time on hover."""
        return self._tag(at, self.moment(at), self.ago(at))

    def at(self, at: UnixMs) -> Markup:
        """The time of day to the second, with the date on hover."""
        return self._tag(at, self.clock(at), self.moment(at))

    def _tag(self, at: UnixMs, shown: str, title: str) -> Markup:
        return Markup('<time datetime="{}" title="{}">{}</time>').format(iso_utc(at), title, shown)

    def _local(self, at: UnixMs) -> datetime:
        return datetime.fromtimestamp(at / 1000, UTC).astimezone(ZoneInfo(self.time_zone))
