"""The customer's page: the right one, for the right agent, once, whatever windows and browsers there are."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Browser, Page, Route, expect

from daemon.ami.scenario import SCENARIOS
from daemon.app import Daemon
from daemon.clock import now_ms
from daemon.config import load_config
from daemon.store.pops import read_pops
from daemon.store.role import Role
from daemon.store.tokens import add_token, new_token
from tests.browser.at_the_desk import (
    HTML,
    NUMBER,
    SETTLED_MS,
    another_tab,
    furnish,
    open_desk,
    opened_at,
    shown,
    sit_down,
    stage,
    strict_house,
    there,
    windows,
)
from tests.browser.chromium import chromium
from tests.browser.house import House, Person
from tests.browser.staged_call import GROUP, StagedCall
from tests.delivery.receiver import Receiver, Reply
from tests.whole.house import api_client, config_text, simulated_pbx, until

_LEAD_ASTRAY = b"""<title>CRM</title><script>
for (const lead of [() => opener.location = "https://evil.example/", () => opener.top.location = "https://evil.example/",
  () => opener.parent.location.replace("https://evil.example/")]) { try { lead(); } catch (error) {} }
</script>"""


async def test_on_answer_one_window_opens_at_the_exact_address_whatever_tabs_and_browsers_there_are(
    house: House,
) -> None:
    await furnish(house)
    an, elsewhere = await sit_down(house), await sit_down(house)
    await another_tab(an)
    call = StagedCall(house.pbx)
    call.rings()
    call.is_answered()
    await until(lambda: there(house, 1))
    for page in (*an.context.pages[:2], elsewhere.page):
        await expect(stage(page)).to_contain_text("Open the customer's page")
    await an.page.wait_for_timeout(SETTLED_MS)
    (address,) = await opened_at(house)
    assert len(windows(an, elsewhere)) == 1
    answered = (await house.api.get(f"calls/{call.call_id}"))["answered_at"]
    assert address.startswith(f"{house.crm.url}/pop?x=1&userId=an&hotline=19001234&customerNumber=84901701234&")
    assert address.endswith(f"&isCallOut=false&timeAnswer={_unix_ms(answered)}&callId={call.call_id}")
    call.ends()
    await an.page.wait_for_timeout(SETTLED_MS)
    assert len(await opened_at(house)) == 1, "nothing opens at hang-up"


async def test_a_call_that_a_colleague_answers_rings_no_more_and_opens_nothing_here(house: House) -> None:
    await furnish(house)
    an, binh = await sit_down(house), await sit_down(house, "binh")
    call = StagedCall(house.pbx, GROUP)
    call.go_on("DialState", 2)
    for who in (an, binh):
        await expect(stage(who.page)).to_contain_text(NUMBER)
    call.is_answered()
    await expect(stage(an.page)).to_contain_text("Ready for the next call")
    await expect(an.page).to_have_title("Desk · Callwarden")
    await until(lambda: there(house, 1))
    assert "userId=binh" in (await opened_at(house))[0]
    await an.page.wait_for_timeout(SETTLED_MS)
    assert (len(windows(an)), len(windows(binh))) == (0, 1)


async def test_a_transfer_opens_the_page_of_the_second_agent_and_frees_the_first_ones_desk(house: House) -> None:
    await furnish(house)
    an, binh = await sit_down(house), await sit_down(house, "binh")
    call = StagedCall(house.pbx, SCENARIOS["blind_transfer"])
    call.rings()
    call.is_answered()
    await expect(stage(an.page)).to_contain_text("Open the customer's page")
    call.rings()
    await expect(stage(binh.page)).to_contain_text("Incoming call")
    call.is_answered()
    await expect(stage(binh.page)).to_contain_text("Open the customer's page")
    await expect(stage(an.page)).to_contain_text("Ready for the next call")
    await until(lambda: there(house, 2))
    assert [("userId=an" in one, "userId=binh" in one) for one in await opened_at(house)] == [
        (True, False),
        (False, True),
    ]


async def test_a_reload_in_mid_call_shows_the_call_and_opens_nothing_again(house: House) -> None:
    await furnish(house)
    an = await sit_down(house)
    call = StagedCall(house.pbx)
    call.rings()
    call.is_answered()
    await until(lambda: there(house, 1))
    await open_desk(an.page)
    await expect(stage(an.page)).to_contain_text("Open the customer's page")
    await an.page.wait_for_timeout(SETTLED_MS)
    assert len(await opened_at(house)) == 1


async def test_a_desk_that_is_opened_just_after_the_answer_still_opens_the_page(house: House) -> None:
    await furnish(house)
    call = StagedCall(house.pbx)
    call.rings()
    call.is_answered()
    await sit_down(house)
    await until(lambda: there(house, 1))


async def test_a_page_that_one_browser_blocks_opens_in_another_one_once_and_else_is_on_every_card_for_a_click(
    house: House,
) -> None:
    await furnish(house)
    async with chromium(blocks_popups=True) as strict:
        free, house.browser = house.browser, strict
        an, elsewhere = await house.browser_of("an"), await house.browser_of("an")
        pages = (an.page, await an.context.new_page(), elsewhere.page)
        call = await _blocked_everywhere(house, pages, "+84901701234")
        house.browser = free
        allowed = await sit_down(house)
        await until(lambda: shown(allowed, 1))
        await _expect_warnings(pages, visible=False)
        assert (len(await opened_at(house)), windows(an, elsewhere)) == (1, [])
        call.ends()
        await allowed.settle()
        await allowed.context.close()
        await _blocked_everywhere(house, pages, "+84912345678")
        await _expect_warnings(pages, visible=True)
        await stage(an.page).get_by_role("link", name="How to allow it").click()
        await expect(an.page.get_by_text("This browser blocks windows that open by themselves")).to_be_visible()
        await stage(pages[1]).get_by_role("button", name="Open the customer's page").click()
        await until(lambda: there(house, 2))
        await _expect_warnings(pages, visible=False)
        await an.page.wait_for_timeout(SETTLED_MS)
        assert (len(await opened_at(house)), len(windows(an)), windows(elsewhere)) == (2, 1, [])
        for person in (an, elsewhere):
            await person.settle()
            await person.context.close()
        house.people.clear()


async def test_a_page_that_was_given_back_opens_in_a_browser_that_had_asked_for_it_too_late(house: House) -> None:
    async def slowly(route: Route, seconds: float) -> None:
        await asyncio.sleep(seconds)
        await route.continue_()

    await furnish(house)
    allowed = await sit_down(house)
    await allowed.context.route("**/desk/pops/**/open", lambda route: slowly(route, 0.4))
    async with chromium(blocks_popups=True) as strict:
        house.browser, free = strict, house.browser
        an = await house.browser_of("an")
        await an.context.route("**/desk/pops/**/blocked", lambda route: slowly(route, 1.5))
        house.browser = free
        await an.page.goto("/desk")

        async def both_listen() -> bool:
            return house.daemon.feed.listeners == 2

        await until(both_listen)
        call = StagedCall(house.pbx)
        call.rings()
        call.is_answered()
        await until(lambda: shown(allowed, 1))
        await an.page.wait_for_timeout(SETTLED_MS)
        assert (len(await opened_at(house)), windows(an)) == (1, [])
        await an.settle()
        await an.context.close()
        house.people.remove(an)


async def _blocked_everywhere(house: House, pages: Sequence[Page], customer: str) -> StagedCall:
    """Desks at which nobody has looked yet, for looking is a click to the browser; then a call is answered."""
    for page in pages:
        await page.goto("about:blank")

    async def listening(count: int) -> bool:
        return house.daemon.feed.listeners == count

    await until(lambda: listening(0))
    for page in pages:
        await page.goto("/desk")
    await until(lambda: listening(len(pages)))
    call = StagedCall(house.pbx, customer=customer)
    call.rings()
    call.is_answered()

    async def blocked() -> bool:
        pops = await read_pops(house.daemon.store.reader, "an", now_ms())
        return any(pop.call_id == call.call_id and pop.blocked_at and not pop.opened_at for pop in pops)

    await until(blocked)
    await asyncio.sleep(0.5)  # the other browser tries it too
    await until(blocked)
    return call


async def _expect_warnings(pages: Sequence[Page], *, visible: bool) -> None:
    for page in pages:
        warning = stage(page).get_by_text("did not let the customer's page open")
        await expect(warning).to_be_visible() if visible else await expect(warning).to_be_hidden()
        await expect(stage(page).get_by_role("button", name="Open the customer's page")).to_be_visible()


@pytest.mark.parametrize("blocked", [True, False])
async def test_the_test_of_popups_says_what_a_real_call_would_meet(
    house: House, tmp_path: Path, *, blocked: bool
) -> None:
    if blocked:
        (tmp_path / "strict").mkdir()
        async with strict_house(tmp_path / "strict") as strict:
            await _test_popups(strict, "blocked")
    else:
        await furnish(house)
        await _test_popups(house, "works")


async def _test_popups(house: House, word: str) -> None:
    an = await sit_down(house)
    await an.page.get_by_role("link", name="Alerts and popups").click()
    await an.page.get_by_role("button", name="Test my popups").click()
    await asyncio.sleep(8)  # looking at the page is a click to the browser: the page waits until nobody has clicked
    await expect(an.page.locator("#pop-state")).to_have_text(word)
    assert await an.page.get_by_text("Pop-ups and redirects").first.is_visible() is (word == "blocked")


async def test_one_window_is_used_again_and_cannot_lead_the_desk_astray(house: House) -> None:
    await furnish(house)
    house.crm.plan("/pop", Reply(headers=HTML, body=_LEAD_ASTRAY))
    an = await sit_down(house)
    for number in ("+84901701234", "+84912845672"):
        call = StagedCall(house.pbx, customer=number)
        call.rings()
        call.is_answered()
        await until(lambda number=number: asked_for(house, number.removeprefix("+")))  # type: ignore[misc]
        call.ends()
    await an.page.wait_for_timeout(SETTLED_MS)
    an.watch.wrong.clear()  # the browser complains of what it refused
    await until(lambda: shown(an, 1))
    assert an.page.url == f"{house.url}/desk"
    await expect(stage(an.page)).to_contain_text("Ready for the next call")
    assert "evil" not in "".join(frame.url for frame in an.page.frames)


async def test_a_new_tab_each_has_no_way_back_to_the_desk_and_tells_no_address_of_ours(house: House) -> None:
    await furnish(house)
    an = await sit_down(house)
    await an.page.get_by_role("link", name="Alerts and popups").click()
    await an.page.get_by_label("A new tab for each call").check()
    for turn in (1, 2):
        call = StagedCall(house.pbx)
        call.rings()
        call.is_answered()
        await until(lambda turn=turn: there(house, turn))  # type: ignore[misc]
        call.ends()
    await until(lambda: shown(an, 2))
    tabs = [page for page in an.context.pages if "/pop" in page.url]
    assert [await tab.evaluate("window.opener") for tab in tabs] == [None, None]
    assert [request.headers.get("referer") for request in house.crm.got("/pop")] == [None, None]


async def test_a_daemon_that_starts_again_in_mid_call_opens_nothing_again(browser: Browser, tmp_path: Path) -> None:
    token, path = new_token(), tmp_path / "callwarden.toml"
    async with simulated_pbx() as pbx, Receiver() as crm:
        port = free_port()
        path.write_text(config_text(tmp_path, pbx, port))
        async with Daemon(load_config(path)) as daemon:
            await daemon.store.writer.change(lambda: add_token(token, Role.ADMIN, "test", now_ms()))
            async with api_client(port, token) as api:
                house = House(daemon, pbx, crm, api, browser)
                for user_id, phone in (("an", "1001"), ("binh", "1002")):
                    await api.put(f"agents/{user_id}", {"endpoints": [f"PJSIP/{phone}"]})
                await furnish(house)
            await house.connected()
            an = await sit_down(house)
            call = StagedCall(pbx)
            call.rings()
            call.is_answered()
            await until(lambda: there(house, 1))
            an.watch.is_offline = True
        await expect(an.page.locator("#link-state")).to_have_text("Reconnecting …")
        async with Daemon(load_config(path)) as house.daemon:
            await expect(an.page.locator("#link-state")).to_have_text("Live", timeout=30_000)
            await expect(stage(an.page)).to_contain_text("Open the customer's page")
            await an.page.wait_for_timeout(SETTLED_MS)
            assert len(await opened_at(house)) == 1
            assert len((await _desk_of(an))["calls"]) == 1
            await an.context.close()


async def test_on_a_lan_without_https_the_desk_works_and_says_what_is_missing(house: House) -> None:
    await furnish(house)
    url = house.url.replace("127.0.0.1", "callwarden.lan")
    an = await house.browser_of("an")
    await an.context.add_cookies([{"name": "callwarden", "value": await house.session("an"), "url": url}])
    await open_desk(an.page, url)
    assert await an.page.evaluate("isSecureContext || Boolean(navigator.locks)") is False
    second = await an.context.new_page()
    await open_desk(second, url)
    await an.page.get_by_role("link", name="Alerts and popups").click()
    await expect(an.page.locator("#note-state")).to_have_text("not possible here")
    await expect(an.page.get_by_text("Browsers allow notifications only on https")).to_be_visible()
    call = StagedCall(house.pbx)
    call.rings()
    await expect(an.page).to_have_title(f"☎ {NUMBER}")
    call.is_answered()
    await until(lambda: there(house, 1))
    await an.page.wait_for_timeout(SETTLED_MS)
    assert len(await opened_at(house)) == 1


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


async def _desk_of(who: Person) -> dict[str, Any]:
    answer: dict[str, Any] = await who.page.evaluate("async () => (await fetch('/api/v1/desk')).json()")
    return answer


def _unix_ms(text: str) -> int:
    return round(datetime.fromisoformat(text).timestamp() * 1000)


async def asked_for(house: House, number: str) -> bool:
    return any(f"customerNumber={number}" in address for address in await opened_at(house))
