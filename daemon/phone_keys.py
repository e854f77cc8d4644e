"""Answers, holds and takes back on the agent's own SIP phone, where that phone has said that it lets itself be told.

What a phone said is learned from the calls it takes and kept in memory; nobody else is ever asked to obey.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass
from typing import Any, Final, Protocol

from daemon.acts import Act, CannotAct, Control, Keys, Why
from daemon.ami import phone_keys
from daemon.ami.link import AmiLink, LinkState
from daemon.ami.phone_acts import done, no_call
from daemon.ami.phone_keys import Key
from daemon.bus import Bus, CallHappened, News, Topic
from daemon.call.events import AgentConnected, CallAnswered
from daemon.call.model import Call, CallId, Direction, PbxName, UserId
from daemon.call.parties import Parties
from daemon.call.signals import ChannelId, Endpoint, HoldChanged, Signal, UnixMs
from daemon.message import Message

OBEYS_WITHIN_S: Final = 3.0
_LOOK_S: Final = 0.05
_LEARN_AGAIN_S: Final = 600.0
_AT_ONCE: Final = 8

_Told = Callable[[str, Keys], None]

_KEYS: Final = {Control.ANSWER: Key.TALK, Control.HOLD: Key.HOLD, Control.UNHOLD: Key.TALK}
_DISOBEYED: Final = {
    Control.ANSWER: Message(
        "Your phone did not answer: lift it or press its key. Whether it can be answered from here is a setting of the "
        "phone (remote control)."
    ),
    Control.HOLD: Message(
        "Your phone did not hold the call: press its hold key. Whether it can be held from here is a setting of the "
        "phone (remote control)."
    ),
    Control.UNHOLD: Message(
        "Your phone did not take the call back: press its hold key. Whether that goes from here is a setting of the "
        "phone (remote control)."
    ),
}
_CANNOT_ANSWER: Final = Message(
    "Your phone has not said yet that it can be answered from here: use its key. If it can, it says so at the first "
    "call it takes."
)
_CANNOT_HOLD: Final = Message("Your phone does not say that it can be held from here: use its hold key.")


class Flow(Protocol):
    """What the dispatcher gives."""

    def parties(self, pbx: PbxName, call_id: CallId, user_id: UserId) -> Parties | None: ...

    async def tell(self, pbx: PbxName, signal: Signal) -> None: ...


@dataclass(frozen=True, slots=True)
class _Said:
    """What one phone said when it took a call, and which make and firmware it was."""

    events: frozenset[str]
    make: str | None
    learned_at: float


class PhoneKeys:
    """`tell` hears of each agent whose phone turns out to understand something else than before."""

    def __init__(
        self, links: Mapping[PbxName, AmiLink], flow: Callable[[], Flow], tell: _Told, clock: Callable[[], UnixMs]
    ) -> None:
        self._links = links
        self._flow = flow
        self._tell = tell
        self._clock = clock
        self._rights: dict[PbxName, tuple[int, bool]] = {}
        self._said: dict[str, dict[tuple[PbxName, Endpoint], _Said]] = {}
        self._pressing: set[ChannelId] = set()
        self._tasks: set[asyncio.Task[None]] = set()

    def follow(self, bus: Bus) -> None:
        bus.subscribe(Topic.CALL, self._happened)

    async def close(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def of(self, user_id: str) -> Keys:
        """By what is known now; what a press then finds may differ."""
        said = frozenset[str]().union(*(one.events for one in self._said.get(user_id, {}).values()))
        allowed = any(right for _, right in self._rights.values())
        return Keys(
            allowed=allowed, answer=allowed and Key.TALK in said, hold=allowed and said.issuperset((Key.TALK, Key.HOLD))
        )

    async def press(self, act: Act, name: PbxName, found: Parties) -> None:
        """Returns when the PBX says that it happened. One press at a time: a second `talk` may mean something else."""
        if found.own in self._pressing:
            raise CannotAct(Why.REFUSED, Message("Your phone is being asked already; wait a moment."))
        self._pressing.add(found.own)
        try:
            await self._press(act, name, found)
        finally:
            self._pressing.discard(found.own)

    async def _press(self, act: Act, name: PbxName, found: Parties) -> None:
        if act.control is Control.ANSWER and not found.rings:
            raise CannotAct(Why.NOT_RINGING, Message("Your phone does not ring in this call."))
        if not await done(self._may(name)):
            raise CannotAct(
                Why.NO_RIGHT,
                Message("The PBX does not allow Callwarden to press keys of your phone. Use the phone's own keys."),
            )
        if act.control is Control.ANSWER:
            await self._need_ringing(act, name, found)
        elif not await self._need_talk(act, name, found):
            return
        await done(phone_keys.press(self._links[name].actions, found.own, _KEYS[act.control]))
        if not await self._obeyed(act, name):
            raise CannotAct(Why.PHONE_DID_NOT_OBEY, _DISOBEYED[act.control])

    async def _need_ringing(self, act: Act, name: PbxName, found: Parties) -> None:
        said = self._said.get(act.user_id, {}).get((name, found.endpoint)) if found.endpoint is not None else None
        if said is None or Key.TALK not in said.events:
            raise CannotAct(Why.PHONE_CANNOT, _CANNOT_ANSWER)
        if await done(phone_keys.make_of(self._links[name].actions, found.own)) != said.make:
            raise CannotAct(Why.PHONE_CANNOT, _CANNOT_ANSWER)  # another phone has taken its place

    async def _need_talk(self, act: Act, name: PbxName, found: Parties) -> bool:
        """False: it is as wanted already. What the phone on the line itself said counts."""
        if found.endpoint is None or not phone_keys.has_keys(found.endpoint):
            raise CannotAct(Why.PHONE_CANNOT, _CANNOT_HOLD)
        actions, wanted = self._links[name].actions, act.control is Control.HOLD
        if await done(phone_keys.holds(actions, found.own)) is wanted:
            await self._flow().tell(name, HoldChanged(self._clock(), found.own, wanted))  # it may be older than we are
            return False
        said = await done(phone_keys.events_said(actions, found.own))
        if not said.issuperset((Key.TALK, Key.HOLD)):
            raise CannotAct(Why.PHONE_CANNOT, _CANNOT_HOLD)
        return True

    async def _obeyed(self, act: Act, name: PbxName) -> bool:
        until = time.monotonic() + OBEYS_WITHIN_S
        while time.monotonic() < until:
            found = self._flow().parties(name, CallId(act.call_id), UserId(act.user_id))
            if found is None:
                raise no_call()
            is_done = {Control.ANSWER: found.up, Control.HOLD: found.held, Control.UNHOLD: not found.held}
            if is_done[act.control]:
                return True
            await asyncio.sleep(_LOOK_S)
        return False

    # -- what phones and PBXs say --------------------------------------------------------------------------------

    def _happened(self, news: News) -> None:
        if not isinstance(news, CallHappened):
            return
        match news.event:
            case AgentConnected(call=call, user_id=user_id):
                self._learn(call, user_id)
            case CallAnswered(call=call) if call.direction is Direction.INTERNAL:
                for user_id in call.user_ids:
                    self._learn(call, user_id)
            case _:
                pass

    def _learn(self, call: Call, user_id: UserId) -> None:
        """Now and then, of a phone that has just taken a call; left out where too many do at once."""
        link, found = self._links.get(call.pbx), self._flow().parties(call.pbx, call.call_id, user_id)
        if link is None or link.state is not LinkState.CONNECTED or len(self._tasks) >= _AT_ONCE:
            return
        if found is None or found.endpoint is None or not phone_keys.has_keys(found.endpoint):
            return
        known = self._said.get(user_id, {}).get((call.pbx, found.endpoint))
        if known is None or time.monotonic() - known.learned_at > _LEARN_AGAIN_S:
            self._task(self._ask(call.pbx, user_id, found.endpoint, found.own))

    async def _ask(self, name: PbxName, user_id: UserId, endpoint: Endpoint, channel: ChannelId) -> None:
        actions, before = self._links[name].actions, self.of(user_id)
        try:
            if not await done(self._may(name)):
                return
            events = await done(phone_keys.events_said(actions, channel))
            make = await done(phone_keys.make_of(actions, channel))
        except CannotAct:
            return  # the next call tells
        self._said.setdefault(user_id, {})[name, endpoint] = _Said(events, make, time.monotonic())
        if self.of(user_id) != before or not before.allowed:
            self._tell(user_id, self.of(user_id))

    async def _may(self, name: PbxName) -> bool:
        """Asked once a login: a session keeps the rights it had."""
        link = self._links[name]
        known = self._rights.get(name)
        if known is None or known[0] != link.logins:
            self._rights[name] = known = link.logins, await phone_keys.may_press(link.actions)
        return known[1]

    def _task(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
