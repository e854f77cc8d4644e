"""What agents have the PBX do, and how it fails in words, against a manager interface on loopback."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest
import pytest_asyncio

from daemon.acts import Act, AgentState, Availability, CallOrder, CannotAct, Control, Ordered, PhoneState, Why
from daemon.agent_states import QueueStates
from daemon.ami import phone_acts
from daemon.call.directory import Directory
from daemon.call.model import PbxName, UserId
from daemon.call.parties import Parties
from daemon.call.signals import CallOrdered, ChannelId, Endpoint, HangupAsked, LinkDown, LinkUp
from daemon.clock import now_ms
from daemon.pbx_acts import PbxActs
from tests.ami.conftest import Flow, Linked

MAIN = PbxName("main")
ORDER = CallOrder(user_id="an", endpoints=["PJSIP/1004", "PJSIP/1001"], numbers=["0901234567"], hotline="19001234")


@dataclass
class Desk:
    linked: Linked
    acts: PbxActs
    flow: Flow
    failed: list[tuple[str, Why]]

    def asked(self, action: str) -> list[dict[str, str]]:
        return [one for one in self.linked.pbx.actions if one["Action"] == action]


@pytest_asyncio.fixture
async def desk(linked: Linked) -> AsyncIterator[Desk]:
    failed: list[tuple[str, Why]] = []

    def note(_order: CallOrder, ordered: Ordered, why: Why) -> None:
        failed.append((ordered.call_id, why))

    flow = Flow()
    nothing = lambda *_: None  # noqa: E731
    acts = PbxActs({MAIN: linked.link}, {MAIN: "desk"}, lambda: flow, note, now_ms, nothing, nothing, nothing)
    yield Desk(linked, acts, flow, failed)
    await acts.close()


def act(control: Control, **more: object) -> Act:
    return Act(pbx="main", call_id="1.1", user_id="an", control=control, **more)  # type: ignore[arg-type]


async def why(desk: Desk, wanted: Act | CallOrder) -> Why:
    with pytest.raises(CannotAct) as refused:
        await (desk.acts.order(wanted) if isinstance(wanted, CallOrder) else desk.acts.act(wanted))
    assert refused.value.message
    return refused.value.why


async def test_the_registered_phone_is_called_and_the_tracker_knows_it_before(desk: Desk) -> None:
    ordered = await desk.acts.order(ORDER)
    (asked,) = desk.asked("Originate")
    assert (asked["Channel"], asked["Context"], asked["Exten"]) == ("PJSIP/1001", "desk", "0901234567")
    assert asked["ChannelId"] == ordered.call_id
    assert "CallerID" not in asked
    (told,) = desk.flow.told
    assert isinstance(told, CallOrdered)
    assert (told.channel, told.number, told.hotline) == (ordered.call_id, "0901234567", "19001234")


async def test_the_way_that_the_pbx_knows_is_taken(desk: Desk) -> None:
    desk.linked.pbx.house.no_way = {"0901234567"}
    order = CallOrder(user_id="an", endpoints=["PJSIP/1001"], numbers=["0901234567", "+84901234567"])
    assert (await desk.acts.order(order)).number == "+84901234567"
    desk.linked.pbx.house.no_way |= {"+84901234567"}
    assert await why(desk, order) is Why.NO_WAY
    assert len(desk.asked("Originate")) == 1


@pytest.mark.parametrize(
    ("endpoints", "expected"),
    [([], Why.NO_PHONE), (["PJSIP/1004"], Why.NOT_REGISTERED), (["PJSIP/9"], Why.NOT_REGISTERED)],
)
async def test_without_a_phone_nobody_is_called(desk: Desk, endpoints: list[str], expected: Why) -> None:
    order = CallOrder(user_id="an", endpoints=endpoints, numbers=["0901234567"])
    assert await why(desk, order) is expected
    assert desk.asked("Originate") == []


async def test_a_pbx_that_refuses_is_out_of_time_or_gone_is_said(desk: Desk) -> None:
    desk.linked.pbx.house.commands -= {"Originate"}
    assert await why(desk, ORDER) is Why.NO_RIGHT
    desk.linked.pbx.house.commands |= {"Originate"}
    desk.linked.pbx.mute |= {"Originate"}
    assert await why(desk, ORDER) is Why.UNSURE
    desk.linked.pbx.frozen = True
    desk.linked.pbx.drop()
    await desk.linked.until(lambda: desk.linked.link.connected_since is None)
    assert await why(desk, ORDER) is Why.NOT_CONNECTED
    assert await why(desk, act(Control.HANGUP)) is Why.NOT_CONNECTED
    assert desk.failed == []


@pytest.mark.parametrize(("reason", "expected"), [("3", Why.NO_ANSWER), ("5", Why.BUSY), ("0", Why.REJECTED)])
async def test_a_phone_that_is_not_taken_is_told_afterwards(desk: Desk, reason: str, expected: Why) -> None:
    desk.linked.pbx.answers["Originate"] = (
        b"Response: Success\r\nActionID: {id}\r\nMessage: queued\r\n\r\n"
        b"Event: OriginateResponse\r\nActionID: {id}\r\nResponse: Failure\r\nReason: %b\r\n\r\n" % reason.encode()
    )
    ordered = await desk.acts.order(ORDER)
    await desk.linked.until(lambda: bool(desk.failed))
    assert desk.failed == [(ordered.call_id, expected)]


async def test_each_act_goes_to_the_agents_own_channel_and_keys_to_the_other_side(desk: Desk) -> None:
    desk.linked.pbx.begin("queue_answered", speed=0.01)
    await desk.linked.until(lambda: len(desk.linked.pbx.channels) > 0)
    channel = ChannelId(dict(desk.linked.pbx.channels.rows()[0])["Uniqueid"])
    desk.flow.known = Parties(channel, channel, up=True)
    for control in (Control.MUTE, Control.UNMUTE):
        await desk.acts.act(act(control))
    await desk.acts.act(act(Control.DTMF, digits="1#"))
    await desk.acts.act(act(Control.CONSULT, numbers=["1002"]))
    assert [(one["Variable"], one["Value"]) for one in desk.asked("Setvar")] == [
        ("MUTEAUDIO(in)", "on"),
        ("MUTEAUDIO(in)", "off"),
    ]
    assert [one["Digit"] for one in desk.asked("PlayDTMF")] == ["1", "#"]
    assert [(one["Channel"], one["Context"], one["Exten"]) for one in desk.asked("Atxfer")] == [
        (channel, "desk", "1002")
    ]
    desk.linked.pbx.house.features = "H"
    assert await why(desk, act(Control.CONSULT, numbers=["1002"])) is Why.NO_FEATURE
    await desk.acts.act(act(Control.HANGUP))
    assert isinstance(desk.flow.told[-1], HangupAsked)  # it was the agent
    assert len(desk.asked("Hangup")) == 1


async def test_nothing_is_asked_of_the_pbx_for_who_is_not_in_the_call_or_talks_to_nobody(desk: Desk) -> None:
    before = len(desk.linked.pbx.actions)
    for control in Control:
        assert await why(desk, act(control, numbers=["1002"], digits="1")) is Why.NO_CALL
    desk.flow.known = Parties(ChannelId("1.2"), None, up=True)
    for control in set(Control) - {Control.HANGUP, Control.ANSWER}:
        assert await why(desk, act(control, numbers=["1002"], digits="1")) is Why.NOT_TALKING
    assert await why(desk, act(Control.ANSWER)) is Why.NOT_RINGING
    wrong = Act(pbx="other", call_id="1.1", user_id="an", control=Control.HANGUP)
    assert await why(desk, wrong) is Why.NO_CALL
    assert {one["Action"] for one in desk.linked.pbx.actions[before:]} <= {"Ping"}


async def test_phones_are_free_talking_or_away_and_what_is_hostile_is_not_asked(desk: Desk) -> None:
    desk.linked.pbx.house.busy = {"1002"}
    hostile = "PJSIP/1001)},${SHELL(id)"
    states = await desk.acts.phone_states(["PJSIP/1001", "PJSIP/1002", "PJSIP/1004", hostile])
    assert states == {
        "PJSIP/1001": PhoneState.FREE,
        "PJSIP/1002": PhoneState.TALKING,
        "PJSIP/1004": PhoneState.OFFLINE,
    }
    assert not [one for one in desk.asked("Getvar") if "SHELL" in one["Variable"]]
    asked = len(desk.asked("Getvar"))
    await desk.acts.phone_states(["PJSIP/1001"])
    assert len(desk.asked("Getvar")) == asked  # known for a moment


def test_our_channel_ids_are_like_asterisks_and_never_the_same() -> None:
    ids = {phone_acts.new_channel_id() for _ in range(1000)}
    assert len(ids) == 1000
    assert all(one.startswith("cw-") and one.partition(".")[2].isdigit() for one in ids)


@dataclass
class Queues:
    linked: Linked
    states: QueueStates
    told: list[tuple[str, AgentState]]

    async def becomes(self, user_id: str, state: Availability) -> AgentState:
        await self.linked.until(lambda: self.states.of(user_id).state is state)
        return self.states.of(user_id)


async def follow(linked: Linked, wrap_up_seconds: int = 0) -> Queues:
    told: list[tuple[str, AgentState]] = []
    states = QueueStates(
        {MAIN: linked.link}, {MAIN: wrap_up_seconds}, lambda user, state: told.append((user, state)), now_ms
    )
    states.know(Directory("VN", {Endpoint("PJSIP/1001"): UserId("an"), Endpoint("PJSIP/1009"): UserId("chi")}))

    async def hear() -> None:
        while True:
            states.hear(MAIN, await linked.queue.get())

    states._task(hear())
    states.hear(MAIN, LinkUp(now_ms()))
    return Queues(linked, states, told)


async def test_the_state_is_read_at_the_connect_changed_there_and_followed_by_events(linked: Linked) -> None:
    linked.pbx.house.pause("PJSIP/1001", paused=True, reason="Lunch at home")
    queues = await follow(linked)
    assert (await queues.becomes("an", Availability.PAUSED)).reason == "Lunch at home"
    assert queues.states.of("chi").state is Availability.NO_QUEUE
    await queues.states.resume("an")
    assert queues.states.of("an").state is Availability.AVAILABLE
    assert (await queues.states.pause("an", "training")).reason == "training"
    for event in linked.pbx.house.pause("PJSIP/1001", paused=False, reason=""):
        linked.pbx.emit(event)
    await queues.becomes("an", Availability.AVAILABLE)
    with pytest.raises(CannotAct) as refused:
        await queues.states.pause("chi", "lunch")
    assert refused.value.why is Why.NO_QUEUE
    await queues.states.close()


async def test_without_the_pbx_the_state_is_unknown_and_nothing_is_pretended(linked: Linked) -> None:
    queues = await follow(linked)
    await queues.becomes("an", Availability.AVAILABLE)
    queues.states.hear(MAIN, LinkDown(now_ms()))
    assert queues.states.of("an").state is Availability.UNKNOWN
    with pytest.raises(CannotAct) as refused:
        await queues.states.pause("an", "lunch")
    assert refused.value.why is Why.NOT_CONNECTED
    assert [state.state for user, state in queues.told if user == "an"][-1] is Availability.UNKNOWN
    await queues.states.close()


async def test_a_wrap_up_that_began_before_a_restart_ends_by_itself(linked: Linked) -> None:
    linked.pbx.house.pause("PJSIP/1001", paused=True, reason="wrap_up")
    queues = await follow(linked, wrap_up_seconds=1)
    await queues.becomes("an", Availability.AVAILABLE)
    await asyncio.sleep(0)
    assert [one["Paused"] for one in linked.pbx.actions if one["Action"] == "QueuePause"] == ["false"]
    await queues.states.close()
