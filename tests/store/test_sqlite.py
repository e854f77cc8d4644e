"""Statements of SQLAlchemy run on the driver itself."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import Executable, bindparam, func, insert, select, text, update
from sqlalchemy.dialects import sqlite as dialect

from daemon.store import schema
from daemon.store.sqlite import MEMORY, SqliteDriver, connect
from daemon.store.statement import StatementCache, each_of
from daemon.store.tables import calls, queues, settings, ticket_calls
from daemon.store.trouble import Conflict, StoreUnavailable
from daemon.store.work import Query, Row, Values, Work
from tests.store.made import Doing

ADD = insert(queues)


@pytest.fixture
async def driver() -> AsyncIterator[SqliteDriver]:
    driver = SqliteDriver(MEMORY)
    await driver.in_thread(schema.create)
    yield driver
    await driver.close()


async def _do(driver: SqliteDriver, *queries: Query) -> list[Row]:
    """The rows of the last query, all in one piece."""

    def work() -> Work[list[Row]]:
        rows: list[Row] = []
        for query in queries:
            rows = yield query
        return rows

    (outcome,) = await driver.transact([Doing(work)])
    if outcome.error is not None:
        raise outcome.error
    rows: list[Row] = outcome.result
    return rows


def _queue(name: str, *, create_tickets: bool = True) -> Values:
    return {"name": name, "create_tickets": create_tickets, "ringtone": None}


async def test_rows_come_back_by_name_with_real_booleans(driver: SqliteDriver) -> None:
    await _do(driver, Query(ADD, [_queue("a"), _queue("b", create_tickets=False)]))
    rows = await _do(driver, Query(select(queues).order_by(queues.c.name)))
    nothing = {"ringtone": None, "sla_target_percent": None, "sla_answer_within_seconds": None}
    assert rows == [
        {"name": "a", "create_tickets": True, **nothing},
        {"name": "b", "create_tickets": False, **nothing},
    ]
    assert rows[0]["create_tickets"] is True


async def test_a_list_of_values_runs_once_for_each_and_an_empty_list_never(driver: SqliteDriver) -> None:
    await _do(driver, Query(ADD, []))
    returning = ADD.returning(queues.c.name)
    assert await _do(driver, Query(returning, [_queue("a"), _queue("b")])) == [{"name": "a"}, {"name": "b"}]
    assert await _do(driver, Query(select(func.count().label("n")).select_from(queues))) == [{"n": 2}]


async def test_values_in_the_statement_and_values_given_go_together(driver: SqliteDriver) -> None:
    await _do(driver, Query(ADD, [_queue("a"), _queue("b")]))
    change = update(queues).where(queues.c.name == bindparam("b_name")).values(ringtone="bell")
    await _do(driver, Query(change, [{"b_name": "a"}, {"b_name": "b"}]))
    chosen = select(queues.c.name).where(queues.c.ringtone == "bell", queues.c.name > bindparam("b_after")).limit(5)
    assert await _do(driver, Query(chosen, {"b_after": "a"})) == [{"name": "b"}]


async def test_lists_inside_a_statement_may_have_any_length(driver: SqliteDriver) -> None:
    await _do(driver, Query(ADD, [_queue(name) for name in "abcd"]))
    fixed = select(queues.c.name).where(queues.c.name.in_(["a", "b"]), queues.c.name != bindparam("b_not"))
    assert await _do(driver, Query(fixed, {"b_not": "a"})) == [{"name": "b"}]
    given = select(queues.c.name).where(queues.c.name.in_(bindparam("b_names", expanding=True)))
    for names in (["a"], ["b", "c", "d"], []):
        rows = await _do(driver, Query(given, {"b_names": names}))
        assert [row["name"] for row in rows] == names
    as_json = select(queues.c.name).where(queues.c.name.in_(each_of("names")))
    assert await _do(driver, Query(as_json, {"names": '["c", "x"]'})) == [{"name": "c"}]
    changed = update(queues).where(queues.c.name.in_(["a", "b"])).values(ringtone=bindparam("b_ringtone"))
    await _do(driver, Query(changed, {"b_ringtone": "bell"}))
    ringing = select(queues.c.name).where(queues.c.ringtone.is_not(None)).order_by(queues.c.name)
    assert [row["name"] for row in await _do(driver, Query(ringing))] == ["a", "b"]


async def test_an_insert_takes_the_columns_it_is_given(driver: SqliteDriver) -> None:
    add = insert(settings)
    await _do(driver, Query(add, {"key": "a", "value": "1", "changed_at": 1}))
    await _do(driver, Query(add, {"key": "b", "value": "2", "changed_at": 1, "changed_by": "An"}))
    rows = await _do(driver, Query(select(settings.c.changed_by).order_by(settings.c.key)))
    assert [row["changed_by"] for row in rows] == [None, "An"]


async def test_plain_text_runs_too(driver: SqliteDriver) -> None:
    assert await _do(driver, Query(text("SELECT :a + 1 AS b"), {"a": 1})) == [{"b": 2}]


async def test_foreign_keys_hold(driver: SqliteDriver) -> None:
    row = {"pbx": "main", "call_id": "1", "ticket_id": 1, "position": 0}
    with pytest.raises(Conflict, match="FOREIGN KEY"):
        await _do(driver, Query(insert(ticket_calls), row))


async def test_a_failed_piece_is_undone_alone(driver: SqliteDriver) -> None:
    def doing(*names: str) -> Doing:
        def work() -> Work[None]:
            for name in names:
                yield Query(ADD, _queue(name))

        return Doing(work)

    outcomes = await driver.transact([doing("a"), doing("b", "a"), doing("c")])
    assert [type(outcome.error) for outcome in outcomes] == [type(None), Conflict, type(None)]
    rows = await _do(driver, Query(select(queues.c.name).order_by(queues.c.name)))
    assert [row["name"] for row in rows] == ["a", "c"]


def test_each_statement_is_compiled_once_for_the_same_names(monkeypatch: pytest.MonkeyPatch) -> None:
    compiled: list[Executable] = []
    compiler = dialect.dialect.statement_compiler

    class Counting(compiler):  # type: ignore[misc, valid-type]
        def __init__(self, dialect: object, statement: Executable, **options: object) -> None:
            compiled.append(statement)
            super().__init__(dialect, statement, **options)

    monkeypatch.setattr(dialect.dialect, "statement_compiler", Counting)
    cache = StatementCache()
    statement = select(calls).where(calls.c.call_id == bindparam("b_id"))
    first = cache(statement, ("b_id",))
    assert cache(statement, ("b_id",)) is first
    assert compiled.count(statement) == 1


def test_statements_made_ad_hoc_do_not_fill_the_memory() -> None:
    cache = StatementCache()
    for _ in range(600):
        cache(select(queues.c.name), ())
    assert len(cache._known) <= 512


def test_a_file_is_written_durably(tmp_path: Path) -> None:
    connection = connect(str(tmp_path / "a.db"))
    found = [
        connection.execute(f"PRAGMA {name}").fetchone()[0] for name in ("journal_mode", "synchronous", "foreign_keys")
    ]
    connection.close()
    assert found == ["wal", 2, 1]


async def test_after_an_io_error_the_file_is_opened_anew(tmp_path: Path) -> None:
    driver = SqliteDriver(str(tmp_path / "a.db"))
    first = await driver.in_thread(id)

    def fail(connection: sqlite3.Connection) -> None:
        error = sqlite3.OperationalError("disk I/O error")
        error.sqlite_errorcode = sqlite3.SQLITE_IOERR_FSYNC
        raise error

    with pytest.raises(StoreUnavailable, match="disk fails"):
        await driver.in_thread(fail)
    assert driver._connection is None
    assert await driver.in_thread(lambda connection: connection.execute("SELECT 1").fetchone()[0]) == 1
    assert first
    await driver.close()
