"""The wallboard in a real browser beside a running daemon: live, alarmed, frozen when nothing comes any more."""

from __future__ import annotations

import time

import pytest
from playwright.async_api import CDPSession, expect

from tests.browser.house import House
from tests.browser.line import line_to
from tests.browser.staged_call import StagedCall


async def test_a_waiting_call_is_on_the_wall_within_a_second_and_raises_the_alarm(house: House) -> None:
    await house.api.patch("call-settings", {"wallboard_waiting_alarm": 1})
    link = await house.api.post("wallboard/links", {"label": "Hall"})
    screen = await house.visitor()
    await screen.open(link["url"])
    wall = screen.page.locator("#wall")
    await expect(wall).to_have_attribute("data-link", "live")
    waiting = wall.locator("[data-figure=waiting] [data-value]")
    await expect(waiting).to_have_text("0")
    await expect(wall).not_to_have_attribute("data-alarm", "on")
    began, call = time.monotonic(), StagedCall(house.pbx)
    call.rings()
    await expect(waiting).to_have_text("1")
    assert time.monotonic() - began < 2, "a second, and what a busy machine adds"
    await expect(wall).to_have_attribute("data-alarm", "on")
    await expect(wall.get_by_text("Alarm: calls waiting: 1")).to_be_visible()
    await expect(wall.get_by_text("Rings", exact=True)).to_be_visible()
    call.ends()
    await expect(waiting).to_have_text("0")
    await expect(wall).to_have_attribute("data-alarm", "")


async def test_a_board_that_hears_nothing_looks_frozen_and_comes_back_by_itself(house: House) -> None:
    link = await house.api.post("wallboard/links", {"label": "Hall"})
    screen = await house.visitor()
    async with line_to(house.daemon.web.port) as line:
        await screen.open(link["url"].replace(house.url, line.url))
        wall = screen.page.locator("#wall")
        await expect(wall).to_have_attribute("data-link", "live")
        with screen.watch.offline():
            line.cut()
            await expect(wall).to_have_attribute("data-link", "frozen")
            await expect(wall.get_by_text("Frozen: nothing new since")).to_be_visible()
            clock = await wall.locator("[data-clock]").text_content()
            await screen.page.wait_for_timeout(1200)
            assert await wall.locator("[data-clock]").text_content() == clock, "the clock stands still too"
            line.mend()
            await expect(wall).to_have_attribute("data-link", "live")
            await screen.open("about:blank")


async def test_a_night_of_pictures_leaves_a_screen_no_heavier_than_its_first_hour(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("daemon.wallboard.EVERY_S", 0.005)  # each call makes its pictures at once, so a night is short
    link = await house.api.post("wallboard/links", {"label": "Hall"})
    screen = await house.visitor()
    await screen.open(link["url"])
    devtools = await screen.context.new_cdp_session(screen.page)
    waiting = screen.page.locator("#wall [data-figure=waiting] [data-value]")
    weights = []
    for calls in (30, 30, 150):
        for _ in range(calls):
            call = StagedCall(house.pbx)
            call.rings()
            await expect(waiting).to_have_text("1")
            call.ends()
            await expect(waiting).to_have_text("0")
        weights.append(await weight(devtools))
    grown = [later - before for before, later in zip(weights[1], weights[2], strict=True)]
    most = (150_000, 75, 75)  # a kilobyte, half a node or half a listener for each call
    assert all(one < limit for one, limit in zip(grown, most, strict=True)), grown


async def weight(devtools: CDPSession) -> tuple[int, int, int]:
    """What a page holds after its waste was taken away: bytes of scripts, nodes, listeners."""
    await devtools.send("HeapProfiler.enable")
    for _ in range(2):
        await devtools.send("HeapProfiler.collectGarbage")
    await devtools.send("Performance.enable")
    found = {one["name"]: int(one["value"]) for one in (await devtools.send("Performance.getMetrics"))["metrics"]}
    return found["JSHeapUsedSize"], found["Nodes"], found["JSEventListeners"]
