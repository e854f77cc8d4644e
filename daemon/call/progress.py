"""How a call advances: it starts, rings, is answered, connects agents, ends. Each step happens once and tells it."""

from __future__ import annotations

from collections.abc import Sequence

from daemon.call import outcome
from daemon.call.board import Board
from daemon.call.events import (
    AgentConnected,
    AgentReturned,
    AgentRinging,
    AgentRingingEnded,
    CallAnswered,
    CallChanged,
    CallEnded,
    CallHeld,
    CallResumed,
    CallStarted,
)
from daemon.call.live import Leg, LiveCall, Role
from daemon.call.model import Direction, HangupReason, MissedReason, Outcome
from daemon.call.number import customer_number, is_telephone
from daemon.call.signals import ChannelState, UnixMs
from daemon.call.state import CALL_STEPS, CHANNEL_STEPS, Step


def start(board: Board, call: LiveCall, at: UnixMs) -> None:
    """Tell of the call as soon as its direction is known; tell a change when it was told before."""
    if call.announced:
        board.tell(CallChanged(at, call.snapshot()))
        return
    call.announced = True
    board.tell(CallStarted(at, call.snapshot()))


def changed(board: Board, call: LiveCall, at: UnixMs) -> None:
    if call.announced:
        board.tell(CallChanged(at, call.snapshot()))


def set_customer(board: Board, call: LiveCall, raw: str | None, name: str | None) -> None:
    call.customer_raw = raw
    call.customer_number = customer_number(raw, board.directory.country)
    call.customer_name = name


def turn_outgoing(board: Board, call: LiveCall, customer: str | None, hotline: str | None) -> None:
    """An agent's call goes to an outside party: it starts anew as such, an answer by a colleague before does not count.

    The caller of this function tells it by `start`, once the rest is known.
    """
    _step(board, call, Step.REACH_OUT)
    if call.direction is Direction.INTERNAL:
        call.direction, call.announced = Direction.OUTGOING, False
    call.outcome = call.answered_at = None
    call.connected.clear()
    set_customer(board, call, customer, call.customer_name)
    call.hotline = hotline or call.hotline
    caller = next((leg for leg in call.legs.values() if leg.role is Role.AGENT), call.first)
    if caller is not None and caller.user_id is not None:
        call.user_id = caller.user_id
        if caller.user_id not in call.user_ids:
            call.user_ids.append(caller.user_id)


def ring(board: Board, leg: Leg, at: UnixMs) -> None:
    """An agent's phone rings for its call."""
    if leg.role is not Role.AGENT or leg.ringing or leg.user_id is None or leg.call.ended:
        return
    leg.ringing = True
    leg.call.agent_rang = True
    if leg.call.direction is Direction.INCOMING and leg.call.answered_at is None:
        leg.call.rung_at = leg.call.rung_at or at
    if not leg.call.announced:
        start(board, leg.call, at)  # a click-to-call that does not say yet where it goes
    board.tell(AgentRinging(at, leg.call.snapshot(), leg.user_id, leg.channel, board.phone_of(leg)))


def stop_ringing(board: Board, leg: Leg, at: UnixMs) -> None:
    if leg.ringing and leg.user_id is not None:
        leg.ringing = False
        board.tell(AgentRingingEnded(at, leg.call.snapshot(), leg.user_id, leg.channel))


def hold(board: Board, leg: Leg, at: UnixMs) -> None:
    """An agent's phone holds the other side; phones repeat it."""
    if leg.role is Role.AGENT and leg.user_id is not None and not leg.held and not leg.call.ended:
        leg.held = True
        board.tell(CallHeld(at, leg.call.snapshot(), leg.user_id, leg.channel))


def resume(board: Board, leg: Leg, at: UnixMs) -> None:
    if leg.held and leg.user_id is not None:
        leg.held = False
        board.tell(CallResumed(at, leg.call.snapshot(), leg.user_id, leg.channel))


