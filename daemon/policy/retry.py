"""What follows an attempt to deliver: done, again at a time, given up, or the endpoint switched off.

The clock and the randomness are arguments. A time given for another attempt is always before the expiry.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from enum import StrEnum

from daemon.call.signals import UnixMs

EVENT_LIFETIME_MS = 24 * 3600 * 1000
POPUP_LIFETIME_MS = 2 * 60 * 1000
ASKS_TO_WAIT = (429, 503)  # RFC 6585 §4, RFC 9110 §15.6.4
ATTEMPTS_WITHOUT_SECRET = 3  # a call may be told to an endpoint made a moment ago, before its secret is known here
LONGEST_RETRY_AFTER_SECONDS = 10**9  # more digits than that are no time anybody meant


class Failure(StrEnum):
    """Why an attempt brought no status code."""

    TIMEOUT = "timeout"
    CONNECTION = "connection_failed"  # refused, reset, unreachable, closed without an answer
    NAME_UNKNOWN = "name_unknown"
    TLS = "tls_failed"
    BROKEN_ANSWER = "broken_answer"
    BAD_URL = "bad_url"
    ADDRESS_REFUSED = "address_refused"
    NO_SECRET = "no_secret"  # noqa: S105 - the endpoint was removed, or is very new


class RetryReason(StrEnum):
    """Why it goes on as it does; kept with the delivery."""

    DELIVERED = "delivered"
    RETRY_AFTER_HONOURED = "retry_after_honoured"
    REDIRECT_NOT_FOLLOWED = "redirect_not_followed"
    CLIENT_ERROR = "client_error"
    SERVER_ERROR = "server_error"
    ODD_STATUS = "odd_status"
    TIMEOUT = "timeout"
    CONNECTION_FAILED = "connection_failed"
    NAME_UNKNOWN = "name_unknown"
    TLS_FAILED = "tls_failed"
    BROKEN_ANSWER = "broken_answer"
    ENDPOINT_GONE = "endpoint_gone"
    BAD_URL = "bad_url"
    ADDRESS_REFUSED = "address_refused"
    NO_SECRET = "no_secret"  # noqa: S105
    OUT_OF_TIME = "out_of_time"


@dataclass(frozen=True, slots=True)
class AttemptOutcome:
    """What the outside did: a status code with its raw Retry-After header, or else a failure."""

    status_code: int | None = None
    failure: Failure | None = None
    retry_after: str | None = None


@dataclass(frozen=True, slots=True)
class Schedule:
    """The n-th pause is drawn from `shortest_ms` to `first_ms` doubled n-1 times, at most `longest_ms`."""

    shortest_ms: int
    first_ms: int
    longest_ms: int
    last_chance_ms: int  # one attempt is kept for this long before the expiry, if the pause would pass it


EVENT_SCHEDULE = Schedule(shortest_ms=500, first_ms=5_000, longest_ms=2 * 3600 * 1000, last_chance_ms=60_000)
POPUP_SCHEDULE = Schedule(shortest_ms=200, first_ms=1_000, longest_ms=15_000, last_chance_ms=5_000)


@dataclass(frozen=True, slots=True)
class Delivered:
    reason: RetryReason = RetryReason.DELIVERED


@dataclass(frozen=True, slots=True)
class Retry:
    at: UnixMs
    reason: RetryReason


@dataclass(frozen=True, slots=True)
class GiveUp:
    """Never again: the target cannot or must not be reached in this form."""

    reason: RetryReason


@dataclass(frozen=True, slots=True)
class OutOfTime:
    """The last failure left no time for another attempt; `reason` says what that failure was."""

    reason: RetryReason


@dataclass(frozen=True, slots=True)
class Disable:
    """The endpoint asked not to be called any more."""

    reason: RetryReason


RetryDecision = Delivered | Retry | GiveUp | OutOfTime | Disable


def decide_retry(
    outcome: AttemptOutcome,
    attempt_count: int,
    *,
    expires_at: UnixMs,
    now: UnixMs,
    jitter: float,
    schedule: Schedule = EVENT_SCHEDULE,
) -> RetryDecision:
    """`attempt_count` counts this attempt too; `jitter` is drawn evenly from 0 to 1."""
    reason = _reason_of(outcome)
    match reason:
        case RetryReason.DELIVERED:
            return Delivered()
        case RetryReason.ENDPOINT_GONE:
            return Disable(reason)
        case RetryReason.BAD_URL | RetryReason.ADDRESS_REFUSED:
            return GiveUp(reason)
        case RetryReason.NO_SECRET if attempt_count >= ATTEMPTS_WITHOUT_SECRET:
            return GiveUp(reason)
        case _:
            pass
    asked = retry_after_ms(outcome.retry_after, now) if outcome.status_code in ASKS_TO_WAIT else None
    pause = pause_ms(attempt_count, jitter, schedule) if asked is None else asked
    at = min(now + pause, expires_at - schedule.last_chance_ms)
    if at <= now:
        return OutOfTime(reason)
    return Retry(UnixMs(at), reason if asked is None else RetryReason.RETRY_AFTER_HONOURED)


def retry_after_ms(header: str | None, now: UnixMs) -> int | None:
    """RFC 9110 §10.2.3: whole seconds or an HTTP date. None where it is absent, unreadable or already past."""
    if header is None:
        return None
    text = header.strip()
    if text.isascii() and text.isdigit():
        return min(int(text[:12]), LONGEST_RETRY_AFTER_SECONDS) * 1000 or None
    try:
        moment = parsedate_to_datetime(text)
        pause = int(_as_utc(moment).timestamp() * 1000) - now
    except (ValueError, TypeError, OverflowError, IndexError):
        return None
    return pause if pause > 0 else None


def _as_utc(moment: datetime) -> datetime:
    """An HTTP date is in GMT even where it does not say so (RFC 9110 §5.6.7)."""
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment


def _reason_of(outcome: AttemptOutcome) -> RetryReason:
    if outcome.failure is not None:
        return _REASON_OF_FAILURE[outcome.failure]
    if outcome.status_code == 410:  # Standard Webhooks, "Deliverability and reliability": disable the endpoint
        return RetryReason.ENDPOINT_GONE
    return _REASON_OF_HUNDRED.get((outcome.status_code or 0) // 100, RetryReason.ODD_STATUS)


_REASON_OF_HUNDRED = {
    2: RetryReason.DELIVERED,
    3: RetryReason.REDIRECT_NOT_FOLLOWED,
    4: RetryReason.CLIENT_ERROR,
    5: RetryReason.SERVER_ERROR,
}

_REASON_OF_FAILURE = {
    Failure.TIMEOUT: RetryReason.TIMEOUT,
    Failure.CONNECTION: RetryReason.CONNECTION_FAILED,
    Failure.NAME_UNKNOWN: RetryReason.NAME_UNKNOWN,
    Failure.TLS: RetryReason.TLS_FAILED,
    Failure.BROKEN_ANSWER: RetryReason.BROKEN_ANSWER,
    Failure.BAD_URL: RetryReason.BAD_URL,
    Failure.ADDRESS_REFUSED: RetryReason.ADDRESS_REFUSED,
    Failure.NO_SECRET: RetryReason.NO_SECRET,
}


def pause_ms(attempt_count: int, jitter: float, schedule: Schedule) -> int:
    """Full jitter keeps many deliveries that failed together from coming back together."""
    doublings = min(max(attempt_count, 1) - 1, 40)  # beyond 40 any schedule has reached its longest pause
    widest = min(schedule.first_ms << doublings, schedule.longest_ms)
    return int(schedule.shortest_ms + jitter * max(0, widest - schedule.shortest_ms))
