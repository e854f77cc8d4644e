"""Which agents are paused in the PBXs' queues: read at each connect, followed by events, changed for the desk.

The PBX is the truth; what is kept (`agent_times`) is only what it was. After a call an agent is paused for as long as
the PBX's configuration says (wrap-up), and comes back by himself.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

import structlog

from daemon.acts import WRAP_UP, AgentState, Availability, CannotAct
from daemon.ami.failures import ActionRefused, ActionTimeout, LinkLost
from daemon.ami.link import AmiLink
from daemon.ami.phone_acts import not_connected
from daemon.ami.queue_members import Membership, memberships, no_queue, pause
from daemon.call.directory import Directory
from daemon.call.model import Call, CallId, CallState, Direction, PbxName, UserId
from daemon.call.signals import Endpoint, LinkDown, LinkUp, MemberPaused, Signal, UnixMs
from daemon.policy.agent_period import Doing, Seen, Sight

_AGAIN_S: Final = (2.0, 10.0, 60.0)

Key = tuple[str, str]
"""Queue and interface."""

Changed = Callable[[str, AgentState], None]
Sighted = Callable[[str, Seen], None]
_DOING: Final[Mapping[Availability, Doing | Sight]] = {
    Availability.AVAILABLE: Doing.AVAILABLE,
    Availability.PAUSED: Doing.PAUSED,
    Availability.WRAP_UP: Doing.WRAP_UP,
    Availability.NO_QUEUE: Sight.NO_QUEUE,
    Availability.UNKNOWN: Sight.AWAY,
}

_log = structlog.get_logger(__name__)


@dataclass(slots=True)
class _Pbx:
    """What one PBX's queues say; None: not connected, or not told yet."""

    link: AmiLink
    wrap_up_seconds: int
    members: dict[Key, Membership] | None = None
    reading: asyncio.Task[None] | None = None


