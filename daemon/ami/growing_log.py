"""Reads a log that grows and is rotated, from a moment on, line by line. It seeks and never loads a file.

Everything here blocks: give it a thread.
"""

from __future__ import annotations

import gzip
import math
import os
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from stat import S_ISREG
from typing import IO

from daemon.call.signals import UnixMs

LONGEST_LINE = 64 * 1024
_NEAR = 64 * 1024  # closer than this is read, not searched
_TRIED_LINES = 200  # to find one that says when it was written
_WITNESSES = 8  # a caller may write some lines himself, but not so many in a row
_UNREADABLE = b"\0\n"  # a line of no log: where the rest of a file cannot be read, that counts as a broken record

Dated = Callable[[bytes], UnixMs | None]
"""When a line was written, if it is a whole record by itself."""


def lines_since(path: Path, since: UnixMs, dated: Dated) -> Iterator[bytes]:
    """Whole lines, oldest first: all that were written since then, and some from before. Raises OSError.

    A last line without its end is being written, so it is left for the next time. A rotated file that is cut short or
    gone meanwhile ends there.
    """
    for file in _files(path, since):
        try:
            yield from _lines(file, since, dated)
        except (EOFError, zlib.error, gzip.BadGzipFile):
            yield _UNREADABLE
        except FileNotFoundError:
            if file == path:
                raise
            yield _UNREADABLE


def _lines(file: Path, since: UnixMs, dated: Dated) -> Iterator[bytes]:
    with _opened(file) as stream:
        if file.suffix != ".gz":
            stream.seek(_start(stream, since, dated))
        yield from _whole_lines(stream)


def last_lines(path: Path, length: int = _NEAR) -> list[bytes]:
    """The whole lines at the end; the first may be cut."""
    with _opened(path) as stream:
        stream.seek(max(0, os.fstat(stream.fileno()).st_size - length))
        return list(_whole_lines(stream))


def _files(path: Path, since: UnixMs) -> list[Path]:
    """The log itself, after those of its rotated ones that were still written since then (logrotate(8)).

    While one is being compressed there are two of it: the one that is whole counts.
    """
    found = {one for one in path.parent.iterdir() if one.name.startswith((f"{path.name}.", f"{path.name}-"))}
    rotated = [
        (at, one)
        for one in found
        if not (one.suffix == ".gz" and one.with_suffix("") in found | {path})
        and (at := _written_at(one)) is not None
        and at * 1000 >= since
    ]
    return [*(one for _, one in sorted(rotated)), path]


def _written_at(file: Path) -> float | None:
    """None: it is no file. One that is gone meanwhile counts as new, so that opening it says so."""
    try:
        stat = file.stat()
    except FileNotFoundError:
        return math.inf
    return stat.st_mtime if S_ISREG(stat.st_mode) else None


def _opened(path: Path) -> IO[bytes]:
    if path.exists() and not path.is_file():
        raise OSError(0, "is not a file", str(path))  # a pipe would be waited for without end
    return gzip.open(path, "rb") if path.suffix == ".gz" else path.open("rb")  # type: ignore[return-value]


def _whole_lines(stream: IO[bytes]) -> Iterator[bytes]:
    while line := stream.readline(LONGEST_LINE):
        if not line.endswith(b"\n") and len(line) < LONGEST_LINE:
            return
        yield line


def _start(stream: IO[bytes], since: UnixMs, dated: Dated) -> int:
    """A line that was written before `since`, or the beginning. Right whatever the order of lines; fast if by time."""
    low, high = 0, os.fstat(stream.fileno()).st_size
    while high - low > _NEAR:
        middle = (low + high) // 2
        found = _next_dated(stream, middle, high, dated)
        if found is not None and found[1] < since:
            low = found[0]
        else:
            high = middle
    return low


def _next_dated(stream: IO[bytes], place: int, end: int, dated: Dated) -> tuple[int, UnixMs] | None:
    """Where the next line begins that says when it was written, and the latest time of it and the few after it."""
    stream.seek(place)
    stream.readline(LONGEST_LINE)
    found: list[tuple[int, UnixMs]] = []
    for _ in range(_TRIED_LINES):
        begins = stream.tell()
        line = stream.readline(LONGEST_LINE)
        if begins >= end or not line or len(found) == _WITNESSES:
            break
        at = dated(line)
        if at is not None:
            found.append((begins, at))
    return (found[0][0], max(at for _, at in found)) if found else None
