"""The formulas of the service level."""

from __future__ import annotations

import pytest

from daemon.policy.call_settings import CallSettings, QueueSettings
from daemon.policy.service_level import Goal, Tally, goals_of


def test_four_of_five_answered_in_time_are_80_percent_and_meet_a_target_of_80() -> None:
    calls = Tally(answered=5, within=4)
    assert calls.percent == 80.0
    assert calls.meets(80) is True
    assert calls.meets(81) is False


def test_a_share_just_below_the_target_does_not_meet_it_though_it_is_shown_as_met() -> None:
    calls = Tally(answered=10_000, within=7_999)
    assert round(calls.percent or 0) == 80
    assert calls.meets(80) is False


@pytest.mark.parametrize(
    ("answered", "within", "digits", "shown"),
    [
        (2_500, 1_999, 1, 79.9),  # 79.96 %
        (2_500, 1_999, 2, 79.96),
        (30_000, 23_999, 2, 79.99),  # 79.9967 %
        (5, 4, 1, 80.0),
        (3, 2, 1, 66.7),  # far from the target it is rounded as everybody does
        (10_000, 8_996, 0, 90.0),
        (0, 0, 1, None),
    ],
)
def test_a_share_is_never_rounded_up_to_a_target_that_is_not_met(
    answered: int, within: int, digits: int, shown: float | None
) -> None:
    calls = Tally(answered=answered, within=within)
    assert calls.shown_percent(80, digits) == shown


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


QUEUES = {
    "as_all": QueueSettings(sla_target_percent=80),
    "night": QueueSettings(sla_target_percent=0),
    "plain": QueueSettings(ringtone="harp"),
    "vip": QueueSettings(sla_target_percent=95, sla_answer_within_seconds=10),
    "slow": QueueSettings(sla_answer_within_seconds=60),
}


def test_what_a_queue_does_not_set_is_as_in_the_call_settings_and_0_percent_is_set() -> None:
    goals = goals_of(CallSettings(), QUEUES)
    assert (goals.usual, goals.of(None), goals.of("unknown")) == (Goal(80, 20),) * 3
    assert dict(goals.of_queues) == {"night": Goal(0, 20), "slow": Goal(80, 60), "vip": Goal(95, 10)}
    assert goals.has_several_limits
    assert not goals_of(CallSettings(), {"night": QUEUES["night"]}).has_several_limits


def test_where_one_queue_is_looked_at_its_goal_is_that_of_all_that_is_seen() -> None:
    own = goals_of(CallSettings(), QUEUES).for_queue("vip")
    assert (own.usual, own.has_several_limits) == (Goal(95, 10), False)
    assert goals_of(CallSettings(), QUEUES).for_queue(None) == goals_of(CallSettings(), QUEUES)


def test_one_limit_tried_for_all_leaves_each_queue_its_target() -> None:
    tried = goals_of(CallSettings(), QUEUES).with_one_limit(30)
    assert (tried.usual, tried.has_several_limits) == (Goal(80, 30), False)
    assert dict(tried.of_queues) == {"night": Goal(0, 30), "vip": Goal(95, 30)}
