"""What each signal means for the board: one small function a signal, and the table that finds it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from daemon.call import connection, contact, lost_connection, merge, progress, resync
from daemon.call.board import Board
from daemon.call.live import Leg, LiveCall, Role
from daemon.call.model import Direction
from daemon.call.number import first_dialled, hotline_number, is_telephone
from daemon.call.signals import (
    AttendedTransferred,
    BlindTransferred,
    BridgeEntered,
    BridgeLeft,
    CallerIdChanged,
    CallOrdered,
    ChannelChanged,
    ChannelCreated,
    ChannelEnded,
    ChannelKind,
    ChannelMissing,
    ChannelState,
    ContactChanged,
    DialBegan,
    DialEnded,
    DialStatus,
    HangupAsked,
    HangUpOrdered,
    HoldChanged,
    LinkDown,
    LinkUp,
    LocalPaired,
    MemberPaused,
    PacketsCounted,
    PickedUp,
    QueueJoined,
    QueueLeft,
    ReportReceived,
    ReportSent,
    Snapshot,
    UnixMs,
)


def _link_up(board: Board, signal: LinkUp) -> None:
    board.epoch += 1
    lost_connection.link_up(board, signal)


def _link_down(board: Board, signal: LinkDown) -> None:
    board.last_alive = signal.at


def _snapshot(board: Board, signal: Snapshot) -> None:
    resync.apply(board, signal, board.last_alive or signal.at)
    board.last_alive = signal.at
    for call in [call for call in board.calls.values() if call.lost is not None]:
        lost_connection.settle(board, call, signal.at)


def _call_ordered(board: Board, signal: CallOrdered) -> None:
    board.note_order(signal)


def _channel_created(board: Board, signal: ChannelCreated) -> None:
    if signal.kind is ChannelKind.PSEUDO or signal.channel in board.gone:
        return
    if board.leg(signal.channel) is not None:
        return
    call = board.call_for(signal.channel, signal.linked, signal.at)
    first = call.first is None and call.confirmed
    leg = board.new_leg(call, signal.channel, signal.kind, signal.endpoint, signal.state, signal.number, signal.exten)
    if first and leg.role is Role.OUTSIDE and leg.placed:
        leg.role = Role.CUSTOMER
        call.direction, call.hotline = Direction.INCOMING, hotline_number(signal.exten)
        progress.set_customer(board, call, signal.number, signal.name)
        progress.start(board, call, signal.at)
    elif first and leg.role is Role.AGENT and not leg.placed:
        call.originated = True
        if (order := board.orders.pop(signal.channel, None)) is not None:
            _ordered(board, call, order, signal.at)


def _ordered(board: Board, call: LiveCall, order: CallOrdered, at: UnixMs) -> None:
    """We know who will be called before the PBX says so. A short number may be a colleague's: his phone will tell."""
    call.ordered = True
    if is_telephone(order.number) and board.directory.agent_with(order.number) is None:
        progress.turn_outgoing(board, call, order.number, hotline_number(order.hotline))
        progress.start(board, call, at)


def _channel_changed(board: Board, signal: ChannelChanged) -> None:
    leg = board.leg(signal.channel)
    if leg is None or not progress.channel_step(board, leg, signal.state):
        return
    if leg.state is ChannelState.RINGING:
        progress.ring(board, leg, signal.at)
    elif leg.state is ChannelState.UP:
        leg.up_at = leg.up_at or signal.at
        progress.stop_ringing(board, leg, signal.at)
        connection.customer_up(board, leg, signal.at)


def _caller_id_changed(board: Board, signal: CallerIdChanged) -> None:
    leg = board.leg(signal.channel)
    if leg is None or leg.call.ended:
        return
    leg.number = signal.number
    call = leg.call
    if leg.role is Role.CUSTOMER and call.direction is Direction.INCOMING:
        _learn_customer(board, leg, signal)
    elif _tells_whom_it_calls(leg) and is_telephone(signal.number):
        progress.turn_outgoing(board, call, signal.number, None)  # a click-to-call shows the agent whom it calls
        progress.start(board, call, signal.at)


def _tells_whom_it_calls(leg: Leg) -> bool:
    """A click-to-call that others ordered; of our own the number is known, and its caller id is the hotline."""
    call = leg.call
    return call.originated and not call.announced and not call.ordered and leg is call.first


def _learn_customer(board: Board, leg: Leg, signal: CallerIdChanged) -> None:
    """The dialplan found a name, or the number of a caller who came without one."""
    call = leg.call
    if call.customer_number is None and signal.number is not None:
        progress.set_customer(board, call, signal.number, signal.name or call.customer_name)
    elif signal.name is not None and signal.name != call.customer_name:
        call.customer_name = signal.name
    else:
        return
    progress.changed(board, call, signal.at)


