"""Everything known about one PBX right now: legs, calls, bridges, and the events not yet handed out."""

from __future__ import annotations

from collections import Counter, OrderedDict

from daemon.call.directory import Directory
from daemon.call.events import CallEvent
from daemon.call.live import Leg, LiveCall, Role
from daemon.call.media import NEVER
from daemon.call.model import CallId, CallState, PbxName, UserId
from daemon.call.signals import (
    BridgeId,
    CallOrdered,
    ChannelId,
    ChannelKind,
    ChannelState,
    ContactState,
    Endpoint,
    SteadyMs,
    UnixMs,
)

_STRANGERS = 2_000  # a channel name may hold a number (DAHDI), so there is no end of names
_REPORTERS = 50_000
_ORDERS = 1_000  # click-to-calls whose channel never came
_REMEMBERED = 20_000  # ended channels kept so that a late or repeated event cannot bring one back


class Board:
    """The tracker's state. Methods keep the indexes true to each other and decide nothing."""

    def __init__(self, pbx: PbxName, directory: Directory) -> None:
        self.pbx = pbx
        self.directory = directory
        self.legs: dict[ChannelId, Leg] = {}
        self.calls: dict[CallId, LiveCall] = {}
        self.by_linked: dict[ChannelId, LiveCall] = {}
        self.bridges: dict[BridgeId, dict[ChannelId, Leg]] = {}
        self.gone: OrderedDict[ChannelId, None] = OrderedDict()
        self.ended: OrderedDict[str, None] = OrderedDict()  # calls, since the start; no other may take the name of one
        self.orders: OrderedDict[ChannelId, CallOrdered] = OrderedDict()
        self.rung_strangers: OrderedDict[Endpoint, UnixMs] = OrderedDict()
        self.ended_before: frozenset[str] = frozenset()  # calls that had ended when the store was read
        self.events: list[CallEvent] = []
        self.oddities: Counter[str] = Counter()
        self.epoch = 0
        self.last_alive = UnixMs(0)
        self.up_at = NEVER  # since when events flow
        self.now = NEVER  # the last moment of the steady clock that somebody told
        self.dates_ahead = 0  # of the steady clock, as it was when somebody last looked at both
        self.contacts: dict[Endpoint, dict[str, ContactState]] = {}  # where endpoints are registered
        self.unreachable: dict[Endpoint, SteadyMs] = {}
        self.reporters: OrderedDict[tuple[Endpoint, bool], None] = OrderedDict()  # agents' phones; True: on hold

    def date(self, at: SteadyMs) -> UnixMs:
        """The same moment for people."""
        return UnixMs(at + self.dates_ahead)

    def tell(self, event: CallEvent) -> None:
        self.events.append(event)

    def leg(self, channel: ChannelId) -> Leg | None:
        """Find a living leg and note that this connection has heard of it."""
        leg = self.legs.get(channel)
        if leg is not None:
            leg.epoch = self.epoch
        return leg

    def note_stranger(self, endpoint: Endpoint, at: UnixMs) -> None:
        """Remember that a call from outside made this endpoint of no agent ring."""
        self.rung_strangers[endpoint] = at
        self.rung_strangers.move_to_end(endpoint)
        if len(self.rung_strangers) > _STRANGERS:
            self.rung_strangers.popitem(last=False)

    def note_reporter(self, endpoint: Endpoint, *, on_hold: bool) -> None:
        """Remember that this phone reports on its media, in a call or on hold."""
        self.reporters[endpoint, on_hold] = None
        if len(self.reporters) > _REPORTERS:
            self.reporters.popitem(last=False)

    def note_order(self, order: CallOrdered) -> None:
        """Remember whom the agent on this channel is to be connected to, until the channel is there."""
        self.orders[order.channel] = order
        if len(self.orders) > _ORDERS:
            self.orders.popitem(last=False)

    def call_for(self, channel: ChannelId, linked: ChannelId, at: UnixMs) -> LiveCall:
        """Find the call a new channel belongs to, or begin one named after its first channel, heard of or not."""
        call = self.by_linked.get(linked) or self.by_linked.get(channel)
        if call is None:
            known = self.legs.get(linked)
            call = known.call if known is not None and not known.call.ended else None
        if call is None and channel in self.ended:  # its begin comes after its end: it begins no second time
            return LiveCall(CallId(channel), self.pbx, at, state=CallState.ENDED)
        if call is None:
            taken = any(linked in names for names in (self.gone, self.legs, self.calls, self.ended, self.ended_before))
            call = self.add_call(LiveCall(CallId(channel if taken else linked), self.pbx, at))
        self.link(call, linked)
        return call

    def add_call(self, call: LiveCall) -> LiveCall:
        self.calls[call.call_id] = call
        self.link(call, ChannelId(call.call_id))
        return call

    def link(self, call: LiveCall, linked: ChannelId) -> None:
        if self.by_linked.get(linked) is not call:
            self.by_linked[linked] = call
            call.linked.append(linked)

    def add_leg(self, leg: Leg) -> None:
        self.legs[leg.channel] = leg
        leg.call.legs[leg.channel] = leg

    def move_leg(self, leg: Leg, call: LiveCall) -> None:
        leg.call.legs.pop(leg.channel, None)
        if leg.call.lost is not None and leg.call.lost.channel == leg.channel:
            call.lost, call.lost_at, call.lost_unseen = leg.call.lost, leg.call.lost_at, leg.call.lost_unseen
            leg.call.lost, leg.call.lost_unseen = None, False
        leg.call = call
        call.legs[leg.channel] = leg

    def enter_bridge(self, leg: Leg, bridge: BridgeId, *, mixing: bool) -> None:
        self.leave_bridge(leg)
        leg.bridge, leg.mixing = bridge, mixing
        self.bridges.setdefault(bridge, {})[leg.channel] = leg

    def leave_bridge(self, leg: Leg) -> None:
        if leg.bridge is None:
            return
        members = self.bridges[leg.bridge]
        members.pop(leg.channel, None)
        if not members:
            del self.bridges[leg.bridge]
        leg.bridge = None

    def pair(self, one: Leg, two: Leg) -> None:
        """Join the two ends of a Local wire."""
        self.unpair(one)
        self.unpair(two)
        one.pair, two.pair = two, one

    def unpair(self, leg: Leg) -> None:
        if leg.pair is not None:
            leg.pair.pair = None
            leg.pair = None

    def drop_leg(self, leg: Leg) -> None:
        """Forget a leg that has ended; its id can never come back."""
        self.leave_bridge(leg)
        self.unpair(leg)
        self.legs.pop(leg.channel, None)
        leg.call.legs.pop(leg.channel, None)
        self.forget(leg.channel)

    def forget(self, channel: ChannelId) -> None:
        """Remember that this channel has ended, among the last many."""
        self.gone[channel] = None
        if len(self.gone) > _REMEMBERED:
            self.gone.popitem(last=False)

    def drop_call(self, call: LiveCall) -> None:
        self.calls.pop(call.call_id, None)
        self.ended[call.call_id] = None
        if len(self.ended) > _REMEMBERED:
            self.ended.popitem(last=False)
        for linked in call.linked:
            if self.by_linked.get(linked) is call:
                del self.by_linked[linked]

    def new_leg(
        self,
        call: LiveCall,
        channel: ChannelId,
        kind: ChannelKind,
        endpoint: Endpoint,
        state: ChannelState,
        number: str | None,
        exten: str | None,
    ) -> Leg:
        role, user_id = self._role(kind, endpoint)
        placed = state is not ChannelState.DOWN
        leg = Leg(channel, call, kind, endpoint, state, role, user_id, number, exten, self.epoch, placed)
        self.add_leg(leg)
        if call.first is None and kind is ChannelKind.DEVICE:
            call.first = leg
        return leg

    def phone_of(self, leg: Leg) -> Endpoint | None:
        """The endpoint where it is the agent's own phone, not a trunk or wire that leads to him."""
        return leg.endpoint if self.directory.agent_at(leg.endpoint) == leg.user_id is not None else None

    def _role(self, kind: ChannelKind, endpoint: Endpoint) -> tuple[Role, UserId | None]:
        if kind is not ChannelKind.DEVICE:
            return Role.PBX, None
        user_id = self.directory.agent_at(endpoint)
        return (Role.AGENT, user_id) if user_id is not None else (Role.OUTSIDE, None)
