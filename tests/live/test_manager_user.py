"""The manager user that `callwarden asterisk-config` prints: what it sees, and what it may do."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from daemon.ami.signal_table import SIGNAL_TABLE
from tests.live.asterisk import Asterisk
from tests.live.conftest import PhoneMaker, printed_stanza
from tests.live.lab import Lab
from tests.live.phone import answer
from tests.live.trunk import Trunk
from tests.whole.house import command

BEFORE_LOGIN_ENDS = {"SuccessfulAuth", "FullyBooted"}
QUEUE_CALL = {
    "Newchannel",
    "Newstate",
    "QueueCallerJoin",
    "QueueCallerLeave",
    "DialBegin",
    "DialState",
    "DialEnd",
    "BridgeEnter",
    "BridgeLeave",
    "HangupRequest",
    "Hangup",
}
UNWANTED = {"VarSet", "Newexten", "RTCPSent", "Cdr", "MusicOnHoldStart", "DeviceStateChange", "ExtensionStatus"}
FORBIDDEN = {
    "Command": {"Command": "core show version"},
    "GetConfig": {"Filename": "manager.conf"},
    "UpdateConfig": {"SrcFilename": "manager.conf", "DstFilename": "manager.conf"},
    "DBPut": {"Family": "a", "Key": "b", "Val": "c"},
    "Reload": {},
    "PJSIPShowEndpoints": {},  # class `system`: device states do instead
    "UserEvent": {"UserEvent": "Hello"},
    "MuteAudio": {"Channel": "PJSIP/1001", "Direction": "in", "State": "on"},  # class `system`: a function does instead
}


@pytest_asyncio.fixture(loop_scope="session")
async def user(asterisk: Asterisk) -> AsyncIterator[Lab]:
    """A manager connection as Callwarden's own user, which asks for all events it may have."""
    async with Lab.open(asterisk, asterisk.user) as opened:
        yield opened


async def test_the_stanza_of_these_tests_is_the_one_the_command_prints() -> None:
    printed = await command("asterisk-config")
    assert _without_secret(printed) == _without_secret(printed_stanza("any").strip())


async def test_of_a_queue_call_only_the_events_we_need_arrive(
    user: Lab, lab: Lab, phone: PhoneMaker, trunk: Trunk
) -> None:
    agent = await phone("1001")
    await agent.on_call(answer(after=0.1))
    customer = await trunk.call("1900", "+84901234567")
    await (await agent.next_call()).confirmed()
    await customer.hangup()
    trunk_leg = (await lab.event("QueueCallerJoin", CallerIDNum="+84901234567"))["Uniqueid"]
    for connection in (lab, user):
        await connection.event("Hangup", Uniqueid=trunk_leg)
    seen, there = _events(user), _events(lab)
    assert seen >= QUEUE_CALL
    assert seen - BEFORE_LOGIN_ENDS <= {name.decode() for name in SIGNAL_TABLE}
    assert {"VarSet", "Newexten"} <= UNWANTED & there
    assert not UNWANTED & seen


@pytest.mark.parametrize("action", FORBIDDEN)
async def test_what_the_daemon_never_does_it_may_not_do(user: Lab, action: str) -> None:
    refused = await user.action(action, **FORBIDDEN[action])
    assert (refused["Response"], refused["Message"]) == ("Error", "Permission denied")


async def test_what_the_daemon_does_it_may_do(user: Lab, phone: PhoneMaker) -> None:
    agent = await phone("1001")
    order = {"Channel": "PJSIP/1001", "Application": "Wait", "Data": "5", "Async": "true"}
    assert (await user.action("Originate", **order))["Response"] == "Success"
    await agent.next_call()
    (channel,) = [m for m in await user.list_action("CoreShowChannels") if m.get("Event") == "CoreShowChannel"]
    name = channel["Channel"]
    assert (await user.action("Setvar", Channel=name, Variable="A", Value="1"))["Response"] == "Success"
    assert (await user.action("Getvar", Channel=name, Variable="A"))["Value"] == "1"
    assert (await user.action("Hangup", Channel=name))["Response"] == "Success"
    await user.event("OriginateResponse", Response="Failure")


async def test_it_may_pause_agents_and_hears_of_every_pause(user: Lab) -> None:
    for paused in ("true", "false"):
        answered = await user.action("QueuePause", Interface="PJSIP/1001", Paused=paused, Reason="lunch")
        assert answered["Response"] == "Success"
    await user.event("QueueMemberPause", Queue="support", Paused="0")
    told = [m for m in user.messages() if m.get("Event") == "QueueMemberPause" and m["Queue"] == "support"]
    assert [(m["Paused"], m["PausedReason"]) for m in told] == [("1", "lunch"), ("0", "lunch")]


@pytest.mark.parametrize("action", ["PlayDTMF", "BlindTransfer", "Atxfer", "CancelAtxfer", "Setvar"])
async def test_what_agents_do_to_their_calls_it_may_do(user: Lab, action: str) -> None:
    """Refused for the channel that is none, not for the right."""
    headers = {"Channel": "PJSIP/none-1", "Exten": "1001", "Context": "from-agents", "Digit": "1", "Variable": "A"}
    refused = await user.action(action, **headers)
    assert (refused["Response"], refused["Message"] == "Permission denied") == ("Error", False)


@pytest.mark.parametrize("action", ["DeviceStateList", "QueueStatus", "CoreShowChannels"])
async def test_what_the_daemon_lists_it_may_list_through_its_own_event_filter(user: Lab, action: str) -> None:
    rows = await user.list_action(action)
    assert rows[-1]["ListItems"] == str(len(rows) - 1)


async def test_it_may_ask_for_a_key_of_the_pbxs_database_and_take_it_away(user: Lab, lab: Lab) -> None:
    await lab.action("DBPut", Family="callwarden", Key="notes/1", Val="x")
    for expected in ("1", "0"):
        assert (await user.action("Getvar", Variable="DB_EXISTS(callwarden/notes/1)"))["Value"] == expected
        await user.action("Setvar", Variable="DB_DELETE(callwarden/notes/1)", Value="")


@pytest.mark.parametrize("action", ["ListCommands", "CoreSettings", "CoreStatus", "Ping"])
async def test_what_a_check_asks_it_may_ask(user: Lab, action: str) -> None:
    assert (await user.action(action))["Response"] == "Success"


def _events(connection: Lab) -> set[str]:
    return {message["Event"] for message in connection.messages() if "Event" in message}


def _without_secret(text: str) -> str:
    return re.sub("secret = .*", "secret = …", text)
