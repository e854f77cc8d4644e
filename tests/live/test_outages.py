"""The daemon killed, Asterisk frozen, killed or refusing us, each with calls on the line: told honestly, and once."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

from tests.live.asterisk import Asterisk, frozen
from tests.live.conftest import PhoneMaker
from tests.live.daemon_house import ANSWER_TIMES, SAME_MOMENT_MS, House, Json, daemon_inside, phone_time, unix_ms
from tests.live.phone import PhoneCall
from tests.live.trunk import Trunk
from tests.whole.house import DaemonProcess, until

FROZEN_NOTICED_S = 20.0
# The first pause after a refused login is 5 s at least, the second 10 s more or less.
WATCHED_S = 8.0
REFUSED_LOGIN = "failed to authenticate as 'callwarden'"
TALKER, RINGER = "+84901000201", "+84901000202"


async def test_a_daemon_killed_in_mid_call_takes_it_up_again_and_tells_nothing_twice(
    own_house: House, phone: PhoneMaker, trunk: Trunk
) -> None:
    customer, agent = await talking(phone, trunk)
    popups = await own_house.popped(1)
    await own_house.sent()
    await killed(own_house)
    await back(own_house)
    await own_house.living(1, "answered")
    await customer.hangup()
    await agent.disconnected()
    (call,) = await own_house.quiet(1)
    assert (call["outcome"], call["ended_by"], call["user_ids"]) == ("answered", "customer", ["1001"])
    ANSWER_TIMES.check("call answered_at, daemon killed", unix_ms(call["answered_at"]), phone_time(agent))
    assert own_house.popups() == popups
    await told_once(own_house, call)


async def test_a_daemon_killed_at_the_moment_of_answer_pops_and_makes_the_ticket_once(
    own_house: House, phone: PhoneMaker, trunk: Trunk
) -> None:
    customer, agent = await talking(phone, trunk)
    await killed(own_house)
    await back(own_house)
    await own_house.popped(1)
    await customer.hangup()
    await agent.disconnected()
    (call,) = await own_house.quiet(1)
    assert (call["outcome"], call["user_ids"]) == ("answered", ["1001"])
    # A popup that was under way may arrive again; by its id the CRM knows that it is the same.
    assert len({request.webhook_id for request in own_house.crm.got("/pop")}) == 1
    assert {(popup.user_id, popup.call_id) for popup in own_house.popups()} == {("1001", call["call_id"])}
    await told_once(own_house, call)


async def test_calls_that_end_while_the_daemon_is_dead_are_closed_with_what_is_known(
    own_house: House, phone: PhoneMaker, trunk: Trunk
) -> None:
    customer, agent = await talking(phone, trunk)
    waiting, rings = await ringing(phone, trunk)
    await own_house.popped(1)
    await own_house.living(1, "ringing")
    await own_house.sent()
    await killed(own_house)
    for call, other in ((customer, agent), (waiting, rings)):
        await call.hangup()
        await other.disconnected()
    await back(own_house)
    await closed_honestly(own_house, agent, ended_by_ms=time.time() * 1000)


async def test_a_frozen_asterisk_is_noticed_in_time_and_followed_again_when_it_wakes(
    house: House, phone: PhoneMaker, trunk: Trunk
) -> None:
    customer, agent = await talking(phone, trunk)
    await house.popped(1)
    with frozen(house.pbx):
        await until(lambda: not_ready(house), house.readiness, FROZEN_NOTICED_S)
        assert "pbx main" in (await house.readiness())[1]["reasons"][0]
    await until(house.is_ready, house.readiness)
    await house.living(1, "answered")
    await customer.hangup()
    await agent.disconnected()
    (call,) = await house.quiet(1)
    assert (call["outcome"], call["ended_by"]) == ("answered", "customer")
    await told_once(house, call)


async def test_calls_of_a_killed_asterisk_are_closed_with_what_is_known_and_the_next_one_works(
    house: House, phone: PhoneMaker, trunk: Trunk
) -> None:
    customer, agent = await talking(phone, trunk)
    waiting, rings = await ringing(phone, trunk)
    await house.popped(1)
    await house.living(1, "ringing")
    await asyncio.to_thread(house.pbx.kill)
    killed_ms = time.time() * 1000
    await asyncio.to_thread(house.pbx.start)
    await until(house.is_ready, house.readiness)
    await closed_honestly(house, agent, ended_by_ms=killed_ms + SAME_MOMENT_MS)
    for left in (customer, agent, waiting):  # no BYE came: they hang up what is dead
        await left.hangup()
    await rings.reject()
    await next_call_works(house, agent, trunk)


async def test_a_refused_login_is_told_in_words_and_not_repeated_at_once(asterisk: Asterisk, tmp_path: Path) -> None:
    before = refused_logins(asterisk)
    async with daemon_inside(tmp_path, asterisk, secret="not the secret") as house:
        await until(lambda: told_refused(house), house.readiness)
        await asyncio.sleep(WATCHED_S)
        assert await told_refused(house)
    assert 1 <= refused_logins(asterisk) - before <= 2


async def talking(phone: PhoneMaker, trunk: Trunk) -> tuple[PhoneCall, PhoneCall]:
    """A customer talks to 1001."""
    agent = await phone("1001")
    customer = await trunk.call("1902", TALKER)
    call = await agent.next_call()
    await call.answer()
    await call.confirmed()
    await customer.confirmed()
    return customer, call


async def ringing(phone: PhoneMaker, trunk: Trunk) -> tuple[PhoneCall, PhoneCall]:
    """Another one hears 1002's phone ring."""
    agent = await phone("1002")
    customer = await trunk.call("1901", RINGER)
    call = await agent.next_call()
    await customer.ringing()
    return customer, call


