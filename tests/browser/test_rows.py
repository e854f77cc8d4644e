"""Queues and hotlines save themselves; a file that is overtaken is looked at once more."""

from __future__ import annotations

import pytest
from playwright.async_api import expect

from tests.browser.house import House, Person

QUEUES, HOTLINES = "/settings/queues", "/settings/hotlines"
OVERRULED = "off, because tickets are switched off for all calls"


async def test_a_queue_that_nobody_set_counts_as_on_and_a_reset_brings_that_back(house: House, admin: Person) -> None:
    page = admin.page
    await admin.open(QUEUES)
    row = page.locator("tr", has_text="support")
    await expect(row).to_contain_text("not set: on")
    await expect(row).to_contain_text("2 members")
    await expect(row.get_by_role("button", name="Reset support")).to_be_hidden()
    await row.get_by_role("switch").click()
    await expect(row.locator("[data-word]")).to_have_text("off")
    await row.get_by_role("button", name="Reset support").click()
    await page.get_by_role("dialog").get_by_role("button", name="Reset").click()
    await expect(row).to_contain_text("not set: on")
    assert await house.api.every("queues") == []


async def test_a_switch_that_is_on_but_overruled_says_by_what(house: House, admin: Person) -> None:
    page = admin.page
    await house.api.put("queues/night", {"create_tickets": False})
    await house.api.put("call-settings", {"auto_create_tickets": False})
    await admin.open(QUEUES)
    await expect(page.locator("tr", has_text="support")).to_contain_text(OVERRULED)
    night = page.locator("tr", has_text="night")
    await expect(night).to_contain_text("not on the PBX")
    await night.get_by_role("switch").click()
    await expect(night.locator("[data-word]")).to_have_text(OVERRULED)
    await page.get_by_role("link", name="Open the call settings").click()
    await expect(page.get_by_label("Create tickets automatically")).not_to_be_checked()


async def test_what_another_admin_set_meanwhile_is_not_set_back(house: House, admin: Person) -> None:
    page = admin.page
    await house.api.put("queues/sales", {})
    await admin.open(QUEUES)
    await expect(page.locator("tr", has_text="support")).to_be_visible()
    await house.api.put("queues/sales", {"ringtone": "chime"})
    await house.api.put("queues/support", {"ringtone": "harp"})
    await page.locator("tr", has_text="sales").get_by_role("switch").click()
    await expect(page.locator("tr", has_text="sales").get_by_role("combobox")).to_have_value("chime")
    admin.watch.expect(412, "/api/v1/queues/support")
    await page.locator("tr", has_text="support").get_by_role("switch").click()
    await expect(page.locator("tr", has_text="support").get_by_role("combobox")).to_have_value("harp")
    stored = {one["name"]: (one["create_tickets"], one["ringtone"]) for one in await house.api.every("queues")}
    assert stored == {"sales": (False, "chime"), "support": (False, "harp")}


@pytest.mark.parametrize("clicks", [3, 4])
async def test_quick_switching_leaves_the_last_choice(house: House, admin: Person, clicks: int) -> None:
    await admin.open(QUEUES)
    switch = admin.page.get_by_role("switch", name="Tickets for calls through support")
    await switch.evaluate("(one, clicks) => { for (let i = 0; i < clicks; i++) one.click(); }", clicks)
    await expect(admin.page.locator(".toast", has_text="Saved")).to_have_count(clicks)
    is_on = clicks % 2 == 0
    await expect(switch).to_be_checked(checked=is_on)
    assert await house.api.every("queues") == [
        {
            "name": "support",
            "create_tickets": is_on,
            "ringtone": None,
            "sla_target_percent": None,
            "sla_answer_within_seconds": None,
        }
    ]


async def test_a_queue_that_was_reset_meanwhile_can_be_switched(house: House, admin: Person) -> None:
    await house.api.put("queues/sales", {"ringtone": "chime"})
    await admin.open(QUEUES)
    await house.api.delete("queues/sales")
    admin.watch.expect(404, "/api/v1/queues/sales")
    await admin.page.get_by_role("switch", name="Tickets for calls through sales").click()
    await expect(admin.page.locator("#toasts")).to_contain_text("Saved")
    assert (await house.api.get("queues/sales"))["create_tickets"] is False


async def test_a_label_that_cannot_be_saved_stays_with_the_reason_beside_it(house: House, admin: Person) -> None:
    page = admin.page
    await house.api.put("hotlines/19001234", {"label": "Sales"})
    await admin.open(HOTLINES)
    label = page.get_by_role("textbox", name="Label of 1900 1234")
    await house.api.delete("hotlines/19001234")
    admin.watch.expect(404, "/api/v1/hotlines/19001234")
    await label.fill("Bán hàng")
    await label.press("Enter")
    await expect(label).to_have_attribute("aria-invalid", "true")
    await expect(label).to_have_value("Bán hàng")


