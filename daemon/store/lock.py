"""One daemon for one database: a lock beside it, which the kernel lets go of however the process ends."""

from __future__ import annotations

import fcntl
import os
from contextlib import suppress
from types import TracebackType
from typing import Self

from daemon.errors import CallwardenError
from daemon.store.private_file import make_private
from daemon.store.trouble import StoreUnavailable


class StoreTaken(CallwardenError):
    """Another Callwarden has this database open; stop it first."""


class StoreLock:
    """Made by `take`. The file stays: removing it would let two processes lock two files of one name."""

    def __init__(self, opened: int) -> None:
        self._opened: int | None = opened

    @classmethod
    def take(cls, path: str) -> Self:
        """For the database at `path`. Raises StoreTaken, or StoreUnavailable where no file can be made."""
        name = os.path.realpath(path) + ".lock"
        try:
            make_private(name)
            # Never inherited: a child would keep the lock beyond our end.
            opened = os.open(name, os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC)
        except OSError as error:
            raise StoreUnavailable(
                f"{name}: cannot be opened ({error.strerror}); check the folder's owner and mode"
            ) from error
        try:
            _lock(opened, path)
        except BaseException:
            os.close(opened)
            raise
        return cls(opened)

    def release(self) -> None:
        opened, self._opened = self._opened, None
        if opened is not None:
            os.close(opened)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.release()


def taken(path: str) -> bool:
    """Whether a daemon has the database at `path` open now; where nobody can tell, no."""
    try:
        StoreLock.take(path).release()
    except StoreTaken:
        return True
    except StoreUnavailable:
        return False
    return False


def _lock(opened: int, path: str) -> None:
    try:
        fcntl.flock(opened, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        holder = os.pread(opened, 20, 0).decode("ascii", "replace").strip()
        who = f"process {holder}" if holder.isdecimal() else "another process"
        raise StoreTaken(f"{path}: another Callwarden ({who}) has this database open; stop it first") from None
    except OSError as error:
        raise StoreUnavailable(f"{path}: cannot be locked here ({error.strerror}); keep it on a local disk") from error
    with suppress(OSError):  # on a full disk nobody is named, and the lock holds all the same
        os.ftruncate(opened, 0)
        os.pwrite(opened, f"{os.getpid()}\n".encode(), 0)
