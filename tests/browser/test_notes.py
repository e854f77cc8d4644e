"""Notes in real browsers beside a running daemon: none is ever lost, whoever writes and whatever breaks."""

from __future__ import annotations

import re

from playwright.async_api import Route, expect

from tests.browser.at_tickets import agent, crash, missed_calls, note, note_of, noted, said
from tests.browser.house import House, Person

_PATCH = re.compile(r"/api/v1/tickets/\d+$")


async def test_a_note_is_saved_as_it_is_typed_and_shown_to_whoever_looks_on(house: House) -> None:
    await missed_calls(house)
    an, binh = await agent(house), await agent(house, "binh")
    await an.open("/tickets/1")
    await binh.open("/tickets/1")
    await note(an).press_sequentially("Khách muốn đổi gói cước", delay=5)
    await expect(said(an)).to_have_text("Saved")
    await noted(house, "Khách muốn đổi gói cước")
    await expect(note(binh)).to_have_value("Khách muốn đổi gói cước")
    await expect(binh.page.get_by_text("Nguyễn Văn An wrote in the note")).to_be_visible()


async def two_who_wrote(house: House) -> tuple[Person, Person]:
    """An's text is on the server; Bình wrote another upon the same empty note, and cannot know."""
    await missed_calls(house)
    an, binh = await agent(house), await agent(house, "binh")
    await binh.context.route(re.compile(r"/events|bare=1"), lambda route: route.abort())
    binh.watch.is_offline = True
    await binh.open("/tickets/1")
    await an.open("/tickets/1")
    await note(an).fill("An: call back at nine")
    await noted(house, "An: call back at nine")
    binh.watch.expect(412, "/api/v1/tickets/1")
    await note(binh).fill("Bình: wants a refund")
    await expect(binh.page.get_by_text("Somebody else wrote in this note meanwhile")).to_be_visible()
    return an, binh


async def test_where_two_write_each_sees_the_others_and_nothing_is_replaced_unasked(house: House) -> None:
    an, binh = await two_who_wrote(house)
    await expect(binh.page.locator("[data-theirs]")).to_have_text("An: call back at nine")
    await expect(note(binh)).to_have_value("Bình: wants a refund")
    await note(binh).press_sequentially(" today")
    await binh.page.wait_for_timeout(1200)
    assert await note_of(house) == "An: call back at nine"
    await binh.page.get_by_role("button", name="Keep both").click()
    await noted(house, "An: call back at nine\nBình: wants a refund today")
    await expect(note(an)).to_have_value("An: call back at nine\nBình: wants a refund today")
    await expect(binh.page.locator("[data-clash-panel]")).to_be_hidden()


async def test_keeping_mine_leaves_theirs_in_the_history(house: House) -> None:
    an, binh = await two_who_wrote(house)
    await binh.page.get_by_role("button", name="Keep mine").click()
    await noted(house, "Bình: wants a refund")
    line = an.page.locator(".history li").filter(has_text="Trần Thị Bình wrote in the note")
    await line.get_by_text("What was written").click()
    await expect(line.get_by_text("An: call back at nine")).to_be_visible()


async def test_taking_theirs_gives_mine_up(house: House) -> None:
    _, binh = await two_who_wrote(house)
    await binh.page.get_by_role("button", name="Take theirs").click()
    await expect(note(binh)).to_have_value("An: call back at nine")
    await expect(said(binh)).to_have_text("Saved")
    assert await note_of(house) == "An: call back at nine"


async def test_a_clash_survives_a_crash_of_the_browser(house: House) -> None:
    _, binh = await two_who_wrote(house)
    await crash(binh)
    await binh.open("/tickets/1")
    await expect(note(binh)).to_have_value("Bình: wants a refund")
    await expect(binh.page.locator("[data-theirs]")).to_have_text("An: call back at nine")
    await binh.page.get_by_role("button", name="Keep both").click()
    await noted(house, "An: call back at nine\nBình: wants a refund")


