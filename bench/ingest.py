"""How many events a second are read and understood, beside those who only parse, and those who also track."""

from __future__ import annotations

from types import MappingProxyType

from rich.table import Table

from bench import ingest_ours, ingest_peers
from bench.contest import Result, contest
from bench.processes import Side
from bench.stream import Stream, make_stream
from bench.table import Goal, new_table, per_second, verdict
from bench.wire import write_to_all

_PARSING, _TRACKING, _WHOLE = "ours, parsing alone", "ours, + calls and policies", "ours, + protocol, queue and task"
_PANORAMISK, _CACOFONISK = "panoramisk, parsing alone", "cacofonisk, calls"

_CONTESTANTS = MappingProxyType(
    {
        "socket read only (floor)": ingest_peers.socket_only,
        _PARSING: ingest_ours.parsing,
        _TRACKING: ingest_ours.tracking,
        _WHOLE: ingest_ours.whole,
        _PANORAMISK: ingest_peers.panoramisk_alone,
        _CACOFONISK: ingest_peers.cacofonisk,
    }
)

_GOALS = MappingProxyType(
    {peer: Goal(f"{_TRACKING} / {peer}", at_least=least) for peer, least in ((_PANORAMISK, 5.0), (_CACOFONISK, 10.0))}
)


def run(*, quick: bool) -> list[Table]:
    calls, rounds = (120, 2) if quick else (400, 5)
    return [_measure(make_stream("real", calls), rounds), _measure(make_stream("lean", 3 * calls), rounds)]


def _measure(stream: Stream, rounds: int) -> Table:
    contestants = dict(_CONTESTANTS)
    if stream.name == "lean":
        del contestants[_CACOFONISK]  # it needs events that our filter keeps back
    with Side(write_to_all, stream.data, endless=True) as writer:
        results = contest(contestants, writer.hear(), rounds)
    for name, result in results.items():
        _check(name, result, stream)
    return _table(stream, results, rounds)


def _check(name: str, result: Result, stream: Stream) -> None:
    """A contestant that leaves work out is no contestant; cacofonisk counts a transferred call twice."""
    for one in result.rounds:
        assert one.tally.events in {None, stream.events}, f"{name} saw {one.tally.events} of {stream.events} events"
        assert (one.tally.calls or stream.calls) >= stream.calls, f"{name}: {one.tally.calls} of {stream.calls} calls"


def _table(stream: Stream, results: dict[str, Result], rounds: int) -> Table:
    per_call = stream.events / stream.calls
    title = (
        f"Ingest, {stream.name} stream: {stream.events:,} events of {stream.calls} calls "
        f"({per_call:.0f} a call, {len(stream.data) / stream.events:.0f} bytes each), {rounds} rounds, medians"
    )
    peers = [peer for peer in (_PANORAMISK, _CACOFONISK) if peer in results]
    ratios = [f"x {peer.partition(',')[0]}" for peer in peers]
    table = new_table(title, "", "events/s", "calls/s", "CPU µs/event", *ratios)
    for name, result in results.items():
        rate = stream.events / result.wall
        ratios = [f"{result.times_faster_than(results[peer]):.1f}" for peer in peers]
        micro = f"{result.cpu / stream.events * 1e6:.2f}"
        table.add_row(name, per_second(rate), per_second(rate / per_call), micro, *ratios)
    if stream.name == "real":  # what the targets are about
        ours = results[_TRACKING]
        table.caption = "\n".join(verdict(goal, ours.times_faster_than(results[peer])) for peer, goal in _GOALS.items())
    return table
