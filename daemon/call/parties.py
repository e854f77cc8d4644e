"""Who is who in a living call, for acting on it: the agent's own channel, and whom he talks to. Only asks."""

from __future__ import annotations

from dataclasses import dataclass

from daemon.call.live import Leg, LiveCall, Role
from daemon.call.model import UserId
from daemon.call.signals import ChannelId, ChannelKind, ChannelState
from daemon.call.talk import Bridges, party


@dataclass(frozen=True, slots=True)
class Parties:
    """`own` is the agent's channel; `other` the one he hears, None while nobody is there. `up`: his phone was taken."""

    own: ChannelId
    other: ChannelId | None
    up: bool


def parties(call: LiveCall, user_id: UserId, bridges: Bridges) -> Parties | None:
    """Of several phones of the agent the one that talks, else one that is up, else one that rings."""
    mine = [leg for leg in call.legs.values() if leg.role is Role.AGENT and leg.user_id == user_id]
    if not mine:
        return None
    own = max(mine, key=lambda leg: (_other(leg, bridges) is not None, leg.state is ChannelState.UP, leg.ringing))
    other = _other(own, bridges)
    return Parties(own.channel, other.channel if other is not None else None, own.state is ChannelState.UP)


def _other(own: Leg, bridges: Bridges) -> Leg | None:
    """The customer where he is among those who hear this leg, else whoever else is."""
    hearing = [leg for leg in party(own, bridges) if leg is not own and leg.kind is ChannelKind.DEVICE]
    return next((leg for leg in hearing if leg.role is Role.CUSTOMER), hearing[0] if hearing else None)
