"""Situations played with real phones: tickets, popups and webhooks are what the people on the phones knew."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import pytest

import tests.live.scene_direct
import tests.live.scene_handover
import tests.live.scene_outgoing
import tests.live.scene_queue
import tests.live.scene_transfer  # noqa: F401 - each registers its scenarios
from daemon.call.number import customer_number
from tests.call.readings import as_the_contract_reads
from tests.live.daemon_house import ANSWER_TIMES, House, Json, unix_ms
from tests.live.scenarios import SCENARIOS, Stage
from tests.live.trunk import Trunk

SHORT_TALK = 0.4

ANSWERED = [
    "in_queue_answered_customer_hangs_up",
    "in_queue_answered_agent_hangs_up",
    "in_queue_rejected_then_answered",
    "in_queue_ringall_answered",
    "in_queue_local_member_kept",
    "in_queue_local_member_optimised",
    "in_queue_two_waiting",
    "in_ivr_then_queue",
    "in_direct_answered",
    "in_group_one_rejects_other_answers",
    "in_anonymous_answered",
    "in_name_vietnamese",
    "in_second_call_while_first_held",
    "in_hold_unhold",
    "out_answered_agent_hangs_up",
    "out_answered_customer_hangs_up",
    "out_e164_answered",
    "click_to_call_answered",
    "click_to_call_e164_answered",
    "consultation_returns",
    "park_abandoned",
]
HANDED_OVER = [
    "transfer_blind",
    "transfer_blind_twice",
    "transfer_blind_feature_code",
    "transfer_attended",
    "transfer_attended_feature_code",
    "transfer_blonde_answered",
    "park_retrieved",
    "out_then_blind_transfer",
    "out_then_attended_transfer",
]
PICKED_UP = ["pickup_direct", "pickup_from_queue", "pickup_group_direct"]
MOBILE = [
    "in_queue_mobile_answered",
    "in_queue_mobile_optimised_answered",
    "in_desk_and_mobile_mobile_answers",
    "in_desk_and_mobile_desk_answers",
]
MISSED = [
    "in_queue_abandoned",
    "in_queue_timed_out",
    "in_queue_all_reject",
    "in_queue_local_member_abandoned",
    "in_ivr_abandoned",
    "in_voicemail_after_no_answer",
    "in_direct_missed",
    "in_direct_abandoned",
    "in_direct_busy",
    "in_anonymous_missed",
    "out_busy",
    "out_declined",
    "out_cancelled_by_agent",
    "click_to_call_customer_busy",
    "click_to_call_customer_no_answer",
]
NEVER_REACHED = ["click_to_call_agent_no_answer", "click_to_call_agent_rejects"]
INTERNAL = ["internal_answered", "internal_missed", "pickup_internal"]


@pytest.mark.parametrize("scenario", ANSWERED)
async def test_an_answered_call_is_a_ticket_and_a_popup_at_the_moment_of_answer(house: House, scenario: str) -> None:
    for people in await told_as_played(house, scenario):
        assert people["outcome"] == "answered"


@pytest.mark.parametrize("scenario", HANDED_OVER)
async def test_who_takes_a_call_over_gets_his_own_popup_once_and_nobody_a_second(house: House, scenario: str) -> None:
    (people,) = await told_as_played(house, scenario)
    assert len(people["agents"]) > 1


@pytest.mark.parametrize("scenario", PICKED_UP)
async def test_who_picks_a_ringing_call_up_gets_the_popup(house: House, scenario: str) -> None:
    (people,) = await told_as_played(house, scenario)
    assert people["agents"] != ["1001"]


@pytest.mark.parametrize("scenario", MOBILE)
async def test_an_agent_at_his_mobile_is_that_agent(house: House, scenario: str) -> None:
    (people,) = await told_as_played(house, scenario)
    assert people["agents"] == ["1001"]


@pytest.mark.parametrize("scenario", MISSED)
async def test_a_missed_call_is_a_ticket_and_no_popup(house: House, scenario: str) -> None:
    (people,) = await told_as_played(house, scenario)
    assert people["outcome"] == "missed"
    assert house.popups() == []


@pytest.mark.parametrize("scenario", NEVER_REACHED)
async def test_a_click_to_call_its_agent_does_not_pick_up_is_neither_ticket_nor_popup(
    house: House, scenario: str
) -> None:
    await told_as_played(house, scenario)
    assert (await house.tickets(), house.popups()) == ([], [])


@pytest.mark.parametrize("scenario", INTERNAL)
async def test_calls_between_agents_are_neither_ticket_nor_popup(house: House, scenario: str) -> None:
    assert await told_as_played(house, scenario) == []
    assert (await house.tickets(), house.popups()) == ([], [])


async def told_as_played(house: House, name: str) -> list[Json]:
    """Play a scenario, compare everything the daemon told with it, and return the truth about its customer calls."""
    truths = [truth for truth in await play(house, name) if truth["direction"] != "internal"]
    calls = await house.quiet(len(truths))
    tickets = {ticket["ticket_id"]: ticket for ticket in await house.tickets()}
    assert [facts(call, truth) for call, truth in zip(calls, truths, strict=False)] == [*map(expected, truths)]
    assert len(calls) == len(truths)
    for call, truth in zip(calls, truths, strict=True):
        check_ticket(call, tickets.pop(call["ticket_id"], None), truth)
        check_popups(house, call, truth)
        check_events(house, call, truth)
    assert tickets == {}
    return truths


async def play(house: House, name: str) -> list[Json]:
    """The calls of the scenario as its people know them, in the contract's words."""
    scenario = SCENARIOS[name]
    number = list(SCENARIOS).index(name)
    async with Trunk.open(house.pbx) as trunk:
        stage = Stage(house.pbx, trunk, customer=f"+84901000{number:03}", talk_seconds=SHORT_TALK)
        try:
            for user in scenario.agents:
                await (await stage.phone(user)).register()
            await stage.connect_manager()
            await scenario.play(stage)
            await stage.quiet()
        finally:
            await stage.close()
    return as_the_contract_reads(name, [asdict(call) for call in stage.calls])


