"""When the company's own system is asked who a customer is, and by which address."""

from __future__ import annotations

from dataclasses import replace
from urllib.parse import parse_qsl, urlsplit

import pytest

from daemon.call.events import (
    AgentConnected,
    AgentRinging,
    CallAnswered,
    CallChanged,
    CallEnded,
    CallEvent,
    CallStarted,
)
from daemon.call.model import Call, Direction, UserId
from daemon.call.number import NumberFormat
from daemon.call.signals import ChannelId
from daemon.policy import customer_lookup
from daemon.policy.call_settings import CallSettings, Rulebook
from daemon.policy.decision import LookUpCustomer, Reason, SkipLookUp
from tests.factory import NOON, answered, missed, ringing

URL = "https://crm.example/who"
AN = UserId("an")


def rules(**settings: object) -> Rulebook:
    return Rulebook(replace(CallSettings(customer_lookup_url=URL), **settings))  # type: ignore[arg-type]


def asked(event: CallEvent, rulebook: Rulebook | None = None) -> LookUpCustomer:
    (decision,) = customer_lookup.decide(event, rulebook or rules(), NOON)
    assert isinstance(decision, LookUpCustomer)
    return decision


def skipped(call: Call, rulebook: Rulebook | None = None) -> Reason:
    (decision,) = customer_lookup.decide(CallStarted(NOON, call), rulebook or rules(), NOON)
    assert isinstance(decision, SkipLookUp)
    return decision.reason


def test_who_calls_is_asked_when_the_call_begins_with_the_four_parameters_in_order() -> None:
    decision = asked(CallStarted(NOON, ringing()))
    assert parse_qsl(urlsplit(decision.url).query) == [
        ("customerNumber", "84901701234"),
        ("hotline", "19001234"),
        ("isCallOut", "false"),
        ("callId", "1795332859.0"),
    ]
    assert decision.reason is Reason.CUSTOMER_HAS_NUMBER


def test_who_is_called_is_asked_too() -> None:
    assert "isCallOut=true" in asked(CallStarted(NOON, ringing(direction=Direction.OUTGOING))).url


def test_a_number_that_came_later_is_asked_for_when_it_comes() -> None:
    assert skipped(ringing(number=None)) is Reason.CUSTOMER_ANONYMOUS
    assert "84901701234" in asked(CallChanged(NOON, ringing())).url


def test_placeholders_are_filled_in_place_and_cannot_change_the_address() -> None:
    url = "https://crm.example/c/{customerNumber}?line={hotline}#x"
    call = replace(ringing(), customer_number="a/../b?x=1&y", hotline="1 2")
    decision = asked(CallStarted(NOON, call), rules(customer_lookup_url=url))
    assert decision.url == (
        "https://crm.example/c/a%2F..%2Fb%3Fx%3D1%26y?line=1%202&isCallOut=false&callId=1795332859.0#x"
    )


def test_the_number_is_written_as_in_popups() -> None:
    decision = asked(CallStarted(NOON, ringing()), rules(number_format=NumberFormat.NATIONAL))
    assert "customerNumber=0901701234" in decision.url


def test_calls_of_one_customer_to_one_hotline_share_an_answer_and_no_others_do() -> None:
    first = asked(CallStarted(NOON, ringing("1.1"))).about
    assert asked(CallStarted(NOON, ringing("1.2", direction=Direction.OUTGOING))).about == first
    others = [
        asked(CallStarted(NOON, ringing("1.3", number="0901701235"))).about,
        asked(CallStarted(NOON, ringing("1.4", hotline="19005678"))).about,
        asked(CallStarted(NOON, ringing("1.5")), rules(customer_lookup_url=f"{URL}?v=2")).about,
    ]
    assert len({first, *others}) == 4


def test_nothing_is_asked_for_anonymous_callers_internal_calls_and_with_the_setting_off() -> None:
    assert skipped(ringing(number="anonymous")) is Reason.CUSTOMER_ANONYMOUS
    assert skipped(ringing(direction=Direction.INTERNAL)) is Reason.INTERNAL_CALL
    assert skipped(ringing(), Rulebook()) is Reason.NO_LOOKUP_URL


@pytest.mark.parametrize(
    "event",
    [
        AgentRinging(NOON, ringing(), AN, ChannelId("1.1")),
        CallAnswered(NOON, answered()),
        AgentConnected(NOON, answered(), AN, NOON),
        CallEnded(NOON, missed()),
        CallChanged(NOON, ringing(number=None)),
    ],
)
def test_no_other_event_asks(event: CallEvent) -> None:
    assert customer_lookup.decide(event, rules(), NOON) == []
