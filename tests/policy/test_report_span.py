"""Spans and periods on a wall clock: every moment lies in one period, also where days have 23 or 25 hours."""

from __future__ import annotations

from datetime import date
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.call.signals import UnixMs
from daemon.policy.report_span import (
    HOUR_MS,
    QUARTER_MS,
    Grain,
    Span,
    Stretch,
    day_stretch,
    key_of,
    midnight,
    periods,
    slot_ms,
    stretch_of,
)
from tests.factory import unix_ms

BERLIN = ZoneInfo("Europe/Berlin")
ZONES = st.sampled_from(
    ["Europe/Berlin", "Asia/Ho_Chi_Minh", "Asia/Kathmandu", "Australia/Lord_Howe", "America/New_York"]
)
MOMENTS = st.integers(1_500_000_000_000, 1_900_000_000_000)


def day(begin: str, end: str, zone: str = "Europe/Berlin") -> Stretch:
    return Stretch(unix_ms(begin, zone), unix_ms(end, zone))


@pytest.mark.parametrize(("name", "hours"), [("2026-03-29", 23), ("2026-10-25", 25), ("2026-06-01", 24)])
def test_a_day_has_as_many_hours_as_the_clocks_make_it(name: str, hours: int) -> None:
    found = day_stretch(date.fromisoformat(name), BERLIN)
    assert found.end - found.begin == hours * HOUR_MS


def test_the_hour_that_comes_twice_in_autumn_is_two_and_that_of_spring_is_none() -> None:
    autumn = [one.key for one in periods(day("2026-10-25 00:00:00", "2026-10-26 00:00:00"), Grain.HOUR, BERLIN)]
    assert len(autumn) == 25
    assert [key for key in autumn if "T02" in key] == ["2026-10-25T02:00+02:00", "2026-10-25T02:00+01:00"]
    spring = [one.key for one in periods(day("2026-03-29 00:00:00", "2026-03-30 00:00:00"), Grain.HOUR, BERLIN)]
    assert len(spring) == 23
    assert not [key for key in spring if "T02" in key]


def test_weeks_begin_on_monday_and_belong_to_the_year_of_their_thursday() -> None:
    stretch = day("2026-12-27 00:00:00", "2027-01-05 00:00:00")
    assert [one.key for one in periods(stretch, Grain.WEEK, BERLIN)] == ["2026-W52", "2026-W53", "2027-W01"]


@pytest.mark.parametrize("span", list(Span))
@given(now=MOMENTS, zone=ZONES)
def test_a_span_is_whole_days_up_to_now(span: Span, now: int, zone: str) -> None:
    found = stretch_of(span, UnixMs(now), ZoneInfo(zone))
    assert found.begin < found.end <= now + 1
    assert key_of(found.begin, Grain.HOUR, ZoneInfo(zone))[11:13] in ("00", "01"), "some midnights are left out"
    assert found.days <= 366


@given(
    begin=MOMENTS, hours=st.integers(1, 24 * 400), zone=ZONES, grain=st.sampled_from(list(Grain)), share=st.floats(0, 1)
)
def test_every_moment_lies_in_one_of_the_periods(begin: int, hours: int, zone: str, grain: Grain, share: float) -> None:
    hours = min(hours, 24 * 31) if grain is Grain.HOUR else hours
    stretch = Stretch(UnixMs(begin), UnixMs(begin + hours * HOUR_MS))
    found = periods(stretch, grain, ZoneInfo(zone))
    keys = [one.key for one in found]
    assert keys == list(dict.fromkeys(keys))
    assert [one.begin for one in found] == sorted(one.begin for one in found)
    moment = UnixMs(begin + int(share * (hours * HOUR_MS - 1)))
    assert key_of(moment, grain, ZoneInfo(zone)) in keys


@given(begin=MOMENTS, days=st.integers(1, 366), zone=ZONES, share=st.floats(0, 1))
def test_no_sum_lies_in_two_hours(begin: int, days: int, zone: str, share: float) -> None:
    stretch, where = Stretch(UnixMs(begin), UnixMs(begin + days * 24 * HOUR_MS)), ZoneInfo(zone)
    slot = slot_ms(stretch, where)
    assert slot in (HOUR_MS, QUARTER_MS)
    moment = begin + int(share * (days * 24 * HOUR_MS - 1))
    first = max(moment // slot * slot, begin)
    assert key_of(UnixMs(first), Grain.HOUR, where) == key_of(UnixMs(moment), Grain.HOUR, where)


def test_midnight_is_that_of_the_wall_clock() -> None:
    assert midnight(date(2026, 11, 22), ZoneInfo("Asia/Ho_Chi_Minh")) == unix_ms("2026-11-22 00:00:00")