def facts(call: Json, truth: Json) -> dict[str, object]:
    """What the API says of the call, in the words of the truth."""
    answered = call["outcome"] == "answered"
    return {
        "direction": call["direction"],
        "customer": call["customer_number"],
        "hotline": call["hotline"] if not truth["no_ticket"] else None,
        "queue": call["queue"],
        "agents": call["user_ids"] if answered else [],
        "outcome": call["outcome"],
        "ended_by": call["ended_by"],
    }


def expected(truth: Json) -> dict[str, object]:
    """A click-to-call that was never dialled has shown no hotline to anybody."""
    return {
        "direction": truth["direction"],
        "customer": customer_number(truth["customer"], "VN"),
        "hotline": truth["hotline"] if not truth["no_ticket"] else None,
        "queue": truth["queue"],
        "agents": list(dict.fromkeys(truth["agents"])),
        "outcome": truth["outcome"],
        "ended_by": truth["ended_by"],
    }


def check_ticket(call: Json, ticket: Json | None, truth: Json) -> None:
    """One for every customer call that has an outcome."""
    if truth["no_ticket"]:
        assert ticket is None
        return
    assert ticket is not None
    missed = truth["outcome"] == "missed"
    assert ticket["kind"] == ("missed_" if missed else "") + truth["direction"]
    assert ticket["call_ids"] == [call["call_id"]]
    assert ticket["missed_count"] == int(missed)
    for same in ("customer_number", "hotline", "queue"):
        assert ticket[same] == call[same]
    assert ticket["opened_at"] == call["ended_at" if missed else "answered_at"]
    assert ticket["assignee"] == (None if missed else truth["agents"][0])


def check_popups(house: House, call: Json, truth: Json) -> None:
    """One for each agent who talked to the customer, with the time he answered."""
    popups = [popup for popup in house.popups() if popup.call_id == call["call_id"]]
    first_times = dict(reversed(list(zip(truth["agents"], truth["answered_at"], strict=True))))
    assert [popup.user_id for popup in popups] == list(dict.fromkeys(truth["agents"]))
    if popups:
        ANSWER_TIMES.check("call answered_at", unix_ms(call["answered_at"]), truth["answered_at"][0])
        ANSWER_TIMES.seen["popup at the CRM"].append(popups[0].arrived - popups[0].time_answer)
    for popup in popups:
        assert popup.hotline == truth["hotline"]
        assert popup.customer_number == (call["customer_number"] or "").removeprefix("+")
        assert popup.is_call_out == (truth["direction"] == "outgoing")
        what = "popup, first agent" if popup is popups[0] else "popup, further agent"
        ANSWER_TIMES.check(what, popup.time_answer, first_times[popup.user_id])


def check_events(house: House, call: Json, truth: Json) -> None:
    """Each event once, and at the end the integrator knows what the API says."""
    told = house.told(call["call_id"])
    answered = ["call.answered"] if truth["outcome"] == "answered" else []
    missed = ["call.missed"] if truth["outcome"] == "missed" else []
    ticket = ["ticket.created"] if not truth["no_ticket"] else []
    assert [kind for kind in told if kind != "call.ringing"] == [*answered, "call.ended", *missed, *ticket]
    (ended,) = (event for event in house.events() if event["type"] == "call.ended" and _about(event, call))
    assert {name: ended["data"][name] for name in call if name != "ticket_id"} == {
        name: value for name, value in call.items() if name != "ticket_id"
    }


def _about(event: Json, call: Json) -> Any:
    return event["data"]["call_id"] == call["call_id"]
