"""Whether a database is whole: its pages, its references, its version. It only reads."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import quote

from daemon.store.schema import NEWEST
from daemon.store.trouble import RESTORE, StoreBroken, StoreUnavailable, sorted_error

_MOST_TOLD: Final = 20
_SMALL: Final = 32 * 1024 * 1024  # looked through at each start, in about a tenth of a second
_PATIENCE_S: Final = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class DatabaseReport:
    """`damage` and `dangling` are SQLite's and our findings in words, at most some. `revision` None: not ours."""

    path: str
    revision: str | None
    size: int
    free: int
    damage: tuple[str, ...]
    dangling: tuple[str, ...]

    @property
    def sound(self) -> bool:
        return not self.damage and not self.dangling and self.revision is not None

    def findings(self) -> tuple[str, ...]:
        strange = () if self.revision is not None else ("this is no database of Callwarden",)
        return (*strange, *self.damage, *self.dangling)


def check_database(path: str, *, full: bool = False) -> DatabaseReport:
    """Reads all of it, beside a running daemon too; `full` also compares every index with its table.

    Raises StoreUnavailable where it cannot be read. What is wrong inside is a finding.
    """
    if not Path(path).is_file():
        raise StoreUnavailable(f"{path}: there is no database")
    try:
        with looking(path) as connection:
            return _report(path, connection, full=full)
    except StoreBroken as error:
        return _unreadable(path, str(error))


def refuse_damaged(path: str) -> None:
    """A cheap look at the start: all of a small database, of a big one both ends of each table. Raises StoreBroken."""
    with looking(path) as connection:
        damage = _damage(connection, full=False) if Path(path).stat().st_size <= _SMALL else ()
        for table in _tables(connection):
            for order in ("", " ORDER BY 1 DESC"):
                connection.execute(f'SELECT * FROM "{table}"{order} LIMIT 1').fetchone()  # noqa: S608 - our own names
    if damage:
        raise StoreBroken(f"the store's file is damaged ({damage[0]}); {RESTORE}")


@contextmanager
def looking(path: str) -> Iterator[sqlite3.Connection]:
    """A connection that changes nothing; what goes wrong is said in the store's words."""
    try:
        with closing(_open(path)) as connection:
            yield connection
    except sqlite3.Error as error:
        raise sorted_error(error) from error


def _open(path: str) -> sqlite3.Connection:
    # A file on a medium that cannot be written has no log beside it that would have to be opened.
    mode = "rw" if os.access(path, os.W_OK) and os.access(Path(path).parent, os.W_OK) else "ro"
    opened = sqlite3.connect(f"file:{quote(path)}?mode={mode}", uri=True, isolation_level=None, timeout=_PATIENCE_S)
    opened.execute("PRAGMA query_only=ON")
    return opened


def _report(path: str, connection: sqlite3.Connection, *, full: bool) -> DatabaseReport:
    page = _number(connection, "page_size")
    tables = _tables(connection)
    return DatabaseReport(
        path=path,
        revision=_revision(connection) if {"alembic_version", "calls"} <= set(tables) else None,
        size=page * _number(connection, "page_count"),
        free=page * _number(connection, "freelist_count"),
        damage=_damage(connection, full=full),
        dangling=_dangling(connection),
    )


def _unreadable(path: str, why: str) -> DatabaseReport:
    size = Path(path).stat().st_size
    return DatabaseReport(path=path, revision=NEWEST, size=size, free=0, damage=(why,), dangling=())


def _damage(connection: sqlite3.Connection, *, full: bool) -> tuple[str, ...]:
    pragma = "integrity_check" if full else "quick_check"
    found = [str(row[0]) for row in connection.execute(f"PRAGMA {pragma}({_MOST_TOLD})")]
    return () if found == ["ok"] else tuple(" ".join(one.split()) for one in found)


def _dangling(connection: sqlite3.Connection) -> tuple[str, ...]:
    """References to what is not there."""
    counts: dict[tuple[str, str], int] = {}
    for table, _, parent, _ in connection.execute("PRAGMA foreign_key_check"):
        counts[table, parent] = counts.get((table, parent), 0) + 1
    return tuple(f"{n} rows of {table} refer to {parent} that are not there" for (table, parent), n in counts.items())


def _tables(connection: sqlite3.Connection) -> list[str]:
    names = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
    return [str(row[0]) for row in connection.execute(names)]


def _revision(connection: sqlite3.Connection) -> str | None:
    row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    return None if row is None else str(row[0])


def _number(connection: sqlite3.Connection, pragma: str) -> int:
    return int(connection.execute(f"PRAGMA {pragma}").fetchone()[0])
