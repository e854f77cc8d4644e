"""A Debian with a systemd of its own, booted in namespaces. It shares only the network with this machine."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import signal
import subprocess
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

BOOT_S = 60.0
MAKE_S = 300.0

# A pivot instead of a chroot: in a chroot the kernel allows no user namespaces (PrivateUsers=). Shared mounts: else the
# credentials that systemd mounts for a service stay invisible to it.
_BOOT = """
set -e
mount --make-rprivate /
mount --bind "$1" "$1"
mount -t proc proc "$1/proc"
mount -t tmpfs tmpfs "$1/run"
mkdir -p "$1/run/lock" "$1/.old"
mount --rbind /sys "$1/sys"
mount --rbind /dev "$1/dev"
cd "$1"
pivot_root . .old
umount -l /.old
mount --make-rshared /
exec env -i container=other PATH=/usr/sbin:/usr/bin:/sbin:/bin /lib/systemd/systemd --unit=basic.target
"""
_NAMESPACES = ("--pid", "--mount", "--uts", "--ipc", "--cgroup")


class NoMachine(Exception):
    """It cannot be made or booted here."""


@dataclass(frozen=True, slots=True)
class Machine:
    """`pid` is its systemd as this machine numbers it."""

    root: Path
    pid: int

    async def run(self, *command: object, check: bool = True) -> str:
        """What a command in it printed."""
        process = await asyncio.create_subprocess_exec(
            "nsenter", f"--target={self.pid}", *_NAMESPACES, "--root", "--wd", *map(str, command), stdout=-1, stderr=-2
        )
        out, _ = await asyncio.wait_for(process.communicate(), 120)
        assert process.returncode == 0 or not check, out.decode()
        return out.decode()


def make_root(root: Path, suite: str) -> None:
    if shutil.which("mmdebstrap") is None:
        raise NoMachine("no mmdebstrap: apt-get install mmdebstrap")
    command = (
        "mmdebstrap", "--variant=minbase", "--include=systemd,systemd-sysv,python3",
        '--aptopt=Acquire::Check-Valid-Until "false"', suite, root,
    )  # fmt: skip
    done = subprocess.run([*map(str, command)], check=False, capture_output=True, text=True, timeout=MAKE_S)
    if done.returncode:
        raise NoMachine(f"mmdebstrap: {done.stderr.strip().splitlines()[-1]}")


@contextlib.asynccontextmanager
async def booted(root: Path) -> AsyncIterator[Machine]:
    """Until the end of the block, then everything in it is killed with its systemd."""
    unshared = await asyncio.create_subprocess_exec(
        "unshare", "--fork", "--kill-child", *_NAMESPACES, "bash", "-c", _BOOT, "bash", str(root),
        stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    try:
        yield await _up(root, unshared)
    finally:
        if unshared.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(unshared.pid, signal.SIGKILL)
            await unshared.wait()


async def _up(root: Path, unshared: asyncio.subprocess.Process) -> Machine:
    end = asyncio.get_running_loop().time() + BOOT_S
    while asyncio.get_running_loop().time() < end and unshared.returncode is None:
        await asyncio.sleep(0.3)
        children = Path(f"/proc/{unshared.pid}/task/{unshared.pid}/children").read_text().split()  # noqa: ASYNC240
        if children:
            machine = Machine(root, int(children[0]))
            if "running" in await machine.run("systemctl", "is-system-running", check=False):
                return machine
    raise NoMachine("systemd does not boot in namespaces here")
