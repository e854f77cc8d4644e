"""The formulas of the service level."""

from __future__ import annotations

import pytest

from daemon.policy.service_level import Tally


def test_four_of_five_answered_in_time_are_80_percent_and_meet_a_target_of_80() -> None:
    calls = Tally(answered=5, within=4)
    assert calls.percent == 80.0
    assert calls.meets(80) is True
    assert calls.meets(81) is False


def test_a_share_just_below_the_target_does_not_meet_it_though_it_is_shown_as_met() -> None:
    calls = Tally(answered=10_000, within=7_999)
    assert round(calls.percent or 0) == 80
    assert calls.meets(80) is False


@pytest.mark.parametrize("calls", [Tally(), Tally(missed=3, short=1)])
def test_where_nothing_was_answered_there_is_no_headline_and_no_verdict(calls: Tally) -> None:
    assert (calls.percent, calls.meets(80), calls.meets(0), calls.average_wait_seconds) == (None, None, None, None)
    assert calls.percent_of_offered == (0.0 if calls.missed else None)


def test_missed_calls_count_over_offered_and_short_abandons_can_be_left_out() -> None:
    calls = Tally(answered=4, within=3, missed=6, short=2)
    assert (calls.percent, calls.percent_of_offered, calls.percent_without_short) == (75.0, 30.0, 37.5)
    assert Tally(missed=2, short=2).percent_without_short is None


def test_tallies_add_up() -> None:
    one = Tally(answered=2, within=1, missed=1, short=1, waited=30_000, longest=20_000)
    other = Tally(answered=1, within=1, waited=3_000, longest=3_000)
    both = one + other
    assert both == Tally(answered=3, within=2, missed=1, short=1, waited=33_000, longest=20_000)
    assert both.average_wait_seconds == 11.0
