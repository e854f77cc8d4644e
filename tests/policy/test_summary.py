"""When the daily summary is due: each day once, whatever clocks are changed."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.call.signals import UnixMs
from daemon.policy.call_settings import CallSettings, Weekday
from daemon.policy.summary import LATE_MS, last_due, next_due, next_try, yesterday
from tests.factory import unix_ms

BERLIN = "Europe/Berlin"
HOUR = 3_600_000


def test_at_its_time_the_day_before_is_due_and_not_a_moment_sooner() -> None:
    settings, at = CallSettings(), unix_ms("2026-11-23 07:00:00")
    due = last_due(settings, at)
    assert due is not None
    assert (due.day, due.moment) == (date(2026, 11, 22), at)
    before = last_due(settings, UnixMs(at - 1))
    assert before is not None
    assert before.day == date(2026, 11, 21)
    following = next_due(settings, UnixMs(at - 1))
    assert following is not None
    assert following.moment == at


def test_on_days_that_are_not_chosen_none_is_due_and_without_any_day_never() -> None:
    settings = CallSettings(summary_days=(Weekday.MON,))
    for day in ("23", "25", "29"):
        due = last_due(settings, unix_ms(f"2026-11-{day} 12:00:00"))
        assert due is not None
        assert due.day == date(2026, 11, 22)
    assert last_due(CallSettings(summary_days=()), unix_ms("2026-11-23 12:00:00")) is None
    assert next_due(CallSettings(summary_days=()), unix_ms("2026-11-23 12:00:00")) is None


def test_a_summary_of_late_evening_is_still_due_after_midnight() -> None:
    settings = CallSettings(summary_time="23:30")
    due = last_due(settings, unix_ms("2026-11-24 01:00:00"))
    assert due is not None
    assert due.day == date(2026, 11, 22)
    assert not due.is_late(unix_ms("2026-11-24 01:00:00"))


@pytest.mark.parametrize(
    ("clock", "now"),
    [("02:30", "2026-03-29 06:00:00"), ("02:30", "2026-10-25 06:00:00"), ("00:00", "2026-03-29 06:00:00")],
)
def test_a_time_that_comes_twice_or_not_at_all_is_due_once(clock: str, now: str) -> None:
    settings = CallSettings(time_zone=BERLIN, summary_time=clock)
    moments = set()
    for minutes in range(0, 36 * 60, 10):
        due = last_due(settings, UnixMs(unix_ms(now, BERLIN) - 30 * HOUR + minutes * 60_000))
        assert due is not None
        moments.add((due.day, due.moment))
    assert len({day for day, _ in moments}) == len(moments)


def test_it_is_tried_again_sooner_first_and_no_longer_than_it_is_news() -> None:
    due = last_due(CallSettings(), unix_ms("2026-11-23 07:00:00"))
    assert due is not None
    now, attempts, moments = due.moment, 0, []
    while (following := next_try(due, attempts + 1, now)) is not None:
        attempts += 1
        moments.append((following - due.moment) // 60_000)
        now = following
    assert moments[:4] == [1, 6, 21, 51]
    assert moments[-1] * 60_000 <= LATE_MS
    assert due.is_late(UnixMs(due.moment + LATE_MS + 1))


def test_a_time_that_was_damaged_in_the_store_is_seven_oclock() -> None:
    due = last_due(CallSettings(summary_time="ab:cd"), unix_ms("2026-11-23 08:00:00"))
    assert due is not None
    assert due.moment == unix_ms("2026-11-23 07:00:00")


@given(
    st.integers(1_700_000_000_000, 1_900_000_000_000),
    st.sets(st.sampled_from(Weekday), min_size=1),
    st.sampled_from(("Asia/Ho_Chi_Minh", BERLIN, "America/New_York", "Australia/Lord_Howe")),
    st.times(),
)
def test_the_last_one_has_come_the_next_one_not_and_none_is_between(
    now: int, days: set[Weekday], zone: str, clock: object
) -> None:
    settings = CallSettings(summary_days=tuple(days), time_zone=zone, summary_time=f"{clock:%H:%M}")
    last, following = last_due(settings, UnixMs(now)), next_due(settings, UnixMs(now))
    assert last is not None
    assert following is not None
    assert last.moment <= now < following.moment
    assert last.day < following.day
    assert last.day <= yesterday(settings, UnixMs(now))
    again = last_due(settings, UnixMs(following.moment - 1))
    assert again == last
