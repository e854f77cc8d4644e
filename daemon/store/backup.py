"""A copy of the whole database while it is in use, and the way back. Neither is ever there by half.

The sounds of ringtones and the secrets of webhooks and popups are in the database; configuration and the PBX's secrets
are not.
"""

from __future__ import annotations

import os
import secrets
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from sqlalchemy import create_engine, delete, insert
from sqlalchemy.pool import StaticPool

from daemon.errors import CallwardenError, ConfigError
from daemon.store import schema
from daemon.store.audit import By
from daemon.store.check import DatabaseReport, check_database, looking
from daemon.store.lock import StoreLock, StoreTaken
from daemon.store.private_file import make_private
from daemon.store.tables import audit_log, sessions, setup_links
from daemon.store.ticket_numbers import go_on_after, last_given_by
from daemon.store.trouble import StoreBroken, StoreUnavailable, sorted_error

Progress = Callable[[int, int], None]
"""How many pages are copied, of how many."""

_PAGES_A_STEP: Final = 2048  # 8 MiB: progress is seen, and Ctrl-C is heard
_LOGS: Final = ("-wal", "-shm", "-journal")
_BESIDE: Final = ("", *_LOGS, ".lock")


@dataclass(frozen=True, slots=True)
class Restored:
    """`kept` is where the database that was there before stands now; None: there was none.

    `next_ticket` is the number that the next ticket gets: not one that was given since the backup.
    """

    report: DatabaseReport
    kept: Path | None
    next_ticket: int


def back_up(path: str, target: Path, *, force: bool = False, progress: Progress | None = None) -> DatabaseReport:
    """The database as it is at one moment, checked, whole and durable under `target`; calls go on meanwhile.

    Raises ConfigError when there is such a file (unless `force`), StoreUnavailable, StoreBroken.
    """
    if not Path(path).is_file():
        raise StoreUnavailable(f"{path}: there is no database to back up")
    _refuse_target(path, target, force=force)
    with _file_beside(target) as fresh:
        _copy(path, fresh, progress)
        report = check_database(str(fresh))
        if not report.sound:
            raise StoreBroken(f"{path}: the database is damaged ({report.findings()[0]}); no backup was made of it")
        _place(fresh, target, force=force)
    return report


def restore(source: Path, path: str, by: By, *, progress: Progress | None = None) -> Restored:
    """Puts a backup in the database's place; the old one stays beside it. An older one is brought up to date.

    Raises StoreTaken while anybody has the database open, StoreTooNew, StoreBroken, StoreUnavailable.
    """
    if not source.is_file():
        raise ConfigError(f"{source}: there is no such backup")
    if source.resolve() == Path(path).resolve():
        raise ConfigError(f"{source}: this is the database itself")
    place = Path(path).resolve()
    with StoreLock.take(path), _file_beside(place) as fresh:
        _copy_backup(source, fresh, progress)
        _refuse_unsound(source, check_database(str(fresh)))
        schema.upgrade(str(fresh))
        next_ticket = _begin_anew(fresh, source, last_given_by(place), by)
        _refuse_unsound(source, check_database(str(fresh)))
        _sync(fresh)
        kept = _set_aside(place, by)
        fresh.replace(place)
        _sync(place.parent)
        report = check_database(str(place))
    if not report.sound:
        raise StoreBroken(f"{path}: damaged where it was restored to ({report.findings()[0]}); do not use it")
    return Restored(report, kept, next_ticket)


def _refuse_target(path: str, target: Path, *, force: bool) -> None:
    if any(target.resolve() == Path(os.path.realpath(path) + end) for end in _BESIDE):
        raise ConfigError(f"{target}: this is the database itself; name another file")
    if not target.parent.is_dir():
        raise ConfigError(f"{target.parent}: there is no such folder")
    if target.is_dir() or (target.exists() and not force):
        raise ConfigError(f"{target}: there is such a file already; name another one, or overwrite it with --force")


def _refuse_unsound(source: Path, report: DatabaseReport) -> None:
    if not report.sound:
        raise StoreBroken(f"{source}: cannot be restored ({report.findings()[0]}); nothing was changed")


