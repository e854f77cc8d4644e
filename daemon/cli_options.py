"""What several commands share: the option of the configuration file, and who it is that types."""

from __future__ import annotations

import getpass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from daemon.call.signals import UnixMs
    from daemon.store.audit import By

ConfigFile = Annotated[Path, typer.Option("--config", help="The configuration file (TOML).", dir_okay=False)]
MaybeConfigFile = Annotated[Path | None, typer.Option("--config", help="The configuration file (TOML).")]


def operator(now: UnixMs) -> By:
    """The system's user, as the audit log keeps one who changes things by command."""
    from daemon.store.audit import By

    try:
        user = getpass.getuser()
    except (KeyError, OSError):  # a container's user may have no name
        user = "unknown"
    return By(f"command:{user}", now)
