"""AMI bytes in, signals out: the same for a live connection and for a replayed trace. Does no I/O.

Hostile bytes raise nothing but `ProtocolError`; everything else that is wrong is counted and passed over.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

import structlog

from daemon.ami import forgery
from daemon.ami.clock import UNKNOWN, EventClock
from daemon.ami.framing import END_OF_MESSAGE, Framer
from daemon.ami.list_rows import ROWS
from daemon.ami.message import Message, MissingHeader
from daemon.ami.signal_table import BY_ARRIVAL, SIGNAL_TABLE, Builder
from daemon.ami.snapshot import SnapshotRows
from daemon.call.signals import (
    ChannelEnded,
    ContactChanged,
    LinkDown,
    LinkUp,
    ReportReceived,
    ReportSent,
    Signal,
    Snapshot,
    SteadyMs,
    UnixMs,
)

BANNER = b"Asterisk Call Manager/"

_EVENT = b"Event: "
_BANNER_LINE = re.compile(rb"Asterisk Call Manager/([^\r\n]{0,40})(?:\r\n|\Z)")
# Inside a message only a banner that a response follows is one: a caller may call himself like a banner.
_BANNER_INSIDE = re.compile(rb"Asterisk Call Manager/([0-9.]{1,20})\r\n(?=Response: )")

_NO_CALL = (Snapshot, ContactChanged, ReportReceived, ReportSent)

_EVENT_BUILDERS = frozenset(SIGNAL_TABLE.values())

_log = structlog.get_logger(__name__)


@dataclass(slots=True)
class ReaderCounters:
    """What has been read since the start, over all connections of one PBX."""

    bytes: int = 0
    events: int = 0
    dropped: int = 0
    """Events without a row in the table, not parsed."""
    protocol_errors: int = 0
    handler_errors: int = 0
    odd: int = 0
    """Messages that are neither event nor response."""
    incomplete_lists: int = 0
    forged: int = 0
    """Events that a caller's number changed, cut or began."""
    malformed: Counter[str] = field(default_factory=Counter)
    """Used events that lack a header they cannot be without, by kind."""


