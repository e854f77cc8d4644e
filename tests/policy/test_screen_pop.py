"""For whom the customer's page opens, and with which parameters."""

from __future__ import annotations

from dataclasses import replace
from urllib.parse import parse_qsl, urlsplit

import pytest

from daemon.call.events import AgentConnected, AgentRinging, CallAnswered, CallEnded, CallEvent, CallStarted
from daemon.call.model import Direction, UserId
from daemon.call.number import NumberFormat
from daemon.call.signals import ChannelId, UnixMs
from daemon.policy import screen_pop
from daemon.policy.call_settings import CallSettings, PopupDelivery, Rulebook
from daemon.policy.decision import PopScreen, Reason, SkipPop
from tests.factory import NOON, answered, ringing

AN, BINH = UserId("an"), UserId("bình")
CALL = answered(queue="support")
URL = "https://crm.example/pop"


def rules(**settings: object) -> Rulebook:
    return Rulebook(replace(CallSettings(popup_answer_url=URL), **settings))  # type: ignore[arg-type]


def pop(event: CallEvent, rulebook: Rulebook | None = None) -> PopScreen:
    (decision,) = screen_pop.decide(event, rulebook or rules(), NOON)
    assert isinstance(decision, PopScreen)
    return decision


def connected(user: UserId = AN, at: int = NOON + 3_000, **changes: object) -> AgentConnected:
    return AgentConnected(UnixMs(at), replace(CALL, **changes), user, UnixMs(at))  # type: ignore[arg-type]


def test_the_agent_who_answers_gets_the_page_with_the_six_parameters_in_order() -> None:
    decision = pop(connected())
    assert parse_qsl(urlsplit(decision.url).query) == [
        ("userId", "an"),
        ("hotline", "19001234"),
        ("customerNumber", "84901701234"),
        ("isCallOut", "false"),
        ("timeAnswer", str(NOON + 3_000)),
        ("callId", "1795332859.0"),
    ]
    assert decision.reason is Reason.AGENT_ANSWERED


def test_when_the_customer_answers_the_calling_agent_gets_the_page() -> None:
    decision = pop(connected(direction=Direction.OUTGOING))
    assert "isCallOut=true" in decision.url
    assert decision.reason is Reason.CUSTOMER_ANSWERED


def test_who_gets_the_call_by_transfer_gets_the_page_with_the_time_he_answered() -> None:
    decision = pop(AgentConnected(UnixMs(NOON + 60_000), CALL, BINH, UnixMs(NOON + 55_000)))
    assert decision.user_id == BINH
    assert decision.time_answer == NOON + 55_000
    assert f"timeAnswer={NOON + 55_000}" in decision.url
    assert decision.reason is Reason.AGENT_JOINED


@pytest.mark.parametrize(
    "event",
    [
        CallStarted(NOON, ringing()),
        AgentRinging(NOON, ringing(), AN, ChannelId("1.1")),
        CallAnswered(NOON, CALL),
        CallEnded(NOON, CALL),
    ],
)
def test_nothing_but_an_agent_talking_to_the_customer_opens_a_page(event: CallEvent) -> None:
    assert screen_pop.decide(event, rules(), NOON) == []


def test_internal_calls_never_pop() -> None:
    (decision,) = screen_pop.decide(connected(direction=Direction.INTERNAL), rules(), NOON)
    assert decision == SkipPop(replace(CALL, direction=Direction.INTERNAL), AN, Reason.INTERNAL_CALL)


def test_without_a_url_nothing_pops() -> None:
    (decision,) = screen_pop.decide(connected(), rules(popup_answer_url=None), NOON)
    assert isinstance(decision, SkipPop)
    assert decision.reason is Reason.NO_POPUP_URL


@pytest.mark.parametrize(
    ("delivery", "to_desk", "to_webhook"),
    [
        (PopupDelivery.DESK_AND_WEBHOOK, True, True),
        (PopupDelivery.DESK, True, False),
        (PopupDelivery.WEBHOOK, False, True),
    ],
)
def test_the_page_goes_where_the_operator_wants_it(delivery: PopupDelivery, to_desk: bool, to_webhook: bool) -> None:
    decision = pop(connected(), rules(popup_answer_delivery=delivery))
    assert (decision.to_desk, decision.to_webhook) == (to_desk, to_webhook)


@pytest.mark.parametrize(
    ("form", "written"),
    [
        (NumberFormat.E164, "%2B84901701234"),
        (NumberFormat.E164_DIGITS, "84901701234"),
        (NumberFormat.NATIONAL, "0901701234"),
        (NumberFormat.RAW, "0901701234"),
    ],
)
def test_the_number_is_written_as_the_operator_wants_it(form: NumberFormat, written: str) -> None:
    assert f"customerNumber={written}&" in pop(connected(), rules(number_format=form)).url


def test_an_anonymous_caller_has_an_empty_number() -> None:
    decision = pop(connected(customer_number=None, customer_number_raw="anonymous"))
    assert "customerNumber=&" in decision.url
