from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.call.signals import UnixMs
from daemon.policy.retry import (
    EVENT_LIFETIME_MS,
    EVENT_SCHEDULE,
    POPUP_LIFETIME_MS,
    POPUP_SCHEDULE,
    AttemptOutcome,
    Delivered,
    Disable,
    Failure,
    GiveUp,
    OutOfTime,
    Retry,
    RetryDecision,
    RetryReason,
    Schedule,
    decide_retry,
    pause_ms,
    retry_after_ms,
)

NOW = UnixMs(1_795_000_000_000)
LATER = UnixMs(NOW + EVENT_LIFETIME_MS)


def decide(
    outcome: AttemptOutcome,
    attempt_count: int = 1,
    expires_at: int = LATER,
    jitter: float = 0.5,
    schedule: Schedule = EVENT_SCHEDULE,
) -> RetryDecision:
    return decide_retry(
        outcome, attempt_count, expires_at=UnixMs(expires_at), now=NOW, jitter=jitter, schedule=schedule
    )


@pytest.mark.parametrize("status", [200, 201, 202, 204, 299])
def test_every_2xx_is_success(status: int) -> None:
    assert decide(AttemptOutcome(status)) == Delivered(RetryReason.DELIVERED)


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        (301, RetryReason.REDIRECT_NOT_FOLLOWED),
        (302, RetryReason.REDIRECT_NOT_FOLLOWED),
        (304, RetryReason.REDIRECT_NOT_FOLLOWED),
        (308, RetryReason.REDIRECT_NOT_FOLLOWED),
        (400, RetryReason.CLIENT_ERROR),
        (401, RetryReason.CLIENT_ERROR),
        (404, RetryReason.CLIENT_ERROR),
        (429, RetryReason.CLIENT_ERROR),
        (500, RetryReason.SERVER_ERROR),
        (503, RetryReason.SERVER_ERROR),
        (101, RetryReason.ODD_STATUS),
        (600, RetryReason.ODD_STATUS),
        (999, RetryReason.ODD_STATUS),
    ],
)
def test_every_other_status_is_retried_and_named(status: int, reason: RetryReason) -> None:
    decision = decide(AttemptOutcome(status))
    assert isinstance(decision, Retry)
    assert decision.reason is reason


def test_410_disables_the_endpoint() -> None:
    assert decide(AttemptOutcome(410)) == Disable(RetryReason.ENDPOINT_GONE)


@pytest.mark.parametrize("failure", [Failure.BAD_URL, Failure.ADDRESS_REFUSED])
def test_what_can_never_work_is_never_tried_again(failure: Failure) -> None:
    assert decide(AttemptOutcome(failure=failure)) == GiveUp(RetryReason(failure.value))


def test_a_missing_secret_is_waited_for_a_little_and_then_given_up() -> None:
    outcome = AttemptOutcome(failure=Failure.NO_SECRET)
    assert [type(decide(outcome, attempt)) for attempt in (1, 2, 3, 4)] == [Retry, Retry, GiveUp, GiveUp]


@pytest.mark.parametrize(
    "failure",
    [Failure.TIMEOUT, Failure.CONNECTION, Failure.NAME_UNKNOWN, Failure.TLS, Failure.BROKEN_ANSWER],
)
def test_a_failure_that_may_pass_is_retried_under_its_own_name(failure: Failure) -> None:
    decision = decide(AttemptOutcome(failure=failure))
    assert isinstance(decision, Retry)
    assert decision.reason is RetryReason(failure.value)


@pytest.mark.parametrize("status", [429, 503])
def test_retry_after_in_seconds_is_honoured_to_the_millisecond(status: int) -> None:
    decision = decide(AttemptOutcome(status, retry_after="120"), jitter=0.0)
    assert decision == Retry(UnixMs(NOW + 120_000), RetryReason.RETRY_AFTER_HONOURED)


def test_retry_after_as_a_date_is_honoured() -> None:
    # NOW is Wed, 18 Nov 2026 11:06:40 GMT
    decision = decide(AttemptOutcome(503, retry_after="Wed, 18 Nov 2026 11:16:40 GMT"))
    assert decision == Retry(UnixMs(NOW + 600_000), RetryReason.RETRY_AFTER_HONOURED)


