"""Traces read back: raw bytes as the socket gave them, or the JSON Lines of `record`; gzip or not. Knows no event."""

from __future__ import annotations

import base64
import binascii
import gzip
import json
import re
import zlib
from collections.abc import Callable, Iterator
from io import BufferedReader
from pathlib import Path
from typing import BinaryIO, NamedTuple, cast

from daemon.ami.clock import UNKNOWN
from daemon.call.signals import UnixMs
from daemon.errors import NeverAgain

_CHUNK = 1 << 16
_MAX_LINE = 1 << 23
_GZIP_MAGIC = b"\x1f\x8b"
_AMI_MARK = re.compile(rb"Asterisk Call Manager/|(?:\A|[\r\n])(?:Event|Response): ")
_LONGEST_MARK = 32  # a chunk may end within a mark


class TraceUnreadable(NeverAgain):
    """The trace cannot be read; give raw AMI bytes or the JSON Lines of `record`."""


class TraceChunk(NamedTuple):
    """What one read of the socket gave; `arrival` is `UNKNOWN` where the trace does not tell."""

    arrival: UnixMs
    data: bytes


def read_trace(path: Path, progress: Callable[[int], None] | None = None) -> Iterator[TraceChunk]:
    """Yield the trace in order. `progress` is told how many bytes of the file have been read."""
    try:
        with path.open("rb") as file:
            for chunk in _chunks(_unpacked(file)):
                yield chunk
                if progress:
                    progress(file.tell())
    except (OSError, EOFError, zlib.error) as error:
        raise TraceUnreadable(f"{path.name}: {error}") from error


def refuse_foreign(path: Path) -> None:
    """Raises TraceUnreadable for a file without any AMI in it, also for an empty one."""
    last = b""
    for chunk in read_trace(path):
        last = last[-_LONGEST_MARK:] + chunk.data
        if _AMI_MARK.search(last):
            return
    raise TraceUnreadable(f"{path.name}: there is no AMI in this file; give raw AMI bytes or what `record` wrote")


def _unpacked(file: BufferedReader) -> BufferedReader:
    if file.peek(2)[:2] != _GZIP_MAGIC:
        return file
    return BufferedReader(cast("BufferedReader", gzip.GzipFile(fileobj=file)))


def _chunks(stream: BufferedReader) -> Iterator[TraceChunk]:
    if stream.peek(1)[:1] == b"{":
        return _recorded(stream)
    return _raw(stream)


def _raw(stream: BinaryIO) -> Iterator[TraceChunk]:
    first = stream.read(_CHUNK)
    # A trace that went through a text editor or a version control has lost its CRs.
    bare = b"\n" in first and b"\r\n" not in first
    chunk = first
    while chunk:
        yield TraceChunk(UNKNOWN, chunk.replace(b"\n", b"\r\n") if bare else chunk)
        chunk = stream.read(_CHUNK)


def _recorded(stream: BinaryIO) -> Iterator[TraceChunk]:
    number = 0
    while line := stream.readline(_MAX_LINE):
        number += 1
        if line.strip():
            yield _entry(line, number)


def _entry(line: bytes, number: int) -> TraceChunk:
    try:
        entry = json.loads(line)
        data = entry["raw"].encode() if "raw" in entry else base64.b64decode(entry["base64"], validate=True)
        return TraceChunk(UnixMs(int(entry["at"] * 1000)), data)
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError, binascii.Error) as error:
        raise TraceUnreadable(f"line {number} is no entry of a recording: {type(error).__name__}") from error
