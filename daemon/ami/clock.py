"""When an event happened: Asterisk's own `Timestamp`, unless live and its clock is wrong. And how time goes by."""

from __future__ import annotations

import time

import structlog

from daemon.ami.message import Message
from daemon.call.signals import SteadyMs, UnixMs

UNKNOWN = UnixMs(0)
MAX_SKEW_MS = 60_000
_LATEST_MS = 253_402_128_000_000  # two days before the year 10000: what a datetime can hold in any time zone

_BEGAN_NS = time.time_ns() - time.monotonic_ns()

_log = structlog.get_logger(__name__)


def steady_ms() -> SteadyMs:
    """It began as the date at our start, and goes on whatever becomes of the date: not for people."""
    return SteadyMs(UnixMs((_BEGAN_NS + time.monotonic_ns()) // 1_000_000))


class EventClock:
    """One for each connection. A replayed trace is right by definition; live, one wrong time ends the trust in all."""

    __slots__ = ("_live", "_trusted", "last", "stamped")

    def __init__(self, *, live: bool) -> None:
        self._live = live
        self._trusted = True
        self.last = UNKNOWN
        self.stamped = False

    @property
    def skewed(self) -> bool:
        return not self._trusted

    def time_of(self, message: Message, arrival: UnixMs) -> UnixMs:
        stamp = _milliseconds(message.get("Timestamp")) if self._trusted else None
        self.stamped = self.stamped or stamp is not None
        if stamp is not None and self._live and abs(stamp - arrival) > MAX_SKEW_MS:
            self._trusted, stamp = False, None
            _log.warning("ami_clock_skewed", advice="set the PBX's clock; the time of arrival is used until then")
        if stamp is None:
            stamp = arrival or self.last
        self.last = UnixMs(stamp)
        return self.last


def _milliseconds(text: str | None) -> int | None:
    try:
        value = int(float(text or "") * 1000)
    except (ValueError, OverflowError):
        return None
    return value if 0 < value <= _LATEST_MS else None
