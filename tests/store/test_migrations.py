"""What older stores hold is still right after they were brought to the newest tables."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from alembic import command

from daemon.store import schema
from daemon.store.check import check_database

_CALL = (
    "INSERT INTO calls (pbx, call_id, direction, user_ids, state, started_at, ended_at, customer_dialled) "
    "VALUES ('main', ?, 'incoming', '[]', 'ended', ?, ?, 0)"
)
_TICKET = (
    "INSERT INTO tickets (ticket_id, merge_key, kind, status, missed_count, reason, opened_at, updated_at, closed_at, "
    "closed_reason) VALUES (?, ?, ?, ?, 1, 'r', 1, 1, ?, ?)"
)
_EVENT = (
    "INSERT INTO ticket_events (ticket_id, version, what, at, reason, old, new) "
    "VALUES (?, ?, 'status', ?, ?, '\"open\"', '\"closed\"')"
)


@pytest.fixture
def old(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[sqlite3.Connection]:
    """A store of revision 0005, which is upgraded when the test calls `upgrade`."""
    path = tmp_path / "callwarden.db"
    real = command.upgrade
    monkeypatch.setattr(command, "upgrade", lambda config, _: real(config, "0005"))
    schema.upgrade(str(path))
    monkeypatch.setattr(command, "upgrade", real)
    with closing(sqlite3.connect(path)) as connection:
        yield connection


def upgrade(store: sqlite3.Connection) -> None:
    store.commit()
    schema.upgrade(store.execute("PRAGMA database_list").fetchone()[2])


def ticket(store: sqlite3.Connection, number: int, kind: str, closed: tuple[int, str] | None, *missed: int) -> None:
    """Its calls ended at these seconds."""
    at, reason = closed or (None, None)
    status = "closed" if closed else "open"
    store.execute(_TICKET, (number, f"k{number}", kind, status, at and at * 1000, reason))
    for place, second in enumerate(missed):
        store.execute(_CALL, (f"{number}.{place}", second * 1000, second * 1000))
        link = "INSERT INTO ticket_calls (pbx, call_id, ticket_id, position) VALUES ('main', ?, ?, ?)"
        store.execute(link, (f"{number}.{place}", number, place))


def times(store: sqlite3.Connection) -> list[tuple[int | None, ...]]:
    return store.execute(
        "SELECT reached_at, call_back_seconds, waiting_since FROM tickets ORDER BY ticket_id"
    ).fetchall()


def test_tickets_that_a_talk_closed_before_0006_know_how_long_their_customers_waited(old: sqlite3.Connection) -> None:
    ticket(old, 1, "missed_incoming", (300, "called_back"), 100, 200)
    ticket(old, 2, "missed_incoming", (300, "manual"), 100)
    ticket(old, 3, "missed_outgoing", None, 150, 250)
    ticket(old, 4, "incoming", (300, "manual"), 100)
    ticket(old, 5, "missed_incoming", (900, "customer_got_through"), 100, 700, 800)  # reached at 300 already
    ticket(old, 6, "missed_incoming", None, 100, 500)
    for number, version, second in ((5, 2, 300), (5, 5, 900), (6, 2, 300)):
        old.execute(_EVENT, (number, version, second * 1000, "called_back"))
    upgrade(old)
    assert times(old) == [
        (300_000, 200, None),
        (None, None, 100_000),  # somebody may open it again by hand
        (None, None, 150_000),
        (None, None, None),
        (900_000, 200, None),
        (None, None, 500_000),
    ]
    told = old.execute("SELECT ticket_id, version, call_back_seconds FROM ticket_events ORDER BY 1, 2").fetchall()
    assert told == [(5, 2, None), (5, 5, 200), (6, 2, None)]


OLD = sorted((Path(__file__).parent / "old").glob("*.sql"))


def rows_of(store: sqlite3.Connection) -> dict[str, list[dict[str, object]]]:
    """Every table's rows by column name."""
    store.row_factory = sqlite3.Row
    names = [row[0] for row in store.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
    return {
        name: sorted(map(dict, store.execute(f'SELECT * FROM "{name}"')), key=_by_first_columns)  # noqa: S608 - our tables
        for name in names
    }


def _by_first_columns(row: dict[str, object]) -> str:
    """Which columns come later, an older version may not have."""
    return str(list(row.values())[:3])


def shape_of(store: sqlite3.Connection) -> dict[str, set[tuple[object, ...]]]:
    """Each table's columns (name, type, null, key; without their order) and the names of all indexes."""
    store.row_factory = sqlite3.Row
    names = [row[0] for row in store.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
    columns = {
        name: {(*tuple(row)[1:4], row["pk"]) for row in store.execute(f"PRAGMA table_info({name})")} for name in names
    }
    indexes = store.execute("SELECT name, tbl_name FROM sqlite_master WHERE type = 'index' AND name LIKE 'ix_%'")
    return columns | {"(indexes)": {tuple(row) for row in indexes}}


def test_there_is_a_store_of_every_version_to_migrate_from() -> None:
    """A new migration adds one: tests/store/old/README.md says how."""
    assert [path.stem for path in OLD] == [f"{n:04}" for n in range(1, int(schema.NEWEST) + 1)]


@pytest.mark.parametrize("dump", OLD, ids=lambda path: path.stem)
def test_a_store_of_any_version_is_migrated_with_all_that_it_holds(dump: Path, tmp_path: Path) -> None:
    path, new = tmp_path / "old.db", tmp_path / "new.db"
    with closing(sqlite3.connect(path)) as store:
        store.executescript(dump.read_text("utf-8"))
        before = rows_of(store)
    schema.upgrade(str(path))
    schema.upgrade(str(new))
    with closing(sqlite3.connect(path)) as store, closing(sqlite3.connect(new)) as fresh:
        after = rows_of(store)
        assert shape_of(store) == shape_of(fresh)
    assert after["alembic_version"] == [{"version_num": schema.NEWEST}]
    for table in before.keys() - {"alembic_version"}:
        kept = [{name: row[name] for name in old} for old, row in zip(before[table], after[table], strict=True)]
        assert kept == [dict(row) for row in before[table]], table
    assert before["calls"], "a store with nothing in it proves nothing"
    assert check_database(str(path), full=True).findings() == ()
    if dump.stem < "0006":  # which computes it for the closing that a talk brought
        assert {row["ticket_id"]: row["call_back_seconds"] for row in after["tickets"]} == {1: None, 2: 170}