def answer(board: Board, call: LiveCall, at: UnixMs) -> bool:
    """The moment of answer; False when it has been answered before."""
    if not call.announced:
        start(board, call, at)
    if not _step(board, call, Step.ANSWER):
        return False
    call.answered_at = at
    call.outcome = Outcome.ANSWERED
    board.tell(CallAnswered(at, call.snapshot()))
    return True


def connect_agents(board: Board, call: LiveCall, agents: Sequence[Leg], at: UnixMs) -> None:
    """These agents hear the customer now; those who do for the first time are told of."""
    for leg in agents:
        if leg.user_id is None:
            continue
        new = leg.user_id not in call.connected
        if new or len(agents) == 1:
            _note_agent(board, call, leg, at, new=new)


def _note_agent(board: Board, call: LiveCall, leg: Leg, at: UnixMs, *, new: bool) -> None:
    assert leg.user_id is not None
    before, call.user_id = call.user_id, leg.user_id
    if leg.user_id not in call.user_ids:
        call.user_ids.append(leg.user_id)
    call.connected.add(leg.user_id)
    if call.hung_up_by is not Role.CUSTOMER:  # a customer who asked to end is going, however far the answer has come
        call.hung_up_by = None
    first = call.answered_at is None and answer(board, call, at)
    if new:
        answered_at = at if first or leg.placed or leg.up_at is None else leg.up_at
        board.tell(AgentConnected(at, call.snapshot(), leg.user_id, answered_at))
    elif before != leg.user_id:
        board.tell(AgentReturned(at, call.snapshot(), leg.user_id))


def connect_colleagues(board: Board, call: LiveCall, agents: Sequence[Leg], at: UnixMs) -> None:
    """An internal call is answered when two different agents hear each other."""
    users = list(dict.fromkeys(leg.user_id for leg in agents if leg.user_id is not None))
    if len(users) < 2 or call.answered_at is not None:
        return
    order = list(dict.fromkeys(leg.user_id for leg in call.legs.values()))
    users.sort(key=lambda user: order.index(user) if user in order else len(order))
    call.user_ids = [*call.user_ids, *(u for u in users if u not in call.user_ids)]
    call.user_id = users[-1]
    answer(board, call, at)


def end(board: Board, call: LiveCall, at: UnixMs, *, told_at: UnixMs, seen: bool = True) -> None:
    """The call is over at `at`; told at `told_at`. Unseen ends keep an honest outcome and no culprit."""
    for leg in call.legs.values():
        stop_ringing(board, leg, told_at)
        resume(board, leg, told_at)
    _direct_at_last(board, call)
    _step(board, call, Step.END)
    call.ended_at = max(at, call.started_at, call.answered_at or at)
    call.outcome = outcome.outcome_of(call)
    if call.outcome is Outcome.MISSED:
        call.missed_reason = outcome.missed_reason_of(call) if seen else MissedReason.UNOBSERVED
    if call.cut and call.hung_up_by is None:
        call.hangup_reason = HangupReason.CONNECTION_LOST
    call.ended_by = outcome.ended_by_of(call) if seen else None
    board.drop_call(call)
    if call.announced:
        board.tell(CallEnded(told_at, call.snapshot(), seen))


def _direct_at_last(board: Board, call: LiveCall) -> None:
    """An agent dialled a telephone number and the PBX had no line to dial it on: a failed outgoing call."""
    if call.announced or call.direction is not Direction.INTERNAL:
        return
    caller = call.first
    if caller is None or caller.up_at is not None or call.queue is not None:
        return  # the PBX itself took the call: IVR, queue, conference room
    if caller.role is Role.AGENT and caller.placed and is_telephone(caller.exten):
        turn_outgoing(board, call, caller.exten, None)
        call.announced = True


def _step(board: Board, call: LiveCall, step: Step) -> bool:
    following = CALL_STEPS.get((call.state, step))
    if following is None:
        board.oddities[f"call {call.state.value}: {step.value}"] += 1
        return False
    call.state = following
    return True


def channel_step(board: Board, leg: Leg, to: ChannelState) -> bool:
    following = CHANNEL_STEPS.get((leg.state, to))
    if following is None:
        board.oddities[f"channel {leg.state.value}: {to.value}"] += 1
        return False
    leg.state = following
    return True
