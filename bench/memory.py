"""What a living call costs in memory, with everything that is kept of it while it lives."""

from __future__ import annotations

import gc
import os
from collections.abc import Callable, Iterator
from multiprocessing.connection import Connection
from pathlib import Path
from types import MappingProxyType
from typing import Any

from rich.table import Table

from bench.ingest_ours import PBX, CountingSink, dispatcher
from bench.processes import Side
from bench.recorded_call import recorded
from bench.stream import BEGAN, BEGAN_MS
from bench.table import Goal, new_table, verdict
from daemon.ami.signal_reader import SignalReader
from daemon.dispatch import PbxSignal

LIVING = "reconnect_in_talk"
"""A recording that stops in the middle of a talk and goes on with the list of what lives."""

_OURS, _CACOFONISK = "ours: tracker and dispatcher", "cacofonisk"
_GOAL = Goal("MB for 1,000 living calls", at_most=5.0)
_MB = 1 << 20
_WARM = 200  # calls before the first look: imports, caches, the allocator's first arenas

Follow = Callable[[bytes], object]


def living_calls(calls: int) -> Iterator[bytes]:
    """The events of each call until both talk."""
    recording = recorded(LIVING)
    for number in range(calls):
        yield b"".join(message.data for message in recording.copy(number, BEGAN))


def table(calls: int) -> Table:
    found = new_table(f"Memory of {calls:,} living calls", "", "MB for 1,000 calls, resident")
    used = {}
    for name in _FOLLOWERS:
        with Side(_measure, name, calls) as side:
            used[name] = side.hear()
        found.add_row(name, f"{used[name]:.2f}")
    found.caption = verdict(_GOAL, used[_OURS])
    return found


def _measure(pipe: Connection, name: str, calls: int) -> None:
    follow = _FOLLOWERS[name]()
    before = 0
    for number, events in enumerate(living_calls(_WARM + calls)):
        if number == _WARM:
            before = _resident()
        follow(events)
    pipe.send((_resident() - before) / _MB / (calls / 1000))


def _resident() -> int:
    gc.collect()
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGESIZE")


def _ours() -> Follow:
    ours, reader = dispatcher(CountingSink()), SignalReader(live=True)
    return lambda events: [ours.feed(PbxSignal(PBX, signal)) for signal in reader.feed(events, BEGAN_MS)]


def _cacofonisk() -> Follow:
    from cacofonisk.handlers import EventHandler
    from cacofonisk.reporters import BaseReporter
    from panoramisk.message import Message

    handler = EventHandler(BaseReporter())

    def follow(events: bytes) -> None:
        for text in events.decode().split("\r\n\r\n")[:-1]:
            event: Any = Message.from_line(text)
            handler.on_event(event)

    return follow


_FOLLOWERS = MappingProxyType({_OURS: _ours, _CACOFONISK: _cacofonisk})
