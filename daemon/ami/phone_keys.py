"""Pressing a SIP phone's keys from afar, by an Asterisk: NOTIFY `talk` and `hold` inside the call. Seen on 16 and 22.

Only phones that said so may be asked (`Allow-Events`, RFC 6665 §8.2.2): one that answers 481 to such a NOTIFY loses
the call, because Asterisk then ends it. `Success` means that it was sent. The action needs the wide class `system`.
"""

from __future__ import annotations

import re
from enum import StrEnum
from typing import Final

from daemon.ami.actions import Actions
from daemon.ami.failures import ActionRefused
from daemon.call.signals import ChannelId

ACTION: Final = "PJSIPNotify"
_LIST_S: Final = 5.0
_CONTACT: Final = re.compile(r"[A-Za-z0-9_.+@;:-]{1,160}")


class Key(StrEnum):
    """The event's name. `talk` answers a call that rings and takes back one that is held."""

    TALK = "talk"
    HOLD = "hold"


def has_keys(endpoint: str) -> bool:
    return endpoint.startswith("PJSIP/")


async def may_press(actions: Actions) -> bool:
    """Whether this login may do it and the PBX can (res_pjsip_notify is loaded); the question needs no right."""
    return ACTION.lower() in {name.lower() for name in await actions.send("ListCommands", limit=_LIST_S)}


async def events_said(actions: Actions, channel: ChannelId) -> frozenset[str]:
    """What the phone on this channel said it understands: when it answered, or when it dialled.

    Asterisk keeps no header of a phone that still rings, and knows the first function since 16.28, 18.14 and 19.6.
    """
    for function in ("PJSIP_RESPONSE_HEADER", "PJSIP_HEADER"):
        try:
            said = await actions.getvar(f"{function}(read,Allow-Events)", channel)
        except ActionRefused:
            continue
        if said:
            return frozenset(word.strip().lower() for word in said.split(",") if word.strip())
    return frozenset()


async def make_of(actions: Actions, channel: ChannelId) -> str | None:
    """Make and firmware of the phone on this channel, as it registered; also while it rings."""
    contact = await actions.getvar("CHANNEL(contact)", channel)
    if contact is None or not _CONTACT.fullmatch(contact):
        return None
    return await actions.getvar(f"PJSIP_CONTACT({contact},user_agent)", channel)


async def holds(actions: Actions, channel: ChannelId) -> bool:
    """Whether the phone on this channel holds the other side now; also where the event was before our time."""
    return await actions.getvar("CHANNEL(rtp,hold)", channel) == "1"


async def press(actions: Actions, channel: ChannelId, key: Key) -> None:
    await actions.send(ACTION, {"Channel": channel, "Variable": f"Event={key.value}"})
