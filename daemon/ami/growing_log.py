"""Reads a log that grows and is rotated, from a moment on, line by line. It seeks and never loads a file.

Everything here blocks: give it a thread.
"""

from __future__ import annotations

import gzip
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO

from daemon.call.signals import UnixMs

LONGEST_LINE = 64 * 1024
_NEAR = 64 * 1024  # closer than this is read, not searched
_TRIED_LINES = 200  # to find one that says when it was written

Dated = Callable[[bytes], UnixMs | None]
"""When a line was written, if it is a whole record by itself."""


def lines_since(path: Path, since: UnixMs, dated: Dated) -> Iterator[bytes]:
    """Whole lines, oldest first: all that were written since then, and some from before. Raises OSError.

    A last line without its end is being written, so it is left for the next time.
    """
    for file in _files(path, since):
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
    """The log itself, after those of its rotated ones that were still written since then (logrotate(8))."""
    rotated = [
        (stat.st_mtime, one)
        for one in path.parent.iterdir()
        if one.name.startswith((f"{path.name}.", f"{path.name}-"))
        and one.is_file()
        and (stat := one.stat()).st_mtime * 1000 >= since
    ]
    return [*(one for _, one in sorted(rotated)), path]


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
    """The first line after `place` that says when it was written, and where it begins."""
    stream.seek(place)
    stream.readline(LONGEST_LINE)
    for _ in range(_TRIED_LINES):
        begins = stream.tell()
        line = stream.readline(LONGEST_LINE)
        if begins >= end or not line:
            return None
        at = dated(line)
        if at is not None:
            return begins, at
    return None
