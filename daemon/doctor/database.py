"""The database's file: is it there, whole, of this version, ours alone, and does what is written reach it."""

from __future__ import annotations

import asyncio
import os
import sqlite3
import stat
import time
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path
from typing import Final
from urllib.parse import quote

from daemon.diagnosis import Finding, State
from daemon.doctor.patient import Patient
from daemon.doctor.pbx_link import FOLLOWED_MS
from daemon.doctor.wording import one_line
from daemon.message import Message
from daemon.store.live_calls import last_alive
from daemon.store.schema import NEWEST
from daemon.store.sqlite import MEMORY
from daemon.store.store import database_path
from daemon.store.trouble import sorted_error

QUICK_CHECK_S: Final = 6.0
BIG_LOG: Final = 256 * 1024 * 1024
_STEPS: Final = 100_000  # of SQLite's machine between two looks at the clock: a few milliseconds
_OTHERS: Final = stat.S_IRWXO
_MANY_OWNERS: Final = Message("Callwarden cannot write what it does not own: calls are then kept in memory only.")


def _path(patient: Patient) -> Path | None:
    """None: it is in memory, and there is nothing to look at."""
    path = database_path(patient.config.store.url)
    return None if path == MEMORY else Path(path)


async def look_at_file(patient: Patient) -> Iterable[Finding]:
    path = _path(patient)
    return [] if path is None else await asyncio.to_thread(_look_at_file, path)


def _look_at_file(path: Path) -> list[Finding]:
    check = "machine.database_file"
    if not path.exists():
        what = Message("There is no database yet at {path}.", path=one_line(str(path), 255))
        fix = Message("It is made at the first start. If there was one: is store.url right, is its disk mounted?")
        return [Finding(check=check, state=State.PROBLEM, what=what, fix=fix)]
    found = [*_owners(check, path), *_mode(check, path), *_log_size(path)]
    fine = Message("The database's file has one owner, and others may not read it.")
    return found or [Finding(check=check, state=State.OK, what=fine)]


def _parts(path: Path) -> dict[Path, os.stat_result]:
    """The file, its log and its shared memory, as far as they are there: the last two come and go."""
    found = {}
    for one in (path, Path(f"{path}-wal"), Path(f"{path}-shm")):
        try:
            found[one] = one.stat()
        except FileNotFoundError:
            continue
    return found


def _owners(check: str, path: Path) -> list[Finding]:
    parts = _parts(path)
    if len({facts.st_uid for facts in parts.values()}) < 2:
        return []
    names = ", ".join(f"{one.name}: {facts.st_uid}" for one, facts in parts.items())
    what = Message("The database's files have several owners ({names}).", names=one_line(names, 255))
    fix = Message("Stop Callwarden, then: chown callwarden: {path}*, and start it.", path=one_line(str(path), 255))
    return [Finding(check=check, state=State.PROBLEM, what=what, why=_MANY_OWNERS, fix=fix)]


def _mode(check: str, path: Path) -> list[Finding]:
    if not path.stat().st_mode & _OTHERS:
        return []
    what = Message("Everybody on this machine may read the database.")
    why = Message("It holds customers' numbers, notes, and the secrets that sign webhooks.")
    fix = Message("Run: {command}", command=f"chmod o= {one_line(str(path), 255)}*")
    return [Finding(check=check, state=State.WARNING, what=what, why=why, fix=fix)]


