"""What an agent has an Asterisk do: ring his phone and then a number, act on his channel. All seen on 16 and 22.

Channels are named by their Uniqueid, which every action here takes for a name. Numbers and contexts are right when
they come: nothing here quotes them.
"""

from __future__ import annotations

import asyncio
import re
import secrets
import time
from collections.abc import Awaitable, Sequence
from typing import Final, TypeVar

from daemon.acts import CannotAct, PhoneState, Why
from daemon.ami.actions import Actions, Originate
from daemon.ami.failures import ActionRefused, ActionTimeout, InjectionRefused, LinkLost
from daemon.call.signals import ChannelId
from daemon.message import Message

RING_SECONDS: Final = 25
_BETWEEN_DIGITS_S: Final = 0.25  # PlayDTMF lasts 100 ms and returns at once

_PLAIN: Final = re.compile(r"[A-Za-z0-9_.+@;:=~\[\]/-]{1,128}")
_BACK_S: Final = 1.0

_T = TypeVar("_T")

# main/devicestate.c. INVALID: there is no such phone; UNKNOWN tells nothing.
_STATES: Final = {
    "NOT_INUSE": PhoneState.FREE,
    "INUSE": PhoneState.TALKING,
    "BUSY": PhoneState.TALKING,
    "ONHOLD": PhoneState.TALKING,
    "RINGINUSE": PhoneState.TALKING,
    "RINGING": PhoneState.RINGING,
    "UNAVAILABLE": PhoneState.OFFLINE,
    "INVALID": PhoneState.OFFLINE,
}


def new_channel_id() -> ChannelId:
    """A Uniqueid of our own: known before the channel is, and in Asterisk's form, which tells when it began."""
    return ChannelId(f"cw-{int(time.time())}.{secrets.randbelow(10**9)}")


async def phone_state(actions: Actions, endpoint: str) -> PhoneState | None:
    """None: it cannot be told (func_devstate is not loaded, or the name would end the function's argument)."""
    if not _PLAIN.fullmatch(endpoint):
        return None
    said: str | None = await done(actions.getvar(f"DEVICE_STATE({endpoint})"))
    return _STATES.get(said or "")


async def way(actions: Actions, context: str, numbers: Sequence[str]) -> str:
    """The first of these ways to dial a number that the dialplan knows; the first where it cannot be told.

    A blind transfer to where there is nothing is said to succeed and ends the call, so this is asked before.
    """
    for number in numbers:
        if await done(actions.getvar(f"DIALPLAN_EXISTS({context},{number},1)")) != "0":
            return number
    words = Message("The PBX knows no way to {number} in {context}.", number=numbers[0], context=context)
    raise CannotAct(Why.NO_WAY, words)


def call_through(
    endpoint: str, context: str, number: str, hotline: str | None, channel: ChannelId, alert: str | None = None
) -> Originate:
    """Ring the phone, with this Alert-Info, and when it is answered send it to the number.

    The phone shows the number (its connected line), the customer the hotline (its caller id): an Originate with the
    header CallerID would show both the same.
    """
    shown = {"CONNECTEDLINE(num)": number, "CONNECTEDLINE(name)": ""}
    if hotline is not None:
        shown |= {"CALLERID(num)": hotline, "CALLERID(name)": "", "__CALLWARDEN_HOTLINE": hotline}
    if alert is not None and endpoint.startswith("PJSIP/"):
        shown["PJSIP_HEADER(add,Alert-Info)"] = alert
    return Originate(endpoint, context, number, variables=shown, ring_seconds=RING_SECONDS, channel_id=channel)


async def hang_up(actions: Actions, channel: ChannelId) -> None:
    await done(actions.hangup(channel))


async def mute(actions: Actions, channel: ChannelId, *, muted: bool) -> None:
    """What the agent says is heard by nobody. The action MuteAudio would need the class `system`."""
    await done(actions.setvar("MUTEAUDIO(in)", "on" if muted else "off", channel))


async def play_digits(actions: Actions, channel: ChannelId, digits: str) -> None:
    """To whom the agent talks, one after the other; done when the next may come."""
    for digit in digits:
        await done(actions.send("PlayDTMF", {"Channel": channel, "Digit": digit}))
        await asyncio.sleep(_BETWEEN_DIGITS_S)


async def transfer(actions: Actions, channel: ChannelId, context: str, number: str) -> None:
    """Whom the agent talks to goes to the number; the agent is free."""
    await done(actions.send("BlindTransfer", {"Channel": channel, "Context": context, "Exten": number}))


async def consult(actions: Actions, channel: ChannelId, context: str, number: str) -> None:
    """The customer waits and the agent talks to the number; when the agent hangs up, those two talk.

    Asterisk does it by its feature code, which the dialplan must allow the agent (option t or T of Dial or Queue).
    """
    features = await done(actions.getvar("CHANNEL(dtmf_features)", channel))
    if "T" not in (features or ""):
        raise CannotAct(
            Why.NO_FEATURE,
            Message(
                "The PBX does not allow this call to be transferred after asking. Use your phone's transfer key, or "
                "transfer it without asking."
            ),
        )
    await done(actions.send("Atxfer", {"Channel": channel, "Context": context, "Exten": number}))


async def go_back(actions: Actions, channel: ChannelId) -> None:
    """Returns when he can be consulted for again: a feature code sent within a second was heard by nobody (22.10)."""
    await done(actions.send("CancelAtxfer", {"Channel": channel}))
    await asyncio.sleep(_BACK_S)


async def done(work: Awaitable[_T]) -> _T:
    """What the work gives; how it fails in words for an agent."""
    try:
        return await work
    except LinkLost:
        raise not_connected() from None
    except ActionTimeout:
        words = Message("The PBX did not answer in time; look whether it did it before you try again.")
        raise CannotAct(Why.UNSURE, words) from None
    except InjectionRefused:
        raise CannotAct(Why.REFUSED, Message("This cannot be sent to the PBX.")) from None
    except ActionRefused as refused:
        raise _refused(str(refused)) from None


def not_connected() -> CannotAct:
    return CannotAct(Why.NOT_CONNECTED, Message("The PBX is not connected. Calls go on; try again in a moment."))


def _refused(said: str) -> CannotAct:
    if "Permission denied" in said:
        words = Message("The PBX does not allow Callwarden to do this. An admin can check its rights under PBX.")
        return CannotAct(Why.NO_RIGHT, words)
    if "No such channel" in said or "not exist" in said:
        return no_call()
    if "unknown command" in said:
        return CannotAct(Why.NO_FEATURE, Message("The PBX cannot do this: a module is not loaded."))
    return CannotAct(Why.REFUSED, Message("The PBX refused: {reason}", reason=said))


def no_call() -> CannotAct:
    return CannotAct(Why.NO_CALL, Message("You are not in this call any more."))
