"""Whatever is chosen, reports read calls from the index of the history, in the span alone, and customers by number."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from itertools import product
from pathlib import Path

import pytest
from sqlalchemy import Executable

from daemon.call.model import Direction
from daemon.call.signals import UnixMs
from daemon.policy.report_span import HOUR_MS, Stretch
from daemon.store import schema
from daemon.store.report_agents import moments_statement, talks_statement
from daemon.store.report_calls import Asked, calls_statement
from daemon.store.report_customers import not_served_statement
from daemon.store.statement import StatementCache

STRETCH = Stretch(UnixMs(1_795_000_000_000), UnixMs(1_795_320_000_000))
WANTED = [
    Asked(stretch=STRETCH, direction=direction, queue=queue, hotline=hotline, user_id=user_id)
    for direction, queue, hotline, user_id in product(
        (None, Direction.INCOMING), (None, "support"), (None, "19001234"), (None, "an")
    )
]
HISTORY = "COVERING INDEX ix_calls_history (started_at>? AND started_at<?)"


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[sqlite3.Connection]:
    path = tmp_path_factory.mktemp("plans") / "callwarden.db"
    schema.upgrade(str(Path(path)))
    with closing(sqlite3.connect(path)) as connection:
        yield connection


def plan(store: sqlite3.Connection, statement: Executable, *names: str) -> str:
    text, values = StatementCache()(statement, names).bound(dict.fromkeys(names, 1_795_000_000_000))
    return " / ".join(row[3] for row in store.execute(f"EXPLAIN QUERY PLAN {text}", dict(values)))


@pytest.mark.parametrize("asked", WANTED, ids=str)
def test_calls_are_summed_from_the_index_alone(store: sqlite3.Connection, asked: Asked) -> None:
    for statement in (calls_statement(asked, HOUR_MS), talks_statement(asked)):
        found = plan(store, statement, "b_begin", "b_end")
        assert f"SEARCH calls USING {HISTORY}" in found, found


@pytest.mark.parametrize("asked", WANTED, ids=str)
def test_moments_are_looked_up_by_the_calls_of_the_span(store: sqlite3.Connection, asked: Asked) -> None:
    found = plan(store, moments_statement(asked), "b_begin", "b_end")
    assert f"SEARCH calls USING {HISTORY}" in found, found
    assert "SEARCH call_moments USING PRIMARY KEY (pbx=? AND call_id=?" in found, found


@pytest.mark.parametrize("asked", WANTED, ids=str)
def test_later_calls_are_looked_up_by_the_customers_number(store: sqlite3.Connection, asked: Asked) -> None:
    found = plan(store, not_served_statement(asked))
    assert f"SEARCH calls USING {HISTORY}" in found, found
    assert "SEARCH later USING INDEX ix_calls_customer_number_started_at (customer_number=? AND started_at>?)" in found