def _log_size(path: Path) -> list[Finding]:
    log = _parts(path).get(Path(f"{path}-wal"))
    if log is None or log.st_size < BIG_LOG:
        return []
    what = Message("The database's log (WAL) has grown to {size} MB.", size=log.st_size // 1_000_000)
    why = Message("Somebody reads without end, so it cannot be cleared: it becomes slow and fills the disk.")
    fix = Message("Close what else has the file open (fuser {path}); else start Callwarden again.", path=str(path))
    return [Finding(check="machine.database_log", state=State.WARNING, what=what, why=why, fix=fix)]


async def look_inside(patient: Patient) -> Iterable[Finding]:
    path = _path(patient)
    if path is None or not path.exists():
        return []
    return await asyncio.to_thread(_look_inside, path)


def _look_inside(path: Path) -> list[Finding]:
    """On a connection of its own, which writes nothing (as store/reader.py)."""
    try:
        with closing(sqlite3.connect(f"file:{quote(str(path))}?mode=rw", uri=True, timeout=2.0)) as connection:
            connection.execute("PRAGMA query_only=ON")
            return [_integrity(connection), *_version(connection)]
    except sqlite3.Error as error:
        what = Message("The database cannot be read: {reason}", reason=one_line(str(sorted_error(error)), 255))
        fix = Message("Look at its owner, its mode and its disk. Run the command as root or as its owner.")
        return [Finding(check="machine.database", state=State.PROBLEM, what=what, fix=fix)]


def _integrity(connection: sqlite3.Connection) -> Finding:
    """SQLite's own quick check, for as long as anybody would wait."""
    check, until = "machine.database", time.monotonic() + QUICK_CHECK_S
    connection.set_progress_handler(lambda: time.monotonic() > until, _STEPS)
    try:
        said = str(connection.execute("PRAGMA quick_check(1)").fetchone()[0])
    except sqlite3.OperationalError:
        if time.monotonic() <= until:
            raise
        what = Message("The database is too big to be checked in {seconds} s.", seconds=round(QUICK_CHECK_S))
        fix = Message("At a quiet hour: {command}", command="sqlite3 FILE 'PRAGMA quick_check'")
        return Finding(check=check, state=State.UNKNOWN, what=what, fix=fix)
    finally:
        connection.set_progress_handler(None, 0)
    if said == "ok":
        return Finding(check=check, state=State.OK, what=Message("The database is whole."))
    what = Message("The database is damaged: {said}", said=one_line(said, 255))
    why = Message("Calls and tickets may be lost, and the daemon stops when it meets the damage.")
    fix = Message("Stop Callwarden and restore a backup; then check the disk.")
    return Finding(check=check, state=State.PROBLEM, what=what, why=why, fix=fix)


def _version(connection: sqlite3.Connection) -> list[Finding]:
    check = "machine.database_version"
    try:
        row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    except sqlite3.OperationalError:  # no such table: nothing was ever written
        row = None
    found = one_line(str(row[0])) if row else "-"
    if found == NEWEST:
        return [Finding(check=check, state=State.OK, what=Message("The database is of this version ({n}).", n=found))]
    if row is not None and found > NEWEST:
        what = Message(
            "The database was written by a newer Callwarden ({found}; this one knows {newest}).",
            found=found,
            newest=NEWEST,
        )
        fix = Message("Install the newer version again, or restore a backup from before.")
        return [Finding(check=check, state=State.PROBLEM, what=what, fix=fix)]
    what = Message("The database is of an older version ({found}, now {newest}).", found=found, newest=NEWEST)
    fix = Message("It is brought up to date at the next start; other findings may be incomplete until then.")
    return [Finding(check=check, state=State.WARNING, what=what, fix=fix)]


async def look_at_writing(patient: Patient) -> Iterable[Finding]:
    """In a daemon: every 15 s it writes that it follows a PBX. A link that is up while that is old: nothing is kept."""
    if not patient.is_daemon or not patient.connected():
        return []
    alive, now = await last_alive(patient.reads), patient.clock()
    silent = [
        name
        for name, link in patient.connected().items()
        if now - max(alive.get(name, 0), link.connected_since or now) > FOLLOWED_MS
    ]
    check = "machine.writing"
    if not silent:
        return [Finding(check=check, state=State.OK, what=Message("What happens is written to the disk."))]
    what = Message("For more than a minute nothing could be written to the database.")
    why = Message("Calls are followed in memory; what is not written by the next restart is lost.")
    fix = Message("Free space, or whatever the log says of the store.")
    return [Finding(check=check, state=State.PROBLEM, what=what, why=why, fix=fix)]
