"""A living call and its legs: the tracker's own, mutable notes. Nothing outside `call/` may hold one."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum

from daemon.call.media import Media
from daemon.call.model import (
    Call,
    CallId,
    CallState,
    ConnectionLoss,
    Direction,
    EndedBy,
    HangupReason,
    MissedReason,
    Outcome,
    PbxName,
    UserId,
)
from daemon.call.signals import (
    BridgeId,
    ChannelId,
    ChannelKind,
    ChannelState,
    DialStatus,
    Endpoint,
    SteadyMs,
    UnixMs,
)


class Role(Enum):
    """Whose leg it is. `CUSTOMER` is the outside party the call is about; `OUTSIDE` any other one."""

    AGENT = "agent"
    CUSTOMER = "customer"
    OUTSIDE = "outside"
    PBX = "pbx"  # Local halves


@dataclass(slots=True, eq=False)
class Leg:
    """One living channel. `epoch` is the connection to the PBX in which it was last heard of."""

    channel: ChannelId
    call: LiveCall
    kind: ChannelKind
    endpoint: Endpoint
    state: ChannelState
    role: Role
    user_id: UserId | None
    number: str | None
    exten: str | None
    epoch: int
    placed: bool  # its phone placed the call, the PBX did not dial it
    up_at: UnixMs | None = None
    bridge: BridgeId | None = None
    mixing: bool = False
    pair: Leg | None = None
    queue: str | None = None
    dial_status: DialStatus | None = None
    ringing: bool = False
    held: bool = False  # its phone holds the other side
    moved_in: int = -1  # the epoch in which it last entered or left a bridge by an event
    media: Media = field(default_factory=Media)


@dataclass(slots=True, eq=False)
class LiveCall:
    """One living call: what is known so far, and its legs."""

    call_id: CallId
    pbx: PbxName
    started_at: UnixMs
    direction: Direction = Direction.INTERNAL
    announced: bool = False  # CallStarted has been told
    originated: bool = False  # the PBX rang the agent first (click-to-call)
    ordered: bool = False  # … and it was us who asked it to
    state: CallState = CallState.RINGING
    customer_raw: str | None = None
    customer_number: str | None = None
    customer_name: str | None = None
    hotline: str | None = None
    queue: str | None = None
    user_id: UserId | None = None
    user_ids: list[UserId] = field(default_factory=list)
    connected: set[UserId] = field(default_factory=set)  # agents who have talked to the customer
    outcome: Outcome | None = None
    missed_reason: MissedReason | None = None
    queued_at: UnixMs | None = None
    answered_at: UnixMs | None = None
    ended_at: UnixMs | None = None
    ended_by: EndedBy | None = None
    hangup_cause: int | None = None
    legs: dict[ChannelId, Leg] = field(default_factory=dict)
    linked: list[ChannelId] = field(default_factory=list)  # the Linkedids that lead here
    first: Leg | None = None  # the first device leg, kept after it ended
    customer_dialled: bool = False  # outgoing: the customer's phone was really called
    agent_rang: bool = False
    rung_at: UnixMs | None = None  # incoming: when the first agent's phone rang
    forwarded: bool = False
    abandoned: bool = False  # the customer hung up while still waiting
    last_agent_dial: DialStatus | None = None
    last_customer_dial: DialStatus | None = None
    hung_up_by: Role | None = None  # whose phone asked to end; forgotten when the call goes on
    confirmed: bool = True  # False: restored from the store, not yet seen on the PBX
    lost: ConnectionLoss | None = None
    lost_at: SteadyMs | None = None  # the same moment by the steady clock; None: known from the store alone
    lost_unseen: bool = False  # that was before this connection, and must be seen again
    cut: bool = False  # we are having it hung up because of that
    hangup_reason: HangupReason | None = None

    @property
    def ended(self) -> bool:
        return self.state is CallState.ENDED

    @property
    def has_customer(self) -> bool:
        """An outside party of this call is on the line now."""
        return any(leg.role is Role.CUSTOMER for leg in self.legs.values())

    def snapshot(self) -> Call:
        """Freeze what is known now."""
        return Call(
            call_id=self.call_id,
            pbx=self.pbx,
            direction=self.direction,
            customer_number=self.customer_number,
            customer_number_raw=self.customer_raw,
            customer_name=self.customer_name,
            hotline=self.hotline,
            queue=self.queue,
            user_id=self.user_id,
            user_ids=tuple(self.user_ids),
            state=self.state,
            outcome=self.outcome,
            missed_reason=self.missed_reason,
            started_at=self.started_at,
            queued_at=self.queued_at,
            answered_at=self.answered_at,
            ended_at=self.ended_at,
            ended_by=self.ended_by,
            hangup_cause=self.hangup_cause,
            customer_dialled=self.customer_dialled,
            lost=self.lost,
            hangup_reason=self.hangup_reason,
            rung_at=self.rung_at,
        )


def restore(call: Call) -> LiveCall:
    """Take up a call the store knew as living; the PBX has still to confirm it."""
    return LiveCall(
        call_id=call.call_id,
        pbx=call.pbx,
        started_at=call.started_at,
        direction=call.direction,
        announced=True,
        state=call.state,
        customer_raw=call.customer_number_raw,
        customer_number=call.customer_number,
        customer_name=call.customer_name,
        hotline=call.hotline,
        queue=call.queue,
        user_id=call.user_id,
        user_ids=list(call.user_ids),
        connected=set(call.user_ids) if call.state is CallState.ANSWERED else set(),
        outcome=call.outcome,
        queued_at=call.queued_at,
        answered_at=call.answered_at,
        customer_dialled=call.customer_dialled,
        originated=call.direction is Direction.OUTGOING and not call.customer_dialled,
        confirmed=False,
        lost=call.lost,
        lost_unseen=call.lost is not None,
        rung_at=call.rung_at,
    )
