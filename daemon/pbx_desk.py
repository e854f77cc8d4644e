"""All configured PBXs as the web sees them: their state, what they have, what to paste, what was checked.

It stands beside the flow: it asks over the same links, in its own time, and never touches call state.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Final

from daemon.ami.checkup import Checkup
from daemon.ami.event_rate import LONG_S, SAMPLE_EVERY_S, SHORT_S, EventRate
from daemon.ami.explore import Wanted, explore
from daemon.ami.link import AmiLink
from daemon.ami.snippets import snippets
from daemon.ami.trouble import words
from daemon.call.model import PbxName
from daemon.call.signals import UnixMs
from daemon.pbx import Finding, Inventory, PbxState, Snippet

FRESH_S: Final = 5.0

Rung = Callable[[PbxName], Mapping[str, UnixMs]]


class PbxDesk:
    """`rung` tells which endpoints of no agent a PBX made ring lately. Give `watch` a task."""

    def __init__(self, links: Mapping[PbxName, AmiLink], rung: Rung) -> None:
        self._desks = {name: _OnePbx(name, link, rung) for name, link in links.items()}

    async def watch(self) -> None:
        """Sample the counters of events, for ever."""
        while True:
            for desk in self._desks.values():
                desk.rate.sample(time.monotonic(), desk.link.counters.events)
            await asyncio.sleep(SAMPLE_EVERY_S)

    def states(self) -> Sequence[PbxState]:
        return [desk.state() for desk in self._desks.values()]

    def state(self, name: str) -> PbxState | None:
        desk = self._desks.get(PbxName(name))
        return desk.state() if desk else None

    async def inventories(self, known: Collection[str]) -> Sequence[Inventory]:
        """What every PBX has; `known` endpoints belong to agents. One that is down or slow only has problems."""
        return await asyncio.gather(*(desk.inventory(known) for desk in self._desks.values()))

    async def snippets(self, name: str) -> Sequence[Snippet] | None:
        desk = self._desks.get(PbxName(name))
        return await snippets(desk.link) if desk else None

    async def check(self, name: str) -> Sequence[Finding] | None:
        desk = self._desks.get(PbxName(name))
        return await desk.checkup.run() if desk else None


class _OnePbx:
    def __init__(self, name: PbxName, link: AmiLink, rung: Rung) -> None:
        self.link = link
        self.rate = EventRate()
        self.checkup = Checkup(link)
        self._name = name
        self._rung = rung
        self._asking = asyncio.Lock()
        self._inventory: tuple[float, Inventory] | None = None

    def state(self) -> PbxState:
        link, config, failure = self.link, self.link.config, self.link.last_failure
        return PbxState(
            name=self._name,
            kind="asterisk",
            host=config.host,
            port=config.port,
            state=link.state.value,
            connected_since=link.connected_since,
            version=link.version,
            events_per_second=self.rate.per_second(SHORT_S),
            events_per_second_minute=self.rate.per_second(LONG_S),
            last_error=words(failure.error, config) if failure else None,
            last_error_at=failure.at if failure else None,
            counters=self._counters(),
        )

    async def inventory(self, known: Collection[str]) -> Inventory:
        """Asked at most once in `FRESH_S`, however many want it."""
        async with self._asking:
            if self._inventory is None or time.monotonic() - self._inventory[0] > FRESH_S:
                found = await explore(self._name, self.link.actions, Wanted(known, self._rung(self._name)))
                self._inventory = time.monotonic(), found
            return self._inventory[1]

    def _counters(self) -> dict[str, int]:
        link, read = self.link, self.link.counters
        return {
            "logins": link.logins,
            "pauses": link.pauses,
            "bytes": read.bytes,
            "events": read.events,
            "events_not_used": read.dropped,
            "protocol_errors": read.protocol_errors,
            "handler_errors": read.handler_errors,
            "odd_messages": read.odd,
            "incomplete_lists": read.incomplete_lists,
            "forged_events": read.forged,
            "malformed_events": read.malformed.total(),
        }
