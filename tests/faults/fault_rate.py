"""Far more answered calls a second than any call centre has, for minutes: by the benchmark's PBX and receiver."""

from __future__ import annotations

import asyncio
import json
import time
from collections import Counter
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any

from bench.answer_pbx import CALLS, Answered, Play, pbx
from bench.answer_receiver import Arrival, receiver
from bench.answer_sides import daemon_side
from bench.processes import Side
from bench.recorded_call import RECORDINGS, recorded
from tests.faults.observed import POPUP as KIND
from tests.faults.observed import Key, observe, waiting
from tests.faults.oracle import Expecting, judge
from tests.faults.stage import POPUP
from tests.faults.tally import Tally
from tests.faults.truth import Played, Talk

_PIECE_S = 10.0
_GIVE_UP_S = 300.0


async def trial(folder: Path, seed: int, *, rate: float, seconds: float) -> Tally:
    """In pieces of ten seconds with a pause to write the next one's script; only popups are sent, no events."""
    tally = await asyncio.to_thread(_measure, folder, rate, seconds)
    tally.runs, tally.seeds = 1, [seed]
    return tally


def _measure(folder: Path, rate: float, seconds: float) -> Tally:
    answered: list[Answered] = []
    arrived: list[Arrival] = []
    with ExitStack() as stack:
        phones, crm = stack.enter_context(Side(pbx)), stack.enter_context(Side(receiver))
        ports = phones.hear(), crm.hear()
        daemon = stack.enter_context(Side(partial(daemon_side, uvloop=False), *ports, folder))
        daemon.hear()
        while len(answered) < rate * seconds:
            piece = min(_PIECE_S, seconds - len(answered) / rate)
            answered += phones.ask(Play(rate, piece, len(answered)))
            arrived += crm.ask(None)
        arrived += _rest(folder / "callwarden.db", crm)
    observed = observe(folder / "callwarden.db", ())
    calls = [_played(number, one) for number, one in enumerate(sorted(answered, key=_number))]
    users = {call.call_id: call.talks[0].user_id for call in calls}
    popups: dict[Key, Counter[str]] = {}
    for one in arrived:
        key = KIND, one.call_id, users.get(one.call_id, "")
        popups.setdefault(key, Counter())[one.headers["webhook-id"]] += 1
    observed.arrivals[POPUP] = popups
    return judge(calls, observed, Expecting())


def _rest(store: Path, crm: Side) -> list[Arrival]:
    """What comes until no call lives and nothing is to be sent."""
    found: list[Arrival] = []
    until = time.monotonic() + _GIVE_UP_S
    while time.monotonic() < until and waiting(store) != (0, 0):
        time.sleep(1.0)
        found += crm.ask(None)
    return found + list(crm.ask(None))


def _number(answered: Answered) -> int:
    """The script counts the ids of its calls up."""
    return int(answered.call_id.partition(".")[2])


def _played(number: int, answered: Answered) -> Played:
    name = CALLS[number % len(CALLS)]
    truth = _truth(name)
    assert recorded(name).call_id(number) == answered.call_id
    talk = Talk(truth["agents"][0], answered.sent, answered.sent)
    customer = f"+8490{number:07}"
    facts = truth["direction"], customer, truth["hotline"], truth["queue"]
    return Played(answered.call_id, *facts, answered.due, answered.sent, (talk,))


def _truth(name: str) -> dict[str, Any]:
    call: dict[str, Any] = json.loads((RECORDINGS / f"{name}.json").read_text())["calls"][0]
    return call
