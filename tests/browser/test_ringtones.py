"""Ringtones: listened to, uploaded, refused, renamed, chosen."""

from __future__ import annotations

from playwright.async_api import FilePayload, expect

from tests.browser.house import House, Person
from tests.whole.house import ROOT

PATH = "/settings/ringtones"
API = "/api/v1/ringtones"
GOOD = (ROOT / "sounds" / "harp.16k.wav").read_bytes()


def file(name: str, content: bytes) -> FilePayload:
    return {"name": name, "mimeType": "audio/wav", "buffer": content}


async def test_a_sound_is_uploaded_chosen_for_all_calls_renamed_and_cannot_go_while_it_is_used(
    house: House, admin: Person
) -> None:
    page = admin.page
    await admin.open(PATH)
    await page.locator("#file").set_input_files(file("Tiếng đàn tranh.wav", GOOD))
    await expect(page.locator("#name")).to_have_value("Tieng-dan-tranh")
    await page.get_by_role("button", name="Upload", exact=True).click()
    row = page.locator("tr[data-tone='Tieng-dan-tranh']")
    await expect(row).to_contain_text("Tiếng đàn tranh")
    await row.get_by_role("button", name="for all calls").click()
    await expect(row.locator(".state.good")).to_be_visible()
    assert (await house.settings())["ringtone"] == "Tieng-dan-tranh"
    row = page.locator("tr[data-tone='Tieng-dan-tranh']")
    await row.get_by_role("button", name="Address").click()
    more = page.locator("tr.more:visible")
    await expect(more.get_by_role("button", name="Delete")).to_have_count(0)
    await more.get_by_label("Name in addresses").fill("dan-tranh")
    await more.get_by_role("button", name="Save the names").click()
    await expect(page.locator("tr[data-tone='dan-tranh']")).to_be_visible()
    assert (await house.settings())["ringtone"] == "dan-tranh"


async def test_what_is_no_sound_is_refused_beside_the_file_and_nothing_is_kept(house: House, admin: Person) -> None:
    page = admin.page
    await admin.open(PATH)
    before = len(await house.api.every("ringtones"))
    for name, content, status in (
        ("page.wav", b"<html><script>alert(1)</script></html>", 422),
        ("cut.wav", GOOD[:30], 422),
        ("empty.wav", b"", None),
        ("large.wav", b"RIFF" + bytes(3 * 1024 * 1024), None),
    ):
        await page.locator("#file").set_input_files(file(name, content))
        if status is not None:
            admin.watch.expect(status, API)
            await page.get_by_role("button", name="Upload", exact=True).click()
        await expect(page.locator("#file")).to_have_attribute("aria-invalid", "true")
        await page.locator("#file").set_input_files([])
    assert len(await house.api.every("ringtones")) == before


async def test_a_name_that_is_taken_is_told_beside_the_name_and_the_file_is_kept(house: House, admin: Person) -> None:
    page = admin.page
    await admin.open(PATH)
    await page.locator("#file").set_input_files(file("new.wav", GOOD))
    await page.locator("#name").fill("marimba")
    admin.watch.expect(409, API)
    await page.get_by_role("button", name="Upload", exact=True).click()
    await expect(page.locator("#name")).to_have_attribute("aria-invalid", "true")
    await page.locator("#name").fill("new")
    await page.get_by_role("button", name="Upload", exact=True).click()
    await expect(page.locator("tr[data-tone='new']")).to_be_visible()


async def test_each_built_in_ringtone_can_be_heard_one_at_a_time(admin: Person) -> None:
    page = admin.page
    await admin.open(PATH)
    names = [await row.get_attribute("data-tone") for row in await page.locator("tr[data-tone]").all()]
    assert len(names) == 8
    for name in names[:3]:
        async with page.expect_response(f"**/api/v1/ringtones/{name}/audio*") as waiting:
            await page.locator(f"tr[data-tone='{name}'] [data-play]").click()
        answer = await waiting.value
        assert answer.status in (200, 206)
        await expect(page.locator("[data-playing]")).to_have_count(1)
    await page.keyboard.press("Escape")
    await expect(page.locator("[data-playing]")).to_have_count(0)
