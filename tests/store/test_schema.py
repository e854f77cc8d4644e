"""A database from nothing, from the same version, from a newer one, and what is no database at all."""

from __future__ import annotations

import os
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine

from daemon.call.model import PbxName
from daemon.call.signals import UnixMs
from daemon.store import schema, summary_tables, tables  # noqa: F401 - `metadata` knows what was imported
from daemon.store.live_calls import heartbeat
from daemon.store.metadata import metadata
from daemon.store.store import Store
from daemon.store.trouble import StoreBroken, StoreTooNew, StoreUnavailable


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "callwarden.db"


def _described(connection: sqlite3.Connection) -> set[tuple[object, ...]]:
    """Every table and index with its columns, types, defaults and keys, whatever the order of the definitions."""
    found: set[tuple[object, ...]] = set()
    for kind, name, table in connection.execute("SELECT type, name, tbl_name FROM sqlite_master").fetchall():
        if table == "alembic_version":
            continue
        found.add((kind, name, table))
        for pragma in ("table_info", "index_info", "foreign_key_list"):
            found.update((name, pragma, *row) for row in connection.execute(f"PRAGMA {pragma}('{name}')"))
    return found


def test_a_migrated_database_is_what_the_tables_say(path: Path) -> None:
    schema.upgrade(str(path))
    with create_engine(f"sqlite:///{path}").connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, metadata) == []
    with closing(sqlite3.connect(path)) as migrated, closing(sqlite3.connect(":memory:")) as created:
        schema.create(created)
        assert _described(migrated) == _described(created)


def test_the_status_of_a_ticket_is_checked_in_a_migrated_database(path: Path) -> None:
    schema.upgrade(str(path))
    values = "(1, 'k', 'incoming', 'lost', 0, 'r', 1, 1)"
    columns = "(ticket_id, merge_key, kind, status, missed_count, reason, opened_at, updated_at)"
    with closing(sqlite3.connect(path)) as connection, pytest.raises(sqlite3.IntegrityError, match="CHECK"):
        connection.execute(f"INSERT INTO tickets {columns} VALUES {values}")  # noqa: S608


def test_the_newest_revision_is_the_head_of_the_migrations(path: Path) -> None:
    assert ScriptDirectory.from_config(schema.alembic_config()).get_current_head() == schema.NEWEST


def test_upgrading_again_changes_nothing(path: Path) -> None:
    schema.upgrade(str(path))
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("INSERT INTO queues (name, create_tickets) VALUES ('sales', 1)")
        connection.commit()
    schema.upgrade(str(path))
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT name FROM queues").fetchall() == [("sales",)]


def test_a_database_at_the_newest_revision_opens_without_alembic(path: Path) -> None:
    schema.upgrade(str(path))
    code = (
        "import sys; from daemon.store import schema; schema.upgrade(sys.argv[1]); sys.exit('alembic' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code, str(path)], check=False).returncode == 0


def test_a_newer_database_is_refused_and_left_alone(path: Path) -> None:
    schema.upgrade(str(path))
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '0999'")
        connection.commit()
    with pytest.raises(StoreTooNew, match="revision 0999"):
        schema.upgrade(str(path))
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT version_num FROM alembic_version").fetchall() == [("0999",)]


def test_a_migration_that_fails_leaves_nothing_behind(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError

    monkeypatch.setattr("alembic.operations.Operations.create_index", fail)
    with pytest.raises(Exception, match=r".*"):
        schema.upgrade(str(path))
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT name FROM sqlite_master").fetchall() == []


def test_a_file_that_is_no_database_is_called_damaged(path: Path) -> None:
    path.write_bytes(b"not a database at all " * 500)
    with pytest.raises(StoreBroken, match="restore a backup"):
        schema.upgrade(str(path))


def test_a_missing_directory_is_named_as_the_reason(tmp_path: Path) -> None:
    with pytest.raises(StoreUnavailable, match="directory"):
        schema.upgrade(str(tmp_path / "missing" / "callwarden.db"))
    assert not (tmp_path / "missing").exists()


@pytest.fixture
def usual_umask() -> Iterator[None]:
    before = os.umask(0o022)
    yield
    os.umask(before)


@pytest.mark.usefixtures("usual_umask")
async def test_a_new_database_and_its_log_are_readable_by_the_owner_alone(path: Path) -> None:
    """It holds customers' numbers and the secrets of webhooks."""
    store = await Store.open(f"sqlite:///{path}")
    try:
        await store.writer.change(lambda: heartbeat(UnixMs(1), [PbxName("main")]))
        modes = {each.name: stat.S_IMODE(each.stat().st_mode) for each in path.parent.iterdir()}
    finally:
        await store.close()
    assert modes == dict.fromkeys(["callwarden.db", "callwarden.db-wal", "callwarden.db-shm"], 0o600)


@pytest.mark.usefixtures("usual_umask")
def test_a_database_behind_a_link_is_made_as_closely(path: Path) -> None:
    path.symlink_to(path.parent / "elsewhere.db")
    schema.upgrade(str(path))
    assert stat.S_IMODE((path.parent / "elsewhere.db").stat().st_mode) == 0o600


@pytest.mark.usefixtures("usual_umask")
def test_an_existing_database_keeps_its_mode(path: Path) -> None:
    path.touch(mode=0o640)
    schema.upgrade(str(path))
    schema.upgrade(str(path))
    assert stat.S_IMODE(path.stat().st_mode) == 0o640


def test_two_processes_that_start_at_once_migrate_once(path: Path) -> None:
    code = "import sys; from daemon.store import schema; schema.upgrade(sys.argv[1])"
    command = [sys.executable, "-c", code, str(path)]
    starting = [subprocess.Popen(command) for _ in range(3)]
    assert [process.wait(60) for process in starting] == [0, 0, 0]
