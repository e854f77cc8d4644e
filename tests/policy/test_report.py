"""Figures of reports: waits that somebody really waited, and no shares where there is nothing to divide."""

from __future__ import annotations

import math
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from daemon.call.signals import UnixMs
from daemon.policy.report import CallBack, Counts, call_backs, quantile
from tests.factory import unix_ms

HANOI = ZoneInfo("Asia/Ho_Chi_Minh")
COUNTS = st.builds(Counts, answered=st.integers(0, 9), missed=st.integers(0, 9), waited=st.integers(0, 99))


@given(st.lists(st.integers(0, 10_000), min_size=1), st.sampled_from([50, 90]))
def test_a_quantile_is_the_least_wait_that_so_many_did_not_exceed(waits: list[int], hundredths: int) -> None:
    found = quantile(sorted(waits), hundredths)
    assert found in waits
    needed = math.ceil(len(waits) * hundredths / 100)
    assert sum(one <= found for one in waits) >= needed
    assert sum(one < found for one in waits) < needed


@given(COUNTS, COUNTS)
def test_counts_add_up(one: Counts, other: Counts) -> None:
    both = one + other
    assert (both.calls, both.waited) == (one.calls + other.calls, one.waited + other.waited)
    assert both == other + one
    assert one + Counts() == one


def test_of_nothing_there_are_no_shares() -> None:
    assert (Counts().abandoned_percent, Counts().average_wait_seconds) == (None, None)
    found = call_backs([], HANOI)
    assert (found.all, found.reached, found.median_seconds) == (0, 0, None)


def test_each_caller_counts_where_he_fits_first() -> None:
    late = unix_ms("2026-11-22 23:50:00")
    noon = unix_ms("2026-11-22 12:00:00")

    def reached(since: UnixMs, seconds: int) -> CallBack:
        return CallBack(since, UnixMs(since + 1000 * seconds), by_us=True)

    found = call_backs(
        [
            reached(late, 900),  # the next day, but within 15 minutes
            reached(noon, 901),
            reached(noon, 3600),
            reached(noon, 3601),
            reached(late, 3601),
            CallBack(noon),
        ],
        HANOI,
    )
    assert (found.quarter, found.hour, found.same_day, found.later, found.never) == (1, 2, 1, 1, 1)
    assert (found.by_us, found.all) == (5, 6)
    assert (found.median_seconds, found.most_seconds) == (3600, 3601)
