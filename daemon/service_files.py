"""The files by which systemd runs the daemon: they stand in `systemd/`, here they learn where this one is installed."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from daemon.errors import CallwardenError, ConfigError

PACKAGED: Final = "/usr/bin/callwarden"
"""Where the unit of the Debian package finds the command."""

NEXT_STEPS: Final = (
    "systemd-sysusers && systemd-tmpfiles --create && systemctl daemon-reload",
    "edit /etc/callwarden/callwarden.toml; write the PBX's secret to /etc/callwarden/secrets/main",
    "systemd-tmpfiles --create && systemctl enable --now callwarden",
    "systemctl status callwarden; journalctl -u callwarden shows the link that makes the first admin",
)

_DAEMON: Final = Path(__file__).parent
_FOLDERS: Final = (_DAEMON / "systemd", _DAEMON.parent / "systemd")
_HIDDEN: Final = ("/home", "/root", "/run/user", "/tmp", "/var/tmp")  # noqa: S108 - by ProtectHome= and PrivateTmp=


@dataclass(frozen=True, slots=True)
class ServiceFile:
    """`keep`: what an operator has written there stays. No text: a folder."""

    path: Path
    text: str | None
    mode: int = 0o644
    keep: bool = False


def service_files(command: Path) -> tuple[ServiceFile, ...]:
    """For the daemon whose command this is."""
    unit = _read("callwarden.service").replace(f"ExecStart={PACKAGED} ", f"ExecStart={_usable(command)} ")
    return (
        ServiceFile(Path("/etc/systemd/system/callwarden.service"), unit),
        ServiceFile(Path("/etc/sysusers.d/callwarden.conf"), _read("callwarden.sysusers")),
        ServiceFile(Path("/etc/tmpfiles.d/callwarden.conf"), _read("callwarden.tmpfiles")),
        ServiceFile(Path("/etc/callwarden/callwarden.toml"), _read("callwarden.toml"), 0o640, keep=True),
        ServiceFile(Path("/etc/callwarden/secrets"), None, 0o700, keep=True),
    )


def install(files: Sequence[ServiceFile], root: Path) -> list[Path]:
    """Write what is not there yet or differs; returns what was written. A file is never there by half."""
    written = []
    for file in files:
        target = root / file.path.relative_to("/")
        if file.text is None:
            if not target.is_dir():
                target.mkdir(parents=True)
                target.chmod(file.mode)
                written.append(target)
        elif _differs(target, file):
            _write(target, file.text, file.mode)
            written.append(target)
    return written


def this_command() -> Path:
    """The command that runs now, or the one beside this interpreter."""
    called = Path(sys.argv[0]).absolute()
    return called if called.name == "callwarden" else Path(sys.executable).with_name("callwarden")


def _usable(command: Path) -> Path:
    if not command.is_absolute() or not os.access(command, os.X_OK):
        raise ConfigError(f"{command}: is no command that can be run; install the package, or name it by --command")
    if any(command.is_relative_to(hidden) for hidden in _HIDDEN):
        raise ConfigError(f"{command}: the service sees no files of people; install it below /opt, or use --command")
    if not str(command).isprintable() or any(char in str(command) for char in " \"'\\%$;"):
        raise ConfigError(f"{command}: a unit file cannot name this path plainly; install it in another folder")
    return command


def _read(name: str) -> str:
    folder = next((folder for folder in _FOLDERS if folder.is_dir()), _FOLDERS[0])
    return (folder / name).read_text("utf-8")


def _differs(target: Path, file: ServiceFile) -> bool:
    return not target.exists() or (not file.keep and target.read_text("utf-8", "replace") != file.text)


def _write(target: Path, text: str, mode: int) -> None:
    beside = target.with_name(f".{target.name}.new")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        beside.write_text(text, "utf-8")
        beside.chmod(mode)
        beside.replace(target)
    except OSError as error:
        raise CallwardenError(
            f"{target}: cannot be written ({error.strerror}); run it as root, or use --root"
        ) from error
