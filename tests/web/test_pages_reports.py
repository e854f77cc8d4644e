"""The page of reports: asked for part by part, filters in the address, hostile names, and nothing to show."""

from __future__ import annotations

import re
from dataclasses import replace
from html import unescape

import pytest

from daemon.call.model import UserId
from daemon.call.signals import UnixMs
from daemon.store.role import Role
from daemon.web.pages.reports import Part
from tests.web.browser import Browser, has_no_inline_code, signed_in
from tests.web.conftest import NOW, House
from tests.web.test_sla import after, gave_up, keep

HOSTILE = "<script>alert('Đỗ')</script>"


async def supervisor(house: House) -> Browser:
    browser = await signed_in(house, "lead", Role.SUPERVISOR)
    await house.ask("PATCH", "/api/v1/accounts/lead", json={"language": "en"})
    return browser


async def read(browser: Browser, query: str = "") -> tuple[str, str]:
    """The page and what is read on it."""
    page = await browser.get(f"/reports{query}")
    assert page.status == 200, page.text
    assert "<script>alert" not in page.text
    content = page.text.partition("<main")[2]
    assert has_no_inline_code(content)
    return page.text, " ".join(unescape(re.sub(r"<[^>]+>", " ", content)).split())


async def some_calls(house: House) -> None:
    now = UnixMs(NOW - 3_600_000)
    calls = [after(ms, started_at=UnixMs(now + ms), queued_at=UnixMs(now + ms)) for ms in (1_000, 25_000)]
    vain = gave_up(30_000, started_at=UnixMs(now + 1), queued_at=UnixMs(now + 1))
    await keep(house, [*calls, replace(vain, customer_number="+84909999999")])


async def test_the_page_comes_at_once_and_each_part_when_it_is_asked_for(house: House) -> None:
    await some_calls(house)
    browser = await supervisor(house)
    _, content = await read(browser)
    assert content.count("Counting …") == len(Part)
    _, content = await read(browser, "?part=calls")
    assert "Calls 3 Answered 2 66.7 % Missed 1 33.3 %" in content
    assert "Gave up 33.3 % 1 of 3" in content
    assert content.count("Counting …") == len(Part) - 1
    page, content = await read(browser, "?part=service-level")
    assert "Answered in time 50 % Below the target of 80 %" in content
    assert page.count('role="img"') == 2, "one for wide screens and one for phones"
    page, content = await read(browser, "?part=customers")
    assert "Not served yet 1 1 of 1" in content
    assert "/calls?customer_number=%2B84909999999" in page


async def test_figures_of_a_chart_stand_in_a_table_beside_it(house: House) -> None:
    await some_calls(house)
    page, _ = await read(await supervisor(house), "?part=calls&span=today")
    for section in re.findall(r"<section class=\"report\".*?</section>", page, re.DOTALL)[:3]:
        assert section.count("<table") >= 1
        assert "<title" not in section or "<desc" in section


async def test_filters_are_chips_that_can_be_taken_away_and_go_on_to_the_files(house: House) -> None:
    now = UnixMs(NOW - 3_600_000)
    await keep(house, [after(1_000, started_at=now, queued_at=now, queue="sales")])
    browser = await supervisor(house)
    page, content = await read(browser, "?span=month&queue=sales&direction=all&part=calls")
    assert "Queue: sales" in content
    assert 'href="/reports?span=month&amp;direction=all"' in page
    assert "/api/v1/reports/calls.xlsx?queue=sales&amp;direction=all&amp;by=day&amp;from=" in page
    assert "Calls 1" in content
    _, content = await read(browser, "?queue=support&part=calls")
    assert "No call in this time." in content


@pytest.mark.parametrize("part", list(Part))
async def test_without_calls_each_part_says_so(house: House, part: Part) -> None:
    page, _ = await read(await supervisor(house), f"?part={part}")
    assert 'class="empty"' in page


@pytest.mark.parametrize("query", ["?span=century&by=mood&direction=up&part=fate", "?by=hour&span=year", "?user_id=x"])
async def test_what_is_no_choice_is_as_if_it_were_not_there(house: House, query: str) -> None:
    await read(await supervisor(house), query)


@pytest.mark.parametrize(
    "query", ["?from=2026-13-01", "?from=2020-01-01&to=2026-01-01", "?from=2026-02-01&to=2026-01-01"]
)
async def test_days_that_make_no_span_are_refused_in_words(house: House, query: str) -> None:
    page = await (await supervisor(house)).get(f"/reports{query}")
    assert page.status == 422


async def test_free_days_are_both_counted_and_no_named_span_is_on(house: House) -> None:
    page, content = await read(await supervisor(house), "?from=2026-10-01&to=2026-10-31")
    assert re.search("1 Oct 2026 . 31 Oct 2026", content)
    assert not re.search(r'aria-current="true">(7 days|30 days|Last month)<', page)


async def test_hostile_names_stay_text(house: House) -> None:
    now = UnixMs(NOW - 3_600_000)
    call = after(1_000, started_at=now, queued_at=now, queue=HOSTILE)
    await keep(house, [replace(call, user_id=UserId(HOSTILE), user_ids=(UserId(HOSTILE),))])
    browser = await supervisor(house)
    _, content = await read(browser, "?part=agents")
    assert HOSTILE in content
    await read(browser, "?part=calls&queue=%3Cscript%3Ealert(1)")