def _local_paired(board: Board, signal: LocalPaired) -> None:
    one, two = board.leg(signal.one), board.leg(signal.two)
    if one is None or two is None:
        return
    board.pair(one, two)
    connection.update(board, one, signal.at)


def _dial_began(board: Board, signal: DialBegan) -> None:
    callee = board.leg(signal.callee)
    if callee is None:
        return
    caller = board.leg(signal.caller) if signal.caller is not None else None
    callee.placed = False
    if caller is not None:
        _join_caller(board, caller, callee, signal)
    callee.call.hung_up_by = None
    if callee.role in {Role.OUTSIDE, Role.CUSTOMER}:
        _dial_outside(board, callee, signal)
    if callee.role is Role.AGENT and caller is not None:
        _dial_agent(board, callee, signal)


def _join_caller(board: Board, caller: Leg, callee: Leg, signal: DialBegan) -> None:
    """The leg that is called belongs to its caller's call, whatever its Linkedid says once Linkedids have merged."""
    both = caller.call.has_customer and callee.call.has_customer
    if both and caller.call is not callee.call and callee.role is not Role.CUSTOMER:
        board.move_leg(callee, caller.call)
    merge.unite(board, (caller, callee), signal.at)


def _dial_outside(board: Board, callee: Leg, signal: DialBegan) -> None:
    call = callee.call
    number = first_dialled(signal.dialled, board.directory.country)
    if _is_personal_number(board, callee, number) or call.ended:
        return
    if call.direction is Direction.INCOMING:
        if callee.role is Role.OUTSIDE and callee.kind is ChannelKind.DEVICE:
            board.note_stranger(callee.endpoint, signal.at)
        return
    if call.direction is Direction.OUTGOING and call.answered_at is not None:
        return  # the customer is on the line; this is somebody else
    callee.role = Role.CUSTOMER
    call.last_customer_dial = None
    if call.direction is Direction.INTERNAL or _calls_another(call, callee, number):
        progress.turn_outgoing(board, call, number, None)
    call.customer_dialled = True
    call.hotline = hotline_number(signal.shown) or call.hotline
    progress.start(board, call, signal.at)


def _calls_another(call: LiveCall, callee: Leg, number: str | None) -> bool:
    """The number dialled is truer than one only guessed, and than one whose attempt is over.

    A click-to-call may show the agent the hotline first; a dialplan may try a second number after the first.
    """
    if call.customer_number is None or number is None:
        return number is not None
    alone = not any(leg.role is Role.CUSTOMER and leg is not callee for leg in call.legs.values())
    return not call.customer_dialled or (alone and is_telephone(number))


def _is_personal_number(board: Board, callee: Leg, number: str | None) -> bool:
    """An agent reached on a mobile through the trunk is that agent, not an outside party."""
    if not board.directory.numbers:
        return False
    user_id = board.directory.agent_with(number)
    if user_id is None:
        return False
    callee.role, callee.user_id = Role.AGENT, user_id
    return True


def _dial_agent(board: Board, callee: Leg, signal: DialBegan) -> None:
    if callee.call.direction is Direction.INTERNAL and not callee.call.announced and not callee.call.ended:
        caller = callee.call.first
        if caller is not None and caller.user_id is not None and caller.user_id not in callee.call.user_ids:
            callee.call.user_id = caller.user_id
            callee.call.user_ids.append(caller.user_id)
        progress.start(board, callee.call, signal.at)
    if callee.state is ChannelState.RINGING:
        progress.ring(board, callee, signal.at)  # Newstate may precede DialBegin


def _dial_ended(board: Board, signal: DialEnded) -> None:
    callee = board.leg(signal.callee)
    if callee is None:
        return
    if signal.status is DialStatus.ANSWER:
        callee.dial_status = signal.status
        connection.customer_up(board, callee, signal.at)
        return
    progress.stop_ringing(board, callee, signal.at)
    if callee.dial_status is not None:
        return  # queues end one attempt twice, NOANSWER then CANCEL: the first is the truth
    callee.dial_status = signal.status
    if callee.role is Role.CUSTOMER:
        callee.call.last_customer_dial = signal.status
    elif callee.role is Role.AGENT:
        callee.call.last_agent_dial = signal.status


def _bridge_entered(board: Board, signal: BridgeEntered) -> None:
    leg = board.leg(signal.channel)
    if leg is None:
        return
    if leg.bridge == signal.bridge:
        return
    board.enter_bridge(leg, signal.bridge, mixing=signal.mixing)
    leg.moved_in = board.epoch
    lost_connection.bridge_entered(board, leg)
    if signal.mixing:
        connection.update(board, leg, signal.at)
        if leg.call.lost is not None and leg.call.lost.channel not in leg.call.legs:
            lost_connection.settle(board, leg.call, signal.at)  # it goes on without the one who was lost


def _bridge_left(board: Board, signal: BridgeLeft) -> None:
    leg = board.leg(signal.channel)
    if leg is not None and leg.bridge == signal.bridge:
        lost_connection.bridge_changed(board, leg)
        board.leave_bridge(leg)
        leg.moved_in = board.epoch