class QueueStates:
    """Give it each PBX's signals by `hear`, each agent directory by `know`, and ended calls by `note_end`.

    `changed` is told how each agent is now, `sighted` since when, for those who keep it.
    """

    def __init__(
        self,
        links: Mapping[PbxName, AmiLink],
        wrap_up_seconds: Mapping[PbxName, int],
        changed: Changed,
        clock: Callable[[], UnixMs],
        sighted: Sighted | None = None,
    ) -> None:
        self._sighted = sighted
        self._pbxs = {name: _Pbx(link, wrap_up_seconds[name]) for name, link in links.items()}
        self._changed = changed
        self._clock = clock
        self._directory = Directory()
        self._mine: dict[str, list[tuple[_Pbx, Key]]] = {}
        self._told: dict[str, AgentState] = {}
        self._wrap_ups: dict[str, asyncio.Task[None]] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    async def close(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    # -- what the PBXs say ---------------------------------------------------------------------------------------

    def know(self, directory: Directory) -> None:
        self._directory = directory
        self._sort_again(self._clock())

    def hear(self, name: PbxName, signal: Signal) -> None:
        """Costs nothing for a signal that is not about members."""
        match signal:
            case MemberPaused():
                self._paused(self._pbxs[name], signal)
            case LinkUp():
                self._read(self._pbxs[name])
            case LinkDown():
                self._forget(self._pbxs[name], signal.at)

    def _paused(self, pbx: _Pbx, signal: MemberPaused) -> None:
        if pbx.members is None:
            return  # the list that is being read will say it
        known = pbx.members.get((signal.queue, signal.interface))
        if known is None:
            self._read(pbx)  # a member added since
            return
        since = signal.at if signal.paused else None
        now = replace(known, paused=signal.paused, reason=signal.reason, since=since)
        pbx.members[signal.queue, signal.interface] = now
        if (owner := self._owner(now)) is not None:
            self._tell({owner}, signal.at)

    def _read(self, pbx: _Pbx) -> None:
        if pbx.reading is not None:
            pbx.reading.cancel()
        pbx.reading = self._task(self._read_members(pbx))

    async def _read_members(self, pbx: _Pbx) -> None:
        """A few times: who may list nothing now will not list more later, and the next connect asks again."""
        for pause_s in (*_AGAIN_S, None):
            try:
                found = await memberships(pbx.link.actions)
            except LinkLost:
                return
            except (ActionTimeout, ActionRefused) as error:
                _log.warning("queue_members_not_read", pbx=pbx.link.config.name, error=str(error))
                if pause_s is None:
                    return
                await asyncio.sleep(pause_s)
            else:
                pbx.members = {(one.queue, one.interface): one for one in found}
                self._sort_again(self._clock())
                return

    def _forget(self, pbx: _Pbx, at: UnixMs) -> None:
        pbx.members = None
        self._sort_again(at)

    # -- what a desk asks ----------------------------------------------------------------------------------------

    def of(self, user_id: str) -> AgentState:
        """Paused where any of his memberships is: he does not get what he would get otherwise."""
        mine = [one for _, one in self._memberships(user_id)]
        if not mine:
            told = all(pbx.members is not None for pbx in self._pbxs.values())
            return AgentState(state=Availability.NO_QUEUE if told and self._pbxs else Availability.UNKNOWN)
        queues = tuple(sorted({one.queue for one in mine}))
        first = min((one for one in mine if one.paused), key=lambda one: one.since or UnixMs(0), default=None)
        if first is None:
            return AgentState(state=Availability.AVAILABLE, queues=queues)
        if first.reason != WRAP_UP:
            return AgentState(state=Availability.PAUSED, reason=first.reason, since=first.since, queues=queues)
        until = self._wrap_up_ends(user_id, first)
        return AgentState(state=Availability.WRAP_UP, reason=WRAP_UP, since=first.since, until=until, queues=queues)

    async def pause(self, user_id: str, reason: str) -> AgentState:
        self._stop_wrap_up(user_id)
        return await self._set(user_id, reason)

    async def resume(self, user_id: str) -> AgentState:
        self._stop_wrap_up(user_id)
        return await self._set(user_id, None)

    async def _set(self, user_id: str, reason: str | None) -> AgentState:
        """In every queue of every PBX; what one did stays done when another cannot."""
        mine = self._memberships(user_id)
        if not mine:
            raise not_connected() if any(pbx.members is None for pbx in self._pbxs.values()) else no_queue()
        for pbx, interface in {(id(pbx), one.interface): (pbx, one.interface) for pbx, one in mine}.values():
            await pause(pbx.link.actions, interface, reason)
            self._note(pbx, interface, reason)
        self._tell({user_id}, self._clock())
        return self.of(user_id)

    def _note(self, pbx: _Pbx, interface: str, reason: str | None) -> None:
        """As the events will say in a moment."""
        since = self._clock() if reason is not None else None
        for key, one in (pbx.members or {}).items():
            if one.interface == interface and pbx.members is not None:
                pbx.members[key] = replace(one, paused=reason is not None, reason=reason, since=since)

    # -- wrap-up -------------------------------------------------------------------------------------------------

    def note_end(self, call: Call) -> None:
        """Whoever talked to a customer last gets his time, unless he is paused already."""
        if call.state is not CallState.ENDED or call.answered_at is None or call.user_id is None:
            return
        pbx = self._pbxs.get(call.pbx)
        wanted = pbx is not None and pbx.wrap_up_seconds > 0 and call.direction is not Direction.INTERNAL
        if wanted and self.of(call.user_id).state is Availability.AVAILABLE:
            self._task(self._begin_wrap_up(call.user_id, call.call_id))

    async def _begin_wrap_up(self, user_id: str, call_id: CallId) -> None:
        try:
            await self._set(user_id, WRAP_UP)
        except CannotAct as cannot:
            _log.warning("wrap_up_failed", user_id=user_id, call_id=call_id, error=cannot.message)

    def _wrap_up_ends(self, user_id: str, first: Membership) -> UnixMs | None:
        """None where the wrap-up is none of ours (its time is not configured)."""
        seconds = max((pbx.wrap_up_seconds for pbx, one in self._memberships(user_id) if one.paused), default=0)
        return UnixMs(first.since + seconds * 1000) if seconds and first.since is not None else None

    def _stop_wrap_up(self, user_id: str) -> None:
        if (task := self._wrap_ups.pop(user_id, None)) is not None:
            task.cancel()

    def _keep_wrap_up(self, user_id: str, state: AgentState) -> None:
        """One that was begun before a restart ends too."""
        if state.state is not Availability.WRAP_UP or state.until is None:
            self._stop_wrap_up(user_id)
        elif user_id not in self._wrap_ups:
            wait = max(0.0, (state.until - self._clock()) / 1000)
            self._wrap_ups[user_id] = self._task(self._end_wrap_up(user_id, wait))

    async def _end_wrap_up(self, user_id: str, wait: float) -> None:
        await asyncio.sleep(wait)
        self._wrap_ups.pop(user_id, None)
        if self.of(user_id).state is not Availability.WRAP_UP:
            return
        try:
            await self._set(user_id, None)
        except CannotAct as cannot:
            _log.warning("wrap_up_not_ended", user_id=user_id, error=cannot.message)

    # -- whose is what -------------------------------------------------------------------------------------------

    def _sort_again(self, at: UnixMs) -> None:
        """Whose each membership is, and tell everybody whom it changes."""
        before, self._mine = self._mine, {}
        for pbx in self._pbxs.values():
            for key, one in (pbx.members or {}).items():
                if (owner := self._owner(one)) is not None:
                    self._mine.setdefault(owner, []).append((pbx, key))
        self._tell({*before, *self._mine, *self._directory.endpoints.values()}, at)

    def _memberships(self, user_id: str) -> list[tuple[_Pbx, Membership]]:
        return [(pbx, pbx.members[key]) for pbx, key in self._mine.get(user_id, ()) if pbx.members]

    def _owner(self, one: Membership) -> UserId | None:
        return self._directory.agent_at(Endpoint(one.endpoint)) if one.endpoint is not None else None

    def _tell(self, users: Iterable[str], at: UnixMs) -> None:
        """Each change once."""
        for user_id in users:
            state = self.of(user_id)
            self._keep_wrap_up(user_id, state)
            if self._told.get(user_id) != state:
                self._told[user_id] = state
                self._changed(user_id, state)
                if self._sighted is not None:
                    self._sighted(user_id, self.seen(user_id, at))

    def seen(self, user_id: str, at: UnixMs) -> Seen:
        """How he is, for those who keep it."""
        state = self.of(user_id)
        paused = [one.since for _, one in self._memberships(user_id) if one.since is not None]
        paused_at = max(paused, default=None) if state.state is Availability.AVAILABLE else state.since
        return Seen(at=at, what=_DOING[state.state], reason=state.reason or "", paused_at=paused_at)

    def _task(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task