async def test_labels_half_typed_survive_naming_another_number(house: House, admin: Person) -> None:
    page = admin.page
    await house.play("direct_missed")
    await house.play("queue_abandoned")
    await admin.open(HOTLINES)
    await page.locator("#found").get_by_role("textbox", name="Label of 1900 1234").fill("Half typed")
    other = page.locator("#found").get_by_role("textbox", name="Label of 1900 1235")
    await other.fill("Sales")
    await other.press("Enter")
    await expect(page.locator("#hotlines")).to_contain_text("1900 1235")
    await expect(other).to_have_count(0)
    await expect(page.locator("#found").get_by_role("textbox")).to_have_value("Half typed")
    await expect(page.locator("#hotlines")).to_contain_text("1 call")


async def test_a_number_that_has_a_name_is_not_named_anew_by_the_form_for_new_ones(house: House, admin: Person) -> None:
    page = admin.page
    await house.api.put("hotlines/19001234", {"label": "Sales"})
    await admin.open(HOTLINES)
    await page.get_by_label("Number", exact=True).fill("19001234")
    await page.get_by_label("Label", exact=True).fill("Support")
    admin.watch.expect(412, "/api/v1/hotlines/19001234")
    await page.get_by_role("button", name="Add", exact=True).click()
    await expect(page.get_by_label("Number", exact=True)).to_have_attribute("aria-invalid", "true")
    assert (await house.api.get("hotlines/19001234"))["label"] == "Sales"


async def test_a_file_that_was_overtaken_is_looked_at_again_and_then_applied(house: House, admin: Person) -> None:
    page = admin.page
    await house.api.put("queues/sales", {})
    await admin.open(QUEUES)
    await page.get_by_role("button", name="Import").click()
    file = {"name": "q.csv", "mimeType": "text/csv", "buffer": b"name,create_tickets\nsales,false\nnight,false\n"}
    await page.get_by_label("File", exact=True).set_input_files(file)  # type: ignore[arg-type]
    preview = page.locator("[data-preview]")
    await expect(preview).to_contain_text("New: 1")
    await house.api.put("queues/night", {})
    admin.watch.expect(412, "/api/v1/queues/import")
    await page.get_by_role("button", name="Apply").click()
    await expect(preview).to_contain_text("nothing was imported")
    await expect(preview).to_contain_text("Changed: 2")
    await expect(preview.locator("tr", has_text="night")).to_contain_text("on → off")
    await page.get_by_role("button", name="Apply").click()
    await expect(page.locator("#toasts")).to_contain_text("Imported: 0 added, 2 changed")
    assert {one["name"]: one["create_tickets"] for one in await house.api.every("queues")} == {
        "night": False,
        "sales": False,
    }


async def test_a_file_that_is_no_list_of_these_is_refused_in_words(admin: Person) -> None:
    page = admin.page
    await admin.open(HOTLINES)
    await page.get_by_role("button", name="Import").click()
    admin.watch.expect(422, "/api/v1/hotlines/import")
    file = {"name": "h.csv", "mimeType": "text/csv", "buffer": b"<b>,label\n1,2\n"}
    await page.get_by_label("File", exact=True).set_input_files(file)  # type: ignore[arg-type]
    await expect(page.locator("[data-preview]").get_by_role("alert")).to_contain_text("<b>: is not a known column")
    await expect(page.get_by_role("button", name="Apply")).to_be_hidden()


_DROP = """(panel, text) => {
  const dragged = new DataTransfer();
  if (text) dragged.items.add(new File([text], "q.csv", {type: "text/csv"}));
  panel.dispatchEvent(new DragEvent("drop", {dataTransfer: dragged, bubbles: true, cancelable: true}));
}"""


async def test_a_file_can_be_dropped_and_a_word_that_is_dropped_changes_nothing(house: House, admin: Person) -> None:
    page = admin.page
    await admin.open(QUEUES)
    await page.get_by_role("button", name="Import").click()
    panel = page.locator("#import")
    await panel.evaluate(_DROP, "name,create_tickets\nnight,false\n")
    await expect(page.locator("[data-preview]")).to_contain_text("New: 1")
    await panel.evaluate(_DROP, "")
    await expect(page.locator("[data-preview]")).to_contain_text("New: 1")
    await page.get_by_role("button", name="Apply").click()
    await expect(page.get_by_role("button", name="Import")).to_be_focused()
    assert [one["name"] for one in await house.api.every("queues")] == ["night"]


async def test_a_file_that_is_too_large_is_refused_before_it_is_sent(admin: Person) -> None:
    page = admin.page
    await admin.open(QUEUES)
    await page.get_by_role("button", name="Import").click()
    file = {"name": "q.csv", "mimeType": "text/csv", "buffer": b"name\n" + b"x\n" * 600_000}
    await page.get_by_label("File", exact=True).set_input_files(file)  # type: ignore[arg-type]
    await expect(page.locator("[data-preview]").get_by_role("alert")).to_contain_text("larger than 1 MiB")
