"""Actions are answered, refused or failed in time, and never done twice."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from daemon.ami.actions import Actions, Originate
from daemon.ami.failures import ActionRefused, ActionTimeout, InjectionRefused, LinkLost
from daemon.call.signals import LinkDown, LinkUp
from tests.ami.conftest import Linked


def slots(linked: Linked) -> dict[str, object]:
    return dict(linked.link.actions._manager.protocol.responses)  # type: ignore[union-attr]


@pytest.mark.parametrize("value", ["a\r\nAction: DBPut", "a\n", "a\r", "a\0b", "\ud800"])
async def test_a_value_that_would_be_another_command_is_refused(linked: Linked, value: str) -> None:
    before = len(linked.pbx.actions)
    with pytest.raises(InjectionRefused):
        await linked.link.actions.setvar("name", value, "PJSIP/1001-00000001")
    with pytest.raises(InjectionRefused):
        await linked.link.actions.send(f"Ping{value}")
    with pytest.raises(InjectionRefused):
        await linked.link.actions.send("Ping", {f"Header{value}": "x"})
    with pytest.raises(InjectionRefused):
        await linked.link.actions.originate(Originate("PJSIP/1001", "agents", "0901", variables={"a": value}))
    assert {action["Action"] for action in linked.pbx.actions[before:]} <= {"Ping"}


async def test_values_that_asterisk_would_read_as_more_are_refused(linked: Linked) -> None:
    with pytest.raises(InjectionRefused):
        await linked.link.actions.hangup("/^PJSIP/")
    with pytest.raises(InjectionRefused):
        await linked.link.actions.originate(Originate("PJSIP/1001", "agents", "0901", variables={"a": "1,b=2"}))


async def test_values_arrive_as_they_are(linked: Linked) -> None:
    actions = linked.link.actions
    await actions.setvar("X", "Nguyễn <http://a>;info=b", "PJSIP/1001-00000001")
    assert await actions.getvar("X", "PJSIP/1001-00000001") == "Nguyễn <http://a>;info=b"
    assert await actions.getvar("Y") is None


async def test_an_unanswered_action_fails_in_time_and_frees_its_slot(linked: Linked) -> None:
    linked.pbx.mute.add("Getvar")
    with pytest.raises(ActionTimeout):
        await linked.link.actions.getvar("X")
    assert not [key for key, action in slots(linked).items() if action["action"] == "Getvar"]  # type: ignore[index]


async def test_an_action_whose_caller_went_away_frees_its_slot(linked: Linked) -> None:
    linked.pbx.mute.add("Getvar")
    task = asyncio.create_task(linked.link.actions.getvar("X"))
    await linked.until(lambda: "Getvar" in linked.pbx.asked)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert not [key for key, action in slots(linked).items() if action["action"] == "Getvar"]  # type: ignore[index]


async def test_what_the_pbx_refuses_is_refused(linked: Linked) -> None:
    with pytest.raises(ActionRefused, match="No such channel"):
        await linked.link.actions.hangup("PJSIP/nobody-00000001")


async def test_an_answer_that_promises_more_does_not_wait_for_ever(linked: Linked) -> None:
    linked.pbx.answers["QueueAdd"] = b"Response: Success\r\nActionID: {id}\r\nMessage: Added interface to queue\r\n\r\n"
    assert (await linked.link.actions.send("QueueAdd"))["Response"] == "Success"


async def test_without_a_link_an_action_fails_at_once() -> None:
    with pytest.raises(LinkLost):
        await Actions().ping()


async def test_what_was_not_answered_when_the_link_fell_fails_and_is_never_sent_again(linked: Linked) -> None:
    linked.pbx.mute.add("Hangup")
    task = asyncio.create_task(linked.link.actions.hangup("PJSIP/1001-00000001"))
    await linked.until(lambda: "Hangup" in linked.pbx.asked)
    linked.pbx.drop()
    with pytest.raises(LinkLost):
        await task
    await linked.next(LinkDown)
    await linked.next(LinkUp)
    await linked.link.actions.ping()
    assert linked.pbx.asked.count("Hangup") == 1


async def test_a_click_to_call_tells_how_it_went(linked: Linked) -> None:
    begin = linked.pbx.begin
    linked.pbx.begin = lambda scenario, **more: begin(scenario, **{**more, "speed": 50.0})  # type: ignore[method-assign]
    outcome = await linked.link.actions.originate(Originate("PJSIP/1005", "agents", "0901234599", caller_id="1900"))
    assert (outcome.answered, outcome.reason) == (True, 4)
    [asked] = [action for action in linked.pbx.actions if action["Action"] == "Originate"]
    assert asked["Async"] == "true"


async def test_a_click_to_call_that_never_tells_fails_in_time(linked: Linked) -> None:
    linked.pbx.answers["Originate"] = (
        b"Response: Success\r\nActionID: {id}\r\nMessage: Originate successfully queued\r\n\r\n"
    )
    with pytest.raises(ActionTimeout):
        await linked.link.actions.originate(Originate("PJSIP/1005", "agents", "0901", ring_seconds=0))


async def test_a_hung_up_call_ends_on_both_sides(make: Callable[..., Linked]) -> None:
    here = make()
    await here.connected()
    here.pbx.begin("direct_answered")
    await here.until(lambda: len(here.pbx.channels) == 2)
    await here.link.actions.hangup(dict(here.pbx.channels.rows()[0])["Channel"], cause=38)
    await here.until(lambda: len(here.pbx.channels) == 0)
