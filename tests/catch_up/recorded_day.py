"""All recorded scenarios one after the other, as one day of one PBX: what it told live, and what it wrote."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from daemon.ami.call_records import CallRecords, RecordsConfig
from daemon.ami.signal_reader import SignalReader
from daemon.call.directory import Directory
from daemon.call.model import PbxName
from daemon.call.signals import Signal, UnixMs
from daemon.catch_up import Outlet, Progress, Span, catch_up
from daemon.policy.call_settings import Rulebook
from daemon.replay import Scene, replay
from daemon.rules import Rules
from daemon.store.call_pages import read_calls
from daemon.store.call_search import CallFilter
from daemon.store.store import Store
from daemon.store.ticket_pages import TicketFilter, read_tickets
from daemon.store.values import Committed
from tests.call.recorded import Recording

FOLDER = Path(__file__).parents[1] / "recordings" / "cdr" / "asterisk-22"
PBX = PbxName("replay")
MANY = 100_000
NEVER_WRITTEN = "asterisk_killed_mid_call"  # a killed Asterisk writes no record of its living calls
_MOVED = {  # `dst` is where the caller is last: the menu's choice, or who he was handed to
    *("in_ivr_then_direct", "in_ivr_then_queue", "transfer_blind", "transfer_blind_feature_code"),
    *("transfer_blind_not_answered", "transfer_blind_to_queue", "transfer_blind_twice"),
}
_TIMES = {"opened_at", "updated_at", "closed_at", "reached_at", "call_back_seconds"}  # whole seconds, the PBX's answer
_UNLIKE = {*_TIMES, "ticket_id", "caught_up"}  # a ticket's number is only the order in which it was made

Json = dict[str, Any]


@dataclass(frozen=True)
class Outcome:
    """What is in the store after it."""

    calls: Sequence[Json]
    tickets: Sequence[Json]


def recordings(*, without: Sequence[str] = ()) -> list[Recording]:
    """In the order in which they were played."""
    found = [json.loads(path.read_text()) for path in FOLDER.glob("*.json")]
    found.sort(key=lambda truth: truth["started_at"])
    return [
        Recording(truth["scenario"], tuple(FOLDER / part for part in truth["parts"]), truth)
        for truth in found
        if truth["scenario"] not in without
    ]


def written(folder: Path, day: Sequence[Recording], *, queue_log: bool = True) -> CallRecords:
    """`Master.csv` and `queue_log` of that day."""
    for name, ending in (("Master.csv", "csv"), ("queue_log", "queue_log")):
        (folder / name).write_bytes(b"".join((FOLDER / f"{one.name}.{ending}").read_bytes() for one in day))
    log = folder / "queue_log" if queue_log else None
    return CallRecords(RecordsConfig(cdr=str(folder / "Master.csv"), queue_log=log, time_zone="UTC"))


def span_of(day: Sequence[Recording]) -> Span:
    starts = [one.truth["started_at"] * 1000 for one in day]
    return Span(pbx=PBX, since=UnixMs(round(min(starts)) - 5_000), until=UnixMs(round(max(starts)) + 120_000))


def alike(tickets: Iterable[Json], day: Iterable[Recording]) -> list[Json]:
    """All that tickets read afterwards have in common with those made live, by their calls."""
    moved = {call["customer"][-6:] for one in day if one.name in _MOVED for call in one.truth["calls"]}
    found = [{name: value for name, value in ticket.items() if name not in _UNLIKE} for ticket in tickets]
    for ticket in found:
        if str(ticket["customer_number"])[-6:] in moved:
            ticket["hotline"] = None
    return sorted(found, key=lambda ticket: str(ticket["call_ids"]))


async def followed_live(folder: Path, day: Sequence[Recording], rulebook: Rulebook) -> Outcome:
    """What the daemon makes of it while it happens."""
    lines: list[Mapping[str, Any]] = []
    traces = []
    for one in day:
        for part in one.parts:
            traces.append(folder / part.name)
            traces[-1].write_bytes(gzip.decompress(part.read_bytes()))
    await replay(traces, Scene(day[0].directory, rulebook), lines.append)
    return Outcome(lines[-1]["calls"], lines[-1]["tickets"])


def signals_of(day: Iterable[Recording]) -> Iterator[Signal]:
    """What a daemon heard that day; the link was lost between two scenarios, and where a recording has a hole."""
    last = UnixMs(0)
    for part in (part for one in day for part in one.parts):
        reader = SignalReader(live=False)
        for signal in reader.feed(gzip.decompress(part.read_bytes())):
            last = signal.at
            yield signal
        yield from reader.link_lost(last)


class House:
    """A store, and what is told of it."""

    def __init__(self, store: Store, directory: Directory, rulebook: Rulebook | None = None) -> None:
        self.store = store
        self.rules = Rules()
        self.rules.rulebook, self.rules.directory = rulebook or Rulebook(), directory
        self.told: list[Committed] = []
        self.now = UnixMs(1_900_000_000_000)

    async def catch_up(self, records: CallRecords, span: Span, *, dry: bool = False) -> Progress:
        outlet = Outlet(self.store, lambda: self.now, self.told.extend, lambda _: None, dry=dry)
        return await catch_up(records, span, self.rules, outlet)

    async def outcome(self) -> Outcome:
        calls = [one.as_json() for one in await read_calls(self.store.reader, CallFilter(), MANY, None)]
        tickets = [one.as_json() for one in await read_tickets(self.store.reader, TicketFilter(), MANY, None)]
        return Outcome(
            sorted(calls, key=lambda call: (call["started_at"], call["call_id"])),
            sorted(tickets, key=lambda ticket: int(str(ticket["ticket_id"]))),
        )
