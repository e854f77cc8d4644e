"""Reads the recordings with their ground truth and plays them into a tracker. Parts after the first are reconnects."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

from daemon.ami.signal_reader import SignalReader
from daemon.call.directory import Directory
from daemon.call.events import CallEnded, CallEvent
from daemon.call.model import Call, PbxName, UserId
from daemon.call.number import customer_number
from daemon.call.signals import Endpoint, Signal, UnixMs
from daemon.call.tracker import Tracker

FOLDER = Path(__file__).parents[1] / "recordings"


@dataclass(frozen=True)
class Recording:
    """One situation: its byte streams (one a connection) and what people outside the PBX saw."""

    name: str
    parts: tuple[Path, ...]
    truth: dict[str, Any]

    @property
    def directory(self) -> Directory:
        country = self.truth.get("country", "VN")
        endpoints = {Endpoint(e): UserId(user) for user, es in self.truth["agents"].items() for e in es}
        mobiles = {
            str(customer_number(n, country)): UserId(user) for user, n in self.truth.get("personal_numbers", {}).items()
        }
        return Directory(country, MappingProxyType(endpoints), MappingProxyType(mobiles))

    def signals(self) -> Iterator[Signal]:
        """Give what a daemon would have got, with the link lost between the parts."""
        last = UnixMs(0)
        for index, part in enumerate(self.parts):
            reader = SignalReader(live=False)
            for signal in reader.feed(part.read_bytes()):
                last = signal.at
                yield signal
            if index + 1 < len(self.parts):
                yield from reader.link_lost(last)


def recordings() -> list[Recording]:
    """Every recording of the repository, by version and name."""
    found = []
    for path in sorted(FOLDER.glob("*/*.json")):
        truth = json.loads(path.read_text())
        parts = tuple(path.parent / part for part in truth.get("parts", [path.stem + ".ami"]))
        found.append(Recording(f"{path.parent.name}/{path.stem}", parts, truth))
    return found


def track(tracker: Tracker, signals: Iterable[Signal]) -> tuple[list[CallEvent], list[Call]]:
    """Return all events, and every call in its last state, oldest first."""
    events = [event for signal in signals for event in tracker.feed(signal)]
    ended = [event.call for event in events if isinstance(event, CallEnded)]
    return events, sorted([*ended, *tracker.calls()], key=lambda call: call.started_at)


def new_tracker(recording: Recording) -> Tracker:
    return Tracker(PbxName("main"), recording.directory)
