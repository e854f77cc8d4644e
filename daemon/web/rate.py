"""How often something may be done, by whom: so many times within so long. In memory and bounded."""

from __future__ import annotations

from collections import OrderedDict, deque
from typing import Final

from aiohttp import web

from daemon.call.signals import UnixMs

_KEPT: Final = 10_000


class Rate:
    def __init__(self, most: int, within_ms: int) -> None:
        self._most = most
        self._within_ms = within_ms
        self._times: OrderedDict[str, deque[UnixMs]] = OrderedDict()

    def wait(self, key: str, now: UnixMs) -> int:
        """0: go on, and it counts; else the milliseconds until it may be tried again."""
        times = self._times.setdefault(key, deque())
        self._times.move_to_end(key)
        while times and times[0] <= now - self._within_ms:
            times.popleft()
        if len(times) >= self._most:
            return times[0] + self._within_ms - now
        times.append(now)
        if len(self._times) > _KEPT:
            self._times.popitem(last=False)
        return 0


ORDERS: Final = web.AppKey("orders", Rate)


def orders_of_calls() -> Rate:
    """Ten calls a minute are more than a person makes, and too few to hunt with."""
    return Rate(10, 60_000)
