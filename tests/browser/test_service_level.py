"""Targets and limits of queues: typed among the queues, seen in the service level, and tried with its slider."""

from __future__ import annotations

import pytest
from playwright.async_api import Locator, expect

from daemon.store.accounts import LANGUAGES, Language
from daemon.store.role import Role
from tests.browser.accessible import assert_accessible
from tests.browser.house import NARROW, WIDE, House, Person

QUEUES, PAGE = "/settings/queues", "/service-level"
WORDS: dict[Language, tuple[str, str, str]] = {
    "en": ("answered within the limit of their queue", "95 % · 10 s", "Back to the limits that are set"),
    "vi": ("trả lời trong thời hạn của hàng đợi", "95 % · 10 giây", "Trở lại các thời hạn đã đặt"),
}


def target(who: Person, queue: str) -> Locator:
    return who.page.get_by_role("textbox", name=f"Target of {queue} in percent")


def limit(who: Person, queue: str) -> Locator:
    return who.page.get_by_role("textbox", name=f"Limit of {queue} in seconds")


async def type_in(field: Locator, text: str) -> None:
    await field.fill(text)
    await field.press("Enter")


async def test_a_queues_own_target_and_limit_are_kept_as_typed_and_an_empty_field_inherits(
    house: House, admin: Person
) -> None:
    await admin.open(QUEUES)
    await expect(limit(admin, "support")).to_have_attribute("placeholder", "20")
    await type_in(target(admin, "support"), "95")
    await type_in(limit(admin, "support"), "10")
    await expect(admin.page.locator(".toast", has_text="Saved")).to_have_count(2)
    kept = await house.api.get("queues/support")
    assert (kept["sla_target_percent"], kept["sla_answer_within_seconds"], kept["create_tickets"]) == (95, 10, True)
    await type_in(target(admin, "support"), "90")  # over one's own number
    await expect(admin.page.locator(".toast", has_text="Saved")).to_have_count(3)
    await type_in(limit(admin, "support"), "")
    await expect(admin.page.locator(".toast", has_text="Saved")).to_have_count(4)
    await admin.page.reload()
    await expect(target(admin, "support")).to_have_value("90")
    await expect(limit(admin, "support")).to_have_value("")
    assert (await house.api.get("queues/support"))["sla_answer_within_seconds"] is None


@pytest.mark.parametrize("typed", ["101", "8o", "-1"])
async def test_a_target_that_cannot_be_stays_as_typed_with_the_reason_beside_it(
    house: House, admin: Person, typed: str
) -> None:
    await house.api.put("queues/support", {"sla_target_percent": 90})
    await admin.open(QUEUES)
    admin.watch.expect(422, "/api/v1/queues/support")
    await type_in(target(admin, "support"), typed)
    await expect(target(admin, "support")).to_have_attribute("aria-invalid", "true")
    await expect(target(admin, "support")).to_have_value(typed)
    await expect(admin.page.locator("tr", has_text="support").get_by_role("alert")).to_be_visible()
    assert (await house.api.get("queues/support"))["sla_target_percent"] == 90


async def test_a_limit_that_another_admin_set_meanwhile_is_shown_before_it_is_overwritten(
    house: House, admin: Person
) -> None:
    await house.api.put("queues/support", {"sla_answer_within_seconds": 30})
    await admin.open(QUEUES)
    await house.api.put("queues/support", {"sla_answer_within_seconds": 45})
    await type_in(limit(admin, "support"), "10")
    row = admin.page.locator("tr", has_text="support")
    await expect(row.get_by_role("alert")).to_contain_text("45")
    assert (await house.api.get("queues/support"))["sla_answer_within_seconds"] == 45
    await row.get_by_role("alert").get_by_role("button").last.click()
    await expect(admin.page.locator("#toasts")).to_contain_text("Saved")
    assert (await house.api.get("queues/support"))["sla_answer_within_seconds"] == 10


@pytest.mark.parametrize("language", LANGUAGES)
async def test_the_page_says_whose_limits_count_for_everybody_to_read(house: House, language: Language) -> None:
    await house.play("queue_answered")
    await house.api.put("queues/support", {"sla_target_percent": 95, "sla_answer_within_seconds": 10})
    limits, own, back = WORDS[language]
    who = await house.person(Role.SUPERVISOR, language=language)
    for width in (WIDE, NARROW):
        await who.size(width)
        await who.open(f"{PAGE}?by=queue")
        await expect(who.page.locator(".headline")).to_contain_text(limits)
        await expect(who.page.locator("tr", has_text="support")).to_contain_text(own)
        await assert_accessible(who.page)
    await who.size(WIDE)
    slider = who.page.get_by_role("slider")
    await slider.focus()
    await slider.press("ArrowRight")
    await expect(who.page).to_have_url(f"{house.url}{PAGE}?by=queue&within=21")
    await expect(who.page.locator(".headline")).not_to_contain_text(limits)
    await who.page.get_by_role("link", name=back).click()
    await expect(who.page.locator(".headline")).to_contain_text(limits)
    assert (await house.api.get("queues/support"))["sla_answer_within_seconds"] == 10


async def test_who_gave_up_at_once_is_left_out_as_the_setting_says(house: House, admin: Person) -> None:
    await house.play("queue_abandoned")
    await admin.open(PAGE)
    await expect(admin.page.locator(".facts")).to_contain_text("0 of 0")
    await admin.open("/settings/calls")
    await admin.page.get_by_label("Gave up at once").fill("0")
    await admin.page.get_by_role("button", name="Save").click()
    await expect(admin.page.locator("#setting-sla_short_abandon_seconds")).to_contain_text("Changed by")
    await admin.open(PAGE)
    await expect(admin.page.locator(".facts")).to_contain_text("0 of 1")
    await expect(admin.page.locator(".facts")).not_to_contain_text("Without who gave up")
