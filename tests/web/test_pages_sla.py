"""The page of the service level: the headline in words, what leads where, and what is not a choice."""

from __future__ import annotations

import re
from html import unescape

import pytest

from daemon.call.signals import UnixMs
from daemon.store.role import Role
from tests.web.browser import Browser, has_no_inline_code, signed_in
from tests.web.conftest import NOW, House
from tests.web.test_pages_agents import admin
from tests.web.test_sla import after, gave_up, keep

HOSTILE = "<script>alert('Đỗ')</script>"


async def supervisor(house: House) -> Browser:
    browser = await signed_in(house, "lead", Role.SUPERVISOR)
    await house.ask("PATCH", "/api/v1/accounts/lead", json={"language": "en"})
    return browser


async def read(browser: Browser, query: str = "") -> str:
    page = await browser.get(f"/service-level{query}")
    assert page.status == 200, page.text
    assert "<script>alert" not in page.text
    content = page.text.partition("<main")[2]
    assert has_no_inline_code(content)
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", content)).split())


async def test_the_headline_says_its_formula_in_words_and_the_target_met(house: House) -> None:
    now = UnixMs(NOW - 60_000)
    calls = [after(ms, started_at=now, queued_at=now) for ms in (1_000, 2_000, 3_000, 20_000, 25_000)]
    await keep(house, [*calls, gave_up(30_000, started_at=now, queued_at=now)])
    content = await read(await supervisor(house))
    assert "80 % Target 80 % met 4 of 5 answered calls were answered within 20 seconds." in content
    assert "Of all who called 66.7 % 4 of 6" in content
    assert "Longest of them 25 s" in content


async def test_another_limit_is_only_looked_at(house: House) -> None:
    now = UnixMs(NOW - 60_000)
    await keep(house, [after(1_000, started_at=now, queued_at=now), after(25_000, started_at=now, queued_at=now)])
    browser = await supervisor(house)
    assert "Below the target of 80 %" in await read(browser)
    content = await read(browser, "?within=25")
    assert "100 % Target 80 % met" in content
    assert "Back to the setting (20 s)" in content
    assert (await house.ask("GET", "/api/v1/call-settings")).body["sla_answer_within_seconds"] == 20


async def own_goal(house: House, queue: str, **goal: int) -> None:
    assert (await house.ask("PUT", f"/api/v1/queues/{queue}", json=goal)).status in (200, 201)


async def test_where_queues_have_limits_of_their_own_the_headline_says_so_in_words(house: House) -> None:
    await own_goal(house, "vip", sla_target_percent=95, sla_answer_within_seconds=10)
    await own_goal(house, "night", sla_answer_within_seconds=60)
    now = UnixMs(NOW - 60_000)
    waits = (("vip", 9_000), ("vip", 15_000), ("night", 50_000), (None, 20_000), (None, 30_000))
    await keep(house, [after(ms, started_at=now, queued_at=now, queue=queue) for queue, ms in waits])
    browser = await supervisor(house)
    content = await read(browser)
    assert (
        "60 % Below the target of 80 % 3 of 5 answered calls were answered within the limit of their queue." in content
    )
    own = "Queues with a target or limit of their own: night 80 % within 60 s, vip 95 % within 10 s, all others 80 %"
    assert own in content
    assert "The slider puts one limit in the place of all" in content
    rows = await read(browser, "?by=queue")
    assert re.search(r"vip 2 answered 1 in time 50 % Below the target of 95 % Target 95 % · 10 s", rows)
    assert re.search(r"night 1 answered 1 in time 100 % Target 80 % met Target 80 % · 60 s", rows)
    one = await read(browser, "?queue=vip")
    assert "Below the target of 95 % 1 of 2 answered calls were answered within 10 seconds." in one
    assert "of their own" not in one


