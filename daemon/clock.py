"""The date and time of this machine, asked for by the wiring and by commands and handed on as an argument."""

from __future__ import annotations

import time

from daemon.call.signals import UnixMs


def now_ms() -> UnixMs:
    return UnixMs(time.time_ns() // 1_000_000)
