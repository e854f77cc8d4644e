"""Who talks to whom, and what that means: an answer, an agent joining, a call forwarded out of the house."""

from __future__ import annotations

from daemon.call import merge, progress, talk
from daemon.call.board import Board
from daemon.call.live import Leg, LiveCall, Role
from daemon.call.model import Direction
from daemon.call.signals import ChannelState, UnixMs


def update(board: Board, leg: Leg, at: UnixMs) -> None:
    """Look again at everybody who can hear `leg` after a bridge or a wire changed."""
    party = talk.party(leg, board.bridges)
    if len(party) < 2:
        return
    merge.unite(board, party, at)
    agents = [one for one in party if one.role is Role.AGENT]
    customers = [one for one in party if one.role is Role.CUSTOMER and not one.call.ended]
    for call in {id(one.call): one.call for one in customers}.values():
        if agents:
            progress.connect_agents(board, call, agents, at)
        elif any(one.role is Role.OUTSIDE for one in party):
            call.forwarded = True
    if not customers:
        _colleagues(board, agents, at)


def customer_up(board: Board, leg: Leg, at: UnixMs) -> None:
    """Outgoing: the customer's own channel answering is the answer; the bridge follows a moment later."""
    call = leg.call
    if leg.role is not Role.CUSTOMER or call.direction is not Direction.OUTGOING or call.answered_at is not None:
        return
    caller = next((one for one in call.legs.values() if one.role is Role.AGENT), None)
    if caller is not None:
        progress.connect_agents(board, call, [caller], at)
    else:
        progress.answer(board, call, at)


def is_over(call: LiveCall, leg: Leg) -> bool:
    """Whether losing `leg` ends the call: with its last leg, or with its customer once that is who it is about."""
    if not call.legs:
        return True
    about_customer = call.direction is Direction.INCOMING or (
        call.direction is Direction.OUTGOING and call.answered_at is not None
    )
    return about_customer and leg.role is Role.CUSTOMER and not call.has_customer


def _colleagues(board: Board, agents: list[Leg], at: UnixMs) -> None:
    up = [leg for leg in agents if leg.state is ChannelState.UP or leg.placed]
    for call in {id(leg.call): leg.call for leg in up}.values():
        if call.direction is Direction.INTERNAL and not call.ended:
            progress.connect_colleagues(board, call, up, at)