@contextmanager
def _file_beside(target: Path) -> Iterator[Path]:
    """A private file in the folder of `target`, which can be moved there; what is left of it goes."""
    fresh = target.with_name(f".{target.name}.{secrets.token_hex(4)}.part")
    try:
        make_private(str(fresh))
        yield fresh
    except OSError as error:
        raise StoreUnavailable(f"{error.filename or target}: cannot be written ({error.strerror})") from error
    finally:
        for end in _BESIDE:
            with suppress(OSError):
                Path(f"{fresh}{end}").unlink()


def _copy_backup(source: Path, fresh: Path, progress: Progress | None) -> None:
    try:
        _copy(str(source), fresh, progress)
    except StoreBroken as error:
        raise StoreBroken(f"{source}: this is no backup, or a damaged one; nothing was changed") from error


def _copy(path: str, fresh: Path, progress: Progress | None) -> None:
    """One snapshot, held from the first page to the last: what is written meanwhile does not begin it anew."""

    def told(_: int, remaining: int, total: int) -> None:
        if progress is not None:
            progress(total - remaining, total)

    with looking(path) as source, closing(sqlite3.connect(fresh, isolation_level=None)) as target:
        source.execute("BEGIN")
        source.execute("SELECT count(*) FROM sqlite_master").fetchone()
        source.backup(target, pages=_PAGES_A_STEP, progress=told)
        target.execute("PRAGMA journal_mode=DELETE").fetchone()  # one file, with no log beside it


def _place(fresh: Path, target: Path, *, force: bool) -> None:
    _sync(fresh)
    if force:
        fresh.replace(target)
    else:
        _name(fresh, target)
    _sync(target.parent)


def _name(fresh: Path, target: Path) -> None:
    """Unlike a renaming, a link never replaces what somebody else put there meanwhile."""
    try:
        os.link(fresh, target)
    except FileExistsError:
        raise ConfigError(f"{target}: there is such a file already; overwrite it with --force") from None
    except OSError:  # a file system without links
        fresh.rename(target)


def _set_aside(path: Path, by: By) -> Path | None:
    """The old database under a dated name; it keeps its own name too. What could not be taken in goes with it."""
    day = datetime.fromtimestamp(by.at / 1000, UTC).strftime("%Y-%m-%dT%H%M%SZ")
    kept = path.with_name(f"{path.name}.before-{day}")
    if there := path.exists():
        _fold(path)
        try:
            os.link(path, kept)
        except OSError:
            path.rename(kept)
    for end in _LOGS:  # left there, even without its database, a log would be read into the restored one
        with suppress(FileNotFoundError):
            Path(f"{path}{end}").rename(f"{kept}{end}")
    _sync(path.parent)
    return kept if there else None


def _fold(path: Path) -> None:
    """Takes the log into the database unless it is damaged, which only works when nobody else has it open."""
    try:
        with closing(sqlite3.connect(path, isolation_level=None, timeout=1.0)) as connection:
            connection.execute("PRAGMA locking_mode=EXCLUSIVE").fetchone()
            connection.execute("PRAGMA journal_mode=DELETE").fetchone()
    except sqlite3.Error as error:
        match sorted_error(error):
            case StoreBroken():
                return
            case StoreUnavailable() if getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_BUSY:
                raise StoreTaken(f"{path}: another program has this database open; stop it first") from error
            case CallwardenError() as known:
                raise known from error
            case _:
                raise


def _begin_anew(fresh: Path, source: Path, replaced: int | None, by: By) -> int:
    """A session that was ended since the backup must not live again, and no ticket's number be given again."""
    entry = {"at": by.at, "by": by.name[:128], "action": "store.restore", "object": f"store:{source.name}"[:255]}
    with closing(sqlite3.connect(fresh, isolation_level=None)) as connection:
        engine = create_engine("sqlite://", creator=lambda: connection, poolclass=StaticPool)
        with engine.connect() as opened:
            for statement in (delete(sessions), delete(setup_links), insert(audit_log).values(entry)):
                opened.execute(statement)
            next_ticket = go_on_after(opened, replaced, by.at)
        connection.execute("PRAGMA journal_mode=DELETE").fetchone()
    return next_ticket


def _sync(path: Path) -> None:
    """So that it is on the disk and not only on its way there."""
    opened = os.open(path, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)
