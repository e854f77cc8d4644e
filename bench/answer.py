"""How long from the answering event's bytes on the AMI socket to the signed popup's bytes at the CRM."""

from __future__ import annotations

import tempfile
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from statistics import median
from typing import Self

from rich.table import Table
from standardwebhooks import Webhook

from bench.answer_pbx import Answered, Play, pbx
from bench.answer_receiver import Arrival, receiver
from bench.answer_sides import blocking_sockets, daemon_side, tickets_in
from bench.processes import Side
from bench.table import Goal, milliseconds, new_table, percentile, verdict

FLOOR = "blocking sockets (floor)"
DURABLE_FLOOR = "the same after a bare durable row"
_SETTLE_S = 0.3
_GIVE_UP_S = 10.0
_GOAL_RATE = 100


@dataclass(slots=True)
class Measured:
    """All rounds of one side at one rate; latencies in seconds, those of a round in the order of the answers."""

    rounds: list[list[float]] = field(default_factory=list)
    lost: int = 0
    doubled: int = 0
    behind: int = 0
    """Popups still missing when the last call of a round was answered."""
    late: float = 0.0
    """How much later than due the PBX wrote, p99: the machine's own noise, no part of the latency."""

    @property
    def p50(self) -> float:
        return median(median(one) for one in self.rounds)

    @property
    def p99(self) -> float:
        return percentile(sorted(latency for one in self.rounds for latency in one), 0.99)

    @property
    def growth(self) -> float:
        """The last third's median beside the first third's: near 1 where nothing piles up."""
        return median(median(one[-(len(one) // 3) :]) / median(one[: len(one) // 3]) for one in self.rounds)


class Chain:
    """PBX, one side and CRM, each in its process, through all rounds."""

    def __init__(self, stack: ExitStack, work: partial[None]) -> None:
        self.folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="callwarden-bench-")))
        self._pbx = stack.enter_context(Side(pbx))
        self._crm = stack.enter_context(Side(receiver))
        ports = self._pbx.hear(), self._crm.hear()
        self._side = stack.enter_context(Side(work, *ports, self.folder, endless=work.func is blocking_sockets))
        self._secret: str | None = self._side.hear()
        self._played = 0
        self.measured: dict[float, Measured] = {}

    def play(self, rate: float, seconds: float) -> Self:
        """One turn; the calls are new ones each time."""
        order = Play(rate, seconds, self._played)
        self._played += order.count
        answers: list[Answered] = self._pbx.ask(order)
        self._note(self.measured.setdefault(rate, Measured()), answers, self._arrivals(len(answers)))
        return self

    def check_tickets(self) -> None:
        found = tickets_in(self.folder) if self._secret else self._played
        assert found == self._played, f"{found} tickets of {self._played} answered calls"

    def _arrivals(self, count: int) -> list[Arrival]:
        found: list[Arrival] = []
        until = time.monotonic() + _GIVE_UP_S
        while len(found) < count and time.monotonic() < until:
            time.sleep(_SETTLE_S)
            found += self._crm.ask(None)
        return found

    def _note(self, into: Measured, answers: list[Answered], arrivals: list[Arrival]) -> None:
        if self._secret:
            for one in arrivals:
                Webhook(self._secret).verify(b"", one.headers, json_parse=False)  # raises
        first = {one.call_id: one.at for one in reversed(arrivals)}
        last = answers[-1].sent
        into.rounds.append([first[one.call_id] - one.sent for one in answers if one.call_id in first])
        into.lost += sum(one.call_id not in first for one in answers)
        into.doubled += sum(count - 1 for count in Counter(one.call_id for one in arrivals).values())
        into.behind = max(into.behind, sum(first.get(one.call_id, last) > last for one in answers[:-1]))
        into.late = max(into.late, percentile(sorted(one.sent - one.due for one in answers), 0.99))


def run(*, quick: bool) -> list[Table]:
    seconds = {100: 1.0, 300: 1.0} if quick else {10: 4.0, 100: 3.0, 300: 3.0}
    rounds = 1 if quick else 3
    with ExitStack() as stack:
        chains = {name: Chain(stack, work) for name, work in _sides().items()}
        for chain in chains.values():
            chain.play(20, 0.5).measured.clear()  # connections, caches
        for _ in range(rounds):
            for rate, length in seconds.items():
                for chain in chains.values():
                    chain.play(rate, length)
        for chain in chains.values():
            chain.check_tickets()
    return [_table(chains, rounds)]


def _sides() -> Mapping[str, partial[None]]:
    sides: dict[str, partial[None]] = {
        FLOOR: partial(blocking_sockets, durable=False),
        DURABLE_FLOOR: partial(blocking_sockets, durable=True),
    }
    uvloop = find_spec("uvloop") is not None
    sides[f"whole daemon, {'uvloop' if uvloop else 'asyncio'}"] = partial(daemon_side, uvloop=uvloop)
    return sides


def _table(chains: Mapping[str, Chain], rounds: int) -> Table:
    title = f"Answer event written → signed popup arrived, committed before it was sent; {rounds} rounds (ms)"
    columns = ("p50", "p99", "x floor", "x durable", "lost", "doubled", "behind", "last ÷ first third", "PBX late")
    table = new_table(title, "answered calls/s", *columns)
    for rate in chains[FLOOR].measured:
        for name, chain in chains.items():
            floors = [chains[floor].measured[rate].p50 for floor in (FLOOR, DURABLE_FLOOR)]
            table.add_row(f"{rate:>3}  {name}", *_row(chain.measured[rate], floors))
        table.add_section()
    table.caption = verdict(Goal(f"p50 at {_GOAL_RATE} calls/s / floor", at_most=8.0), _best_ratio(chains))
    return table


def _best_ratio(chains: Mapping[str, Chain]) -> float:
    daemon = next(chain for name, chain in chains.items() if name not in {FLOOR, DURABLE_FLOOR})
    return daemon.measured[_GOAL_RATE].p50 / chains[FLOOR].measured[_GOAL_RATE].p50


def _row(one: Measured, floors: Sequence[float]) -> tuple[str, ...]:
    times = (milliseconds(one.p50), milliseconds(one.p99), *(f"{one.p50 / floor:.1f}" for floor in floors))
    counts = (str(one.lost), str(one.doubled), str(one.behind))
    return (*times, *counts, f"{one.growth:.2f}", milliseconds(one.late))
