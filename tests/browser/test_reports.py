"""Reports in a browser: parts that come by themselves, chips and keys, both languages, files, print, a lost server."""

from __future__ import annotations

import csv
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
import time_machine
from playwright.async_api import Page, Route, expect

from tests.browser.accessible import assert_accessible
from tests.browser.furniture import OPENING
from tests.browser.house import NARROW, WIDE, House, Person
from tests.browser.past_weeks import periods_of_past_weeks, units_of_past_weeks

TITLES = (
    *("Calls by outcome", "When people call", "How long people wait", "Answered in time", "Customers not served yet"),
    *("How soon missed callers were reached", "Agents", "Pauses and states"),
)


@pytest_asyncio.fixture(loop_scope="session")
async def weeks(house: House) -> AsyncIterator[House]:
    """A house that had four busy weeks."""
    with time_machine.travel(OPENING):
        for unit in units_of_past_weeks(OPENING):
            await house.daemon.store.writer.submit(unit)
        await house.daemon.store.writer.drain()
        await house.daemon.store.writer.change(lambda: periods_of_past_weeks(OPENING))
        yield house
        for who in house.people:
            await who.settle()
            await who.page.goto("about:blank")  # by today's clock a session of that day is over


async def counted(page: Page) -> None:
    await expect(page.locator("[data-part][aria-busy]")).to_have_count(0)
    await expect(page.get_by_text("Counting …")).to_have_count(0)


async def test_every_report_comes_by_itself_and_can_be_read_by_everybody(weeks: House, admin: Person) -> None:
    page = admin.page
    await admin.open("/reports?span=month")
    await counted(page)
    assert await page.locator("section.report h2").all_inner_texts() == list(TITLES)
    for chart in await page.locator("svg[role=img]:visible").all():
        assert await chart.evaluate("svg => svg.querySelector('title').textContent && svg.getBBox().height > 50")
    for theme in ("light", "dark"):
        await page.emulate_media(color_scheme=theme)
        for width in (WIDE, NARROW):
            await admin.size(width)
            await assert_accessible(page, colours_only=theme == "dark")
            assert await page.evaluate("document.documentElement.scrollWidth") <= width


async def test_the_figures_of_a_chart_open_with_the_keyboard(weeks: House, admin: Person) -> None:
    page = admin.page
    await admin.open("/reports")
    await counted(page)
    section = page.locator("#calls")
    await section.locator("summary").focus()
    await page.keyboard.press("Enter")
    table = section.get_by_role("table")
    await expect(table).to_be_visible()
    await expect(table.get_by_role("rowheader", name="In all")).to_be_visible()
    bars = section.locator(".drawn:visible .s-answered rect")
    rows = await table.locator("tbody tr").all()
    answered = [int(await row.locator("td").nth(1).inner_text()) for row in rows]
    assert await bars.count() == sum(1 for count in answered if count), "a bar for each that has any"


async def test_chips_choose_and_stay_in_the_address(weeks: House, admin: Person) -> None:
    await weeks.api.put("queues/sales", {})
    page = admin.page
    await admin.open("/reports")
    await page.get_by_role("link", name="30 days").click()
    await page.get_by_role("link", name="By week").click()
    await page.get_by_text("Days, queue, hotline, agent").click()
    await page.get_by_label("Queue", exact=True).select_option("sales")
    await expect(page.get_by_role("link", name="Queue: sales")).to_be_visible()
    await counted(page)
    assert "span=month" in page.url
    assert "by=week" in page.url
    assert "queue=sales" in page.url
    agents = page.locator("#agents")
    await expect(agents.get_by_role("row", name="dung")).to_be_visible()
    await expect(agents.get_by_role("link", name="binh")).to_have_count(0)
    await page.get_by_role("link", name="Queue: sales").click()
    await expect(page.get_by_role("link", name="Queue: sales")).to_have_count(0)
    await page.get_by_text("Days, queue, hotline, agent").click()
    await page.get_by_label("From", exact=True).fill("2026-11-02")
    await page.get_by_label("To", exact=True).fill("2026-11-03")
    await page.get_by_role("button", name="Show").click()
    await expect(page.get_by_text("2 Nov 2026")).to_be_visible()
    await expect(page.locator(".chip[aria-current]", has_text="30 days")).to_have_count(0)


