"""How many packets of sound a channel's far end has sent, asked by Getvar, which `call` may.

Seen on 16.28 and 22.10: 0.2 ms each, never held up by a dead phone. Only PJSIP counts; other channels tell nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from daemon.ami.actions import Actions
from daemon.ami.clock import steady_ms
from daemon.ami.failures import ActionRefused
from daemon.call.signals import ChannelId, ChannelMissing, PacketsCounted, UnixMs

_LIMIT_S: Final = 5.0
_PAST_US: Final = frozenset({None, "(null)"})
_MOST_DIGITS: Final = 18


async def count_packets(
    actions: Actions, channel: ChannelId, clock: Callable[[], UnixMs], *, thoroughly: bool
) -> PacketsCounted | ChannelMissing:
    """`thoroughly` asks too whether the media goes past the PBX, and whether the far end holds.

    A phone that talks straight to the other sends the PBX nothing, and is alive.
    """
    try:
        direct = thoroughly and await _ask(actions, "CHANNEL(rtp,direct)", channel) not in _PAST_US
        held = thoroughly and await _ask(actions, "CHANNEL(rtp,hold)", channel) == "1"
        packets = await _ask(actions, "CHANNEL(rtcp,rxcount)", channel) or ""
    except ActionRefused as refused:
        if "No such channel" in str(refused):
            return ChannelMissing(steady_ms(), channel)
        return PacketsCounted(steady_ms(), channel, None, date=clock())
    known = packets.isascii() and packets.isdigit() and len(packets) <= _MOST_DIGITS
    return PacketsCounted(steady_ms(), channel, int(packets) if known else None, direct, held, clock())


async def _ask(actions: Actions, variable: str, channel: ChannelId) -> str | None:
    answer = await actions.send("Getvar", {"Variable": variable, "Channel": channel}, limit=_LIMIT_S)
    return answer.get("Value") or None
