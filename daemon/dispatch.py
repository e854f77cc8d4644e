"""READ FIRST. Signal -> call events -> policies -> decisions -> adapters, by one task that owns all call state.

    ami or esl --signals--> [queue] --> tracker --> policies --> [writer: one transaction] --> deliveries
                                                       \\--> bus (desks, metrics): only watching

The task takes one signal at a time and waits for nothing outside the process; where the store falls behind, its full
queue makes this task wait, this task's full queue makes the adapters stop reading, and nothing is dropped.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Protocol

import structlog

from daemon.bus import AgentToNotify, Bus, CallHappened, CustomerToLookUp, PhoneToMessage
from daemon.call.directory import Directory
from daemon.call.events import PASSING, CallEnded, CallEvent, ConnectionStillLost
from daemon.call.model import Call, CallId, ConnectionLoss, PbxName, UserId
from daemon.call.parties import Parties
from daemon.call.signals import ChannelId, Signal, SteadyMs, UnixMs
from daemon.call.timeline import Moment
from daemon.call.tracker import Tracker
from daemon.call_story import CallStory
from daemon.policy import (
    announcement,
    called_back,
    customer_lookup,
    lost_connection,
    notification,
    phone_message,
    screen_pop,
    ticket,
)
from daemon.policy.call_settings import Rulebook
from daemon.policy.decision import (
    DURABLE,
    Decision,
    HangUpCall,
    LookUpCustomer,
    MessagePhone,
    NotifyAgent,
    StopNotifying,
)
from daemon.store.values import Unit

_QUEUE_SIZE = 10_000  # signals; about half a second of the busiest Asterisk measured

_log = structlog.get_logger(__name__)

POLICIES = (
    ticket.decide,
    called_back.decide,
    screen_pop.decide,
    notification.decide,
    phone_message.decide,
    lost_connection.decide,
    announcement.decide,
    customer_lookup.decide,
)
"""All that Callwarden decides, in the order in which the effects of one event are told."""


@dataclass(frozen=True, slots=True)
class PbxSignal:
    """A signal and the PBX it came from."""

    pbx: PbxName
    signal: Signal


@dataclass(frozen=True, slots=True)
class NewRules:
    """An admin saved; `in_force` is done once the next signal will be judged by the new rules."""

    rules: Rulebook
    directory: Directory
    in_force: asyncio.Future[None]


@dataclass(frozen=True, slots=True)
class Passed:
    """Somebody waits until everything before it has been followed."""

    done: asyncio.Future[None]


@dataclass(frozen=True, slots=True)
class Stop:
    """The last item: everything before it is followed to its end."""


class Sink(Protocol):
    """Where effects become durable (the store's writer)."""

    async def submit(self, unit: Unit) -> None: ...


def _nobody_hangs_up(_: HangUpCall) -> None:
    """Where there is no PBX to act on."""


def _nothing_is_kept_back(_: CallEnded) -> bool:
    """Where no records are read afterwards."""
    return False


def decide(event: CallEvent, rules: Rulebook, now: UnixMs) -> tuple[Decision, ...]:
    """Ask every policy about one call event."""
    return tuple(decision for policy in POLICIES for decision in policy(event, rules, now))


class Dispatcher:
    """The one owner of call state. `feed` is the whole flow without the queue; `run` is the task around it."""

    def __init__(
        self,
        trackers: Mapping[PbxName, Tracker],
        rules: Rulebook,
        sink: Sink,
        bus: Bus,
        clock: Callable[[], UnixMs],
        hang_up: Callable[[HangUpCall], None] = _nobody_hangs_up,
        keep_back: Callable[[CallEnded], bool] = _nothing_is_kept_back,
    ) -> None:
        """`hang_up` only takes the decision; it acts in its own time. What is kept back is judged later, if at all."""
        self._keep_back = keep_back
        self.queue: asyncio.Queue[PbxSignal | NewRules | Passed | Stop] = asyncio.Queue(_QUEUE_SIZE)
        self._ended = asyncio.Event()
        self.taken = 0  # items of the queue, signals or not
        self.signals = 0
        self.failures = 0
        self._trackers = trackers
        self._rules = rules
        self._sink = sink
        self._bus = bus
        self._clock = clock
        self._hang_up = hang_up
        self._story = CallStory()

    async def run(self) -> None:
        """Take signals until `stop`. A signal that breaks the tracker is our bug: logged, counted, passed over."""
        try:
            while not isinstance(item := await self.queue.get(), Stop):
                self.taken += 1
                if isinstance(item, NewRules):
                    self._adopt(item)
                    continue
                if isinstance(item, Passed):
                    if not item.done.done():
                        item.done.set_result(None)
                    continue
                for unit in self.feed(item):
                    await self._sink.submit(unit)
        finally:
            self._ended.set()

    async def stop(self, within_seconds: float = 10.0) -> None:
        """Let what is queued be followed to its end; call it when no adapter puts anything any more."""
        with suppress(TimeoutError):
            async with asyncio.timeout(within_seconds):
                await self.queue.put(Stop())
                await self._ended.wait()

    async def tell(self, pbx: PbxName, signal: Signal) -> None:
        """Something we know of this PBX ourselves, in its turn among what it tells."""
        await self.queue.put(PbxSignal(pbx, signal))

    async def change_rules(self, rules: Rulebook, directory: Directory) -> None:
        """Put new rules in force behind everything that is already queued, and wait until they are."""
        in_force = asyncio.get_running_loop().create_future()
        await self.queue.put(NewRules(rules, directory, in_force))
        await in_force

    async def passed(self) -> None:
        """Wait until everything that is queued now has been followed, and has been given to the store."""
        done = asyncio.get_running_loop().create_future()
        await self.queue.put(Passed(done))
        await done

    async def judge(self, event: CallEnded) -> None:
        """An end that was kept back is what it seemed to be."""
        unit = self._judge(event, told=True)
        if unit is not None:
            await self._sink.submit(unit)

    def seen_of(self, event: CallEnded) -> tuple[Moment, ...]:
        """The moments of a call that ends by other words than its tracker's; nothing of it is remembered any more."""
        return self._story.tell(event, ())

    def feed(self, item: PbxSignal) -> list[Unit]:
        """Follow one signal to its decisions and return what must become durable, in order."""
        self.signals += 1
        try:
            events = self._trackers[item.pbx].feed(item.signal)
        except Exception:  # noqa: BLE001 - one call must not take the others down
            self.failures += 1
            self._log_broken(item)
            return []
        return [unit for event in events if (unit := self._follow(event)) is not None]

    @property
    def rules(self) -> Rulebook:
        """Those in force."""
        return self._rules

    def calls(self) -> Iterable[Call]:
        """All living calls of all PBXs."""
        return (call for tracker in self._trackers.values() for call in tracker.calls())

    def living(self) -> dict[PbxName, int]:
        """How many calls live on each PBX."""
        return {name: tracker.living for name, tracker in self._trackers.items()}

    def parties(self, pbx: PbxName, call_id: CallId, user_id: UserId) -> Parties | None:
        """The agent's own channel in a living call and whom he talks to, by what is known this moment."""
        tracker = self._trackers.get(pbx)
        return tracker.parties(call_id, user_id) if tracker is not None else None

    def suspects(self, pbx: PbxName, now: SteadyMs) -> list[ChannelId]:
        """The channels whose packets should be counted now. With the setting at 0 nobody falls under suspicion."""
        return self._trackers[pbx].suspects(now, anybody=self._rules.settings.disconnect_timeout_seconds > 0)

    def loss_of(self, pbx: PbxName, channel: ChannelId) -> ConnectionLoss | None:
        """What is known this moment of a channel whose connection is lost."""
        return self._trackers[pbx].loss_of(channel)

    def rung_strangers(self, pbx: PbxName) -> dict[str, UnixMs]:
        """Endpoints of no agent that calls from outside made ring since the start, and when last."""
        return {str(endpoint): at for endpoint, at in self._trackers[pbx].rung_strangers.items()}

    def oddities(self) -> dict[str, int]:
        """Count the signals that did not fit the state they met, by kind."""
        counts: dict[str, int] = {}
        for tracker in self._trackers.values():
            for kind, count in tracker.oddities.items():
                counts[kind] = counts.get(kind, 0) + count
        return counts

    def _log_broken(self, item: PbxSignal) -> None:
        tracker = self._trackers.get(item.pbx)
        about = {"channel": getattr(item.signal, "channel", None), "call_id": tracker and tracker.call_of(item.signal)}
        _log.exception("signal_broke_the_tracker", pbx=item.pbx, signal=type(item.signal).__name__, **about)

    def _follow(self, event: CallEvent) -> Unit | None:
        if isinstance(event, CallEnded) and not event.seen and self._keep_back(event):
            self._bus.publish(CallHappened(event))
            return None
        return self._judge(event)

    def _judge(self, event: CallEvent, *, told: bool = False) -> Unit | None:
        decisions = self._decide(event)
        moments = self._story.tell(event, decisions)
        if not told and not isinstance(event, ConnectionStillLost):
            self._bus.publish(CallHappened(event))
        for decision in decisions:
            if isinstance(decision, NotifyAgent | StopNotifying):
                self._bus.publish(AgentToNotify(decision, event.at))
            elif isinstance(decision, MessagePhone):
                self._bus.publish(PhoneToMessage(decision))
            elif isinstance(decision, LookUpCustomer):
                self._bus.publish(CustomerToLookUp(decision))
            elif isinstance(decision, HangUpCall):
                self._hang_up(decision)
        durable = tuple(d for d in decisions if isinstance(d, DURABLE))
        if isinstance(event, PASSING) and not durable:
            return None  # a phone that rings or holds changes nothing that is kept
        return Unit(event.at, event.call, durable, moments)

    def _decide(self, event: CallEvent) -> tuple[Decision, ...]:
        """A policy that breaks is our bug: the call is kept all the same, and the other policies are asked."""
        found: list[Decision] = []
        for policy in POLICIES:
            try:
                found += policy(event, self._rules, self._clock())
            except Exception:  # noqa: BLE001 - one rule must not take the others down
                self.failures += 1
                _log.exception("policy_broke", policy=policy.__module__, call_id=event.call.call_id)
        return tuple(found)

    def _adopt(self, new: NewRules) -> None:
        self._rules = new.rules
        for tracker in self._trackers.values():
            tracker.directory = new.directory
        if not new.in_force.done():
            new.in_force.set_result(None)
