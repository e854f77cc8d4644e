"""Who is who in a living call, for acting on it: the agent's own channel, and whom he talks to. Only asks."""

from __future__ import annotations

from dataclasses import dataclass

from daemon.call.board import Board
from daemon.call.live import Leg, LiveCall, Role
from daemon.call.model import UserId
from daemon.call.signals import ChannelId, ChannelKind, ChannelState, Endpoint
from daemon.call.talk import Bridges, party


@dataclass(frozen=True, slots=True)
class Parties:
    """`own` is the agent's channel; `other` the one he hears, None while nobody is there. `up`: his phone was taken.

    `endpoint` is his phone, None where the channel leads to a number of his outside. `held`: it holds the other side.
    `apart`: the customer is there and waits while the agent, who had talked to him, asks somebody else.
    """

    own: ChannelId
    other: ChannelId | None
    up: bool
    endpoint: Endpoint | None = None
    rings: bool = False
    held: bool = False
    apart: bool = False


def parties(call: LiveCall, user_id: UserId, board: Board) -> Parties | None:
    """Of several phones of the agent the one that talks, else one that is up, else one that rings."""
    mine = [leg for leg in call.legs.values() if leg.role is Role.AGENT and leg.user_id == user_id]
    if not mine:
        return None
    bridges = board.bridges
    own = max(mine, key=lambda leg: (_other(leg, bridges) is not None, leg.state is ChannelState.UP, leg.ringing))
    other = _other(own, bridges)
    return Parties(
        own.channel,
        other.channel if other is not None else None,
        own.state is ChannelState.UP,
        endpoint=board.phone_of(own),
        rings=own.ringing,
        held=own.held,
        apart=_apart(call, own, bridges),
    )


def _apart(call: LiveCall, own: Leg, bridges: Bridges) -> bool:
    if call.answered_at is None or own.state is not ChannelState.UP:
        return False
    hearing = party(own, bridges)
    there = [leg for leg in call.legs.values() if leg.role is Role.CUSTOMER and leg.state is ChannelState.UP]
    somebody = len(hearing) > 1  # a colleague, or the wire to his phone that rings; one who parks a call has nobody
    return bool(there) and somebody and not any(leg in hearing for leg in there)


def _other(own: Leg, bridges: Bridges) -> Leg | None:
    """The customer where he is among those who hear this leg, else whoever else is."""
    hearing = [leg for leg in party(own, bridges) if leg is not own and leg.kind is ChannelKind.DEVICE]
    return next((leg for leg in hearing if leg.role is Role.CUSTOMER), hearing[0] if hearing else None)
