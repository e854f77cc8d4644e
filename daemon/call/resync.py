"""The PBX's whole truth after a (re)connect: calls are confirmed, taken up, brought forward or closed."""

from __future__ import annotations

from daemon.call import connection, progress
from daemon.call.board import Board
from daemon.call.live import Leg, LiveCall, Role
from daemon.call.model import CallId, CallState, Direction
from daemon.call.number import first_dialled, hotline_number
from daemon.call.signals import ChannelKind, ChannelSeen, ChannelState, Snapshot, UnixMs


def apply(board: Board, snapshot: Snapshot, alive_until: UnixMs) -> None:
    """Compare with what is known. `alive_until` is the last moment the vanished are known to have lived."""
    rows = [r for r in snapshot.channels if r.channel not in board.gone and r.kind is not ChannelKind.PSEUDO]
    rows.sort(key=lambda row: (row.channel != row.linked, row.since, row.channel))
    legs = [_take_up(board, row) for row in rows]
    _close_vanished(board, {row.channel for row in rows}, alive_until, snapshot.at)
    _wire(board, rows, legs)
    for row, leg in zip(rows, legs, strict=True):
        _bring_forward(board, row, leg, snapshot.at)


def _take_up(board: Board, row: ChannelSeen) -> Leg:
    leg = board.leg(row.channel)
    if leg is None:
        call = _call_of(board, row)
        leg = board.new_leg(call, row.channel, row.kind, row.endpoint, row.state, row.number, row.exten)
        leg.placed = row.channel == row.linked
    if leg.role is Role.OUTSIDE and not leg.call.ended:
        _place(board, row, leg)
    if leg.state is not ChannelState.UP:  # the list may have been begun before what was heard since
        leg.state = row.state
    leg.queue = row.queue
    leg.call.confirmed = True
    return leg


def _call_of(board: Board, row: ChannelSeen) -> LiveCall:
    """A leg that outlives its call by a moment must not begin it again after a restart.

    A living call, in contrast, may stand under the Linkedid of an older one that it was once joined with.
    """
    known = board.by_linked.get(row.channel)
    if known is not None:
        return known
    if row.linked not in board.by_linked and not board.ended_before.isdisjoint((row.channel, row.linked)):
        return LiveCall(CallId(row.linked), board.pbx, row.since, state=CallState.ENDED)
    return board.call_for(row.channel, row.linked, row.since)


def _place(board: Board, row: ChannelSeen, leg: Leg) -> None:
    """Give an outside leg whose dialling was not seen its part; who dialled whom can only be told from the ids."""
    call = leg.call
    if not leg.placed and _is_mobile(board, row, leg):
        return
    is_caller = str(leg.channel) == call.call_id
    missed = is_caller and call.direction is Direction.INTERNAL and not call.has_customer
    if call.direction is Direction.INCOMING or (leg.placed and (missed or not call.announced)):
        leg.role = Role.CUSTOMER if is_caller else Role.OUTSIDE
        if is_caller and (missed or not call.announced):
            call.direction, call.hotline = Direction.INCOMING, hotline_number(row.exten)
            progress.set_customer(board, call, row.number, row.name)
    elif not call.has_customer and (call.direction is Direction.OUTGOING or not call.announced):
        leg.role = Role.CUSTOMER
        call.customer_dialled = True
        if call.direction is not Direction.OUTGOING:
            extens = [one.exten for one in call.legs.values() if one.role is Role.AGENT and one.exten]
            dialled = first_dialled((row.number or "", *extens), board.directory.country)
            progress.turn_outgoing(board, call, dialled, hotline_number(row.connected_number))


def _is_mobile(board: Board, row: ChannelSeen, leg: Leg) -> bool:
    user_id = board.directory.agent_with(row.number) if board.directory.numbers else None
    if user_id is None:
        return False
    leg.role, leg.user_id = Role.AGENT, user_id
    return True


def _wire(board: Board, rows: list[ChannelSeen], legs: list[Leg]) -> None:
    halves: dict[str, Leg] = {}
    for row, leg in zip(rows, legs, strict=True):
        if leg.moved_in != board.epoch:  # else its own events are newer than the list
            board.leave_bridge(leg)
            if row.bridge is not None:
                board.enter_bridge(leg, row.bridge, mixing=True)
        if row.pair is None:
            continue
        other = halves.setdefault(row.pair, leg)
        if other is not leg:
            board.pair(leg, other)


def _bring_forward(board: Board, row: ChannelSeen, leg: Leg, at: UnixMs) -> None:
    call = leg.call
    if row.queue is not None and leg.role is Role.CUSTOMER and call.queue != row.queue:
        call.queue = row.queue
        call.queued_at = call.queued_at or row.since
        progress.changed(board, call, at)
    if call.has_customer and not call.announced:
        progress.start(board, call, at)
    if leg.state is ChannelState.RINGING:
        progress.ring(board, leg, at)
    elif leg.state is ChannelState.UP:
        progress.stop_ringing(board, leg, at)
        connection.customer_up(board, leg, at)
    connection.update(board, leg, at)


def _close_vanished(board: Board, present: set[str], alive_until: UnixMs, at: UnixMs) -> None:
    """Only what was known before this connection can have vanished unseen; newer legs have their own events."""
    for leg in [leg for leg in board.legs.values() if leg.epoch < board.epoch and leg.channel not in present]:
        vanish(board, leg, alive_until, at)
    for call in [call for call in board.calls.values() if not call.confirmed]:
        progress.end(board, call, _last_known(call, alive_until), told_at=at, seen=False)


def vanish(board: Board, leg: Leg, alive_until: UnixMs, at: UnixMs) -> None:
    """A leg ended, and nobody saw how."""
    progress.stop_ringing(board, leg, at)
    progress.resume(board, leg, at)
    board.drop_leg(leg)
    if not leg.call.ended and connection.is_over(leg.call, leg):
        progress.end(board, leg.call, alive_until, told_at=at, seen=False)


def _last_known(call: LiveCall, alive_until: UnixMs) -> UnixMs:
    return max(alive_until, call.answered_at or call.started_at)
