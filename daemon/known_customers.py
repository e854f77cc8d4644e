"""What is known of the customers of living calls, and who is told of it. It follows the bus and holds up nobody."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import structlog

from daemon.bus import AgentToNotify, Bus, CallHappened, CustomerToLookUp, News, Topic
from daemon.call.events import CallEnded, CallStarted
from daemon.call.model import Call, CallId, PbxName, UserId
from daemon.call.signals import ChannelId, UnixMs
from daemon.delivery import customer_lookup
from daemon.delivery.customer_lookup import CustomerLookup
from daemon.delivery.signing import Secret
from daemon.delivery.target_guard import TargetGuard
from daemon.policy.call_settings import Rulebook
from daemon.policy.customer_lookup import Customer, decide
from daemon.policy.decision import LookUpCustomer, NotifyAgent
from daemon.web.services import LookUpAnswer

Tell = Callable[[Call, Customer, frozenset[str]], None]

_log = structlog.get_logger(__name__)


@dataclass(slots=True)
class _Asked:
    """A call whose customer was asked for: by which number, what came of it, and whose phones ring."""

    call: Call
    number: str | None
    customer: Customer | None = None
    ringing: dict[ChannelId, UserId] = field(default_factory=dict)

    @property
    def agents(self) -> frozenset[str]:
        talking = {self.call.user_id} if self.call.user_id is not None else set()
        return frozenset({*self.ringing.values(), *talking})


class KnownCustomers:
    """`tell` hears of each customer who became known, and of the agents who ring or talk with him."""

    def __init__(self, bus: Bus, tell: Tell) -> None:
        self.lookup: CustomerLookup
        self._tell = tell
        self._calls: dict[tuple[PbxName, CallId], _Asked] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        bus.subscribe(Topic.LOOK_UP, self._wanted)
        bus.subscribe(Topic.CALL, self._happened)
        bus.subscribe(Topic.NOTIFICATION, self._notified)

    def known(self, pbx: str, call_id: str) -> Customer | None:
        """By what was answered until now, for a call that lives."""
        asked = self._calls.get((PbxName(pbx), CallId(call_id)))
        return asked.customer if asked is not None else None

    def restore(self, living: Iterable[Call], rules: Rulebook, now: UnixMs) -> None:
        """Ask once more for calls that lived before the start."""
        for call in living:
            for decision in decide(CallStarted(now, call), rules, now):
                if isinstance(decision, LookUpCustomer):
                    self._look_up(decision)

    @asynccontextmanager
    async def asking(
        self, guard: TargetGuard, user_agent: str, secret: Callable[[], Secret | None], clock: Callable[[], UnixMs]
    ) -> AsyncIterator[None]:
        """While this lasts the company's system can be asked."""
        async with customer_lookup.asking(guard, user_agent, secret, clock) as self.lookup:
            try:
                yield
            finally:
                for task in self._tasks:
                    task.cancel()
                await asyncio.gather(*self._tasks, return_exceptions=True)

    async def try_out(self, url: str) -> LookUpAnswer:
        """Ask this URL now, for the settings page; nothing is kept."""
        tried = await self.lookup.try_out(url)
        return LookUpAnswer(
            customer=tried.customer,
            status_code=tried.status_code,
            latency_ms=tried.latency_ms,
            reason=tried.trouble and tried.trouble.value,
            error=tried.error,
        )

    def _wanted(self, news: News) -> None:
        if isinstance(news, CustomerToLookUp):
            self._look_up(news.decision)

    def _look_up(self, wanted: LookUpCustomer) -> None:
        """Once for a number in a call. What is remembered is known at once; else a task of its own asks."""
        call = wanted.call
        key, asked = (call.pbx, call.call_id), self._calls.get((call.pbx, call.call_id))
        if asked is not None and asked.number == call.customer_number:
            return
        ringing = asked.ringing if asked is not None else {}
        fresh = self._calls[key] = _Asked(call, call.customer_number, ringing=ringing)
        if (kept := self.lookup.remembered(wanted)) is not None:
            self._known(fresh, kept[0])
            return
        task = asyncio.get_running_loop().create_task(self._learn(wanted, fresh))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _learn(self, wanted: LookUpCustomer, asked: _Asked) -> None:
        try:
            customer = await self.lookup.find(wanted)
        except Exception:  # noqa: BLE001 - our own bug costs a name, not the call
            _log.exception("customer look-up broke", call_id=wanted.call.call_id)
            return
        if self._calls.get((asked.call.pbx, asked.call.call_id)) is asked:  # else it is over, or with somebody else
            self._known(asked, customer)

    def _known(self, asked: _Asked, customer: Customer | None) -> None:
        if customer is not None:
            asked.customer = customer
            self._tell(asked.call, customer, asked.agents)

    def _happened(self, news: News) -> None:
        if not isinstance(news, CallHappened):
            return
        call = news.event.call
        if isinstance(news.event, CallEnded):
            self._calls.pop((call.pbx, call.call_id), None)
        elif (asked := self._calls.get((call.pbx, call.call_id))) is not None:
            asked.call = call

    def _notified(self, news: News) -> None:
        if not isinstance(news, AgentToNotify):
            return
        decision = news.decision
        asked = self._calls.get((decision.call.pbx, decision.call.call_id))
        if asked is None:
            return
        if isinstance(decision, NotifyAgent):
            asked.ringing[decision.channel] = decision.user_id
        else:
            asked.ringing.pop(decision.channel, None)
