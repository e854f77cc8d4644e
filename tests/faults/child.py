"""`python -m tests.faults.child FOLDER serve …`: the daemon, its clock and resolver in a trial's hands.

Its wall clock (`time.time`) is off by the seconds in FOLDER/clock, eight bytes of shared memory; steady clocks go on.
FOLDER/no-names, while it exists, makes every name unknown. `NAME` alone stands for this machine.
"""

from __future__ import annotations

import mmap
import socket
import struct
import sys
import time
from pathlib import Path
from typing import Any

NAME = "crm.faults.example"
_CLOCK = struct.Struct("d")


class Knobs:
    """The trial's side of the same folder."""

    def __init__(self, folder: Path) -> None:
        self._clock = folder / "clock"
        self._no_names = folder / "no-names"
        self._clock.write_bytes(_CLOCK.pack(0.0))

    def step(self, seconds: float) -> None:
        """Put the daemon's clock so much off the true time, at once. Written in place: the file is mapped."""
        with self._clock.open("r+b") as file:
            file.write(_CLOCK.pack(seconds))

    def names(self, *, known: bool) -> None:
        if known:
            self._no_names.unlink(missing_ok=True)
        else:
            self._no_names.touch()


def launcher(folder: Path) -> tuple[str, ...]:
    """What stands before `serve`."""
    return "-m", "tests.faults.child", str(folder)


def main() -> None:
    folder = Path(sys.argv.pop(1))
    _put_off_the_clock(folder / "clock")
    _put_off_the_names(folder / "no-names")
    from daemon.cli import main as command

    command()


def _put_off_the_clock(path: Path) -> None:
    with path.open("rb") as file:
        shared = mmap.mmap(file.fileno(), _CLOCK.size, access=mmap.ACCESS_READ)
    true_time, true_time_ns = time.time, time.time_ns

    def off() -> float:
        return float(_CLOCK.unpack_from(shared)[0])

    time.time = lambda: true_time() + off()
    time.time_ns = lambda: true_time_ns() + int(off()) * 1_000_000_000


def _put_off_the_names(no_names: Path) -> None:
    true_lookup = socket.getaddrinfo

    def lookup(host: Any, *arguments: Any, **options: Any) -> Any:
        if host != NAME:
            return true_lookup(host, *arguments, **options)
        if no_names.exists():
            raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")
        return true_lookup("127.0.0.1", *arguments, **options)

    socket.getaddrinfo = lookup


if __name__ == "__main__":
    main()
