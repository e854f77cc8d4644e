"""Who the customer is, by the company's own system: on the alert, the call and the webphone, and only as text."""

from __future__ import annotations

import json
import re

from playwright.async_api import Page, expect

from tests.browser.accessible import assert_accessible
from tests.browser.at_the_desk import HTML, NUMBER, call_of, furnish, open_desk, sit_down, stage
from tests.browser.house import NARROW, WIDE, House, Person
from tests.browser.staged_call import StagedCall
from tests.browser.test_desk import LISTEN_TO_NOTES
from tests.browser.test_webphone import picture
from tests.delivery.receiver import Reply

ANSWER_S = 0.4
HOSTILE_NAME = "<img src=x onerror=\"globalThis.ran='name'\">Lan\u202e\x00"
HOSTILE_NOTE = "VIP\n</p><script>globalThis.ran='note'</script>{{ 7 * 7 }}\u2066"
SEEN_NAME = "<img src=x onerror=\"globalThis.ran='name'\">Lan"
SEEN_NOTE = "VIP\n</p><script>globalThis.ran='note'</script>{{ 7 * 7 }}"


async def answer_with(house: House, body: object, delay_s: float = ANSWER_S) -> None:
    house.crm.plan("/who", Reply(body=json.dumps(body).encode(), delay_s=delay_s))
    await furnish(house, customer_lookup_url=f"{house.crm.url}/who")


async def seen(page: Page) -> tuple[str, str, str | None]:
    """Name, note and link on the stage."""
    card = stage(page)
    return (
        await card.locator("[data-who]").inner_text(),
        await card.locator("[data-customer-note]").inner_text(),
        await card.locator("[data-customer-link]").get_attribute("href"),
    )


async def test_name_note_and_link_come_onto_the_alert_and_the_call_and_nothing_of_them_runs(house: House) -> None:
    link = f"{house.crm.url}/c/7"
    house.crm.plan("/c/7", Reply(headers=HTML, body=b"<title>CRM</title>Lan"))
    await answer_with(house, {"name": HOSTILE_NAME, "note": HOSTILE_NOTE, "link": link})
    an, phone = await sit_down(house, script=LISTEN_TO_NOTES), await house.browser_of("an", width=NARROW)
    await phone.open("/webphone")
    await expect(phone.page.locator("[data-word]")).to_contain_text("Available")
    call = StagedCall(house.pbx, name="Number of a caller")
    call.rings()
    await expect(stage(an.page)).to_contain_text(NUMBER)  # the alert waits for nobody
    await expect(stage(an.page)).to_contain_text("onerror")
    assert await seen(an.page) == (SEEN_NAME, SEEN_NOTE, link)
    await expect(an.page.locator("#said")).to_contain_text(f"{SEEN_NAME}, {NUMBER} calls")
    titles = await an.page.evaluate("notes.map(one => [one.title, one.options.tag])")
    assert [title for title, _ in titles] == ["☎ Number of a caller", f"☎ {SEEN_NAME}"]
    assert len({tag for _, tag in titles}) == 1  # the later one takes the earlier one's place
    assert SEEN_NOTE in await an.page.evaluate("notes.at(-1).options.body")
    await the_link_opens_apart(an, link)
    call.is_answered()
    await expect(stage(an.page).locator("article.talk")).to_contain_text("onerror")
    assert await seen(an.page) == (SEEN_NAME, SEEN_NOTE, link)
    await open_desk(an.page)  # loaded anew
    await expect(stage(an.page)).to_contain_text("onerror")
    assert await seen(an.page) == (SEEN_NAME, SEEN_NOTE, link)
    await expect(call_of(phone.page).locator("[data-who]")).to_have_text(SEEN_NAME)
    await expect(call_of(phone.page).locator("[data-customer-note]")).to_have_text(SEEN_NOTE)
    await expect(call_of(phone.page).get_by_role("link")).to_have_attribute("href", link)
    call.ends()
    await expect(stage(an.page)).to_contain_text("onerror")  # the last call
    for page in (an.page, phone.page):
        assert await page.evaluate("globalThis.ran") is None
        assert await page.locator("#stage img, #stage script, #call img, #call script, #recent img").count() == 0


