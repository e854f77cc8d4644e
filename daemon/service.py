"""`callwarden serve` as its service manager sees it: ready, alive, reloading, stopping (sd_notify(3))."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import structlog
from sdnotify import SystemdNotifier

from daemon.app import Daemon
from daemon.config import Config
from daemon.reload import Reloaded, reload_config
from daemon.watchdog import LOOK_EVERY_S, Watchdog

_LOOKS_IN_A_PERIOD: Final = 4

_log = structlog.get_logger(__name__)


async def serve(path: Path, config: Config) -> None:
    """Until cancelled. Ready is who can keep and deliver what happens: a PBX that is away is not waited for."""
    service = _Service(path, config, SystemdNotifier())
    async with Daemon(config) as daemon:
        await service.run(daemon)


class _Service:
    def __init__(self, path: Path, config: Config, notifier: SystemdNotifier) -> None:
        self._path = path
        self._config = config
        self._notifier = notifier

    async def run(self, daemon: Daemon) -> None:
        watchdog = Watchdog(daemon, self._moving, self._said, every_s=look_every(os.environ))
        self._notify("READY=1")
        beside = (
            asyncio.create_task(_offer_set_up(daemon)),  # a full disk may hold it up, and nothing else
            asyncio.create_task(watchdog.run(), name="watchdog"),
        )
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGHUP, self._reload, daemon)
        try:
            await daemon.run()
        finally:
            loop.remove_signal_handler(signal.SIGHUP)
            self._notify("STOPPING=1\nSTATUS=stopping: what is under way is brought to its end")
            for task in beside:
                task.cancel()

    def _moving(self) -> None:
        self._notify("WATCHDOG=1")

    def _said(self, status: str) -> None:
        self._notify(f"STATUS={status}")

    def _notify(self, message: str) -> None:
        """In UTF-8: the library writes Latin-1, and drops a message that has other letters, READY=1 with it."""
        self._notifier.notify(message.encode("utf-8", "replace").decode("latin-1"))

    def _reload(self, daemon: Daemon) -> None:
        """SIGHUP. What cannot be taken over is named; a configuration that is wrong changes nothing."""
        self._notify(f"RELOADING=1\nMONOTONIC_USEC={time.monotonic_ns() // 1000}")
        result = reload_config(self._path, self._config, daemon)
        self._config = result.config
        _tell(result)
        self._notify(f"READY=1\nSTATUS={result.words}")


def look_every(environ: Mapping[str, str]) -> float:
    """So that some looks fit into what systemd allows between two signs of life (WatchdogSec= of the unit)."""
    allowed, whose = environ.get("WATCHDOG_USEC", ""), environ.get("WATCHDOG_PID", "")
    if not allowed.isdecimal() or int(allowed) == 0 or whose not in ("", str(os.getpid())):
        return LOOK_EVERY_S
    return min(LOOK_EVERY_S, int(allowed) / 1_000_000 / _LOOKS_IN_A_PERIOD)


def _tell(result: Reloaded) -> None:
    if result.error is not None:
        _log.error("configuration_not_reloaded", error=result.error)
    elif result.needs_restart:
        _log.warning("configuration_reloaded", taken=result.taken, needs_restart=result.needs_restart)
    else:
        _log.info("configuration_reloaded", taken=result.taken)


async def _offer_set_up(daemon: Daemon) -> None:
    if (link := await daemon.set_up_link()) is not None:
        sys.stderr.write(f"callwarden: no account yet; make the first admin within 24 hours at {link}\n")
