"""A recorded call cut at everything that must be fresh in each copy: ids, bridges, channel instances, number, times."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from daemon.ami.framing import END_OF_MESSAGE
from daemon.ami.signal_table import SIGNAL_TABLE

RECORDINGS = Path(__file__).parent.parent / "tests" / "recordings" / "asterisk-22"
LIST_ROW = b"CoreShowChannel"

_CHANNEL_ID = re.compile(rb"(?:Uniqueid|Linkedid): (\d{9,11}\.\d+)\r")
_BRIDGE_ID = re.compile(rb"\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b")
_INSTANCE = re.compile(rb"Channel: [^\r\n]+-([0-9a-f]{8})[;\r]")
_STAMP = re.compile(rb"(?<=\r\nTimestamp: )\d+\.\d+")
_STAMP_HERE = b"\0"

# The recorder's own session, and what only an Asterisk built for its own tests sends.
_NOT_OF_THE_CALL = frozenset({b"FullyBooted", b"SuccessfulAuth", b"TestEvent"})
_IDS_A_CALL = 64
_LEAN = frozenset({*SIGNAL_TABLE, b"OriginateResponse"})


@dataclass(frozen=True, slots=True)
class Piecewise:
    """One message. `after`: seconds since the call's begin; `pieces`: what is fresh in each copy stands apart."""

    event: bytes
    after: float
    pieces: tuple[bytes, ...]

    @property
    def lean(self) -> bool:
        """Whether it passes the event filter that `callwarden asterisk-config` writes."""
        return self.event in _LEAN


@dataclass(frozen=True, slots=True)
class TimedMessage:
    """One message of a copy, ready for the wire; `at` is Unix time in seconds."""

    at: float
    data: bytes


class RecordedCall:
    """One recording, read once, copied as often as wanted. `answered` is its ground truth."""

    def __init__(self, name: str) -> None:
        truth = json.loads((RECORDINGS / f"{name}.json").read_text())
        parts = [(RECORDINGS / part).read_bytes() for part in truth["parts"]]
        self.name = name
        self.answered = truth["calls"][0]["outcome"] == "answered"
        self.agents: dict[str, list[str]] = truth["agents"]
        self._fresh = _what_is_fresh(b"".join(parts), truth["calls"][0]["customer"])
        self._first = next(iter(self._fresh))
        token = re.compile(b"|".join([re.escape(old) for old in self._fresh] + [re.escape(_STAMP_HERE)]))
        self.messages = tuple(_messages(parts[0], token))
        self.rows = tuple(message for part in parts[1:] for message in _messages(part, token, rows=True))

    def call_id(self, number: int) -> str:
        """What copy `number` is called by the daemon."""
        return self._values(number)[self._first].decode()

    def copy(self, number: int, began: float, *, lean: bool = False, speed: float = 1.0) -> Iterator[TimedMessage]:
        """The events of the call as copy `number`, which nothing of any other copy is equal to."""
        values = self._values(number)
        for message in self.messages:
            if lean and not message.lean:
                continue
            at = began + message.after / speed
            values[_STAMP_HERE] = b"%.6f" % at
            yield TimedMessage(at, _joined(message, values))

    def copy_rows(self, number: int) -> Iterator[bytes]:
        """The rows of CoreShowChannels that a recording with a reconnect has of the call."""
        values = self._values(number)
        return (_joined(row, values) for row in self.rows)

    def _values(self, number: int) -> dict[bytes, bytes]:
        first = number * _IDS_A_CALL
        numbered = enumerate(self._fresh.items())
        return {old: form % (number if form is _CUSTOMER else first + n) for n, (old, form) in numbered}


@lru_cache
def recorded(name: str) -> RecordedCall:
    return RecordedCall(name)


_CUSTOMER = b"90%07d"  # a Vietnamese mobile number without its prefix, which stays as the recording wrote it


def _what_is_fresh(data: bytes, customer: str) -> dict[bytes, bytes]:
    """What is replaced, and the form of what replaces it; the first channel's id first."""
    forms = (
        (_CHANNEL_ID.findall(data), b"1795000000.%d"),
        (_BRIDGE_ID.findall(data), b"00000000-0000-4000-8000-%012x"),
        ([b"-" + instance for instance in _INSTANCE.findall(data)], b"-%08x"),
        ([customer.removeprefix("+84").encode()], _CUSTOMER),
    )
    return {old: form for found, form in forms for old in found}


def _messages(data: bytes, token: re.Pattern[bytes], *, rows: bool = False) -> Iterator[Piecewise]:
    began = after = 0.0
    for raw in data.split(END_OF_MESSAGE):
        event = raw[7 : raw.find(b"\r")] if raw.startswith(b"Event: ") else b""
        if not event or event in _NOT_OF_THE_CALL or (event == LIST_ROW) is not rows:
            continue
        if stamp := _STAMP.search(raw):
            began = began or float(stamp[0])
            after = float(stamp[0]) - began
        yield Piecewise(event, after, _cut(_STAMP.sub(_STAMP_HERE, raw) + END_OF_MESSAGE, token))


def _cut(raw: bytes, token: re.Pattern[bytes]) -> tuple[bytes, ...]:
    pieces, end = [], 0
    for found in token.finditer(raw):
        pieces += [raw[end : found.start()], found[0]]
        end = found.end()
    return (*pieces, raw[end:])


def _joined(message: Piecewise, values: dict[bytes, bytes]) -> bytes:
    return b"".join([values.get(piece, piece) for piece in message.pieces])