async def test_what_was_typed_when_the_browser_died_is_there_again_and_saved(house: House) -> None:
    await missed_calls(house)
    an = await agent(house)
    with an.watch.offline():
        await an.context.route(_PATCH, lambda route: route.abort())
        await an.open("/tickets/1")
        await note(an).fill("typed, then the power went")
        await expect(said(an)).to_contain_text("kept in this browser")
        await crash(an)
        assert await note_of(house) == ""
        await an.context.unroute(_PATCH)
        await an.open("/tickets/1")
        await expect(note(an)).to_have_value("typed, then the power went")
        await noted(house, "typed, then the power went")
        await expect(said(an)).to_have_text("Saved")
    assert await an.page.evaluate("Object.keys(localStorage).filter((key) => key.includes('note'))") == []


async def test_typing_without_a_line_is_saved_when_the_line_is_back(house: House) -> None:
    await missed_calls(house)
    an = await agent(house)
    await an.open("/tickets/1")
    with an.watch.offline():
        await an.context.set_offline(True)
        await note(an).fill("written in the lift")
        await expect(said(an)).to_contain_text("Not saved yet")
        await note(an).press_sequentially(", and more")
        await an.context.set_offline(False)
        await noted(house, "written in the lift, and more")
        await expect(said(an)).to_have_text("Saved")


async def test_leaving_the_page_at_once_loses_nothing(house: House) -> None:
    await missed_calls(house)
    an = await agent(house)
    await an.open("/tickets/1")
    await note(an).fill("and away")
    await an.open("/password")
    await noted(house, "and away")


async def test_a_missed_call_that_comes_in_while_somebody_writes_is_no_clash(house: House) -> None:
    await missed_calls(house)
    an = await agent(house)
    await an.page.route(re.compile(r"/events|bare=1"), lambda route: route.abort())
    with an.watch.offline():
        await an.open("/tickets/1")
        await missed_calls(house)  # the same customer: the ticket is another version now
        an.watch.expect(412, "/api/v1/tickets/1")
        await note(an).fill("still mine")
        await noted(house, "still mine")
        await expect(an.page.locator("[data-clash-panel]")).to_be_hidden()
        await an.page.unroute_all()


async def test_one_browsers_tabs_share_one_line_and_each_hears(house: House) -> None:
    await missed_calls(house)
    an = await agent(house)
    await an.open("/tickets/1")
    others = [await an.context.new_page() for _ in range(7)]
    for page in others:
        await page.goto("/tickets/1")
    await house.api.patch("tickets/1", {"note": "for all"})
    for page in (an.page, *others):
        await expect(page.get_by_label("Note", exact=True)).to_have_value("for all")
    assert house.daemon.feed.listeners == 1


async def test_a_save_whose_answer_is_lost_is_no_clash_with_oneself(house: House) -> None:
    await missed_calls(house)
    an = await agent(house)
    await an.open("/tickets/1")

    async def lose(route: Route) -> None:
        await route.fetch()
        await route.abort()

    with an.watch.offline():
        await an.page.route(_PATCH, lose, times=1)
        await note(an).fill("sent, answer lost")
        await expect(said(an)).to_contain_text("Not saved yet")
        await expect(said(an)).to_have_text("Saved")
    await expect(an.page.locator("[data-clash-panel]")).to_be_hidden()
    assert await note_of(house) == "sent, answer lost"


async def test_a_note_that_only_this_browser_has_is_sent_from_whatever_page_is_opened_next(house: House) -> None:
    await missed_calls(house, 2)
    an = await agent(house)
    with an.watch.offline():
        await an.context.route(_PATCH, lambda route: route.abort())
        for ticket_id in (1, 2):
            await an.open(f"/tickets/{ticket_id}")
            await note(an).fill(f"kept {ticket_id}")
            await expect(said(an)).to_contain_text("kept in this browser")
        await house.api.patch("tickets/2", {"note": "somebody else"})
        await crash(an)
        await an.context.unroute(_PATCH)
        await an.open("/password")
        await noted(house, "kept 1")
        await an.page.wait_for_load_state("networkidle")  # the answer has come too
    assert await note_of(house, 2) == "somebody else"
    await an.open("/tickets/2")
    await expect(an.page.locator("[data-theirs]")).to_have_text("somebody else")
    await expect(note(an)).to_have_value("kept 2")
