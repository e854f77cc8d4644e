"""Brings a database to the tables this code knows, with Alembic and no ini file. It must never go back a version."""

from __future__ import annotations

import os
import sqlite3
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection, Engine, StaticPool, create_engine, event, inspect, text
from sqlalchemy.exc import DBAPIError

from daemon.store import summary_tables, tables  # noqa: F401 - `metadata` knows what was imported
from daemon.store.metadata import metadata
from daemon.store.private_file import make_private
from daemon.store.sqlite import connect
from daemon.store.trouble import StoreTooNew, sorted_error

if TYPE_CHECKING:
    from alembic.config import Config

NEWEST = "0012"
"""The last revision in `migrations/versions`. Alembic, slow to import, is left out for a database that has it."""

MIGRATIONS = Path(__file__).parent / "migrations"


def upgrade(path: str) -> None:
    """Create or migrate the database file; all or nothing, and safe when two processes start at once.

    Raises StoreTooNew, StoreBroken (no database or damaged), StoreUnavailable (locked, unwritable).
    """
    _make_private(path)
    engine = _engine(path)
    try:
        with engine.begin() as connection:
            if revision(connection) != NEWEST:
                _migrate(connection)
    except DBAPIError as error:
        raise (sorted_error(error.orig) if isinstance(error.orig, Exception) else error) from error
    except sqlite3.Error as error:
        raise sorted_error(error) from error
    finally:
        engine.dispose()


def create(connection: sqlite3.Connection) -> None:
    """The tables as they are now, in a database that will not outlive its connection."""
    metadata.create_all(create_engine("sqlite://", creator=lambda: connection, poolclass=StaticPool))


def revision(connection: Connection) -> str | None:
    """The database's revision; None for an empty one."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    found: str | None = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    return found


def alembic_config() -> Config:
    """What an alembic.ini would say."""
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    return config


def _make_private(path: str) -> None:
    """A new file is its owner's alone, and SQLite gives its log the same mode; one that exists keeps its own.

    Created only, never opened: closing it would let go of the locks that this process has on it
    (https://www.sqlite.org/howtocorrupt.html §2.2).
    """
    with suppress(OSError):  # what is wrong with the place, SQLite says
        make_private(os.path.realpath(path))


def _migrate(connection: Connection) -> None:
    from alembic import command
    from alembic.script import ScriptDirectory

    config = alembic_config()
    known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
    found = revision(connection)
    if found is not None and found not in known:
        raise StoreTooNew(
            f"the store is at revision {found}, this Callwarden knows up to {NEWEST}: "
            "install the newer version again or restore an older backup"
        )
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


def _engine(path: str) -> Engine:
    engine = create_engine("sqlite://", creator=lambda: connect(path))

    # The connection is in autocommit mode; SQLite's DDL is transactional when the transaction is begun by hand.
    # IMMEDIATE: a second process waits here and then finds the work done.
    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    return engine
