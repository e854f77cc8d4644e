"""Plays recorded traces through tracker, policies and an in-memory store, and tells what came of them. No network."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from types import MappingProxyType
from typing import Any

from sqlalchemy import select

from daemon.ami.clock import UNKNOWN
from daemon.ami.signal_reader import SignalReader
from daemon.ami.trace import read_trace
from daemon.call.directory import Directory
from daemon.call.events import (
    AgentConnected,
    AgentReturned,
    AgentRinging,
    AgentRingingEnded,
    CallAnswered,
    CallChanged,
    CallEnded,
    CallEvent,
    CallHeld,
    CallResumed,
    CallStarted,
    ConnectionLost,
    ConnectionRestored,
    ConnectionStillLost,
)
from daemon.call.model import Call, CallId, PbxName, UserId
from daemon.call.rendering import call_json, iso_utc
from daemon.call.signals import Endpoint, Signal, UnixMs
from daemon.call.tracker import Tracker
from daemon.dispatch import decide
from daemon.errors import ConfigError
from daemon.policy import announcement
from daemon.policy.call_settings import Rulebook
from daemon.policy.decision import DURABLE, Decision
from daemon.store.endpoint_name import endpoint_name
from daemon.store.row import call_of, ticket_of
from daemon.store.store import Store
from daemon.store.tables import calls, ticket_calls, tickets
from daemon.store.values import Unit

_EVENT_NAMES: Mapping[type[CallEvent], str] = MappingProxyType(
    {
        CallStarted: "call.started",
        CallChanged: "call.changed",
        AgentRinging: "call.ringing",
        AgentRingingEnded: "call.ringing_ended",
        CallAnswered: "call.answered",
        AgentConnected: "call.agent_connected",
        AgentReturned: "call.agent_returned",
        CallHeld: "call.held",
        CallResumed: "call.resumed",
        ConnectionLost: "call.connection_lost",
        ConnectionStillLost: "call.connection_still_lost",
        ConnectionRestored: "call.connection_restored",
        CallEnded: "call.ended",
    }
)

_PBX = PbxName("replay")

Print = Callable[[Mapping[str, object]], None]
"""Takes one line of the output, a JSON object."""


@dataclass(frozen=True, slots=True)
class Scene:
    """What the traces are judged by: whose phones are whose, and the rules."""

    directory: Directory = field(default_factory=Directory)
    rules: Rulebook = field(default_factory=Rulebook)


def agents_from(options: Iterable[str], country: str) -> Directory:
    """Read `USERID=ENDPOINT` options into a directory."""
    endpoints: dict[Endpoint, UserId] = {}
    for option in options:
        user_id, equals, endpoint = option.partition("=")
        if not (user_id and equals and endpoint):
            raise ConfigError(f"--agent {option}: write USERID=ENDPOINT, as 1001=PJSIP/1001")
        try:
            endpoints[Endpoint(endpoint_name(endpoint))] = UserId(user_id)
        except ValueError as error:
            raise ConfigError(f"--agent {option}: {error}") from error
    return Directory(country, MappingProxyType(endpoints))


async def replay(
    paths: Sequence[Path], scene: Scene, show: Print, progress: Callable[[Path, int], None] | None = None
) -> None:
    """Replay the traces in order, each one connection to the same PBX, and end with the summary."""
    tracker = Tracker(_PBX, scene.directory)
    store = await Store.open("sqlite://")
    try:
        for signal in _signals(paths, progress):
            for event in tracker.feed(signal):
                decisions = decide(event, scene.rules, event.at)
                _show_event(show, event, decisions)
                kept = tuple(d for d in decisions if isinstance(d, DURABLE))
                await store.writer.submit(Unit(event.at, event.call, kept))
        await store.writer.drain()
        show(await _summary(store))
    finally:
        await store.close()


def _signals(paths: Sequence[Path], progress: Callable[[Path, int], None] | None) -> Iterator[Signal]:
    last = UnixMs(0)
    for number, path in enumerate(paths):
        reader = SignalReader(live=False)
        report = (lambda done, path=path: progress(path, done)) if progress else None
        for chunk in read_trace(path, report):
            for signal in reader.feed(chunk.data, chunk.arrival or UNKNOWN):
                last = signal.at
                yield signal
        if number + 1 < len(paths):
            yield from reader.link_lost(last)


def _show_event(show: Print, event: CallEvent, decisions: Sequence[Decision]) -> None:
    call = call_json(event.call, None)
    line: dict[str, object] = {"type": _EVENT_NAMES[type(event)], "at": iso_utc(event.at), "call": call}
    if isinstance(event, AgentRinging | AgentRingingEnded | AgentConnected | AgentReturned | CallHeld | CallResumed):
        line["user_id"] = event.user_id
    show(line)
    if isinstance(event, CallEnded) and announcement.is_missed(event.call):
        show({**line, "type": "call.missed"})
    for decision in decisions:
        show({"type": "decision", "at": iso_utc(event.at), "call": call, "decision": decision_json(decision)})


def decision_json(decision: Decision) -> dict[str, object]:
    """A decision as its name and its own fields; the call stands beside it."""
    fields = {name: getattr(decision, name) for name in decision.__dataclass_fields__ if name != "call"}
    return {"name": type(decision).__name__} | {name: _plain(value) for name, value in fields.items()}


def _plain(value: object) -> object:
    return value.value if isinstance(value, Enum) else value


async def _summary(store: Store) -> dict[str, object]:
    links = await store.reader.fetch(select(ticket_calls).order_by(ticket_calls.c.ticket_id, ticket_calls.c.position))
    ticket_of_call = {link["call_id"]: str(link["ticket_id"]) for link in links}
    call_ids: dict[int, list[CallId]] = {}
    for link in links:
        call_ids.setdefault(link["ticket_id"], []).append(CallId(link["call_id"]))
    found = await store.reader.fetch(select(calls).order_by(calls.c.started_at, calls.c.call_id))
    opened = await store.reader.fetch(select(tickets).order_by(tickets.c.ticket_id))
    return {
        "type": "summary",
        "calls": [_with_ticket(call_of(row), ticket_of_call) for row in found],
        "tickets": [ticket_of(row, call_ids.get(row["ticket_id"], ())).as_json() for row in opened],
    }


def _with_ticket(call: Call, ticket_of_call: Mapping[Any, str]) -> dict[str, object]:
    return call_json(call, ticket_of_call.get(call.call_id))


def print_line(line: Mapping[str, object]) -> None:
    """Write one JSON object a line on stdout, non-ASCII names as they are."""
    text = json.dumps(line, ensure_ascii=False, separators=(",", ":"))
    # A caller's name must not steer the terminal that shows it: U+009B begins a command as ESC does.
    shown = text if text.isprintable() else "".join(one if one.isprintable() else json.dumps(one)[1:-1] for one in text)
    print(shown)  # noqa: T201 - the command's output
