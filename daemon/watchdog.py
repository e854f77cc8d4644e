"""Says whether the parts without which nothing works still move: the task that owns the calls, the store, each link.

It only looks. What waits for the world outside moves as long as it tries again: a PBX that is away, a full disk or a
locked database are no reason to be killed, because a restart would not help and would lose what waits in memory.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, Protocol

import structlog

from daemon.ami.link import AmiLink
from daemon.call.model import PbxName
from daemon.dispatch import Dispatcher
from daemon.store.store import Store

LOOK_EVERY_S: Final = 10.0
_FIRST_PAUSE_S: Final = 2.0  # by then the PBXs have answered, and whoever started the service looks at its status

_log = structlog.get_logger(__name__)


class Parts(Protocol):
    """What is looked at: the daemon's."""

    @property
    def links(self) -> Mapping[PbxName, AmiLink]: ...
    @property
    def dispatcher(self) -> Dispatcher: ...
    @property
    def store(self) -> Store: ...


@dataclass(frozen=True, slots=True)
class Sight:
    """One look. `steps` count what was done, `waits` whether there is something to do."""

    owner_steps: int
    owner_waits: bool
    owner_full: bool
    store_steps: int
    store_waits: bool
    overdue: tuple[str, ...]


def look(parts: Parts, now: float) -> Sight:
    queue, writer = parts.dispatcher.queue, parts.store.writer
    return Sight(
        owner_steps=parts.dispatcher.taken,
        owner_waits=not queue.empty(),
        owner_full=queue.full(),
        store_steps=writer.numbers.commits + writer.numbers.failed_attempts,
        store_waits=writer.busy or writer.waiting > 0,
        overdue=tuple(name for name, link in parts.links.items() if now > link.alive_until),
    )


def stuck(before: Sight, now: Sight, *, store_full: bool) -> list[str]:
    """What did not move between two looks. Who waits for another part is not to blame: that part is."""
    found = []
    if before.store_waits and now.store_waits and before.store_steps == now.store_steps:
        found.append("store")
    if before.owner_waits and now.owner_waits and before.owner_steps == now.owner_steps and not store_full:
        found.append("dispatcher")
    if not now.owner_full:
        found += [f"pbx {name}" for name in now.overdue]
    return found


class Watchdog:
    """`run` looks every `every_s` seconds and tells `moving` when all is well, `said` how things are."""

    def __init__(
        self,
        parts: Parts,
        moving: Callable[[], None],
        said: Callable[[str], None],
        *,
        every_s: float = LOOK_EVERY_S,
    ) -> None:
        self._parts = parts
        self._moving = moving
        self._said = said
        self._every_s = every_s
        self._stuck: list[str] = []

    async def run(self) -> None:
        before: Sight | None = None
        pause = min(_FIRST_PAUSE_S, self._every_s)
        while True:
            now = look(self._parts, time.monotonic())
            if before is None or not self._hangs(before, now):
                before = now  # else the next look is compared with the same one: only a step since then counts
                self._said(status_line(self._parts))
                self._moving()
            await asyncio.sleep(pause)
            pause = self._every_s

    def _hangs(self, before: Sight, now: Sight) -> bool:
        writer = self._parts.store.writer
        found = stuck(before, now, store_full=writer.waiting >= writer.capacity)
        if found != self._stuck:
            if found:
                _log.error("part_stuck", parts=found)
            else:
                _log.info("part_moves_again", parts=self._stuck)
            self._stuck = found
        if found:
            self._said(f"STUCK: {', '.join(found)}; {status_line(self._parts)}")
        return bool(found)


def status_line(parts: Parts) -> str:
    """For `systemctl status`: how many calls, how each PBX is, whether the store takes writes."""
    living = sum(parts.dispatcher.living().values())
    links = (f"{name} {link.state.value}" for name, link in parts.links.items())
    disk = () if parts.store.writer.healthy else ("the store refuses writes",)
    return "; ".join((f"live calls: {living}", *links, *disk))
