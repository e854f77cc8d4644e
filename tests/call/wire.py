"""A PBX played by hand, signal by signal, for situations that no recording has."""

from __future__ import annotations

from types import MappingProxyType

from daemon.call.directory import Directory
from daemon.call.events import AgentConnected, AgentRinging, CallEnded, CallEvent
from daemon.call.model import Call, CallId, PbxName, UserId
from daemon.call.signals import (
    BridgeEntered,
    BridgeId,
    BridgeLeft,
    ChannelChanged,
    ChannelCreated,
    ChannelEnded,
    ChannelId,
    ChannelKind,
    ChannelSeen,
    ChannelState,
    DialBegan,
    DialEnded,
    DialStatus,
    Endpoint,
    HangupAsked,
    QueueJoined,
    Signal,
    Snapshot,
    UnixMs,
)
from daemon.call.tracker import Tracker

HOTLINE = "02473001234"
AN, BINH = UserId("an"), UserId("binh")
PHONES = {Endpoint("PJSIP/1001"): AN, Endpoint("PJSIP/1002"): BINH}
MOBILES = {"+84909999999": BINH}
TRUNK, ANS_PHONE, BINHS_PHONE = "PJSIP/trunk", "PJSIP/1001", "PJSIP/1002"


class Wire:
    """Every step is one or a few signals, a second after the last; `events` keeps what the tracker made of them."""

    def __init__(self) -> None:
        self.directory = Directory("VN", MappingProxyType(PHONES), MappingProxyType(MOBILES))
        self.tracker = Tracker(PbxName("main"), self.directory)
        self.events: list[CallEvent] = []
        self.now = 1_790_000_000_000

    def feed(self, make: object, *values: object) -> None:
        self.now += 1_000
        signal: Signal = make(UnixMs(self.now), *values)  # type: ignore[operator]
        self.events += self.tracker.feed(signal)

    def channel(
        self,
        name: str,
        endpoint: str,
        *,
        linked: str = "",
        placed: bool = False,
        number: str | None = None,
        exten: str | None = None,
        kind: ChannelKind = ChannelKind.DEVICE,
    ) -> None:
        state = ChannelState.DIALING if placed else ChannelState.DOWN
        self.feed(ChannelCreated, name, linked or name, kind, endpoint, state, number, None, exten)

    def incoming(self, name: str, number: str = "0901234567") -> None:
        self.channel(name, TRUNK, placed=True, number=number, exten=HOTLINE)

    def dials(self, caller: str | None, callee: str, *dialled: str, shown: str = HOTLINE) -> None:
        self.feed(DialBegan, caller, callee, shown, dialled)

    def rings(self, caller: str, callee: str, endpoint: str, *, linked: str = "") -> None:
        self.channel(callee, endpoint, linked=linked or caller)
        self.dials(caller, callee, endpoint.rpartition("/")[2])
        self.feed(ChannelChanged, callee, ChannelState.RINGING)

    def up(self, name: str) -> None:
        self.feed(ChannelChanged, name, ChannelState.UP)

    def answers(self, caller: str, callee: str, bridge: str) -> None:
        self.up(callee)
        self.feed(DialEnded, caller, callee, DialStatus.ANSWER)
        self.up(caller)
        self.enter(bridge, callee, caller)

    def fails(self, caller: str, callee: str, status: DialStatus) -> None:
        self.feed(DialEnded, caller, callee, status)
        self.end(callee)

    def enter(self, bridge: str, *names: str) -> None:
        for name in names:
            self.feed(BridgeEntered, bridge, name, True)

    def leave(self, bridge: str, *names: str) -> None:
        for name in names:
            self.feed(BridgeLeft, bridge, name)

    def queue(self, name: str, queue: str) -> None:
        self.feed(QueueJoined, name, queue)

    def hang_up(self, name: str) -> None:
        self.feed(HangupAsked, name)
        self.end(name)

    def end(self, *names: str) -> None:
        for name in names:
            self.feed(ChannelEnded, name, 16)

    def seen(self, name: str, endpoint: str, linked: str, *, bridge: str | None = None, queue: str | None = None,
             state: ChannelState = ChannelState.UP, kind: ChannelKind = ChannelKind.DEVICE) -> ChannelSeen:  # fmt: skip
        return ChannelSeen(
            channel=ChannelId(name),
            linked=ChannelId(linked),
            kind=kind,
            endpoint=Endpoint(endpoint),
            state=state,
            number=None,
            name=None,
            connected_number=None,
            exten=None,
            bridge=BridgeId(bridge) if bridge else None,
            queue=queue,
            pair=None,
            since=UnixMs(self.now - 60_000),
        )

    def listed(self, *rows: ChannelSeen) -> None:
        self.feed(Snapshot, rows)

    def restart(self) -> None:
        """A new daemon that knows what the store would know."""
        last = {event.call.call_id: event.call for event in self.events}
        ended = [call.call_id for call in last.values() if call.ended_at is not None]
        self.tracker = Tracker(PbxName("main"), self.directory)
        self.tracker.restore([c for c in last.values() if c.ended_at is None], UnixMs(self.now), ended)

    # -- what came of it -----------------------------------------------------------------------------------------

    def calls(self) -> dict[CallId, Call]:
        """Every call that was told of, as it is now."""
        return {event.call.call_id: event.call for event in self.events}

    def ended(self) -> list[str]:
        return [event.call.call_id for event in self.events if isinstance(event, CallEnded)]

    def connected(self) -> list[tuple[str, str]]:
        return [(e.call.call_id, e.user_id) for e in self.events if isinstance(e, AgentConnected)]

    def rang(self) -> list[tuple[str, str]]:
        return [(e.call.call_id, e.user_id) for e in self.events if isinstance(e, AgentRinging)]
