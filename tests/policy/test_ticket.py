"""The ticket rules of the settings page, one promise a test."""

from __future__ import annotations

from dataclasses import replace

import pytest

from daemon.call.events import CallAnswered, CallChanged, CallEnded, CallStarted
from daemon.call.model import Call, CallState, Direction
from daemon.call.signals import UnixMs
from daemon.policy import ticket
from daemon.policy.call_settings import CallSettings, MissedCallMerge, QueueSettings, Rulebook
from daemon.policy.decision import OpenTicket, Reason, SkipTicket, TicketKind
from tests.factory import NOON, answered, missed, ringing, unix_ms

INCOMING, NONE = MissedCallMerge.INCOMING, MissedCallMerge.NONE
BOTH, PER_QUEUE = MissedCallMerge.INCOMING_AND_OUTGOING, MissedCallMerge.INCOMING_PER_QUEUE_AND_OUTGOING


def rules(mode: MissedCallMerge = INCOMING, zone: str = "Asia/Ho_Chi_Minh", **queues: bool) -> Rulebook:
    switches = {name: QueueSettings(create_tickets=on) for name, on in queues.items()}
    return Rulebook(CallSettings(missed_call_merge=mode, time_zone=zone), switches)


def opened(call: Call, rulebook: Rulebook) -> OpenTicket:
    event = CallAnswered(NOON, call) if call.state is CallState.ANSWERED else CallEnded(NOON, call)
    (decision,) = ticket.decide(event, rulebook, NOON)
    assert isinstance(decision, OpenTicket), decision
    return decision


def refused(call: Call, rulebook: Rulebook) -> Reason:
    event = CallAnswered(NOON, call) if call.state is CallState.ANSWERED else CallEnded(NOON, call)
    (decision,) = ticket.decide(event, rulebook, NOON)
    assert isinstance(decision, SkipTicket), decision
    return decision.reason


def shares(one: Call, other: Call, mode: MissedCallMerge, zone: str = "Asia/Ho_Chi_Minh") -> bool:
    return opened(one, rules(mode, zone)).merge_key == opened(other, rules(mode, zone)).merge_key


def test_an_answered_call_has_its_ticket_at_the_moment_of_answer_and_not_again_at_its_end() -> None:
    assert opened(answered(), rules()).kind is TicketKind.INCOMING
    ended = replace(answered(), state=CallState.ENDED, ended_at=UnixMs(NOON + 60_000))
    assert refused(ended, rules()) is Reason.TICKET_MADE_AT_ANSWER


def test_a_call_that_has_not_ended_is_not_missed() -> None:
    assert ticket.decide(CallStarted(NOON, ringing()), rules(), NOON) == []
    assert ticket.decide(CallChanged(NOON, ringing()), rules(), NOON) == []


@pytest.mark.parametrize("call", [answered(queue="support"), missed(queue="support")])
def test_a_call_through_a_queue_needs_both_switches(call: Call) -> None:
    off = Rulebook(CallSettings(auto_create_tickets=False), {"support": QueueSettings(create_tickets=True)})
    assert refused(call, off) is Reason.GLOBAL_SWITCH_OFF
    assert refused(call, rules(support=False)) is Reason.QUEUE_SWITCH_OFF
    assert opened(call, rules(support=True))


def test_a_call_through_no_queue_needs_only_the_global_switch() -> None:
    assert opened(missed(), rules(support=False))


def test_a_queue_nobody_configured_counts_as_on() -> None:
    assert opened(missed(queue="new"), rules(support=False))


def test_a_queue_switch_does_not_touch_outgoing_calls() -> None:
    assert opened(missed(queue="support", direction=Direction.OUTGOING), rules(support=False))


def test_internal_calls_never_get_a_ticket() -> None:
    assert refused(missed(direction=Direction.INTERNAL, number=None), rules()) is Reason.INTERNAL_CALL
    assert refused(answered(direction=Direction.INTERNAL, number=None), rules()) is Reason.INTERNAL_CALL


def test_a_click_to_call_that_never_reached_the_customer_gets_no_ticket() -> None:
    call = replace(missed(direction=Direction.OUTGOING), outcome=None, missed_reason=None)
    assert refused(call, rules()) is Reason.CUSTOMER_NEVER_REACHED


