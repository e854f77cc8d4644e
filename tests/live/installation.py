"""Finds a real Asterisk: the one on PATH, or a Debian root file system made once and kept in a cache."""

from __future__ import annotations

import fcntl
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

DEFAULT_MAJOR = int(os.environ.get("CALLWARDEN_ASTERISK", "22"))
# Which Debian suite carries which Asterisk.
SUITES = {16: "bullseye", 22: "sid"}
MAKE_ROOT_SECONDS = 600


class LiveUnavailable(Exception):
    """The live bench cannot run on this machine."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Installation:
    """An Asterisk that can be started: on this machine (`root` None) or inside a root file system."""

    root: Path | None
    version: str

    def command(self, *arguments: str) -> list[str]:
        """The command line which runs `asterisk` with these arguments."""
        if self.root is None:
            return ["asterisk", *arguments]
        return ["chroot", str(self.root), "/usr/sbin/asterisk", *arguments]

    def inside(self, path: Path) -> Path:
        """A path of this machine as Asterisk sees it."""
        return path if self.root is None else Path("/") / path.relative_to(self.root)

    @property
    def temp_folder(self) -> Path:
        """A folder of this machine which Asterisk sees too."""
        return Path(tempfile.gettempdir()) if self.root is None else self.root / "tmp"


def find(major: int | None = None) -> Installation:
    """The Asterisk to test with; `major` asks for one version. Raises LiveUnavailable."""
    on_path = _on_path()
    if on_path and (major is None or _major(on_path.version) == major):
        return on_path
    return _in_root(_root_folder(major or DEFAULT_MAJOR), major or DEFAULT_MAJOR)


def _on_path() -> Installation | None:
    if shutil.which("asterisk") is None:
        return None
    return Installation(root=None, version=_version(["asterisk", "-V"]))


def _root_folder(major: int) -> Path:
    given = os.environ.get("CALLWARDEN_ASTERISK_ROOT")
    if given:
        return Path(given)
    cache = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    return Path(cache).expanduser() / "callwarden" / f"asterisk-{major}"


def _in_root(root: Path, major: int) -> Installation:
    if os.geteuid() != 0:
        raise LiveUnavailable("no asterisk on PATH, and a root file system needs root (chroot)")
    asterisk = root / "usr/sbin/asterisk"
    if not asterisk.exists():
        with _alone(root):
            if not asterisk.exists():
                _make_root(root, major)
    version = _version(["chroot", str(root), "/usr/sbin/asterisk", "-V"])
    if os.environ.get("CALLWARDEN_ASTERISK_ROOT") is None and _major(version) != major:
        raise LiveUnavailable(f"wanted Asterisk {major}, but {root} holds {version}; remove it")
    return Installation(root=root, version=version)


@contextmanager
def _alone(root: Path) -> Iterator[None]:
    """Tests run in several processes, and one root is enough."""
    root.parent.mkdir(parents=True, exist_ok=True)
    with root.with_name(f"{root.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _make_root(root: Path, major: int) -> None:
    """Make the root beside its place and rename it, so that a half-made one is never taken."""
    if shutil.which("mmdebstrap") is None:
        raise LiveUnavailable("no asterisk on PATH and no mmdebstrap: apt-get install mmdebstrap")
    if major not in SUITES:
        raise LiveUnavailable(f"no Debian suite is known for Asterisk {major}")
    unfinished = root.with_name(f"{root.name}.{os.getpid()}")
    command = [
        "mmdebstrap",
        "--variant=minbase",
        "--include=asterisk,asterisk-modules,asterisk-core-sounds-en",
        # An archive copy may be older than its own validity date; its signature is still checked.
        '--aptopt=Acquire::Check-Valid-Until "false"',
        SUITES[major],
        str(unfinished),
    ]
    try:
        subprocess.run(command, check=True, capture_output=True, text=True, timeout=MAKE_ROOT_SECONDS)
    except (subprocess.SubprocessError, OSError) as error:
        shutil.rmtree(unfinished, ignore_errors=True)
        detail = str(getattr(error, "stderr", None) or error).strip().splitlines()[-1]
        raise LiveUnavailable(f"mmdebstrap could not make Asterisk {major}: {detail}") from error
    _put_in_place(unfinished, root)


def _put_in_place(made: Path, root: Path) -> None:
    try:
        made.rename(root)
    except OSError:
        # Somebody else was faster: theirs is as good.
        shutil.rmtree(made, ignore_errors=True)


def _version(command: list[str]) -> str:
    try:
        answer = subprocess.run(command, check=True, capture_output=True, text=True, timeout=30)
    except (subprocess.SubprocessError, OSError) as error:
        raise LiveUnavailable(f"asterisk does not run: {error}") from error
    found = re.search(r"\d+\.\d+(\.\d+)?", answer.stdout)
    if not found:
        raise LiveUnavailable(f"asterisk tells no version: {answer.stdout!r}")
    return found.group()


def _major(version: str) -> int:
    return int(version.split(".", maxsplit=1)[0])
