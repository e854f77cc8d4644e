"""A call between a customer and an agent, whose phones send, report, fall silent and die; no recording is so lossy."""

from __future__ import annotations

from daemon.call.events import ConnectionLost, ConnectionRestored, ConnectionStillLost
from daemon.call.model import ConnectionLoss
from daemon.call.signals import (
    ChannelId,
    ContactChanged,
    ContactState,
    Endpoint,
    LinkUp,
    PacketsCounted,
    ReportReceived,
    ReportSent,
    Signal,
    SteadyMs,
    UnixMs,
)
from tests.call.wire import ANS_PHONE, Wire

PER_SECOND = 50
CUSTOMER, AGENT = ChannelId("c1"), ChannelId("a1")


def steady(now: int) -> SteadyMs:
    return SteadyMs(UnixMs(now))


class House:
    """A wire on which time goes on in tenths of a second, phones send and report, and suspects are counted."""

    def __init__(self) -> None:
        self.wire = Wire()
        self.silent: set[str] = set()  # sends no sound and reports on
        self.dead: set[str] = set()
        self.never_reports: set[str] = set()
        self.report_every = 50  # tenths of a second
        self.mute_reports = 0  # so many of the agent's next reports get lost on the way
        self.direct: set[str] = set()
        self.asked: list[str] = []
        self.stepped = 0  # how far the clock for people was set forward meanwhile
        self.at(LinkUp)
        self._call()

    def again(self) -> None:
        """This call ends, and the same two have another."""
        self.wire.end(AGENT, CUSTOMER)
        self._call()

    def _call(self) -> None:
        self.packets = {CUSTOMER: 0, AGENT: 0}
        self.sequence = {CUSTOMER: 0, AGENT: 0}
        self.wire.tracker._board.gone.clear()
        self.wire.incoming(CUSTOMER)
        self.wire.rings(CUSTOMER, AGENT, ANS_PHONE)
        self.wire.answers(CUSTOMER, AGENT, "room")
        self.began = self.wire.now

    def at(self, make: object, *values: object) -> None:
        """A signal of this very moment."""
        self.tell(make(UnixMs(self.wire.now), *values))  # type: ignore[operator]

    @property
    def date(self) -> UnixMs:
        return UnixMs(self.wire.now + self.stepped)

    def tell(self, signal: Signal) -> None:
        self.wire.events += self.wire.tracker.feed(signal)

    def go_on(self, seconds: float, *, looks: bool = True) -> None:
        for _ in range(round(seconds * 10)):
            self.wire.now += 100
            for channel in self.packets:
                if channel not in self.dead | self.silent:
                    self.sequence[channel] += PER_SECOND // 10
                    if channel not in self.direct:
                        self.packets[channel] += PER_SECOND // 10
            tenths = (self.wire.now - self.began) // 100
            for place, channel in enumerate(self.packets):
                if channel in self.direct:
                    continue
                if tenths % self.report_every == 3 + place and channel not in self.dead | self.never_reports:
                    self._report(channel)
                if tenths % 50 == 13 + place:
                    self.at(ReportSent, channel, self.sequence[channel])
            if looks:
                self.look()

    def _report(self, channel: ChannelId) -> None:
        if channel == AGENT and self.mute_reports:
            self.mute_reports -= 1
        else:
            self.at(ReportReceived, channel)

    def look(self) -> None:
        for channel in self.wire.tracker.suspects(steady(self.wire.now), anybody=True):
            self.asked.append(channel)
            self.at(PacketsCounted, channel, self.packets[channel], channel in self.direct, False, self.date)

    def talk(self, seconds: float = 20.0) -> None:
        self.go_on(seconds)
        assert self.asked == [], "nobody asks about a healthy call"

    def kill(self, channel: ChannelId) -> int:
        self.dead.add(channel)
        return self.wire.now

    def contact(self, endpoint: str, state: ContactState, contact: str = "sip:somewhere") -> None:
        self.at(ContactChanged, Endpoint(endpoint), contact, state)

    def fails(self, endpoint: str, how: ContactState = ContactState.SILENT) -> None:
        """It answered the PBX's question before, and then no more."""
        self.contact(endpoint, ContactState.ANSWERS)
        self.contact(endpoint, how)

    def told(self) -> list[str]:
        return [type(e).__name__ for e in self.wire.events if isinstance(e, ConnectionLost | ConnectionRestored)]

    def cut_after(self, died: int, n: int) -> float | None:
        """How many seconds after its death the call is hung up, if the setting is n."""
        looks = [e for e in self.wire.events if isinstance(e, ConnectionLost | ConnectionStillLost)]
        first = next((e for e in looks if e.lasting >= 1000 * n), None)
        return None if first is None else (first.at - self.stepped - died) / 1000

    @property
    def lost(self) -> ConnectionLoss | None:
        return self.wire.tracker.calls()[0].lost
