"""Keys of phones are pressed only where the PBX may and the phone has said that it understands."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest
import pytest_asyncio

from daemon.acts import Act, CannotAct, Control, Keys, Why
from daemon.bus import Bus, CallHappened
from daemon.call.events import AgentConnected
from daemon.call.model import PbxName, UserId
from daemon.call.parties import Parties
from daemon.call.signals import ChannelId, Endpoint, HoldChanged
from daemon.clock import now_ms
from daemon.phone_keys import PhoneKeys
from tests.ami.conftest import Flow, Linked
from tests.factory import NOON, answered

MAIN, PHONE = PbxName("main"), Endpoint("PJSIP/1001")


@dataclass
class Phone:
    """The agent's phone in one call, `channel` being its own."""

    linked: Linked
    keys: PhoneKeys
    flow: Flow
    bus: Bus
    channel: ChannelId
    told: list[tuple[str, Keys]]

    def is_up(self, *, held: bool = False, endpoint: Endpoint | None = PHONE) -> None:
        self.flow.known = Parties(self.channel, self.channel, up=True, endpoint=endpoint, held=held)

    def rings(self) -> None:
        self.flow.known = Parties(self.channel, None, up=False, endpoint=PHONE, rings=True)

    async def press(self, control: Control) -> Why | None:
        assert self.flow.known is not None
        try:
            wanted = Act(pbx="main", call_id="1.1", user_id="an", control=control)
            await self.keys.press(wanted, MAIN, self.flow.known)
        except CannotAct as cannot:
            return cannot.why
        return None

    def pressed(self) -> list[str]:
        return [one["Variable"] for one in self.linked.pbx.actions if one["Action"] == "PJSIPNotify"]

    async def says(self, events: str) -> None:
        """In a call that the agent takes."""
        before = len(self.told)
        self.linked.pbx.house.allow_events = events
        self.is_up()
        self.bus.publish(CallHappened(AgentConnected(NOON, answered(), UserId("an"), NOON)))
        await self.linked.until(lambda: len(self.told) > before)


@pytest_asyncio.fixture
async def phone(linked: Linked, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Phone]:
    monkeypatch.setattr("daemon.phone_keys.OBEYS_WITHIN_S", 0.1)
    linked.pbx.house.commands |= {"PJSIPNotify"}
    linked.pbx.begin("queue_answered", speed=0.01)
    await linked.until(lambda: len(linked.pbx.channels) > 0)
    channel = ChannelId(dict(linked.pbx.channels.rows()[0])["Uniqueid"])
    flow, bus, told = Flow(), Bus(), list[tuple[str, Keys]]()
    keys = PhoneKeys({MAIN: linked.link}, lambda: flow, lambda user, now: told.append((user, now)), now_ms)
    keys.follow(bus)
    yield Phone(linked, keys, flow, bus, channel, told)
    await keys.close()


@pytest.mark.parametrize("said", ["", "conference, refer", "talk", "hold", "talked,holding"])
async def test_a_phone_that_does_not_say_both_is_never_asked_to_hold(phone: Phone, said: str) -> None:
    """Asterisk ends the call of a phone that answers 481."""
    phone.linked.pbx.house.allow_events = said
    phone.is_up()
    assert await phone.press(Control.HOLD) is Why.PHONE_CANNOT
    assert phone.pressed() == []


@pytest.mark.parametrize("endpoint", [None, Endpoint("SIP/1001"), Endpoint("DAHDI/1")])
async def test_what_is_no_pjsip_phone_of_the_agent_is_never_asked(phone: Phone, endpoint: Endpoint | None) -> None:
    phone.linked.pbx.house.allow_events = "talk,hold"
    phone.is_up(endpoint=endpoint)
    assert await phone.press(Control.HOLD) is Why.PHONE_CANNOT
    assert phone.pressed() == []


async def test_who_has_no_right_is_told_so_and_the_phone_is_not_asked(phone: Phone) -> None:
    phone.linked.pbx.house.commands -= {"PJSIPNotify"}
    phone.linked.pbx.house.allow_events = "talk,hold"
    phone.is_up()
    assert await phone.press(Control.HOLD) is Why.NO_RIGHT
    assert phone.keys.of("an") == Keys()
    phone.linked.pbx.house.commands |= {"PJSIPNotify"}
    phone.linked.link.log_in_again()  # a session keeps its rights
    await phone.linked.until(lambda: phone.linked.link.logins == 2)
    await phone.linked.connected()
    assert await phone.press(Control.HOLD) is Why.PHONE_DID_NOT_OBEY


async def test_a_phone_that_answers_before_it_has_said_anything_is_not_asked_and_afterwards_is(phone: Phone) -> None:
    phone.rings()
    assert await phone.press(Control.ANSWER) is Why.PHONE_CANNOT
    await phone.says("Talk, HOLD")
    assert phone.told == [("an", Keys(allowed=True, answer=True, hold=True))]
    phone.rings()
    assert await phone.press(Control.ANSWER) is Why.PHONE_DID_NOT_OBEY
    assert phone.pressed() == ["Event=talk"]
    phone.is_up()
    assert await phone.press(Control.ANSWER) is Why.NOT_RINGING


async def test_another_phone_in_the_place_of_the_one_that_said_it_is_not_asked(phone: Phone) -> None:
    await phone.says("talk,hold")
    phone.linked.pbx.variables["CHANNEL(contact)"] = "1003;@334c6c7835aef73f"  # a Grandstream, by its registration
    phone.rings()
    assert await phone.press(Control.ANSWER) is Why.PHONE_CANNOT
    assert phone.pressed() == []


async def test_a_hold_older_than_the_daemon_is_noticed_and_not_asked_for_again(phone: Phone) -> None:
    phone.linked.pbx.house.allow_events = "talk,hold"
    phone.linked.pbx.house.held = {phone.channel}
    phone.is_up()
    assert await phone.press(Control.HOLD) is None
    assert phone.pressed() == []
    (signal,) = phone.flow.told
    assert isinstance(signal, HoldChanged)
    assert (signal.channel, signal.held) == (phone.channel, True)


async def test_two_presses_at_once_are_one(phone: Phone) -> None:
    """On some phones the second `talk` means something else."""
    phone.linked.pbx.house.allow_events = "talk,hold"
    phone.is_up()
    first, second = await asyncio.gather(phone.press(Control.HOLD), phone.press(Control.HOLD))
    assert {first, second} == {Why.PHONE_DID_NOT_OBEY, Why.REFUSED}
    assert phone.pressed() == ["Event=hold"]


async def test_a_call_that_ends_meanwhile_is_said(phone: Phone) -> None:
    phone.linked.pbx.house.allow_events = "talk,hold"
    phone.is_up()
    pressing = asyncio.create_task(phone.press(Control.HOLD))
    await phone.linked.until(lambda: phone.pressed() == ["Event=hold"])
    phone.flow.known = None
    assert await pressing is Why.NO_CALL