async def test_the_slider_puts_one_limit_in_the_place_of_all_and_leads_back(house: House) -> None:
    await own_goal(house, "vip", sla_answer_within_seconds=10)
    now = UnixMs(NOW - 60_000)
    await keep(house, [after(ms, started_at=now, queued_at=now, queue="vip") for ms in (9_000, 20_000)])
    browser = await supervisor(house)
    content = await read(browser, "?within=20")
    assert "100 % Target 80 % met 2 of 2 answered calls were answered within 20 seconds." in content
    assert "Queues with a target or limit" not in content, "each has the same now"
    assert "Back to the limits that are set" in content, "though 20 s is the setting"
    assert "Back to" not in await read(browser)


async def test_so_many_queues_with_limits_of_their_own_are_not_all_told(house: House) -> None:
    for number in range(8):
        await own_goal(house, f"q{number}", sla_answer_within_seconds=5)
    assert re.search(r"q5 80 % within 5 s, 2 more, all others", await read(await supervisor(house)))


async def test_a_change_of_settings_changes_what_was_and_the_page_says_so(house: House) -> None:
    yesterday = UnixMs(NOW - 86_400_000)
    calls = [after(15_000, started_at=yesterday, queued_at=yesterday, queue="vip")]
    await keep(house, [*calls, gave_up(8_000, started_at=yesterday, queued_at=yesterday)])
    browser = await supervisor(house)
    content = await read(browser, "?span=yesterday")
    assert "100 % Target 80 % met" in content
    assert "A change of the setting also changes these figures of the past" in content
    assert "Without who gave up within 5 s 50 % 1 of 2" in content
    changed = {"sla_answer_within_seconds": 10, "sla_short_abandon_seconds": 9}
    await house.ask("PATCH", "/api/v1/call-settings", json=changed)
    content = await read(browser, "?span=yesterday")
    assert "0 of 1 answered calls were answered within 10 seconds." in content
    assert "Without who gave up within 9 s 0 % 0 of 1" in content
    await own_goal(house, "vip", sla_answer_within_seconds=15)
    assert "100 % Target 80 % met" in await read(browser, "?span=yesterday")
    boss = await admin(house)
    assert "also changes the figures of the past" in (await boss.get("/settings/calls")).text
    assert "also change its figures of the past" in (await boss.get("/settings/queues")).text


@pytest.mark.parametrize("by", ["day", "hour", "half_hour", "queue", "hotline", "user_id"])
async def test_every_way_to_divide_has_its_rows(house: House, by: str) -> None:
    now = UnixMs(NOW - 60_000)
    await keep(house, [after(1_000, started_at=now, queued_at=now, queue="support"), after(1_000, started_at=now)])
    content = await read(await supervisor(house), f"?by={by}")
    assert "2 of 2 answered calls" in content
    assert ("1 answered 1 in time" if by == "queue" else "2 answered 2 in time") in content


async def test_waiting_is_said_to_count_as_it_is_counted(house: House) -> None:
    content = await read(await supervisor(house))
    assert "from the queue, for calls without a queue from the first ring of an agent's phone" in content


async def test_a_queue_leads_to_its_own_figures_and_a_hostile_name_stays_text(house: House) -> None:
    now = UnixMs(NOW - 60_000)
    await keep(house, [after(1_000, started_at=now, queued_at=now, queue=HOSTILE), after(1_000, started_at=now)])
    browser = await supervisor(house)
    assert HOSTILE[:20] in await read(browser, "?by=queue")
    link = re.search(r'href="(/service-level\?queue=[^"]+)"', (await browser.get("/service-level?by=queue")).text)
    assert link is not None
    own = await read(browser, unescape(link[1]).removeprefix("/service-level"))
    assert "1 of 1 answered calls" in own


@pytest.mark.parametrize("query", ["", "?span=year&by=half_hour", "?span=century&by=mood&within=-1", "?within=99999"])
async def test_without_calls_and_with_what_is_no_choice_there_is_a_page_that_says_so(house: House, query: str) -> None:
    content = await read(await supervisor(house), query)
    assert "No call was answered in this time." in content
    assert "Figures appear with the first answered call." in content
    assert "within 20" in content or "20 s" in content
