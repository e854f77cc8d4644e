"""A daemon killed while it writes: after it, every unit it acknowledged is there, and none by half."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from daemon.store.store import Store
from tests.store.made import Content, Kept, answered_call, content_of_file

_CHILD = """
import asyncio, sys
from daemon.store.store import Store
from tests.store.made import add_webhook, answered_call

def acknowledge(committed):
    sys.stdout.write("".join(f"{done.unit.call.call_id} {done.unit.call.state.value}\\n" for done in committed))
    sys.stdout.flush()

async def write_for_ever(url):
    store = await Store.open(url, acknowledge)
    await store.writer.change(add_webhook())
    number = 0
    while True:
        number += 1
        for unit in answered_call(number):
            await store.writer.submit(unit)
        if number % 7 == 0:
            await store.writer.drain()

asyncio.run(write_for_ever(sys.argv[1]))
"""


def _killed_after(seconds: float, path: Path) -> list[tuple[str, str]]:
    """What a child acknowledged before SIGKILL: pairs of call and state."""
    command = [sys.executable, "-c", _CHILD, f"sqlite:///{path}"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        first = child.stdout.readline()
        time.sleep(seconds)
        child.send_signal(signal.SIGKILL)
        *lines, _cut = (first + child.stdout.read()).split("\n")
    return [(call_id, state) for call_id, state in (line.split(" ") for line in lines)]


def _check_complete(found: Content, acknowledged: list[tuple[str, str]]) -> None:
    """Columns by position as in tables.py: calls 1 call_id, 10 state; the others' call ids as named below."""
    order = ["ringing", "answered", "ended"]
    states = {str(row[1]): order.index(str(row[10])) for row in found["calls"]}
    for call_id, state in acknowledged:
        assert states[call_id] >= order.index(state)
    reached = {call_id for call_id, state in states.items() if state >= 1}
    assert {row[1] for row in found["ticket_calls"]} == reached
    assert {row[1] for row in found["screen_pops"]} == reached
    told = {(row[8], row[3]) for row in found["deliveries"]}
    events = ["call.ringing"], ["ticket.created", "popup", "call.answered"], ["call.ended"]
    due = {(call_id, name) for call_id, state in states.items() for names in events[: state + 1] for name in names}
    assert told == due
    assert len(found["deliveries"]) == len(due)


@pytest.mark.parametrize("seconds", [0.02, 0.1, 0.31, 0.77])
async def test_after_kill_9_every_acknowledged_unit_is_whole_and_the_rest_can_be_done_again(
    seconds: float, tmp_path: Path
) -> None:
    path = tmp_path / "killed.db"
    acknowledged = await asyncio.to_thread(_killed_after, seconds, path)
    assert acknowledged
    kept = Kept()
    store = await Store.open(f"sqlite:///{path}", kept)
    _check_complete(content_of_file(path), acknowledged)

    # The PBX tells everything again: what was there is not announced twice, what was missing now is there.
    calls = 1 + max(int(call_id.split(".")[1]) for call_id, _ in acknowledged)
    units = [unit for number in range(1, calls + 1) for unit in answered_call(number)]
    for unit in units:
        await store.writer.submit(unit)
    await store.close()
    after = content_of_file(path)
    _check_complete(after, [(done.unit.call.call_id, done.unit.call.state.value) for done in kept.all])
    assert len(after["tickets"]) == len(after["calls"]) >= calls
