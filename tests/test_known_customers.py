"""Who is told that it is known who calls: the agents who ring or talk, once, and nobody when the call is over."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field, replace

from daemon.bus import AgentToNotify, Bus, CallHappened, CustomerToLookUp
from daemon.call.events import CallChanged, CallEnded, CallStarted
from daemon.call.model import Call, Direction, UserId
from daemon.call.signals import ChannelId
from daemon.known_customers import KnownCustomers
from daemon.policy import customer_lookup
from daemon.policy.call_settings import CallSettings, Rulebook
from daemon.policy.customer_lookup import Customer
from daemon.policy.decision import LookUpCustomer, NotifyAgent, Reason, StopNotifying
from tests.delivery.receiver import Receiver
from tests.delivery.test_customer_lookup import LAN, answer, scene
from tests.factory import NOON, answered, missed, ringing

CALL = ringing()
KEY = (CALL.pbx, CALL.call_id)


@dataclass
class Desk:
    """The bus with its observer, and a real server to ask."""

    bus: Bus
    customers: KnownCustomers
    crm: Receiver
    told: list[tuple[Call, Customer, frozenset[str]]] = field(default_factory=list)

    def begins(self, call: Call = CALL) -> None:
        self.happens(CallStarted(NOON, call))

    def happens(self, event: CallStarted | CallChanged | CallEnded) -> None:
        self.bus.publish(CallHappened(event))
        rules = Rulebook(CallSettings(customer_lookup_url=f"{self.crm.url}/who"))
        for decision in customer_lookup.decide(event, rules, NOON):
            if isinstance(decision, LookUpCustomer):
                self.bus.publish(CustomerToLookUp(decision))

    def rings(self, user_id: str, channel: str) -> None:
        notify = NotifyAgent(CALL, UserId(user_id), ChannelId(channel), Reason.PHONE_RINGS)
        self.bus.publish(AgentToNotify(notify, NOON))

    def stops(self, user_id: str, channel: str) -> None:
        stop = StopNotifying(CALL, UserId(user_id), ChannelId(channel), Reason.PHONE_STOPPED)
        self.bus.publish(AgentToNotify(stop, NOON))

    async def answers(self, times: int = 1) -> None:
        await self.crm.wait_for(times)
        await asyncio.sleep(0.2)


async def _with_desk(work: object, delay_s: float = 0.05) -> None:
    async with scene(answer(LAN, delay_s=delay_s)) as here:
        bus = Bus()
        told: list[tuple[Call, Customer, frozenset[str]]] = []
        customers = KnownCustomers(bus, lambda *one: told.append(one))
        customers.lookup = here.lookup
        await work(Desk(bus, customers, here.crm, told))  # type: ignore[operator]


async def test_whoever_rings_by_then_is_told_and_whoever_stopped_is_not() -> None:
    async def work(desk: Desk) -> None:
        desk.begins()
        assert desk.customers.known(*KEY) is None
        for user, phone in (("an", "1.1"), ("binh", "1.2"), ("chi", "1.3")):
            desk.rings(user, phone)
        desk.stops("binh", "1.2")
        await desk.answers()
        ((call, customer, agents),) = desk.told
        assert (call.call_id, customer.name, set(agents)) == (CALL.call_id, LAN["name"], {"an", "chi"})
        assert desk.customers.known(*KEY) == customer

    await _with_desk(work)


async def test_whoever_talks_when_the_answer_comes_late_is_told() -> None:
    async def work(desk: Desk) -> None:
        desk.begins()
        desk.happens(CallChanged(NOON, answered()))
        await desk.answers()
        ((_, _, agents),) = desk.told
        assert agents == {"an"}

    await _with_desk(work)


async def test_a_call_asks_once_whatever_changes_and_once_more_for_another_number() -> None:
    async def work(desk: Desk) -> None:
        desk.begins()
        desk.happens(CallChanged(NOON, replace(CALL, queue="support")))
        desk.happens(CallChanged(NOON, replace(CALL, hotline="19005678")))
        await desk.answers()
        assert (len(desk.crm.requests), len(desk.told)) == (1, 1)
        desk.happens(CallChanged(NOON, ringing(number="0901701235")))
        assert desk.customers.known(*KEY) is None
        await desk.answers(2)
        assert (len(desk.crm.requests), len(desk.told)) == (2, 2)

    await _with_desk(work)


async def test_a_call_that_ended_meanwhile_tells_nobody_and_nothing_of_it_is_kept() -> None:
    async def work(desk: Desk) -> None:
        desk.begins()
        desk.happens(CallEnded(NOON, missed()))
        await desk.answers()
        assert (desk.told, desk.customers.known(*KEY)) == ([], None)
        desk.begins(ringing("1.2"))
        await asyncio.sleep(0.05)  # from memory
        assert [call.call_id for call, _, _ in desk.told] == ["1.2"]
        desk.happens(CallEnded(NOON, missed("1.2")))
        assert desk.customers.known("main", "1.2") is None

    await _with_desk(work)


async def test_calls_that_lived_before_the_start_are_asked_for_again() -> None:
    async def work(desk: Desk) -> None:
        rules = Rulebook(CallSettings(customer_lookup_url=f"{desk.crm.url}/who"))
        calls = [answered(), ringing("1.2", direction=Direction.INTERNAL), ringing("1.3", number=None)]
        desk.customers.restore(calls, rules, NOON)
        await desk.answers()
        assert [(call.call_id, agents) for call, _, agents in desk.told] == [(CALL.call_id, frozenset({"an"}))]

    await _with_desk(work)
