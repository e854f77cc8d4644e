"""Whatever is combined, the first page of the history comes from an index: no filter reads the calls it leaves out."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import ColumnElement, Executable, null

from daemon.call.signals import UnixMs
from daemon.store import call_search, schema, service_level
from daemon.store.call_pages import read_page
from daemon.store.call_search import CallFilter, key_statements
from daemon.store.delivery_pages import DeliveryFilter, deliveries_statement
from daemon.store.live_calls import LIVING
from daemon.store.number_search import number_search
from daemon.store.service_level import Asked
from daemon.store.statement import StatementCache
from daemon.store.store import Store
from daemon.store.tables import calls
from tests.store.made import CUSTOMER, answered, ended, ringing, unit

AFTER = (1_795_320_000_000, "main", "1795320000.1")
FILTERS = {
    "direction": "internal",
    "outcome": "missed",
    "missed_reason": "busy",
    "ended_by": "agent",
    "queue": "support",
    "hotline": "19001234",
    "pbx": "main",
    "started_from": UnixMs(1_795_000_000_000),
    "started_before": UnixMs(1_795_320_000_000),
    "wait_from": 60,
    "talk_before": 10,
}


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[sqlite3.Connection]:
    path = tmp_path_factory.mktemp("plans") / "callwarden.db"
    schema.upgrade(str(Path(path)))
    with closing(sqlite3.connect(path)) as connection:
        yield connection


def plan(store: sqlite3.Connection, statement: Executable) -> str:
    text, values = StatementCache()(statement, ()).bound({})
    return " / ".join(row[3] for row in store.execute(f"EXPLAIN QUERY PLAN {text}", dict(values)))


def plans(store: sqlite3.Connection, wanted: CallFilter) -> list[str]:
    return [plan(store, one) for after in (None, AFTER) for one in key_statements(wanted, 51, after)]


def test_every_two_filters_together_read_only_the_index_of_the_history(store: sqlite3.Connection) -> None:
    for pair in combinations(FILTERS, 2):
        wanted = CallFilter(**{name: FILTERS[name] for name in pair})  # type: ignore[arg-type]
        for found in plans(store, wanted):
            assert "USING COVERING INDEX ix_calls_history" in found, (pair, found)
            assert "TEMP B-TREE" not in found, (pair, found)


@pytest.mark.parametrize("by", [null(), calls.c.queue, calls.c.user_id])
@pytest.mark.parametrize("one_limit", [False, True])
def test_the_service_level_reads_only_the_index_of_the_history_and_a_queues_limit_by_its_key(
    store: sqlite3.Connection, by: ColumnElement[Any], one_limit: bool
) -> None:
    asked = Asked(begin=UnixMs(1), end=UnixMs(2), within_ms=20_000, short_ms=5_000, one_limit=one_limit)
    found = plan(store, service_level._statement(asked, by))
    assert "SEARCH calls USING COVERING INDEX ix_calls_history (started_at>? AND started_at<?)" in found
    assert ("SEARCH queues USING INDEX sqlite_autoindex_queues_1 (name=?)" in found) is not one_limit
    assert "SCAN" not in found


@pytest.mark.parametrize("others", [{}, {"outcome": "missed"}, {"queue": "x", "started_from": 1, "started_before": 2}])
def test_an_agents_calls_are_read_in_his_own_order_and_one_by_one(
    store: sqlite3.Connection, others: dict[str, object]
) -> None:
    for found in plans(store, CallFilter(user_id="an", **others)):  # type: ignore[arg-type]
        assert found.startswith("SEARCH call_agents USING PRIMARY KEY (user_id=?"), found
        assert "TEMP B-TREE" not in found
        if others.keys() - {"started_from", "started_before"}:
            assert "SEARCH calls USING PRIMARY KEY (pbx=? AND call_id=?)" in found


def test_a_customers_calls_are_found_by_his_number_however_it_is_written(store: sqlite3.Connection) -> None:
    for others in ({}, {"outcome": "missed"}, {"user_id": "an"}):
        for typed in ("0901 234 567", "+84901234567", "84901234567"):
            for found in plans(store, CallFilter(number=number_search(typed, "VN"), **others)):  # type: ignore[arg-type]
                assert "INDEX ix_calls_customer_" in found, (typed, found)
    (found, _) = plans(store, CallFilter(customer_number="+84901234567"))
    assert found == "SEARCH calls USING COVERING INDEX ix_calls_customer_number_started_at (customer_number=?)"


def test_the_last_digits_of_a_number_have_an_index_and_few_digits_the_order_of_time(store: sqlite3.Connection) -> None:
    wanted = CallFilter(number=number_search("234567", "VN"), outcome="missed")
    assert any("ix_calls_customer_end (<expr>=?)" in found for found in plans(store, wanted))
    for typed in ("67", "0901", "nobody"):
        found = plans(store, CallFilter(number=number_search(typed, "VN")))
        assert any("COVERING INDEX ix_calls_history" in one for one in found)


def test_what_lives_is_found_without_looking_at_what_has_ended(store: sqlite3.Connection) -> None:
    assert "ix_calls_living" in plan(store, LIVING)
    assert all("ix_calls_living" in found for found in plans(store, CallFilter(state="ringing")))


def test_the_messages_of_a_call_are_found_by_its_id(store: sqlite3.Connection) -> None:
    found = plan(store, deliveries_statement(DeliveryFilter(call_id="1.0"), 51, None))
    assert "ix_deliveries_call_id_created_at (call_id=?)" in found


async def test_a_page_that_finds_little_says_how_far_it_looked_and_the_next_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(call_search, "_WINDOW", 10)
    monkeypatch.setattr(call_search, "_AGENT_WINDOW", 10)
    store = await Store.open(f"sqlite:///{tmp_path / 'callwarden.db'}")
    for number in range(45):
        queue = "rare" if number in (3, 4, 24) else "support"
        await store.writer.submit(unit(ended(answered(ringing(number, queue=queue)))))
    await store.writer.drain()
    for wanted in (CallFilter(queue="rare"), CallFilter(queue="rare", user_id="an")):
        found, pages, after = [], 0, None
        while after is not None or not pages:
            page = await read_page(store.reader, wanted, 2, after)
            found += [entry.call.call_id.partition(".")[2] for entry in page.entries]
            pages, after = pages + 1, page.following
            assert pages < 9
        assert found == ["24", "4", "3"]
        assert pages == 5
    (whole,) = (await read_page(store.reader, CallFilter(queue="support"), 50, (10**15, "", ""))).entries[:1]
    assert whole.call.call_id.endswith(".44")
    assert (await read_page(store.reader, CallFilter(customer_number=CUSTOMER), 50, None)).following is None
    await store.close()
