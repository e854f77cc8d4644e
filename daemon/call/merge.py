"""When two calls turn out to be one: a consultation that becomes a transfer, a pickup, a parked call taken up."""

from __future__ import annotations

from collections.abc import Iterable

from daemon.call import progress
from daemon.call.board import Board
from daemon.call.events import CallEnded
from daemon.call.live import Leg, LiveCall
from daemon.call.model import CallState, Outcome
from daemon.call.signals import UnixMs


def unite(board: Board, legs: Iterable[Leg], at: UnixMs) -> None:
    """Let all legs belong to one call: the customer's, else the oldest. Two customers stay two calls."""
    legs = list(legs)
    calls = list({id(leg.call): leg.call for leg in legs}.values())
    living = sorted((c for c in calls if not c.ended), key=lambda c: c.started_at)
    if len(calls) < 2 or not living:
        return
    survivor = next((call for call in living if call.has_customer), living[0])
    for call in living:
        if call is not survivor and not call.has_customer:
            _absorb(board, call, survivor, at)
    for leg in legs:
        if leg.call.ended:
            board.move_leg(leg, survivor)


def _absorb(board: Board, lost: LiveCall, survivor: LiveCall, at: UnixMs) -> None:
    ringing = [leg for leg in lost.legs.values() if leg.ringing]
    for leg in ringing:
        progress.stop_ringing(board, leg, at)
    for leg in list(lost.legs.values()):
        board.move_leg(leg, survivor)
    board.drop_call(lost)
    for linked in lost.linked:
        board.link(survivor, linked)
    _conclude(board, lost, at)
    survivor.hung_up_by = None
    for leg in ringing:
        progress.ring(board, leg, at)


def _conclude(board: Board, lost: LiveCall, at: UnixMs) -> None:
    """A consultation that was told of ends here; a pickup's own short life is never mentioned."""
    lost.state = CallState.ENDED
    lost.ended_at = at
    lost.outcome = Outcome.ANSWERED if lost.answered_at is not None else None
    if lost.announced:
        board.tell(CallEnded(at, lost.snapshot()))
