"""Agents, queues and hotlines: by hand, from the PBX and from a file, and what the daemon makes of them."""

from __future__ import annotations

import asyncio
import csv
from io import StringIO

from playwright.async_api import expect

from tests.browser.house import House, Person
from tests.whole.house import until

AGENTS, QUEUES, HOTLINES = "/settings/agents", "/settings/queues", "/settings/hotlines"
HOSTILE = ("<script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "=cmd|' /C calc'!A0", "a/b?c#d%2f..")


async def test_an_agent_added_by_hand_gets_the_next_popup_on_his_phone(house: House, admin: Person) -> None:
    page = admin.page
    await house.api.put("call-settings", {"popup_answer_url": house.crm.url + "/pop"})
    await admin.open("/settings/agents/an")
    await page.get_by_role("button", name="Take this phone away").first.click()
    await page.get_by_role("button", name="Save").click()
    await expect(page.locator("#toasts")).to_contain_text("saved")
    await admin.open(AGENTS)
    await page.get_by_role("link", name="New agent").click()
    await page.get_by_label("User id").fill("mai")
    await page.get_by_label("Name", exact=True).fill("Hoàng Thị Mai")
    await page.get_by_label("Phone", exact=True).first.fill("pjsip/1001")
    await page.get_by_role("button", name="Save").or_(page.get_by_role("button", name="Add the agent")).click()
    await expect(page).to_have_url(house.url + AGENTS)
    await house.play("queue_answered")
    assert [popup["userId"] for popup in house.popups()] == ["mai"]


async def test_a_phone_that_belongs_to_somebody_is_refused_and_its_owner_named(house: House, admin: Person) -> None:
    page = admin.page
    await admin.open("/settings/new-agent")
    await page.get_by_label("User id").fill("mai")
    await page.get_by_label("Phone", exact=True).first.fill("PJSIP/1001")
    await page.get_by_label("Personal number").fill("0901")
    admin.watch.expect(422, "/api/v1/agents/mai")
    await page.get_by_role("button", name="Save").or_(page.get_by_role("button", name="Add the agent")).click()
    await expect(page.get_by_label("Personal number")).to_have_attribute("aria-invalid", "true")
    await page.get_by_label("Personal number").fill("")
    admin.watch.expect(409, "/api/v1/agents/mai")
    await page.get_by_role("button", name="Save").or_(page.get_by_role("button", name="Add the agent")).click()
    await expect(page.locator("form").get_by_role("link", name="Open the agent")).to_be_visible()
    assert len(await house.api.every("agents")) == 2


async def test_phones_that_the_pbx_has_are_adopted_with_one_press(house: House, admin: Person) -> None:
    page = admin.page
    await admin.open(AGENTS)
    await expect(page.locator("#agents [data-phone='PJSIP/1001']")).to_contain_text("registered")
    row = page.locator("#found tr", has_text="PJSIP/1003")
    await row.get_by_role("button", name="Adopt").click()
    await expect(page.locator("#agents")).to_contain_text("PJSIP/1003")
    await expect(page.locator("#found tr", has_text="PJSIP/1003")).to_have_count(0)
    await expect(page.locator("#found")).not_to_contain_text("PJSIP/trunk")
    assert ["PJSIP/1003"] in [agent["endpoints"] for agent in await house.api.every("agents")]


async def test_a_queue_switched_off_makes_no_ticket_at_the_next_call_and_on_again_it_does(
    house: House, admin: Person
) -> None:
    page = admin.page
    await admin.open(QUEUES)
    switch = page.get_by_role("switch", name="Tickets for calls through support")
    row = page.locator("tr", has_text="support")
    for on, tickets in ((False, 0), (True, 1)):
        await switch.set_checked(on)
        await expect(row.locator("[data-word]")).to_have_text("on" if on else "off")
        await _stored(house, "queues/support", "create_tickets", on)
        await house.play("queue_abandoned")
        assert len(await house.api.every("tickets")) == tickets
    await house.api.put("call-settings", {"auto_create_tickets": False})
    await page.reload()
    await expect(page.get_by_text("No queue gets tickets now")).to_be_visible()


async def test_a_number_that_was_dialled_is_offered_and_named(house: House, admin: Person) -> None:
    page = admin.page
    await house.play("direct_missed")
    await admin.open(HOTLINES)
    place = page.locator("#found")
    await expect(place).to_contain_text("19001235")
    await place.get_by_role("textbox").first.fill("Bán hàng")
    await page.keyboard.press("Enter")
    await expect(page.locator("#hotlines")).to_contain_text("19001235")
    await _stored(house, "hotlines/19001235", "label", "Bán hàng")
    label = page.get_by_role("textbox", name="Label of").first
    await label.fill("Bán hàng Quận 1")
    await page.keyboard.press("Tab")
    await _stored(house, "hotlines/19001235", "label", "Bán hàng Quận 1")


async def test_a_file_is_looked_at_line_by_line_before_anything_is_changed(house: House, admin: Person) -> None:
    page = admin.page
    await admin.open(AGENTS)
    await page.get_by_role("button", name="Import").click()
    await _choose(admin, "user_id,name,endpoints\nan,Nguyễn Văn An Nhiên,PJSIP/1001\nmai,Hoàng Thị Mai,PJSIP/1005\n")
    preview = page.locator("[data-preview]")
    await expect(preview.locator("tr", has_text="mai")).to_contain_text("Hoàng Thị Mai")
    await expect(preview.locator("del")).to_have_text("Nguyễn Văn An")
    assert len(await house.api.every("agents")) == 2
    await page.get_by_role("button", name="Apply").click()
    await expect(page.locator("#agents")).to_contain_text("Hoàng Thị Mai")
    names = {one["user_id"]: one["name"] for one in await house.api.every("agents")}
    assert names == {"an": "Nguyễn Văn An Nhiên", "binh": "Trần Thị Bình", "mai": "Hoàng Thị Mai"}


async def test_a_file_with_one_wrong_line_changes_nothing_and_names_the_line(house: House, admin: Person) -> None:
    page = admin.page
    await admin.open(AGENTS)
    await page.get_by_role("button", name="Import").click()
    await _choose(admin, "user_id,name,endpoints\nmai,Mai,PJSIP/1005\nnam,Nam,not a phone at all\n")
    preview = page.locator("[data-preview]")
    row = preview.get_by_role("row").nth(1)  # what is wrong comes first
    await expect(row).to_contain_text("Wrong")
    await expect(row.get_by_role("cell").first).to_contain_text("3")
    await expect(page.get_by_role("button", name="Apply")).to_be_hidden()
    assert len(await house.api.every("agents")) == 2


async def test_names_that_are_code_stay_words_on_every_page_and_in_the_exported_file(
    house: House, admin: Person
) -> None:
    """The watch fails on any dialog, any error and any violation of the policy."""
    page = admin.page
    for number, name in enumerate(HOSTILE):
        await house.api.put(f"agents/x{number}", {"name": name, "endpoints": [f"PJSIP/20{number}"]})
        await admin.open("/settings/new-agent")
        await page.get_by_label("User id").fill(name)
        await page.get_by_role("button", name="Save").or_(page.get_by_role("button", name="Add the agent")).click()
        await expect(page).to_have_url(house.url + AGENTS)
        await page.locator("#agents tr", has_text=f"x{number}").get_by_role("link").first.click()
        await expect(page.get_by_role("heading", level=1)).to_have_text(name)
        await house.api.post("webhooks", {"url": house.crm.url + "/hook", "description": name})
        await house.api.post("tokens", {"role": "agent", "label": name})
        await house.api.put(f"hotlines/1900{number}", {"label": name})
    for path in (AGENTS, HOTLINES, "/settings/webhooks", "/settings/tokens", "/settings/audit", "/settings/deliveries"):
        await admin.open(path)
        await asyncio.sleep(0.3)
        await admin.settle()
    await admin.open(AGENTS)
    async with page.expect_download() as waiting:
        await page.get_by_role("link", name="Export", exact=True).click()
    text = (await (await waiting.value).path()).read_text(encoding="utf-8-sig")
    cells = [cell for row in csv.reader(StringIO(text)) for cell in row]
    assert HOSTILE[0] in cells
    assert not [cell for cell in cells if cell.startswith(("=", "@", "+cmd"))]


async def _choose(who: Person, text: str) -> None:
    file = {"name": "agents.csv", "mimeType": "text/csv", "buffer": text.encode()}
    await who.page.locator("#sheet-file").set_input_files(file)  # type: ignore[arg-type]


async def _stored(house: House, path: str, field: str, value: object) -> None:
    """Wait until the API says so."""

    async def so() -> bool:
        return bool((await house.api.get(path))[field] == value)

    await until(so)