def _queue_joined(board: Board, signal: QueueJoined) -> None:
    leg = board.leg(signal.channel)
    if leg is None or leg.call.ended:
        return
    leg.queue = signal.queue
    call = leg.call
    call.hung_up_by = None
    if call.answered_at is None:
        call.queue, call.queued_at = signal.queue, call.queued_at or signal.at
    elif call.queue is None:
        call.queue = signal.queue  # transferred into a queue; one that answered before keeps its name
    progress.changed(board, call, signal.at)


def _queue_left(board: Board, signal: QueueLeft) -> None:
    leg = board.leg(signal.channel)
    if leg is not None:
        leg.queue = None


def _hold_changed(board: Board, signal: HoldChanged) -> None:
    lost_connection.hold_changed(board, signal)
    leg = board.leg(signal.channel)
    if leg is None:
        return
    if signal.held:
        progress.hold(board, leg, signal.at)
    else:
        progress.resume(board, leg, signal.at)


def _hangup_asked(board: Board, signal: HangupAsked) -> None:
    leg = board.leg(signal.channel)
    if leg is None or leg.call.ended or leg.role not in {Role.AGENT, Role.CUSTOMER}:
        return
    call = leg.call
    if not leg.placed and leg.state is not ChannelState.UP and leg is not call.first:
        return  # a phone that rang and refused: the call may go on to others
    call.hung_up_by = leg.role
    waiting = leg.queue is not None or any(one.ringing for one in call.legs.values())
    if leg.role is Role.CUSTOMER and call.answered_at is None and waiting:
        call.abandoned = True


def _channel_ended(board: Board, signal: ChannelEnded) -> None:
    leg = board.leg(signal.channel)
    if leg is None:
        board.forget(signal.channel)  # its Newchannel may still come after a snapshot
        return
    call = leg.call
    progress.stop_ringing(board, leg, signal.at)
    progress.resume(board, leg, signal.at)
    if leg.role is Role.CUSTOMER or call.hangup_cause is None:
        call.hangup_cause = signal.cause or call.hangup_cause
    board.drop_leg(leg)
    if not call.ended:
        lost_connection.leg_ended(board, leg, signal.at)
    if not call.ended and connection.is_over(call, leg):
        progress.end(board, call, signal.at, told_at=signal.at)


def _channel_missing(board: Board, signal: ChannelMissing) -> None:
    """Word of its end did not reach us."""
    leg = lost_connection.channel_missing(board, signal)
    if leg is not None:
        at = board.date(signal.at)
        resync.vanish(board, leg, at, at)
        if not leg.call.ended:
            lost_connection.leg_ended(board, leg, at)


def _attended_transferred(board: Board, signal: AttendedTransferred) -> None:
    ids = (signal.transferee, signal.first, signal.second, signal.target)
    legs = [leg for one in ids if one is not None and (leg := board.leg(one)) is not None]
    merge.unite(board, legs, signal.at)
    for leg in legs:
        if leg.channel in {signal.transferee, signal.target}:
            connection.update(board, leg, signal.at)


def _blind_transferred(board: Board, signal: BlindTransferred) -> None:
    leg = board.leg(signal.transferer)
    if leg is not None:
        leg.call.hung_up_by = None


def _member_paused(_board: Board, _signal: MemberPaused) -> None:
    """No call's business: who keeps the agents' states hears it before us."""


def _picked_up(board: Board, signal: PickedUp) -> None:
    legs = [leg for one in (signal.ringing, signal.picker) if (leg := board.leg(one)) is not None]
    merge.unite(board, legs, signal.at)


HANDLERS: dict[type[object], Callable[[Board, Any], None]] = {
    LinkUp: _link_up,
    LinkDown: _link_down,
    Snapshot: _snapshot,
    CallOrdered: _call_ordered,
    ChannelCreated: _channel_created,
    ChannelChanged: _channel_changed,
    CallerIdChanged: _caller_id_changed,
    LocalPaired: _local_paired,
    DialBegan: _dial_began,
    DialEnded: _dial_ended,
    BridgeEntered: _bridge_entered,
    BridgeLeft: _bridge_left,
    QueueJoined: _queue_joined,
    QueueLeft: _queue_left,
    HoldChanged: _hold_changed,
    HangupAsked: _hangup_asked,
    ChannelEnded: _channel_ended,
    AttendedTransferred: _attended_transferred,
    BlindTransferred: _blind_transferred,
    PickedUp: _picked_up,
    MemberPaused: _member_paused,
    ContactChanged: contact.contact_changed,
    ReportReceived: lost_connection.report_received,
    ReportSent: lost_connection.report_sent,
    PacketsCounted: lost_connection.packets_counted,
    ChannelMissing: _channel_missing,
    HangUpOrdered: lost_connection.hang_up_ordered,
}
