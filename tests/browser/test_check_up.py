"""The check-up beside a running daemon: its parts come one by one, and it is asked for again with one key."""

from __future__ import annotations

import json

import pytest
from playwright.async_api import Locator, expect

from tests.browser.accessible import assert_accessible
from tests.browser.house import NARROW, House, Person

PATH = "/settings/check-up"


def part(who: Person, name: str) -> Locator:
    return who.page.get_by_role("region", name=name)


async def test_each_part_is_looked_at_and_what_is_mended_is_well_at_the_next_look(
    house: House, admin: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("daemon.doctor.examination.FRESH_S", 0.0)  # else a look of two seconds ago would do
    page = admin.page
    await house.api.put("agents/chi", {"name": "Chi", "endpoints": ["PJSIP/1004"]})
    await admin.open(PATH)
    await expect(page.get_by_role("status").filter(has_text="Checked at")).to_contain_text("Problems: 1, warnings: 2")
    await expect(part(admin, "PBX")).to_contain_text("The PBX's call records (CDR) are not read.")
    await expect(part(admin, "Queues")).to_contain_text("PJSIP/1003 sales")
    await expect(part(admin, "Agents and phones")).to_contain_text("1 of 3 (PJSIP/1004 chi)")
    await part(admin, "Database and machine").get_by_text("In order:").click()
    await expect(part(admin, "Database and machine")).to_contain_text("The database is whole.")
    await assert_accessible(page)
    await admin.size(NARROW)
    await assert_accessible(page)
    await house.api.put("agents/chi", {"name": "Chi", "endpoints": ["PJSIP/1003"]})
    again = page.get_by_role("button", name="Check again")
    await again.focus()
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("status").filter(has_text="Checked at")).to_contain_text("Problems: 0, warnings: 1")
    await expect(again).to_be_focused()


async def test_a_part_that_cannot_be_asked_for_says_so_and_can_be_tried_again(admin: Person) -> None:
    refused = {"status": 503, "content_type": "application/problem+json", "body": json.dumps({"detail": "not now"})}
    await admin.page.route(f"**{PATH}?group=queues", lambda route: route.fulfill(**refused), times=1)
    admin.watch.expect(503, PATH)
    await admin.open(PATH)
    await expect(part(admin, "Queues")).to_contain_text("This part could not be looked at: not now.")
    await expect(part(admin, "PBX").get_by_text("In order:")).to_be_visible()
    await part(admin, "Queues").get_by_role("button", name="Try again").click()
    await expect(part(admin, "Queues")).to_contain_text("PJSIP/1003")
