"""Slows down those who guess passwords. It must never keep an account's owner out: an account alone has no limit.

Failures are counted for each pair of account and address, and for each address; beyond a few free ones every further
attempt costs a wait that doubles. An address from which an account was entered before is not held up for that account
by what its neighbours do. Everything is in memory and bounded; the oldest is forgotten first.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from aiohttp import web

from daemon.call.signals import UnixMs
from daemon.web.remote import neighbourhood

_FORGET_MS: Final = 3_600_000
_KEPT: Final = 10_000

T = TypeVar("T")
_Pair = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Patience:
    """How many failures are free, and how long the longest wait is."""

    free: int
    longest_ms: int


PAIR: Final = Patience(free=5, longest_ms=300_000)
ADDRESS: Final = Patience(free=30, longest_ms=60_000)  # an office behind one address mistypes more


@dataclass(slots=True)
class _Record:
    failures: int
    last: UnixMs

    def wait(self, patience: Patience, now: UnixMs) -> int:
        over = self.failures - patience.free
        pause = 0 if over < 0 else min(1000 << min(over, 20), patience.longest_ms)
        return max(0, self.last + pause - now)


class Brake:
    """`begin` before a password is looked at, `succeeded` when it was right."""

    def __init__(self, kept: int = _KEPT) -> None:
        self._kept = kept
        self._pairs: OrderedDict[_Pair, _Record] = OrderedDict()
        self._addresses: OrderedDict[str, _Record] = OrderedDict()
        self._welcome: OrderedDict[_Pair, None] = OrderedDict()

    def begin(self, account: str, remote: str, now: UnixMs) -> int:
        """0: go on, and it counts as failed until it succeeds (so a hundred at once are not a hundred free ones).

        Else the milliseconds to wait; asking too early costs nothing more.
        """
        pair = (account, neighbourhood(remote))
        wait = _wait(self._pairs, pair, PAIR, now)
        if pair not in self._welcome:
            wait = max(wait, _wait(self._addresses, pair[1], ADDRESS, now))
        if wait == 0:
            self._count(self._pairs, pair, now)
            self._count(self._addresses, pair[1], now)
        return wait

    def succeeded(self, account: str, remote: str) -> None:
        pair = (account, neighbourhood(remote))
        self._pairs.pop(pair, None)
        if (record := self._addresses.get(pair[1])) is not None:
            record.failures -= 1  # this attempt; those of others at the address stay
        self._welcome[pair] = None
        self._welcome.move_to_end(pair)
        _shorten(self._welcome, self._kept)

    def __len__(self) -> int:
        return len(self._pairs) + len(self._addresses) + len(self._welcome)

    def _count(self, records: OrderedDict[T, _Record], key: T, now: UnixMs) -> None:
        record = records.setdefault(key, _Record(0, now))
        record.failures, record.last = record.failures + 1, now
        records.move_to_end(key)
        _shorten(records, self._kept)


def _wait(records: OrderedDict[T, _Record], key: T, patience: Patience, now: UnixMs) -> int:
    record = records.get(key)
    if record is not None and now - record.last >= _FORGET_MS:
        del records[key]
        record = None
    return record.wait(patience, now) if record else 0


def _shorten(kept: OrderedDict[Any, Any], most: int) -> None:
    while len(kept) > most:
        kept.popitem(last=False)


BRAKE: Final = web.AppKey("brake", Brake)
