"""Missed calls close themselves when the customer was reached."""

from __future__ import annotations

from dataclasses import replace

import pytest

from daemon.call.events import CallAnswered, CallEnded
from daemon.call.model import Direction
from daemon.policy import called_back
from daemon.policy.call_settings import CallSettings, MissedCallMerge, Rulebook
from daemon.policy.decision import CloseMissed, Reason
from tests.factory import NOON, answered, missed

PER_QUEUE = MissedCallMerge.INCOMING_PER_QUEUE_AND_OUTGOING


def decided(mode: MissedCallMerge = MissedCallMerge.INCOMING, **changes: object) -> list[object]:
    call = answered(**changes)  # type: ignore[arg-type]
    return list(called_back.decide(CallAnswered(NOON, call), Rulebook(CallSettings(missed_call_merge=mode)), NOON))


def test_an_agent_who_reaches_the_customer_closes_all_his_missed_calls() -> None:
    for mode in MissedCallMerge:
        (decision,) = decided(mode, direction=Direction.OUTGOING, queue=None)
        assert isinstance(decision, CloseMissed)
        assert (decision.reason, decision.every_queue) == (Reason.CALLED_BACK, True)


@pytest.mark.parametrize(("mode", "every_queue"), [(mode, mode is not PER_QUEUE) for mode in MissedCallMerge])
def test_a_customer_who_gets_through_closes_those_of_his_queue_where_queues_are_apart(
    mode: MissedCallMerge, every_queue: bool
) -> None:
    (decision,) = decided(mode, queue="support")
    assert isinstance(decision, CloseMissed)
    assert (decision.reason, decision.every_queue) == (Reason.CUSTOMER_GOT_THROUGH, every_queue)


def test_nobody_knows_which_missed_calls_were_those_of_an_anonymous_customer() -> None:
    assert decided(number=None) == []


def test_an_internal_call_reaches_no_customer() -> None:
    assert decided(direction=Direction.INTERNAL) == []


def test_a_call_that_is_missed_again_makes_nothing_good() -> None:
    call = replace(missed(), queue="support")
    assert called_back.decide(CallEnded(NOON, call), Rulebook(), NOON) == []
