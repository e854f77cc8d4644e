"""The four ways to merge one customer's missed calls, changed while the daemon runs, on calls really missed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable

from tests.live.conftest import PhoneMaker
from tests.live.daemon_house import House
from tests.live.phone import Phone, reject
from tests.live.trunk import Trunk

# Of two calls missed in the queue, two direct ones and two busy outgoing ones: kind, queue and size of each ticket.
QUEUE, DIRECT, OUTGOING = ("missed_incoming", "support"), ("missed_incoming", None), ("missed_outgoing", None)
ALONE = {
    QUEUE: [1, 1],
    DIRECT: [1, 1],
    OUTGOING: [1, 1],
}
WANTED = {
    "incoming": {QUEUE: [4], OUTGOING: [1, 1]},
    "none": ALONE,
    "incoming_and_outgoing": {QUEUE: [4], OUTGOING: [2]},
    "incoming_per_queue_and_outgoing": {QUEUE: [2], DIRECT: [2], OUTGOING: [2]},
}


async def test_each_merge_mode_set_at_run_time_holds_for_the_next_missed_calls(
    house: House, phone: PhoneMaker, trunk: Trunk
) -> None:
    agent = await phone("1001")
    await trunk.on_call(reject(486, after=0.0))
    for number, mode in enumerate(WANTED, start=1):
        customer = f"090100010{number}"
        await house.api.put("call-settings", {"missed_call_merge": mode})
        await miss_six(house, agent, trunk, customer)
        assert await ticket_sizes(house, customer) == WANTED[mode], mode


async def miss_six(house: House, agent: Phone, trunk: Trunk, customer: str) -> None:
    """Queue, direct and outgoing in turn, each written in another way, and each over before the next."""
    before = len(await house.calls())
    ways: list[Callable[[], Awaitable[None]]] = [
        lambda: abandon(agent, trunk, "1900", "+84" + customer[1:]),
        lambda: abandon(agent, trunk, "1902", customer),
        lambda: busy(agent, customer),
        lambda: abandon(agent, trunk, "1900", "0084" + customer[1:]),
        lambda: abandon(agent, trunk, "1902", "84" + customer[1:]),
        lambda: busy(agent, "+84" + customer[1:]),
    ]
    for count, miss in enumerate(ways, start=before + 1):
        await miss()
        await house.quiet(count)


async def abandon(agent: Phone, trunk: Trunk, hotline: str, customer: str) -> None:
    call = await trunk.call(hotline, customer)
    rings = await agent.next_call()
    await call.hangup()
    await rings.disconnected()


async def busy(agent: Phone, customer: str) -> None:
    await (await agent.call(customer)).disconnected()


async def ticket_sizes(house: House, customer: str) -> dict[tuple[str, str | None], list[int]]:
    """The sizes of this customer's tickets, by kind and the queue of their first call."""
    mine = [ticket for ticket in await house.tickets() if ticket["customer_number"] == "+84" + customer[1:]]
    in_tickets = Counter(call_id for ticket in mine for call_id in ticket["call_ids"])
    assert set(in_tickets.values()) == {1}
    sizes: dict[tuple[str, str | None], list[int]] = {}
    for ticket in mine:
        assert ticket["missed_count"] == len(ticket["call_ids"])
        sizes.setdefault((ticket["kind"], ticket["queue"]), []).append(ticket["missed_count"])
    return sizes
