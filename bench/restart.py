"""Coming back to a PBX with many calls: the list received, understood and compared with what was known; and memory."""

from __future__ import annotations

import asyncio
from functools import lru_cache, partial

from rich.table import Table

from bench import memory
from bench.contest import Contestant, Result, Tally, contest
from bench.ingest_ours import PBX, CountingSink, dispatcher
from bench.memory import LIVING, living_calls
from bench.processes import Side
from bench.recorded_call import recorded
from bench.stream import BANNER, BEGAN_MS, directory
from bench.table import Goal, new_table, verdict
from bench.wire import LOOPBACK, READY, write_to_all
from daemon.ami.signal_reader import SignalReader
from daemon.call.model import Call
from daemon.call.signals import LinkUp
from daemon.call.tracker import Tracker
from daemon.dispatch import PbxSignal

_OURS, _PANORAMISK = "ours: received, parsed, reconciled, judged", "panoramisk: merely received"
_ACTION_ID = b"lab-2"  # the recording's own
_GOAL_TIME = Goal("ours / panoramisk", at_most=1.0)


def run(*, quick: bool) -> list[Table]:
    calls, rounds = (2_000, 2) if quick else (10_000, 3)
    return [_restart(calls, rounds), memory.table(calls)]


def _restart(calls: int, rounds: int) -> Table:
    data = _list_of(calls)
    contestants: dict[str, Contestant] = {_OURS: partial(reconcile, calls), _PANORAMISK: receive_list}
    with Side(write_to_all, data, endless=True) as writer:
        results = contest(contestants, writer.hear(), rounds)
    table = new_table(
        f"Restart into {calls:,} living calls, all known before; {rounds} rounds", "", "ms", "x panoramisk"
    )
    for name, result in results.items():
        table.add_row(name, f"{result.wall * 1000:.0f}", f"{_share(result, results[_PANORAMISK]):.2f}")
    table.caption = verdict(_GOAL_TIME, _share(results[_OURS], results[_PANORAMISK]))
    return table


def _share(one: Result, other: Result) -> float:
    return 1 / one.times_faster_than(other)


def _list_of(calls: int) -> bytes:
    """The answer to CoreShowChannels, two rows a call."""
    living = recorded(LIVING)
    rows = [row for number in range(calls) for row in living.copy_rows(number)]
    begin = (
        b"Response: Success\r\nActionID: %s\r\nEventList: start\r\nMessage: Channels will follow\r\n\r\n" % _ACTION_ID
    )
    end = b"Event: CoreShowChannelsComplete\r\nActionID: %s\r\nEventList: Complete\r\nListItems: %d\r\n\r\n"
    return b"".join((BANNER, begin, *rows, end % (_ACTION_ID, len(rows))))


async def receive_list(port: int) -> Tally:
    """panoramisk gathers the answers to one action."""
    from panoramisk import Manager

    manager = Manager(loop=asyncio.get_running_loop(), host=LOOPBACK, port=port)
    await manager.connect()
    await asyncio.sleep(0)  # its own callback runs first
    answers = await manager.send_action({"Action": "CoreShowChannels", "ActionID": _ACTION_ID.decode()}, as_list=True)
    manager.close()
    return Tally(events=len(answers))


async def reconcile(calls: int, port: int) -> Tally:
    """What the daemon does with the list: nothing may be lost, doubled or closed."""
    reader, sink, tracker = SignalReader(live=True), CountingSink(), Tracker(PBX, directory())
    ours = dispatcher(sink, tracker)
    tracker.restore(_known(calls), BEGAN_MS)
    ours.feed(PbxSignal(PBX, LinkUp(BEGAN_MS)))
    link_reader, link_writer = await asyncio.open_connection(LOOPBACK, port, limit=1 << 18)
    link_writer.write(READY)
    while data := await link_reader.read(1 << 18):
        for signal in reader.feed(data, BEGAN_MS):
            for unit in ours.feed(PbxSignal(PBX, signal)):
                sink.take(unit)
    link_writer.close()
    living = tracker.calls()
    assert len(living) == calls, f"{len(living)} of {calls} calls after the restart"
    assert not sink.ended
    return Tally(calls=len(living))


@lru_cache
def _known(calls: int) -> list[Call]:
    """What the store would give back. Made in the turn that is not counted."""
    tracker = Tracker(PBX, directory())
    reader = SignalReader(live=True)
    for events in living_calls(calls):
        for signal in reader.feed(events, BEGAN_MS):
            tracker.feed(signal)
    return tracker.calls()
