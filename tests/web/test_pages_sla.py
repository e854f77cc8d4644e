"""The page of the service level: the headline in words, what leads where, and what is not a choice."""

from __future__ import annotations

import re
from html import unescape

import pytest

from daemon.call.signals import UnixMs
from daemon.store.role import Role
from tests.web.browser import Browser, has_no_inline_code, signed_in
from tests.web.conftest import NOW, House
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