async def closed_honestly(house: House, agent: PhoneCall, ended_by_ms: float) -> None:
    """The talk was answered, the ringing missed; who hung up nobody saw, and nothing lasted longer than was known."""
    talk, missed = await house.quiet(2)
    facts = [(call["customer_number"], call["outcome"], call["ended_by"]) for call in (talk, missed)]
    assert facts == [(TALKER, "answered", None), (RINGER, "missed", None)]
    ANSWER_TIMES.check("call answered_at, end unseen", unix_ms(talk["answered_at"]), phone_time(agent))
    for call in (talk, missed):
        assert unix_ms(call["answered_at"] or call["started_at"]) <= unix_ms(call["ended_at"]) <= ended_by_ms
        await told_once(house, call)
    kinds = {ticket["call_ids"][0]: ticket["kind"] for ticket in await house.tickets()}
    assert kinds == {talk["call_id"]: "incoming", missed["call_id"]: "missed_incoming"}
    assert [popup.call_id for popup in house.popups()] == [talk["call_id"]]


async def next_call_works(house: House, before: PhoneCall, trunk: Trunk) -> None:
    await before.phone.register()
    customer = await trunk.call("1902", RINGER)
    agent = await before.phone.next_call()
    await agent.answer()
    await agent.confirmed()
    await customer.confirmed()
    await customer.hangup()
    call = (await house.quiet(3))[-1]
    assert (call["outcome"], call["user_ids"], call["ended_by"]) == ("answered", ["1001"], "customer")
    ANSWER_TIMES.check("call answered_at, after a crash", unix_ms(call["answered_at"]), phone_time(agent))
    assert house.popups()[-1].call_id == call["call_id"]


async def told_once(house: House, call: Json) -> None:
    """One ticket, and each message one id however often it came."""
    mine = [ticket for ticket in await house.tickets() if call["call_id"] in ticket["call_ids"]]
    assert [ticket["ticket_id"] for ticket in mine] == [call["ticket_id"]]
    deliveries = await house.api.every("deliveries")
    kinds = [delivery["event_type"] for delivery in deliveries if delivery["call_id"] == call["call_id"]]
    assert len(kinds) == len(set(kinds))
    assert {"call.ended", "ticket.created"} <= set(kinds)


def process_of(house: House) -> DaemonProcess:
    assert house.process is not None
    return house.process


async def killed(house: House) -> None:
    await process_of(house).kill()


async def back(house: House) -> None:
    await process_of(house).start()
    await process_of(house).ready()


async def not_ready(house: House) -> bool:
    return not await house.is_ready()


async def told_refused(house: House) -> bool:
    """`/readyz` speaks of the login; the word `refused` alone could be the connection's."""
    status, document = await house.readiness()
    return status == 503 and any("pbx main" in why and "login" in why for why in document["reasons"])


def refused_logins(pbx: Asterisk) -> int:
    return (pbx.folder / "log/messages").read_text(errors="replace").count(REFUSED_LOGIN)
