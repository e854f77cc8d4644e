"""The store cannot be written: the disk is full, or somebody else holds the database's lock."""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import sqlite3
import subprocess
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from tests.faults.stage import Plan, Stage
from tests.faults.tally import Tally
from tests.faults.trial import under_calls

_SIZE = "24m"
_PLAN = Plan(merge="incoming")


async def locked(folder: Path, seed: int, *, seconds: float) -> Tally:
    return await under_calls(folder, seed, partial(lock, seconds), plan=_PLAN)


async def disk_full(folder: Path, seed: int, *, times: int, seconds: float) -> Tally:
    if os.geteuid() != 0:
        return Tally(skipped="a small file system needs root (mount)")
    disk = folder / "disk"
    disk.mkdir()
    try:
        with small_disk(disk):
            plan = Plan(merge="incoming", store_folder=disk)
            return await under_calls(folder, seed, partial(fill, disk, times, seconds), plan=plan)
    except subprocess.CalledProcessError as error:
        return Tally(skipped=f"a small file system cannot be mounted here: {error.stderr.decode().strip()}")


async def lock(seconds: float, stage: Stage, chance: random.Random) -> int:
    other = sqlite3.connect(stage.store, isolation_level=None, timeout=10.0)
    try:
        other.execute("BEGIN EXCLUSIVE")
        await asyncio.sleep(seconds)
    finally:
        other.close()
    return 1


async def fill(disk: Path, times: int, seconds: float, stage: Stage, chance: random.Random) -> int:
    for _ in range(times):
        ballast = disk / "ballast"
        with contextlib.suppress(OSError), ballast.open("wb", buffering=0) as file:
            while True:
                file.write(b"\0" * 4096)
        await asyncio.sleep(seconds)
        ballast.unlink()
        await asyncio.sleep(chance.uniform(1.0, 3.0))
    return times


@contextlib.contextmanager
def small_disk(place: Path) -> Iterator[None]:
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={_SIZE}", "none", place], check=True, capture_output=True)
    try:
        yield
    finally:
        subprocess.run(["umount", place], check=True, capture_output=True)
