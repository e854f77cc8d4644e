"""What agents have the PBXs do, over the same links as everything else: calls made for them, acts on their calls.

It asks the tracker who is who, and tells it beforehand what will happen. It never changes call state itself.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Collection, Mapping
from typing import Final, Protocol

from daemon.acts import Act, CallOrder, CannotAct, Control, Keys, Ordered, Part, PhoneState, Why
from daemon.ami import phone_acts
from daemon.ami.link import AmiLink, LinkState
from daemon.call.model import Call, CallId, PbxName, UserId
from daemon.call.parties import Parties
from daemon.call.signals import CallOrdered, ChannelId, HangupAsked, Signal, UnixMs
from daemon.message import Message
from daemon.own_parts import OwnParts
from daemon.phone_keys import PhoneKeys

_FRESH_S: Final = 3.0
_AT_ONCE: Final = 16
_MAX_PHONES: Final = 400
_END_IS_TOLD_S: Final = 0.3  # the channel's end and the answer to the order come in either order
_TIMED_OUT: Final = 3
_BUSY: Final = 5
_USER_BUSY: Final = 17
_NOBODY: Final = frozenset({18, 19, 20})  # Q.850: no response, no answer, absent


class Flow(Protocol):
    """What the dispatcher gives: who is who in a call, and a way in for what we know before the PBX says it."""

    def parties(self, pbx: PbxName, call_id: CallId, user_id: UserId) -> Parties | None: ...

    async def tell(self, pbx: PbxName, signal: Signal) -> None: ...


Failed = Callable[[CallOrder, Ordered, Why], None]
"""Told when a call that was ordered came to nothing before the agent took his phone."""

AlertInfo = Callable[[PbxName, str, str | None], str | None]
"""How an endpoint is told its ringtone in a call that shows this hotline."""


class PbxActs:
    """`contexts` is where each PBX's numbers are dialled. Orders still ringing are cancelled by `close`."""

    def __init__(
        self,
        links: Mapping[PbxName, AmiLink],
        contexts: Mapping[PbxName, str],
        flow: Callable[[], Flow],
        failed: Failed,
        clock: Callable[[], UnixMs],
        alert_info: AlertInfo,
        keys_changed: Callable[[str, Keys], None],
        part_changed: Callable[[Act, Part], None],
    ) -> None:
        self.phone_keys = PhoneKeys(links, flow, keys_changed, clock)
        self._own_parts = OwnParts(flow, part_changed, clock)
        self._links = links
        self._alert_info = alert_info
        self._contexts = contexts
        self._flow = flow
        self._failed = failed
        self._clock = clock
        self._ringing: set[asyncio.Task[None]] = set()
        self._causes: dict[str, int | None] = {}
        self._states: dict[str, tuple[float, PhoneState | None]] = {}

    async def close(self) -> None:
        await self.phone_keys.close()
        for task in self._ringing:
            task.cancel()
        await asyncio.gather(*self._ringing, return_exceptions=True)

    async def order(self, order: CallOrder) -> Ordered:
        """Returns when the PBX rings the phone; who waits for the end of it is our own task."""
        name, endpoint = await self._phone(order)
        link, context = self._links[name], self._contexts[name]
        number = await phone_acts.way(link.actions, context, order.numbers)
        channel = phone_acts.new_channel_id()
        await self._flow().tell(name, CallOrdered(self._clock(), channel, number, order.hotline))
        ordered = Ordered(pbx=name, call_id=channel, endpoint=endpoint, number=number)
        taken: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._causes[channel] = None
        task = asyncio.create_task(self._ring(order, ordered, link, taken))
        self._ringing.add(task)
        task.add_done_callback(self._ringing.discard)
        task.add_done_callback(lambda _: self._causes.pop(channel, None))
        await taken
        return ordered

    def note_end(self, call: Call) -> None:
        """A call has ended; of one that we ordered its cause tells why the phone was not taken."""
        self._own_parts.forget(call)
        if call.call_id in self._causes:
            self._causes[call.call_id] = call.hangup_cause

    async def act(self, act: Act) -> None:
        name = PbxName(act.pbx)
        link = self._links.get(name)
        if link is None:
            raise phone_acts.no_call()
        if link.state is not LinkState.CONNECTED:
            raise phone_acts.not_connected()
        found = self._flow().parties(name, CallId(act.call_id), UserId(act.user_id))
        if found is None:
            raise phone_acts.no_call()
        if act.control is Control.HANGUP:
            # It is the agent who hangs up, though the PBX will say that it was asked by its manager.
            await self._flow().tell(name, HangupAsked(self._clock(), found.own))
            await phone_acts.hang_up(link.actions, found.own)
            return
        if act.control is Control.ANSWER:
            await self.phone_keys.press(act, name, found)
            return
        if found.other is None:
            raise CannotAct(Why.NOT_TALKING, Message("You are not talking to anybody in this call yet."))
        if act.control in {Control.HOLD, Control.UNHOLD}:
            await self.phone_keys.press(act, name, found)
            return
        await self._talking(act, link, name, found.own, found.other)

    async def _talking(self, act: Act, link: AmiLink, name: PbxName, own: ChannelId, other: ChannelId) -> None:
        actions, context = link.actions, self._contexts[name]
        match act.control:
            case Control.MUTE | Control.UNMUTE:
                await phone_acts.mute(actions, own, muted=act.control is Control.MUTE)
            case Control.DTMF:
                await phone_acts.play_digits(actions, other, act.digits)
            case Control.TRANSFER:
                number = await phone_acts.way(actions, context, act.numbers)
                await phone_acts.transfer(actions, own, context, number)
            case Control.CONSULT:
                number = await phone_acts.way(actions, context, act.numbers)
                await phone_acts.consult(actions, own, context, number)
            case Control.RETURN:
                await phone_acts.go_back(actions, own)
        self._own_parts.note(act, own)

    def part_of(self, pbx: str, call_id: str, user_id: str) -> Part:
        return self._own_parts.of(pbx, call_id, user_id)

    def keys_of(self, user_id: str) -> Keys:
        return self.phone_keys.of(user_id)

    async def phone_states(self, endpoints: Collection[str]) -> Mapping[str, PhoneState]:
        now = time.monotonic()
        self._states = {name: kept for name, kept in self._states.items() if now - kept[0] < _FRESH_S}
        waiting = iter([name for name in list(endpoints)[:_MAX_PHONES] if name not in self._states])

        async def work() -> None:
            for endpoint in waiting:
                self._states[endpoint] = now, await self._best_state(endpoint)

        async with asyncio.TaskGroup() as tasks:
            for _ in range(_AT_ONCE):
                tasks.create_task(work())
        return {name: state for name in endpoints if (state := self._states.get(name, (0, None))[1]) is not None}

    async def _best_state(self, endpoint: str) -> PhoneState | None:
        states = [state for state, _ in await self._where(endpoint)]
        return next((state for state in states if state is not PhoneState.OFFLINE), states[0] if states else None)

    async def _where(self, endpoint: str) -> list[tuple[PhoneState | None, PbxName]]:
        """Its state on each PBX that is connected."""
        found = []
        for name, link in self._links.items():
            if link.state is LinkState.CONNECTED:
                try:
                    found.append((await phone_acts.phone_state(link.actions, endpoint), name))
                except CannotAct:
                    found.append((None, name))
        return found

    async def _phone(self, order: CallOrder) -> tuple[PbxName, str]:
        """The first phone that is registered; one whose state nobody can tell is tried."""
        if not order.endpoints:
            raise CannotAct(Why.NO_PHONE, Message("No phone belongs to this agent; an admin can add one."))
        if all(link.state is not LinkState.CONNECTED for link in self._links.values()):
            raise phone_acts.not_connected()
        unknown: tuple[PbxName, str] | None = None
        for endpoint in order.endpoints:
            for state, name in await self._where(endpoint):
                if state is None:
                    unknown = unknown or (name, endpoint)
                elif state is not PhoneState.OFFLINE:
                    return name, endpoint
        if unknown is None:
            phones = ", ".join(order.endpoints)
            raise CannotAct(
                Why.NOT_REGISTERED,
                Message(
                    "Your phone ({phones}) is not registered at the PBX. Switch it on or sign it in.", phones=phones
                ),
            )
        return unknown

    async def _ring(self, order: CallOrder, ordered: Ordered, link: AmiLink, taken: asyncio.Future[None]) -> None:
        """Until the phone is taken or will not be; `taken` is done when the PBX has begun or refused to."""
        channel, context = ChannelId(ordered.call_id), self._contexts[PbxName(ordered.pbx)]
        alert = self._alert_info(PbxName(ordered.pbx), ordered.endpoint, order.hotline)
        through = phone_acts.call_through(ordered.endpoint, context, ordered.number, order.hotline, channel, alert)

        def accepted() -> None:
            if not taken.done():
                taken.set_result(None)

        try:
            outcome = await phone_acts.done(link.actions.originate(through, accepted))
        except CannotAct as cannot:
            if not taken.done():
                taken.set_exception(cannot)
            else:
                self._failed(order, ordered, cannot.why)
            return
        if not outcome.answered:
            await asyncio.sleep(_END_IS_TOLD_S)
            self._failed(order, ordered, _why(outcome.reason, self._causes.get(ordered.call_id)))


def _why(reason: int, cause: int | None) -> Why:
    """The reason is 0 for whatever the phone refused (seen on 16 and 22); the cause its channel ended with is finer."""
    if reason == _TIMED_OUT or cause in _NOBODY:
        return Why.NO_ANSWER
    return Why.BUSY if reason == _BUSY or cause == _USER_BUSY else Why.REJECTED
