"""Agents' desks in real browsers while a real Asterisk rings their real phones: who is told, and whose page opens."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser, expect

from tests.browser.at_the_desk import SETTLED_MS, another_tab, opened_at, stage, there, windows
from tests.browser.chromium import chromium
from tests.browser.house import Person
from tests.live.asterisk import Asterisk
from tests.live.browsers import Desks, desks_at, popped, shows_quiet, shows_ringing
from tests.live.conftest import PhoneMaker
from tests.live.daemon_house import ANSWER_TIMES, House, daemon_inside, phone_time, unix_ms
from tests.live.lab import Lab
from tests.live.phone import RING
from tests.live.trunk import Trunk
from tests.whole.house import until

DIRECT, RINGALL, GROUP = "1902", "1904", "1909"
CUSTOMER = "+84901234567"
READY = "Ready for the next call"
TALKING = "Open the customer's page"

pytestmark = pytest.mark.browser


@pytest.fixture
def phone(known_phone: PhoneMaker) -> PhoneMaker:
    return known_phone


@pytest_asyncio.fixture(loop_scope="session")
async def desks(house: House, browser: Browser) -> AsyncIterator[Desks]:
    async with desks_at(house, browser) as opened:
        yield opened


async def test_whoever_is_rung_sees_it_at_once_and_only_who_answers_gets_one_window_at_the_exact_address(
    desks: Desks, phone: PhoneMaker, trunk: Trunk
) -> None:
    first, second = await asyncio.gather(phone("1001"), phone("1002"))
    one, elsewhere, other = await sat_down(desks, "1001", "1001", "1002")
    tab = await another_tab(one)
    customer = await trunk.call(RINGALL, CUSTOMER, name="Lan")
    rung, rung_too = await asyncio.gather(first.next_call(), second.next_call())
    for page, call in ((one.page, rung), (tab, rung), (elsewhere.page, rung), (other.page, rung_too)):
        await shows_ringing(page, call, "queue: alert on the desk")
    await rung.answer()
    await asyncio.gather(rung.confirmed(), rung_too.disconnected())
    await shows_quiet(other.page, await rung_too.disconnected(), "queue: answered by a colleague")
    for page in (one.page, tab, elsewhere.page):
        await expect(stage(page)).to_contain_text(TALKING)
    await customer.hangup()
    (known,) = await desks.house.quiet(1)
    await asyncio.gather(*(expect(stage(who.page)).to_contain_text(READY) for who in desks.people))
    await one.page.wait_for_timeout(SETTLED_MS)
    answered = unix_ms(known["answered_at"])
    ANSWER_TIMES.check("timeAnswer in the window's address", answered, phone_time(rung))
    (address,) = await opened_at(desks.house)
    assert address == (
        f"{desks.house.crm.url}/pop?x=1&userId=1001&hotline={RINGALL}&customerNumber=84901234567"
        f"&isCallOut=false&timeAnswer={answered}&callId={known['call_id']}"
    )
    assert (len(windows(one, elsewhere)), len(windows(other))) == (1, 0)


async def test_a_ringtone_chosen_on_the_page_rings_at_the_next_call(
    desks: Desks, phone: PhoneMaker, trunk: Trunk, lab: Lab
) -> None:
    """An admin's own browser; the phone, a Grandstream, is told names."""

    async def is_there() -> bool:
        return await lab.ringtone_entry("all") == name

    house, (agent, own_number) = desks.house, ("1002", "1901")
    await house.api.put(
        f"agents/{agent}", {"name": agent, "endpoints": [f"PJSIP/{agent}"], "phone_brand": "grandstream"}
    )
    second = await phone(agent)
    await second.on_call(RING)
    admin = await desks.admin()
    page = admin.page
    for name in ("harp", None):
        await page.goto("/settings/calls")
        await page.get_by_label("Ringtone", exact=True).select_option(name or "")
        await page.locator("#savebar").get_by_role("button", name="Save").click()
        await expect(page.locator("#savebar")).to_be_hidden()
        await until(is_there, deadline_s=2)
        customer = await trunk.call(own_number, CUSTOMER)
        told = (await second.next_call()).header("Alert-Info")
        await customer.hangup()
        assert told == (f"<http://127.0.0.1>;info={name}" if name else None)


async def test_a_caller_who_gives_up_leaves_every_desk_at_once_from_a_queue_as_from_a_ring_group(
    desks: Desks, phone: PhoneMaker, trunk: Trunk
) -> None:
    phones = await asyncio.gather(phone("1001"), phone("1002"))
    people = await sat_down(desks, "1001", "1002")
    for hotline, what in ((RINGALL, "queue"), (GROUP, "ring group")):
        customer = await trunk.call(hotline, CUSTOMER)
        rung = await asyncio.gather(*(one.next_call() for one in phones))
        for who, call in zip(people, rung, strict=True):
            await shows_ringing(who.page, call, f"{what}: alert on the desk")
        await customer.hangup()
        for who, call in zip(people, rung, strict=True):
            await shows_quiet(who.page, await call.disconnected(), f"{what}: the caller gave up")
            await expect(who.page.locator("#missed")).to_contain_text("0901 234 567")
    assert await opened_at(desks.house) == []