def test_retry_after_means_nothing_beside_other_statuses() -> None:
    decision = decide(AttemptOutcome(500, retry_after="3600"))
    assert isinstance(decision, Retry)
    assert decision.reason is RetryReason.SERVER_ERROR


def test_retry_after_beyond_the_expiry_leaves_one_last_chance_before_it() -> None:
    decision = decide(AttemptOutcome(503, retry_after="999999"), expires_at=NOW + 3_600_000)
    assert decision == Retry(UnixMs(NOW + 3_540_000), RetryReason.RETRY_AFTER_HONOURED)


@pytest.mark.parametrize(
    "header",
    ["", " ", "0", "-5", "soon", "1.5", "Wed, 18 Nov 2020 11:16:40 GMT", "Wed, 99 Nov 2026", "٣", "\x00", "1e9"],
)
def test_an_unreadable_or_past_retry_after_falls_back_to_the_schedule(header: str) -> None:
    decision = decide(AttemptOutcome(503, retry_after=header))
    assert isinstance(decision, Retry)
    assert decision.reason is RetryReason.SERVER_ERROR


@given(st.text(max_size=60))
def test_no_retry_after_header_whatever_breaks_the_policy(header: str) -> None:
    pause = retry_after_ms(header, NOW)
    assert pause is None or pause > 0


@pytest.mark.parametrize("header", ["9" * 5000, "Fri, 31 Dec 9999 23:59:59 GMT", "1" * 400])
def test_an_absurdly_long_retry_after_is_bounded_by_the_expiry(header: str) -> None:
    decision = decide(AttemptOutcome(429, retry_after=header))
    assert isinstance(decision, Retry)
    assert NOW < decision.at < LATER


def test_pauses_double_up_to_the_longest_and_spread_over_their_whole_width() -> None:
    schedule = Schedule(shortest_ms=100, first_ms=1_000, longest_ms=8_000, last_chance_ms=0)
    assert [pause_ms(n, 1.0, schedule) for n in (1, 2, 3, 4, 5, 50)] == [1_000, 2_000, 4_000, 8_000, 8_000, 8_000]
    assert [pause_ms(n, 0.0, schedule) for n in (1, 5, 50)] == [100, 100, 100]


def test_an_event_is_tried_about_thirty_times_over_24_hours_and_then_out_of_time() -> None:
    times = attempts_until_given_up(EVENT_LIFETIME_MS, EVENT_SCHEDULE)
    assert 20 < len(times) < 60
    assert times[-1] >= EVENT_LIFETIME_MS - EVENT_SCHEDULE.last_chance_ms


def test_a_popup_is_tried_quickly_and_given_up_within_two_minutes() -> None:
    times = attempts_until_given_up(POPUP_LIFETIME_MS, POPUP_SCHEDULE)
    assert times[1] <= 1_000
    assert len(times) > 10
    assert POPUP_LIFETIME_MS - 5_000 <= times[-1] < POPUP_LIFETIME_MS


def attempts_until_given_up(lifetime_ms: int, schedule: Schedule) -> list[int]:
    """When a target that is down is called, from the start, with middling luck."""
    at, times = 0, [0]
    while True:
        decision = decide_retry(
            AttemptOutcome(failure=Failure.CONNECTION),
            len(times),
            expires_at=UnixMs(lifetime_ms),
            now=UnixMs(at),
            jitter=0.5,
            schedule=schedule,
        )
        if isinstance(decision, OutOfTime):
            assert decision.reason is RetryReason.CONNECTION_FAILED
            return times
        assert isinstance(decision, Retry)
        at = decision.at
        times.append(at)


@given(
    status=st.integers(100, 999),
    attempt_count=st.integers(0, 10_000),
    lifetime=st.integers(-(10**9), 10**9),
    jitter=st.floats(0, 1),
    header=st.none() | st.integers(0, 10**12).map(str),
    schedule=st.sampled_from([EVENT_SCHEDULE, POPUP_SCHEDULE]),
)
def test_another_attempt_is_always_in_the_future_and_before_the_expiry(
    status: int, attempt_count: int, lifetime: int, jitter: float, header: str | None, schedule: Schedule
) -> None:
    decision = decide(AttemptOutcome(status, retry_after=header), attempt_count, NOW + lifetime, jitter, schedule)
    if isinstance(decision, Retry):
        assert NOW < decision.at < NOW + lifetime
