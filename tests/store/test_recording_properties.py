"""However units are grouped and repeated, the store ends the same and announces everything once."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from itertools import groupby

from hypothesis import given
from hypothesis import strategies as st

from daemon.store import schema
from daemon.store.sqlite import MEMORY, SqliteDriver, connect
from daemon.store.values import Committed, Unit
from daemon.store.writer import _Units
from tests.store.made import Content, Doing, add_webhook, answered_call, content, missed_call


@st.composite
def _streams(draw: st.DrawFn) -> list[Unit]:
    """The units of several calls, mixed, each call's own in order."""
    plans = draw(st.dictionaries(st.integers(1, 9), st.sampled_from(["answered", "k1", "k2"]), min_size=1, max_size=8))
    calls = [answered_call(n) if how == "answered" else missed_call(n, how) for n, how in plans.items()]
    turns = draw(st.permutations([n for n, units in enumerate(calls) for _ in units]))
    left = [iter(units) for units in calls]
    return [next(left[n]) for n in turns]


def _record(connection: sqlite3.Connection, driver: SqliteDriver, units: Sequence[Unit]) -> list[Committed]:
    (outcome,) = driver._transact(connection, [_Units(tuple(units))])
    assert outcome.error is None
    committed: list[Committed] = outcome.result
    return committed


def _run(groups: Iterable[Sequence[Unit]]) -> tuple[Content, list[Committed]]:
    driver = SqliteDriver(MEMORY)
    with closing(connect(MEMORY)) as connection:
        schema.create(connection)
        driver._transact(connection, [Doing(add_webhook())])
        committed = [done for group in groups for done in _record(connection, driver, group)]
        return content(connection), committed


def _grouped(units: Sequence[Unit], sizes: Sequence[int]) -> Iterator[list[Unit]]:
    marks = [number for number, size in enumerate(sizes) for _ in range(size)]
    numbered = [(marks[n] if n < len(marks) else -1, each) for n, each in enumerate(units)]
    for _, run in groupby(numbered, lambda pair: pair[0]):
        yield [each for _, each in run]


def _effects(committed: Iterable[Committed]) -> Counter[object]:
    told: Counter[object] = Counter()
    for done in committed:
        told.update(done.deliveries)
        told.update(("pop", done.unit.call.call_id, user) for user in done.pops)
        if done.ticket is not None:
            told[done.ticket.ticket.as_json().__repr__()] += 1
    return told


@given(_streams(), st.lists(st.integers(1, 9), max_size=20))
def test_grouping_changes_nothing(units: list[Unit], sizes: list[int]) -> None:
    alone, told_alone = _run([each] for each in units)
    together, told_together = _run(_grouped(units, sizes))
    assert together == alone
    assert told_together == told_alone


@given(_streams(), st.lists(st.integers(1, 9), max_size=40), st.booleans())
def test_doing_every_unit_twice_changes_and_announces_nothing_more(
    units: list[Unit], sizes: list[int], at_once: bool
) -> None:
    once, told_once = _run([each] for each in units)
    doubled = [each for one in units for each in (one, one)] if at_once else units + units
    twice, told_twice = _run(_grouped(doubled, sizes))
    assert twice == once
    assert _effects(told_twice) == _effects(told_once)
    assert set(_effects(told_once).values()) <= {1}