async def test_the_page_follows_the_customer_to_whom_he_is_transferred_and_to_whoever_picks_up(
    desks: Desks, phone: PhoneMaker, trunk: Trunk
) -> None:
    first, second = await asyncio.gather(phone("1001"), phone("1002"))
    one, other = await sat_down(desks, "1001", "1002")
    customer = await trunk.call(DIRECT, CUSTOMER)
    agent = await first.next_call()
    await agent.answer()
    await expect(stage(one.page)).to_contain_text(TALKING)
    await until(lambda: there(desks.house, 1))
    await agent.transfer("1002")
    colleague = await second.next_call()
    await shows_ringing(other.page, colleague, "transfer: alert on the desk")
    await colleague.answer()
    await expect(stage(other.page)).to_contain_text(TALKING)
    await expect(stage(one.page)).to_contain_text(READY)
    await until(lambda: there(desks.house, 2))
    await customer.hangup()

    customer = await trunk.call(DIRECT, CUSTOMER)
    agent = await first.next_call()
    await shows_ringing(one.page, agent, "direct: alert on the desk")
    await second.call("*81001")
    await shows_quiet(one.page, await agent.disconnected(), "direct: picked up by a colleague")
    await expect(stage(other.page)).to_contain_text(TALKING)
    await until(lambda: there(desks.house, 3))
    await customer.hangup()
    calls = [call["call_id"] for call in await desks.house.quiet(2)]
    await one.page.wait_for_timeout(SETTLED_MS)
    assert [(popup.user_id, popup.call_id) for popup in popped(desks.house)] == [
        *(("1001", calls[0]), ("1002", calls[0]), ("1002", calls[1]))
    ]
    assert (len(windows(one)), len(windows(other))) == (1, 1)


async def test_a_reload_and_a_daemon_that_dies_in_mid_call_open_nothing_again_and_keep_the_note(
    own_house: House, browser: Browser, phone: PhoneMaker, trunk: Trunk
) -> None:
    assert own_house.process is not None
    first = await phone("1001")
    async with desks_at(own_house, browser, ["1001"]) as desks:
        (one,) = await sat_down(desks, "1001")
        customer = await trunk.call(DIRECT, CUSTOMER)
        agent = await first.next_call()
        await agent.answer()
        note = one.page.get_by_role("region", name="Ticket of the call").get_by_label("Note")
        await note.fill("Khách hỏi giá")
        await expect(one.page.get_by_text("Saved", exact=True)).to_be_visible()
        await until(lambda: there(own_house, 1))
        await one.page.reload()
        await expect(stage(one.page)).to_contain_text(TALKING)
        await expect(note).to_have_value("Khách hỏi giá")
        with one.watch.offline():
            await own_house.process.kill()
            await expect(one.page.locator("#link-state")).to_have_text("Reconnecting …")
            await own_house.process.start()
            await own_house.process.ready()
            await expect(one.page.locator("#link-state")).to_have_text("Live")
        await expect(stage(one.page)).to_contain_text(TALKING)
        await note.press("End")
        await one.page.keyboard.type(" tủ lạnh")
        await customer.hangup()
        await expect(stage(one.page)).to_contain_text(READY)
        await agent.disconnected()
        await own_house.quiet(1)
        await one.page.wait_for_timeout(SETTLED_MS)
        (ticket,) = await own_house.tickets()
        assert (ticket["note"], ticket["kind"]) == ("Khách hỏi giá tủ lạnh", "incoming")
        assert len(await opened_at(own_house)) == 1


async def test_a_browser_that_blocks_popups_is_explained_on_the_card_and_a_click_opens_the_page_once(
    asterisk: Asterisk, tmp_path: Path, phone: PhoneMaker, trunk: Trunk
) -> None:
    async with (
        chromium(blocks_popups=True) as strict,
        daemon_inside(tmp_path, asterisk) as house,
        desks_at(house, strict, ["1001"]) as desks,
    ):
        first = await phone("1001")
        (one,) = await sat_down(desks, "1001")
        for address in ("about:blank", "/desk"):  # a desk nobody has looked at yet: a test's look is a click to it
            await one.page.goto(address)
        async with one.page.expect_response("**/blocked"):
            customer = await trunk.call(DIRECT, CUSTOMER)
            await (await first.next_call()).answer()
        await expect(stage(one.page).get_by_text("did not let the customer's page open")).to_be_visible()
        await stage(one.page).get_by_role("link", name="How to allow it").click()
        await expect(one.page.get_by_text("This browser blocks windows that open by themselves")).to_be_visible()
        assert await opened_at(house) == []
        await stage(one.page).get_by_role("button", name=TALKING).click()
        await until(lambda: there(house, 1))
        await customer.hangup()
        await expect(stage(one.page)).to_contain_text(READY)
        await one.page.wait_for_timeout(SETTLED_MS)
        assert len(await opened_at(house)) == len(windows(one)) == 1


async def sat_down(desks: Desks, *users: str) -> list[Person]:
    return await asyncio.gather(*map(desks.sit_down, users))