async def the_link_opens_apart(an: Person, link: str) -> None:
    """In a new tab that cannot reach the desk."""
    async with an.context.expect_page() as opened:
        await stage(an.page).get_by_role("link", name="Open in your system").click()
    page = await opened.value
    await expect(page).to_have_url(link)
    assert await page.evaluate("opener") is None
    assert await page.evaluate("document.referrer") == ""
    await page.close()


async def test_whoever_rings_when_it_is_known_sees_it_at_once_and_a_link_that_is_none_is_not_there(
    house: House,
) -> None:
    await answer_with(house, {"name": "Nguyễn Thị Lan", "link": "javascript:globalThis.ran='link'"}, 0)
    an = await sit_down(house)
    call = StagedCall(house.pbx)
    call.go_on("Newchannel")
    await house.crm.wait_for(1, "/who")
    await an.page.wait_for_timeout(300)
    house.crm.plan("/who", Reply(status=500))
    call.rings()
    await expect(stage(an.page)).to_contain_text("Nguyễn Thị Lan")
    await expect(stage(an.page).get_by_role("link")).to_have_count(0)
    await expect(stage(an.page).locator("[data-customer-note]")).to_be_hidden()
    assert len(house.crm.got("/who")) == 1


async def test_a_look_up_is_tried_on_the_settings_page_and_its_answer_is_text(house: House, admin: Person) -> None:
    house.crm.plan("/who", Reply(body=json.dumps({"name": HOSTILE_NAME, "link": "https://crm.example/7"}).encode()))
    await admin.open("/settings/calls")
    page, place = admin.page, admin.page.locator("#lookup-answer")
    ask = page.get_by_role("button", name="Ask it now")
    await expect(ask).to_be_hidden()
    await page.get_by_label("Who the customer is").fill(f"{house.crm.url}/who?n={{customerNumber}}")
    await expect(page.locator('#what-happens [data-url="customer_lookup_url"]')).to_contain_text("/who?n=84")
    await ask.click()
    await expect(place).to_contain_text(SEEN_NAME)
    await expect(place).to_contain_text("Link: https://crm.example/7")
    assert re.match(r"200 · \d+ ms", await place.inner_text())
    (asked,) = house.crm.got("/who")
    secret = house.daemon.secrets.popup_secret()
    assert secret is not None
    asked.verify(secret.reveal())
    for reply, words in (
        (Reply(body=b"<p>hello</p>"), "The answer is no JSON object."),
        (Reply(status=404), "nobody is known of this number"),
        (Reply(status=302, headers={"Location": "/"}), "redirects are not followed"),
    ):
        house.crm.plan("/who", reply)
        await ask.click()
        await expect(place).to_contain_text(words)
    assert await page.evaluate("globalThis.ran") is None
    await assert_accessible(page)
    await page.get_by_role("button", name="Discard").click()


async def test_the_longest_name_and_note_stay_inside_their_cards_on_a_narrow_screen(house: House) -> None:
    """That nothing scrolls sideways is watched; CALLWARDEN_PICTURES names a folder for pictures."""
    await answer_with(house, {"name": "W" * 120, "note": "w" * 250 + "\n-" * 125, "link": "https://crm.example/c/7"}, 0)
    an, phone = await sit_down(house), await house.browser_of("an", width=NARROW)
    await phone.open("/webphone")
    call = StagedCall(house.pbx)
    call.rings()
    for word in ("ring", "talk"):
        await expect(stage(an.page).locator(f"article.{word}")).to_contain_text("W" * 120)
        for width in (WIDE, NARROW):
            await an.size(width)
            assert await an.page.evaluate("document.documentElement.scrollWidth <= innerWidth")
            await expect(stage(an.page).get_by_role("link", name="Open in your system")).to_be_in_viewport()
            await picture(an, f"lookup-{word}-{width}")
        if word == "ring":
            await assert_accessible(an.page)
            call.is_answered()
    await expect(call_of(phone.page)).to_contain_text("talking, 0:0")
    assert await phone.page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    await expect(call_of(phone.page).get_by_role("button", name="Hang up")).to_be_in_viewport()
    await picture(phone, "lookup-webphone")