async def test_a_table_leaves_as_a_file_with_the_same_figures(weeks: House, admin: Person, tmp_path: Path) -> None:
    page = admin.page
    await admin.open("/reports?span=month")
    await counted(page)
    section = page.locator("#agents")
    async with page.expect_download() as begun:
        await section.get_by_role("link", name="save as CSV").click()
    path = tmp_path / "agents.csv"
    await (await begun.value).save_as(path)
    rows = list(csv.DictReader(path.read_text("utf-8-sig").splitlines()))
    shown = await section.locator("tbody tr").all()
    assert [row["rings"] for row in rows] == [await one.locator("td").nth(0).inner_text() for one in shown]
    async with page.expect_download() as begun:
        await section.get_by_role("link", name="save as XLSX").click()
    assert (await begun.value).suggested_filename == "agents.xlsx"


async def test_what_somebody_was_stands_in_a_bar_and_a_table_by_reason(weeks: House, admin: Person) -> None:
    page = admin.page
    await admin.open("/reports?span=month&user_id=an")
    await counted(page)
    section = page.locator("#agent-times")
    await expect(section.get_by_role("columnheader", name="Lunch")).to_be_visible()
    await expect(section.locator("tbody tr")).to_have_count(1)
    for name in ("available", "wrap-up", "paused"):
        assert await section.locator(f".drawn:visible .s-{name} rect").count() == 1
    async with page.expect_download() as begun:
        await section.get_by_role("link", name="save as XLSX").click()
    assert (await begun.value).suggested_filename == "agent-times.xlsx"


async def test_a_customer_not_served_leads_to_his_calls(weeks: House, admin: Person) -> None:
    page = admin.page
    await admin.open("/reports?span=month")
    await counted(page)
    link = page.locator("#customers").get_by_role("rowheader").get_by_role("link").first
    number = await link.inner_text()
    await link.click()
    await expect(page.locator("tr[data-call-row]").first).to_contain_text(number)
    await expect(page.locator("tr[data-call-row]").first).to_contain_text("Missed")


async def test_in_vietnamese_all_of_it_is_vietnamese(weeks: House) -> None:
    who = await weeks.person(language="vi")
    await who.open("/reports?span=month")
    await expect(who.page.locator("[data-part][aria-busy]")).to_have_count(0)
    await expect(who.page.get_by_role("heading", name="Khách hàng chưa được phục vụ")).to_be_visible()
    text = await who.page.locator("main").inner_text()
    assert not [title for title in TITLES if title in text]
    await assert_accessible(who.page)


async def test_in_print_tables_are_open_and_nothing_is_told_by_colour_alone(weeks: House, admin: Person) -> None:
    page = admin.page
    await admin.open("/reports?span=month")
    await counted(page)
    await page.emulate_media(media="print")
    await expect(page.locator("#calls").get_by_role("rowheader", name="In all")).to_be_visible()
    await expect(page.locator("#calls summary")).to_be_hidden()
    fills = await page.locator("#calls .drawn.wide .series").evaluate_all(
        "all => all.map(one => getComputedStyle(one.querySelector('rect')).fill)"
    )
    assert len(set(fills)) == len(fills) > 2
    for fill in fills:
        assert len(set(fill.removeprefix("rgb(").rstrip(")").split(", "))) == 1, fill


async def test_a_part_that_cannot_be_counted_says_so_and_is_tried_again(weeks: House, admin: Person) -> None:
    page, lost = admin.page, [True]

    async def answer(route: Route) -> None:
        await (route.abort() if lost[0] else route.continue_())

    await page.route("**/reports?*part=agents*", answer)
    await admin.open("/reports?span=month")
    alert = page.get_by_role("alert").filter(has_text="This part could not be counted")
    await expect(alert).to_be_visible()
    await expect(page.locator("#calls h2")).to_be_visible()
    lost[0] = False
    await alert.get_by_role("button", name="Try again").click()
    await expect(page.locator("#agents")).to_be_visible()
    await expect(alert).to_have_count(0)
    admin.watch.forget()


@pytest.mark.parametrize("language", ["en", "vi"])
async def test_without_calls_every_report_says_so(house: House, language: str) -> None:
    who = await house.person(language=language)  # type: ignore[arg-type]
    await who.open("/reports?span=yesterday")
    await expect(who.page.locator("[data-part][aria-busy]")).to_have_count(0)
    await expect(who.page.locator(".report .empty")).to_have_count(len(TITLES))
    await assert_accessible(who.page)
