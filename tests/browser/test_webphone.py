"""The webphone and the agent's state in real browsers beside a running daemon; the PBX keeps what it was asked."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from playwright.async_api import expect

from daemon.ami.scenario import SCENARIOS
from tests.browser.accessible import assert_accessible
from tests.browser.at_the_desk import call_of, furnish, sit_down
from tests.browser.house import NARROW, WIDE, House, Person
from tests.browser.staged_call import StagedCall
from tests.delivery.receiver import Reply
from tests.whole.house import until


def asked(house: House, action: str) -> list[dict[str, str]]:
    return [one for one in house.pbx.actions if one["Action"] == action]


async def webphone(house: House, user_id: str = "an", width: int = NARROW) -> Person:
    who = await house.browser_of(user_id, width=width)
    await who.open("/webphone")
    await expect(who.page.locator("[data-word]")).to_contain_text("Available")
    return who


async def talking(house: House, who: Person) -> StagedCall:
    """A customer rang and the agent took his phone."""
    call = StagedCall(house.pbx, SCENARIOS["queue_answered"], name="Nguyễn Thị Lan")
    call.rings()
    await expect(call_of(who.page)).to_contain_text("rings at your phone")
    call.is_answered()
    await expect(call_of(who.page)).to_contain_text("talking, 0:0")
    return call


async def test_a_number_is_dialled_by_keys_and_the_agents_phone_is_called_for_it(house: House) -> None:
    await furnish(house)
    who = await webphone(house)
    for key in "0901234567":
        await who.page.get_by_role("button", name=key, exact=True).click()
    await expect(who.page.get_by_label("Number", exact=True)).to_have_value("0901234567")
    await who.page.get_by_label("The customer sees").select_option("19001234")
    await who.page.get_by_role("button", name="Dial", exact=True).click()
    await expect(who.page.get_by_text("Your phone rings: pick it up.")).to_be_visible()
    (order,) = asked(house, "Originate")
    assert (order["Channel"], order["Exten"], order["Context"]) == ("PJSIP/1001", "0901234567", "from-internal")
    await expect(call_of(who.page)).to_contain_text("talking")


async def test_a_refusal_is_said_in_words_and_the_number_stays(house: House) -> None:
    await furnish(house)
    house.pbx.house.phones = [phone for phone in house.pbx.house.phones if phone.name != "1001"]
    who = await webphone(house)
    await who.page.get_by_label("Number", exact=True).fill("0901234567")
    who.watch.expect(409, "/api/v1/calls")
    await who.page.get_by_role("button", name="Dial", exact=True).click()
    await expect(who.page.get_by_text("(PJSIP/1001) is not registered")).to_be_visible()
    await expect(who.page.get_by_label("Number", exact=True)).to_have_value("0901234567")
    assert asked(house, "Originate") == []


async def test_each_button_acts_on_the_agents_own_channel(house: House) -> None:
    await furnish(house)
    who = await webphone(house)
    await talking(house, who)
    page, agent = who.page, call_of(who.page)
    await agent.get_by_role("button", name="Mute me").click()
    await expect(agent.get_by_role("button", name="Unmute me")).to_have_attribute("aria-pressed", "true")
    await agent.get_by_role("button", name="Unmute me").click()
    await expect(agent.get_by_role("button", name="Mute me", exact=True)).to_be_visible()

    async def were_set() -> bool:
        return [one["Value"] for one in asked(house, "Setvar") if one["Variable"] == "MUTEAUDIO(in)"] == ["on", "off"]

    await until(were_set)
    for key in "5#":
        await page.get_by_role("button", name=key, exact=True).click()

    async def were_sent() -> bool:
        return [one["Digit"] for one in asked(house, "PlayDTMF")] == ["5", "#"]

    await until(were_sent)
    assert {one["Channel"] for one in asked(house, "PlayDTMF")} != {one["Channel"] for one in asked(house, "Setvar")}
    await agent.get_by_role("button", name="Hang up").click()
    await expect(agent).to_be_hidden()
    assert len(asked(house, "Hangup")) == 1


async def test_a_call_is_given_to_a_free_colleague_who_is_found_by_name(house: House) -> None:
    await furnish(house)
    house.pbx.house.busy = {"1001"}
    await house.api.put("agents/chi", {"name": "Lê Chi", "endpoints": ["PJSIP/1004"]})
    who = await webphone(house)
    await talking(house, who)
    await call_of(who.page).get_by_role("button", name="Transfer").click()
    rows = who.page.get_by_role("list", name="Colleagues").get_by_role("listitem")
    await expect(rows).to_have_count(2)
    await expect(rows.filter(has_text="Lê Chi")).to_contain_text("phone away")
    await expect(rows.filter(has_text="Lê Chi").get_by_role("button").first).to_be_disabled()
    await who.page.get_by_label("Name or number").fill("bình")
    await expect(rows).to_have_count(1)
    await expect(rows).to_contain_text("free")
    await rows.get_by_role("button", name="Ask first").click()
    await expect(who.page.get_by_text("The customer waits while you ask.")).to_be_visible()
    await who.page.get_by_role("button", name="Back to the customer").click()
    await expect(who.page.get_by_text("The customer waits while you ask.")).to_be_hidden()
    await call_of(who.page).get_by_role("button", name="Transfer").click()
    await who.page.get_by_role("button", name="Transfer now: Trần Thị Bình").click()
    await expect(who.page.get_by_text("The customer was transferred.")).to_be_visible()
    assert [one["Exten"] for name in ("Atxfer", "BlindTransfer") for one in asked(house, name)] == ["1002", "1002"]


async def test_muted_and_asking_are_shown_in_every_window_and_after_a_reload(house: House) -> None:
    await furnish(house)
    who = await webphone(house)
    await talking(house, who)
    other = await who.context.new_page()
    await other.goto("/webphone")
    await call_of(who.page).get_by_role("button", name="Mute me").click()
    for page in (who.page, other):
        await expect(call_of(page).get_by_role("button", name="Unmute me")).to_be_visible()
    await who.page.reload()
    await expect(call_of(who.page).get_by_role("button", name="Unmute me")).to_be_visible()
    await call_of(who.page).get_by_role("button", name="Unmute me").click()
    await expect(call_of(other).get_by_role("button", name="Mute me", exact=True)).to_be_visible()
    await call_of(other).get_by_role("button", name="Transfer").click()
    await other.get_by_role("button", name="Ask first: Trần Thị Bình").click()
    for page in (who.page, other):
        await expect(page.get_by_text("The customer waits while you ask.")).to_be_visible()
    await call_of(who.page).get_by_role("button", name="Back to the customer").click()
    for page in (who.page, other):
        await expect(page.get_by_text("The customer waits while you ask.")).to_be_hidden()


async def test_numbers_stand_as_people_say_them_and_are_dialled_as_they_are(house: House) -> None:
    await furnish(house)
    await house.api.put("hotlines/+842871081234", {"label": ""})
    mobile = {"name": "Lê Chi", "endpoints": ["PJSIP/chi"], "personal_number": "+84901000001"}
    await house.api.put("agents/chi", mobile)
    who = await webphone(house)
    await expect(who.page.get_by_label("The customer sees")).to_contain_text("028 7108 1234")
    call = StagedCall(house.pbx, SCENARIOS["queue_answered"])
    call.rings()
    await expect(call_of(who.page).locator("[data-who]")).to_have_text("0901 701 234")
    call.is_answered()
    await call_of(who.page).get_by_role("button", name="Transfer").click()
    row = who.page.get_by_role("list", name="Colleagues").get_by_role("listitem").filter(has_text="Lê Chi")
    await expect(row).to_contain_text("0901 000 001")
    for typed in ("0901000", "+84901000", "0901 000"):
        await who.page.get_by_label("Name or number").fill(typed)
        await expect(row).to_be_visible()
    await picture(who, "webphone-numbers")


async def test_a_pause_is_made_from_the_desk_shown_in_the_webphone_and_ended_on_the_pbx(house: House) -> None:
    await furnish(house)
    desk, phone = await sit_down(house), await webphone(house)
    await desk.page.get_by_label("Take a pause").select_option("lunch")
    for page in (desk.page, phone.page):
        await expect(page.locator("[data-word]")).to_contain_text("Lunch, 0:0")
    assert [(one["Interface"], one["Reason"]) for one in asked(house, "QueuePause")] == [("PJSIP/1001", "lunch")]
    for event in house.pbx.house.pause("PJSIP/1001", paused=False, reason=""):
        house.pbx.emit(event)
    for page in (desk.page, phone.page):
        await expect(page.locator("[data-word]")).to_have_text("Available")


async def test_the_desk_opens_the_webphone_once_in_a_window_of_its_own(house: House) -> None:
    await furnish(house)
    desk = await sit_down(house)
    async with desk.context.expect_page() as opening:
        await desk.page.get_by_role("button", name="Webphone").click()
    window = await opening.value
    await expect(window.locator("[data-word]")).to_have_text("Available")
    await window.get_by_label("Number", exact=True).fill("0901")
    await desk.page.get_by_role("button", name="Webphone").click()
    await expect(window.get_by_label("Number", exact=True)).to_have_value("0901")
    assert len(desk.context.pages) == 2


async def test_the_configured_page_stands_in_the_window_with_the_callers_number(house: House) -> None:
    await furnish(house)
    house.crm.plan("/phone", Reply(headers={"Content-Type": "text/html"}, body=b"<title>CRM</title>their page"))
    await house.api.patch("call-settings", {"webphone_embed_url": f"{house.crm.url}/phone"})
    who = await webphone(house)
    frame = who.page.frame_locator("iframe")
    await expect(frame.get_by_text("their page")).to_be_visible()
    await talking(house, who)

    async def was_asked_for_the_customer() -> bool:
        return any("customerNumber=84901" in request.query for request in house.crm.got("/phone"))

    await until(was_asked_for_the_customer)
    await expect(frame.get_by_text("their page")).to_be_visible()


@pytest.mark.parametrize("width", [WIDE, NARROW])
async def test_the_webphone_is_for_everybody_and_scrolls_no_way_but_down(house: House, width: int) -> None:
    await furnish(house)
    who = await webphone(house, width=width)
    await talking(house, who)
    await picture(who, f"webphone-talk-{width}")
    await call_of(who.page).get_by_role("button", name="Transfer").click()
    await expect(who.page.get_by_role("list", name="Colleagues").get_by_role("listitem")).to_have_count(1)
    await assert_accessible(who.page)
    assert await who.page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    await picture(who, f"webphone-give-{width}")


async def picture(who: Person, name: str) -> None:
    """For people, where CALLWARDEN_PICTURES names a folder."""
    if folder := os.environ.get("CALLWARDEN_PICTURES"):
        await who.page.screenshot(path=Path(folder) / f"{name}.png")
