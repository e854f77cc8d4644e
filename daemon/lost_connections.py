"""Looks at the channels under suspicion, and has the PBX hang up those that the policy says so. Off the owner's task.

What it sees goes back to the tracker as signals. It asks about no healthy call, and never faster than its rate.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Final, Protocol

import structlog

from daemon.ami.clock import steady_ms
from daemon.ami.failures import ActionRefused, ActionTimeout, InjectionRefused, LinkLost
from daemon.ami.link import AmiLink, LinkState
from daemon.ami.lost_connection import count_packets
from daemon.call.lost_connection import LOST_CAUSE
from daemon.call.model import ConnectionLoss, PbxName
from daemon.call.signals import ChannelId, HangUpOrdered, Signal, SteadyMs, UnixMs
from daemon.policy.decision import HangUpCall

_LOOK_EVERY_S: Final = 0.25
_LOOKS_PER_SECOND: Final = 400  # of up to three questions of 0.2 ms: a quarter of one processor of the PBX at most
_HANGUPS_PER_SECOND: Final = 200
_AT_ONCE: Final = 20
_NOT_AGAIN_S: Final = 10.0
_REST_S: Final = 5.0

_log = structlog.get_logger(__name__)


class Flow(Protocol):
    """What the dispatcher gives."""

    def suspects(self, pbx: PbxName, now: SteadyMs) -> list[ChannelId]: ...

    def loss_of(self, pbx: PbxName, channel: ChannelId) -> ConnectionLoss | None: ...

    async def tell(self, pbx: PbxName, signal: Signal) -> None: ...


class LostConnections:
    """Give `watch` a task; `hang_up` takes decisions of the policy and returns at once."""

    def __init__(self, links: Mapping[PbxName, AmiLink], flow: Callable[[], Flow], clock: Callable[[], UnixMs]) -> None:
        self._watched = {name: _Watch(name, link, flow, clock) for name, link in links.items()}

    def hang_up(self, decision: HangUpCall) -> None:
        if (watched := self._watched.get(decision.call.pbx)) is not None:
            watched.order(decision.channel)

    async def watch(self) -> None:
        """Each PBX by itself: one that does not answer keeps no other waiting."""
        async with asyncio.TaskGroup() as tasks:
            for watched in self._watched.values():
                tasks.create_task(watched.look())
                tasks.create_task(watched.act())


class _Watch:
    """One PBX. A channel's id is the PBX's own and never used again, so an order cannot hit another call."""

    def __init__(self, name: PbxName, link: AmiLink, flow: Callable[[], Flow], clock: Callable[[], UnixMs]) -> None:
        self._name = name
        self._link = link
        self._flow = flow
        self._clock = clock
        self._wanted: dict[ChannelId, None] = {}
        self._asked: dict[ChannelId, float] = {}
        self._rests: dict[ChannelId, float] = {}
        """Until when not to ask about a channel of which no answer came."""
        self._work = asyncio.Event()

    def order(self, channel: ChannelId) -> None:
        """The policy says it at each look; it is done once, and again only where the PBX did not do it."""
        if time.monotonic() - self._asked.get(channel, -math.inf) >= _NOT_AGAIN_S:
            self._wanted[channel] = None
            self._work.set()

    async def look(self) -> None:
        while True:
            await asyncio.sleep(_LOOK_EVERY_S)
            if self._link.state is LinkState.CONNECTED and not self._link.is_paused:
                with self._guarded():
                    await _paced(self._suspects(), self._count, _LOOKS_PER_SECOND)

    async def act(self) -> None:
        while True:
            await self._work.wait()
            self._work.clear()
            wanted, self._wanted = list(self._wanted), {}
            now = time.monotonic()
            self._asked = {name: at for name, at in self._asked.items() if now - at < _NOT_AGAIN_S}
            self._asked |= dict.fromkeys(wanted, now)
            with self._guarded():
                await _paced(wanted, self._hang_up, _HANGUPS_PER_SECOND)

    def _suspects(self) -> list[ChannelId]:
        now = time.monotonic()
        self._rests = {name: until for name, until in self._rests.items() if until > now}
        return [one for one in self._flow().suspects(self._name, steady_ms()) if one not in self._rests]

    @contextmanager
    def _guarded(self) -> Iterator[None]:
        """A bug of ours, or a channel with a strange name, ends one look, not the daemon."""
        try:
            yield
        except Exception:  # noqa: BLE001 - see above
            _log.exception("lost_connections_broke", pbx=self._name)

    async def _count(self, channel: ChannelId) -> None:
        thoroughly = self._flow().loss_of(self._name, channel) is None
        try:
            counted = await count_packets(self._link.actions, channel, self._clock, thoroughly=thoroughly)
        except (LinkLost, ActionTimeout, InjectionRefused):  # nothing was seen, so nothing is said
            self._rests[channel] = time.monotonic() + _REST_S
            return
        if not self._link.is_paused:
            await self._flow().tell(self._name, counted)

    async def _hang_up(self, channel: ChannelId) -> None:
        if (loss := self._flow().loss_of(self._name, channel)) is None:
            return  # heard again while this waited
        await self._flow().tell(self._name, HangUpOrdered(self._clock(), channel))
        try:
            await self._link.actions.hangup(channel, LOST_CAUSE)
        except (LinkLost, ActionTimeout, ActionRefused, InjectionRefused) as error:
            if isinstance(error, ActionRefused):
                await self._flow().tell(self._name, HangUpOrdered(self._clock(), channel, refused=True))
            _log.warning("lost_call_not_hung_up", pbx=self._name, channel=channel, reason=str(error))
            return
        _log.info("lost_call_hung_up", pbx=self._name, channel=channel, side=loss.side.value, lost_at=loss.since)


async def _paced(channels: list[ChannelId], work: Callable[[ChannelId], Awaitable[None]], per_second: int) -> None:
    """A few at once, and no more in a second than that."""
    for start in range(0, len(channels), _AT_ONCE):
        group = channels[start : start + _AT_ONCE]
        began = time.monotonic()
        await asyncio.gather(*map(work, group))
        if (left := len(group) / per_second - (time.monotonic() - began)) > 0:
            await asyncio.sleep(left)