class SignalReader:
    """Feed it in order what one socket gave, or a whole trace in pieces of any size.

    In a trace a new banner is a new connection; live, each connection has its own reader. `answers` takes each
    message that answers an action (responses and OriginateResponse).
    """

    def __init__(
        self,
        *,
        live: bool,
        answers: Callable[[Message], None] | None = None,
        counters: ReaderCounters | None = None,
    ) -> None:
        self._live = live
        self.doubted = False
        """Something was left out that nobody can read any more: the PBX's own list says what is true."""
        self._is_cut = forgery.is_cut if live else forgery.seems_cut
        self._answers = answers
        self._framer = Framer()
        self._rows = SnapshotRows()
        self._clock = EventClock(live=live)
        self._steady: SteadyMs | None = None
        self._signals: list[Signal] = []
        self._pieces: list[bytes] = []
        self._privileged = False
        self._builders: dict[bytes, Builder] = {
            **SIGNAL_TABLE,
            b"CoreShowChannel": self._rows.add,
            b"CoreShowChannelsComplete": self._rows.complete,
            b"OriginateResponse": self._answer_event,
            b"FullyBooted": self._fully_booted,
            **dict.fromkeys(ROWS, self._answer_event),
        }
        self.is_up = False
        self.followed = 0
        self.reported = 0
        """Reports of phones on their media; none where the class `reporting` may not be read."""
        self.reads_system = False
        self.version: str | None = None
        self.counters = counters or ReaderCounters()

    @property
    def stamped(self) -> bool | None:
        """Whether events of calls carry the PBX's time; None while none has come."""
        return self._clock.stamped if self.followed else None

    def feed(self, data: bytes, arrival: UnixMs = UNKNOWN, steady: SteadyMs | None = None) -> list[Signal]:
        """Return the signals that `data` completes. `arrival`: when it came, `UNKNOWN` where a trace does not tell.

        `steady`: the same moment by our steady clock; None in a trace.
        """
        self._signals, self._steady = [], steady
        self.counters.bytes += len(data)
        events = dropped = 0
        builders, live = self._builders, self._live
        for message in self._framer.feed(data):
            raw = self._pieced(message) if self._pieces else message
            if raw.startswith(_EVENT) and (live or BANNER not in raw):
                events += 1
                build = builders.get(raw[7 : raw.find(b"\r", 7)])
                if build is None:
                    dropped += 1
                else:
                    self._build(build, raw, arrival)
            elif raw:
                self._odd_message(raw, arrival)
        self.counters.events += events
        self.counters.dropped += dropped
        return self._signals

    def link_lost(self, at: UnixMs) -> list[Signal]:
        """Return what the end of the connection means; half a list is forgotten with half a message."""
        was_up, self.is_up = self.is_up, False
        self._rows.clear()
        self._pieces = []
        self._privileged = False
        return [LinkDown(at)] if was_up else []

    def _build(self, build: Builder, raw: bytes, arrival: UnixMs) -> None:
        if forgery.is_genuine(raw):
            self._privileged = self._privileged or build != self._fully_booted
            if self._is_cut(raw):
                self._pieces = [raw]
                return
        elif self._privileged and build in _EVENT_BUILDERS:
            self.counters.forged += 1
            self.doubted = True  # whatever made it may have swallowed an event of the PBX
            return
        if forgery.has_twice(raw):
            self.counters.forged += 1
            raw = forgery.mended(raw)
            if forgery.has_twice(raw):  # in the number that was dialled: whose event this is cannot be told any more
                self.doubted = True
                return
        self._signal(build, raw, arrival)

    def _pieced(self, raw: bytes) -> bytes:
        """Put an event together again that a caller's number cut; empty until it is whole."""
        if self._live and forgery.is_whole_event(raw):  # the next one has come: what was cut stays cut
            self._pieces = []
            self.doubted = True
            return raw
        self._pieces.append(raw)
        if BANNER in raw and not self._live:  # a trace was cut here, by no caller
            self._pieces = []
            return raw
        if not forgery.is_whole(self._pieces) and len(self._pieces) < forgery.MAX_PIECES:
            return b""
        whole, self._pieces = forgery.mended(END_OF_MESSAGE.join(self._pieces)), []
        self.counters.forged += 1
        return whole.replace(END_OF_MESSAGE, b"\r\n")

    def _signal(self, build: Builder, raw: bytes, arrival: UnixMs) -> None:
        message = Message(raw)
        try:
            signal = build(message, self._time(build, message, arrival))
        except MissingHeader as missing:
            self._malformed(raw, missing)
            return
        self.counters.incomplete_lists = self._rows.incomplete
        if signal is None:
            return
        if not self.is_up:
            self._login(signal.at)
        self._clock.last = max(self._clock.last, signal.at)
        self.followed += not isinstance(signal, _NO_CALL)
        self.reported += isinstance(signal, ReportReceived)
        if self._rows.gathering and isinstance(signal, ChannelEnded):
            self._rows.ended(signal.channel)
        self._signals.append(signal)

    def _time(self, build: Builder, message: Message, arrival: UnixMs) -> UnixMs:
        if build in BY_ARRIVAL and arrival != UNKNOWN:
            return self._steady or SteadyMs(arrival)
        return self._clock.time_of(message, arrival)

    def _fully_booted(self, _message: Message, _at: UnixMs) -> None:
        """Sent after the login to those who may read the class `system`, whatever their filter (22.10 and 16.28)."""
        self.reads_system = True

    def _login(self, at: UnixMs) -> None:
        self.is_up = True
        self._signals.append(LinkUp(at, self._steady))

    def _odd_message(self, raw: bytes, arrival: UnixMs) -> None:
        """Take what is no plain event: banner, response, event behind odd lines, or nothing we know."""
        raw = raw.lstrip(b"\r\n")
        if banner := self._banner_in(raw):
            self._signals += self.link_lost(self._clock.last)
            self.version = banner[1].decode("ascii", "replace")
            raw = raw[banner.end() :]
        if raw.startswith(b"Response: "):
            self._response(Message(raw), arrival)
            return
        start = 0 if raw.startswith(_EVENT) else raw.find(b"\r\nEvent: ") + 2
        if raw.startswith(_EVENT, start):
            self._event(raw[start:], arrival)
        elif raw:
            self.counters.odd += 1
            self.doubted = self.doubted or self.is_up  # an event may be in it that nobody can read any more

    def _banner_in(self, raw: bytes) -> re.Match[bytes] | None:
        """Find where a connection begins; a live one begins once, so any further banner is a caller's."""
        if self._live:
            return _BANNER_LINE.match(raw) if self.version is None else None
        return _BANNER_LINE.match(raw) or _BANNER_INSIDE.search(raw)

    def _event(self, raw: bytes, arrival: UnixMs) -> None:
        self.counters.events += 1
        if build := self._builders.get(raw[7 : raw.find(b"\r", 7)]):
            self._build(build, raw, arrival)
        else:
            self.counters.dropped += 1

    def _response(self, message: Message, arrival: UnixMs) -> None:
        # A trace tells no time here: there the first signal brings the link up.
        if self._live and not self.is_up and message.get("Message") == "Authentication accepted":
            self._login(arrival)
        if self._answers:
            self._answers(message)

    def _answer_event(self, message: Message, _at: UnixMs) -> None:
        if self._answers and message.get("ActionID") is not None:
            self._answers(message)

    def _malformed(self, raw: bytes, missing: MissingHeader) -> None:
        event = raw[7 : raw.find(b"\r", 7)].decode("ascii", "replace")
        if event not in self.counters.malformed:
            _log.warning("ami_event_malformed", ami_event=event, missing=str(missing))
        self.counters.malformed[event] += 1