OUT = Direction.OUTGOING
PAIRS = [
    ("incoming, no queue", missed("1.1"), missed("2.1"), {INCOMING, BOTH, PER_QUEUE}),
    ("incoming, same queue", missed("1.1", queue="a"), missed("2.1", queue="a"), {INCOMING, BOTH, PER_QUEUE}),
    ("incoming, two queues", missed("1.1", queue="a"), missed("2.1", queue="b"), {INCOMING, BOTH}),
    ("incoming, queue and none", missed("1.1", queue="a"), missed("2.1"), {INCOMING, BOTH}),
    ("incoming, empty queue name and none", missed("1.1", queue=""), missed("2.1"), {INCOMING, BOTH}),
    ("two outgoing", missed("1.1", direction=OUT), missed("2.1", direction=OUT), {BOTH, PER_QUEUE}),
    ("incoming and outgoing", missed("1.1"), missed("2.1", direction=OUT), set()),
    ("two customers", missed("1.1"), missed("2.1", number="0901701235"), set()),
    ("two anonymous", missed("1.1", number=None), missed("2.1", number="anonymous"), set()),
    ("missed and answered", missed("1.1"), answered("2.1"), set()),
]


@pytest.mark.parametrize("mode", list(MissedCallMerge))
@pytest.mark.parametrize(("name", "one", "other", "together"), PAIRS, ids=[pair[0] for pair in PAIRS])
def test_each_mode_merges_exactly_what_it_says(
    mode: MissedCallMerge, name: str, one: Call, other: Call, together: set[MissedCallMerge]
) -> None:
    assert shares(one, other, mode) is (mode in together)


@pytest.mark.parametrize("written", ["84901701234", "0901701234", "+84901701234", "0084901701234"])
def test_however_the_trunk_writes_it_a_number_is_one_customer(written: str) -> None:
    assert shares(missed("1.1", number="0901701234"), missed("2.1", number=written), INCOMING)


def test_after_midnight_a_new_ticket_begins() -> None:
    before = missed("1.1", started_at=unix_ms("2026-11-22 23:59:59"))
    assert not shares(before, missed("2.1", started_at=unix_ms("2026-11-23 00:00:00")), INCOMING)
    assert shares(before, missed("2.1", started_at=unix_ms("2026-11-22 00:00:00")), INCOMING)


def test_the_day_is_that_of_the_start_even_if_the_call_ends_tomorrow() -> None:
    late = missed("1.1", started_at=unix_ms("2026-11-22 23:59:55"))
    assert late.ended_at is not None
    assert late.ended_at > unix_ms("2026-11-23 00:00:00")
    assert shares(late, missed("2.1", started_at=unix_ms("2026-11-22 08:00:00")), INCOMING)


@pytest.mark.parametrize(
    ("zone", "first", "second", "together"),
    [
        ("Europe/Berlin", "2026-03-29 00:30:00", "2026-03-29 23:30:00", True),  # a day of 23 hours
        ("Europe/Berlin", "2026-03-28 23:59:59", "2026-03-29 00:00:01", False),
        ("Europe/Berlin", "2026-10-25 00:30:00", "2026-10-25 23:30:00", True),  # a day of 25 hours
        ("Europe/Berlin", "2026-10-25 23:59:59", "2026-10-26 00:00:00", False),
        ("America/Santiago", "2026-09-06 01:00:00", "2026-09-06 23:00:00", True),  # its midnight does not exist
        ("America/Santiago", "2026-09-05 23:59:59", "2026-09-06 01:00:00", False),
        ("Pacific/Apia", "2011-12-29 23:59:00", "2011-12-31 00:01:00", False),  # a whole day left out
    ],
)
def test_the_day_is_right_across_daylight_saving(zone: str, first: str, second: str, together: bool) -> None:
    one = missed("1.1", started_at=unix_ms(first, zone))
    assert shares(one, missed("2.1", started_at=unix_ms(second, zone)), INCOMING, zone) is together


def test_the_same_moment_may_be_two_days_in_two_time_zones() -> None:
    one = missed("1.1", started_at=unix_ms("2026-11-22 23:30:00"))
    two = missed("2.1", started_at=unix_ms("2026-11-23 00:30:00"))
    assert not shares(one, two, INCOMING)
    assert shares(one, two, INCOMING, "UTC")


def test_calls_of_two_pbxs_share_a_ticket_but_never_by_a_shared_id() -> None:
    one, two = missed("1.1", pbx="main"), missed("1.1", pbx="branch")
    assert shares(one, two, INCOMING)
    assert not shares(one, two, NONE)
