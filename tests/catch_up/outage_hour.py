"""An hour with more than 500 real calls, made of the recorded day: moved in time, with customers who come again."""

from __future__ import annotations

import gzip
import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from daemon.ami.signal_table import SIGNAL_TABLE
from tests.call.recorded import Recording
from tests.catch_up.recorded_day import FOLDER

ROUNDS = 5
ROUND_S = 600
_EPOCH = re.compile(rb"\b17953[0-9]{5}(?=[.|])")
_WRITTEN = re.compile(rb"2026-11-22 [0-9:]{8}")
_EVENT = re.compile(rb"Event: (\w+)")


def write_hour(folder: Path, day: Sequence[Recording], begins: int) -> list[Path]:
    """Write `Master.csv` and `queue_log` as the PBX would have; returned are the traces of a daemon that listened.

    `begins` is a Unix second.
    """
    first = min(int(one.truth["started_at"]) for one in day)
    traces = []
    files = {name: (folder / name).open("wb") for name in ("Master.csv", "queue_log")}
    for number in range(ROUNDS):
        move = _Move(begins + number * ROUND_S - first, number)
        for one in day:
            files["Master.csv"].write(move(_read(f"{one.name}.csv")))
            files["queue_log"].write(move(_read(f"{one.name}.queue_log")))
        trace = folder / f"{number}.ami"
        trace.write_bytes(
            move(b"".join(_used(gzip.decompress(part.read_bytes())) for one in day for part in one.parts))
        )
        traces.append(trace)
    for file in files.values():
        file.close()
    return traces


class _Move:
    def __init__(self, seconds: int, number: int) -> None:
        self._seconds = seconds
        self._customers = b"+8490%d" % (1 if number % 2 == 0 else 7)  # every second round is of other customers

    def __call__(self, data: bytes) -> bytes:
        data = _EPOCH.sub(lambda found: b"%d" % (int(found[0]) + self._seconds), data)
        data = _WRITTEN.sub(lambda found: self._later(found[0].decode()).encode(), data)
        return data.replace(b"+84901", self._customers)

    def _later(self, text: str) -> str:
        moment = datetime.strptime(text, "%Y-%m-%d %H:%M:%S").replace(tzinfo=UTC) + timedelta(seconds=self._seconds)
        return f"{moment:%Y-%m-%d %H:%M:%S}"


def _read(name: str) -> bytes:
    return (FOLDER / name).read_bytes()


def _used(trace: bytes) -> bytes:
    """Only the events that mean something: five times a day of bytes would take long to read."""
    kept = [
        block
        for block in trace.split(b"\r\n\r\n")
        if (found := _EVENT.search(block)) is not None and found[1] in SIGNAL_TABLE
    ]
    return b"".join(block + b"\r\n\r\n" for block in kept)
