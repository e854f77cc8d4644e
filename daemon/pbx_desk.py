"""All configured PBXs as the web sees them: their state, what they have, what to paste, what was checked.

It stands beside the flow: it asks over the same links, in its own time, and never touches call state.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from daemon.ami.checkup import Checkup
from daemon.ami.event_rate import LONG_S, SAMPLE_EVERY_S, SHORT_S, EventRate
from daemon.ami.explore import Wanted, explore
from daemon.ami.link import AmiLink
from daemon.ami.manager_conf import Wishes
from daemon.ami.snippets import snippets
from daemon.ami.trouble import words
from daemon.call.model import PbxName
from daemon.call.signals import UnixMs
from daemon.pbx import CatchUpState, Finding, Inventory, PbxState, Snippet
from daemon.policy.call_settings import CallSettings

FRESH_S: Final = 5.0
UNTOLD_S: Final = 60.0  # a PBX that hangs takes seconds to ask, which not every visitor should wait for

Rung = Callable[[PbxName], Mapping[str, UnixMs]]
Look = Callable[[PbxName], Awaitable[Sequence[Finding]]]


def _nothing_read(_: PbxName) -> None:
    """Where no records are read."""


class PbxDesk:
    """`rung` tells which endpoints of no agent a PBX made ring lately; `settings` what is wanted of its rights;
    `ringtones` what was found of those there.

    Give `watch` a task.
    """

    def __init__(
        self,
        links: Mapping[PbxName, AmiLink],
        rung: Rung,
        settings: Callable[[], CallSettings],
        ringtones: Look,
        catch_up: Callable[[PbxName], CatchUpState | None] = _nothing_read,
    ) -> None:
        self._ringtones = ringtones
        self._desks = {name: _OnePbx(name, link, rung, catch_up) for name, link in links.items()}
        self._settings = settings

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

    async def inventories(self, known: Collection[str], *, again: bool = False) -> Sequence[Inventory]:
        """What every PBX has; `known` endpoints belong to agents. One that is down or slow only has problems."""
        return await asyncio.gather(*(desk.inventory(known, again=again) for desk in self._desks.values()))

    async def snippets(self, name: str) -> Sequence[Snippet] | None:
        desk = self._desks.get(PbxName(name))
        return await snippets(desk.link, self._wishes()) if desk else None

    async def check(self, name: str) -> Sequence[Finding] | None:
        known = PbxName(name)
        return [*await self.check_link(known), *await self.check_ringtones(known)] if known in self._desks else None

    async def check_link(self, name: PbxName) -> Sequence[Finding]:
        """Of a PBX that is configured: its link and what the manager user may."""
        return await self._desks[name].checkup.run(self._wishes())

    async def check_ringtones(self, name: PbxName) -> Sequence[Finding]:
        """The same of its dialplan and its table of ringtones."""
        return await self._ringtones(name)

    def _wishes(self) -> Wishes:
        settings = self._settings()
        return Wishes(phone_messages=settings.notify_incoming_calls and settings.notify_phone_message)


@dataclass(frozen=True, slots=True)
class _Kept:
    """An answer, and when it was asked for and came."""

    inventory: Inventory
    begun: float
    ended: float
    login: tuple[str, int]

    def serves(self, wanted_at: float, login: tuple[str, int], *, again: bool) -> bool:
        """Whoever came while it was asked for is served by it in any case."""
        if self.ended >= wanted_at:
            return self.begun >= wanted_at or not again
        age = time.monotonic() - self.ended
        if not self.inventory.problems or again:
            return age <= FRESH_S and not again
        return age <= UNTOLD_S and login == self.login


class _OnePbx:
    def __init__(
        self, name: PbxName, link: AmiLink, rung: Rung, catch_up: Callable[[PbxName], CatchUpState | None]
    ) -> None:
        self.link = link
        self._catch_up = catch_up
        self.rate = EventRate()
        self.checkup = Checkup(link)
        self._name = name
        self._rung = rung
        self._asking = asyncio.Lock()
        self._kept: _Kept | None = None

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
            catch_up=self._catch_up(self._name),
            counters=self._counters(),
        )

    async def inventory(self, known: Collection[str], *, again: bool = False) -> Inventory:
        """Asked at most once in `FRESH_S`, however many want it; after a failure in `UNTOLD_S`, unless `again`."""
        wanted_at = time.monotonic()
        async with self._asking:
            kept = self._kept
            if kept is None or not kept.serves(wanted_at, self._login(), again=again):
                begun, login = time.monotonic(), self._login()
                found = await explore(self._name, self.link.actions, Wanted(known, self._rung(self._name)))
                self._kept = kept = _Kept(found, begun, time.monotonic(), login)
            return kept.inventory

    def _login(self) -> tuple[str, int]:
        """Another one: what the PBX did not tell before it may tell now."""
        return self.link.state.value, self.link.logins

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
