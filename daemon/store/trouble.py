"""What can go wrong with a database, sorted where it happens: wait and try again, give up, or one caller's mistake."""

from __future__ import annotations

import sqlite3
from typing import Final

from daemon.errors import CallwardenError, TryAgain


class StoreUnavailable(TryAgain):
    """The store cannot be written now (full, locked or failing disk); free space or release the lock."""


class StoreBroken(CallwardenError):
    """The store's file is damaged; stop the daemon and restore a backup."""


class StoreTooNew(CallwardenError):
    """The store was made by a newer Callwarden; install that version or restore an older backup."""


class Conflict(CallwardenError):
    """Something with this name or number exists already, or what it refers to does not."""


RESTORE: Final = "restore a backup: callwarden restore FILE --config CONFIG"

# https://www.sqlite.org/rescode.html, primary codes. After these the same statement may succeed later.
_PASSING = {
    sqlite3.SQLITE_PERM: "the file may not be written; check its owner and mode",
    sqlite3.SQLITE_BUSY: "another process has locked it",
    sqlite3.SQLITE_LOCKED: "another connection has locked it",
    sqlite3.SQLITE_NOMEM: "out of memory",
    sqlite3.SQLITE_READONLY: "the file may not be written; check its owner, mode and mount",
    sqlite3.SQLITE_IOERR: "the disk fails or is gone; check the system log",
    sqlite3.SQLITE_FULL: "the disk is full; free some space",
    sqlite3.SQLITE_CANTOPEN: "the file cannot be opened; check that its directory exists and may be written",
    sqlite3.SQLITE_PROTOCOL: "another process holds its locks",
}
_DAMAGED = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})


def primary_code(error: BaseException) -> int | None:
    """SQLite's result code without its extension; None for an error that Python's module raised itself."""
    code: int | None = getattr(error, "sqlite_errorcode", None)
    return None if code is None else code & 0xFF


def sorted_error(error: Exception) -> Exception:
    """The same failure in the store's words. What is neither the disk's nor the file's fault stays as it is."""
    code = primary_code(error)
    if code in _DAMAGED or getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_READONLY_DBMOVED:
        return StoreBroken(f"the store's file is damaged or was replaced ({error}); {RESTORE}")
    if code in _PASSING:
        return StoreUnavailable(f"the store cannot be used now: {_PASSING[code]} ({error})")
    if isinstance(error, sqlite3.IntegrityError):
        return Conflict(str(error))
    return error
