"""The call settings page: each setting is changed there, and the running daemon obeys at the next call."""

from __future__ import annotations

import asyncio
import re
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import time_machine
from playwright.async_api import Locator, expect

from tests.browser.house import PASSWORD, House, Person

PATH = "/settings/calls"
API = "/api/v1/call-settings"
CUSTOMER = "0901234567"


async def save(who: Person, *changes: str) -> None:
    """Save, having seen what will change; the page then says that it is in force."""
    bar = who.page.locator("#savebar")
    for change in changes:
        await expect(bar).to_contain_text(change)
    await bar.get_by_role("button", name="Save").click()
    await expect(who.page.get_by_text("In force since").last).to_be_visible()
    await expect(bar).to_be_hidden()


def field(who: Person, label: str) -> Locator:
    return who.page.get_by_label(label, exact=True)


async def test_without_automatic_tickets_the_next_call_has_none_and_with_them_again_it_has(
    house: House, admin: Person
) -> None:
    await admin.open(PATH)
    for on, tickets in ((False, 0), (True, 1)):
        await field(admin, "Create tickets automatically").set_checked(on)
        await expect(admin.page.get_by_text("No call gets a ticket now")).to_be_visible(visible=not on)
        await save(admin, "Create tickets automatically: " + ("on → off", "off → on")[on])
        await house.play("queue_answered")
        assert len(await house.api.every("tickets")) == tickets


MODES = {
    "All incoming calls in one ticket": Counter({("missed_incoming", 3): 1, ("missed_outgoing", 1): 2}),
    "One ticket per call": Counter({("missed_incoming", 1): 3, ("missed_outgoing", 1): 2}),
    "Incoming in one ticket, outgoing in another": Counter({("missed_incoming", 3): 1, ("missed_outgoing", 2): 1}),
    "Incoming in one ticket per queue, outgoing in another": Counter(
        {("missed_incoming", 2): 1, ("missed_incoming", 1): 1, ("missed_outgoing", 2): 1}
    ),
}


async def test_missed_calls_share_tickets_as_the_mode_says_from_the_next_call_on(house: House, admin: Person) -> None:
    await admin.open(PATH)
    for number, mode in enumerate(reversed(MODES)):
        await admin.page.get_by_role("radio", name=re.compile(re.escape(mode) + r"\b(?! per)")).check()
        await save(admin, mode)
        customer = f"090123456{number}"
        for scenario in ("queue_abandoned", "direct_missed", "outgoing_no_answer", "outgoing_no_answer"):
            await house.play(scenario, customer=customer)
        await house.play("queue_abandoned", customer=customer)
        tickets = (await house.api.get(f"tickets?customer_number=%2B84{customer[1:]}"))["items"]
        assert Counter((one["kind"], one["missed_count"]) for one in tickets) == MODES[mode], mode


async def test_the_popup_goes_where_the_page_says_and_as_the_page_showed(house: House, admin: Person) -> None:
    await admin.open(PATH)
    url = house.crm.url + "/pop?source=pbx&n={customerNumber}#top"
    await field(admin, "Popup at answer").fill(url)
    preview = admin.page.locator('#what-happens [data-url="popup_answer_url"]')
    await expect(preview).to_contain_text("/pop?source=pbx&n=84")
    await admin.page.get_by_role("button", name="Send the webhook now").click()
    await expect(admin.page.locator("#try-answer")).to_contain_text("200")
    assert [one["source"] for one in house.popups()] == ["pbx"]
    await save(admin, "Popup at answer")
    house.crm.requests.clear()
    call_id = await house.play("queue_answered", customer=CUSTOMER)
    (popup,) = house.popups()
    assert list(popup) == ["source", "n", "userId", "hotline", "isCallOut", "timeAnswer", "callId"]
    assert popup["n"] == "84901234567"
    assert (popup["userId"], popup["isCallOut"], popup["callId"]) == ("an", "false", call_id)
    await field(admin, "Popup at answer").fill("")
    await save(admin, "none")
    await house.play("queue_answered", customer=CUSTOMER)
    assert len(house.popups()) == 1


async def test_the_popup_reaches_the_desk_the_crm_or_both_as_chosen(house: House, admin: Person) -> None:
    await house.api.put("call-settings", {"popup_answer_url": house.crm.url + "/pop"})
    await admin.open(PATH)
    for channel, at_desk, at_crm in (("As a webhook only", 0, 1), ("In the agent's browser only", 1, 0),
                                     ("In the agent's browser and as a webhook", 1, 1)):  # fmt: skip
        await field(admin, "How the popup is delivered").select_option(label=channel)
        await save(admin, channel)
        house.crm.requests.clear()
        async with heard(house) as events:
            await house.play("queue_answered")
        assert (events.count("popup"), len(house.popups())) == (at_desk, at_crm), channel


async def test_numbers_in_popups_are_written_as_chosen_for_the_country_chosen(house: House, admin: Person) -> None:
    await house.api.put("call-settings", {"popup_answer_url": house.crm.url + "/pop"})
    await admin.open(PATH)
    for form, country, written in (("e164", "VN", "+84901234567"), ("national", "VN", "0901234567"),
                                   ("raw", "VN", "0901234567"), ("e164_digits", "TH", "66901234567")):  # fmt: skip
        await field(admin, "Numbers in popups").select_option(form)
        await field(admin, "Country").select_option(country)
        await save(admin)
        house.crm.requests.clear()
        await house.play("outgoing_answered", customer=CUSTOMER)
        (popup,) = house.popups()
        assert popup["customerNumber"] == written, form


async def test_the_day_of_merged_tickets_ends_at_midnight_of_the_zone_chosen(house: House) -> None:
    evening = datetime.now(UTC).replace(hour=16, minute=30, second=0) + timedelta(days=1)  # half past 23 in Vietnam
    for zone, tickets in (("Asia/Ho_Chi_Minh", 2), ("Europe/London", 1)):
        with time_machine.travel(evening) as clock:
            who = await house.person(name=zone.replace("/", "."))
            await who.open(PATH)
            await field(who, "Time zone").fill(zone)
            if zone != "Asia/Ho_Chi_Minh":  # which is the default
                await save(who, zone)
            customer = f"09012345{tickets}0"
            await house.play("queue_abandoned", customer=customer)
            clock.shift(timedelta(hours=1))
            await house.play("queue_abandoned", customer=customer)
            found = (await house.api.get(f"tickets?customer_number=%2B84{customer[1:]}"))["items"]
            assert len(found) == tickets, zone
            evening += timedelta(days=1)


async def test_agents_are_told_of_ringing_only_when_the_page_says_so(house: House, admin: Person) -> None:
    await admin.open(PATH)
    for on in (False, True):
        await field(admin, "Tell agents when a call rings").set_checked(on)
        if not on:
            await save(admin, "on → off")
        else:
            await save(admin, "off → on")
        async with heard(house) as events:
            await house.play("queue_answered")
        assert ("agent.ringing" in events) is on


async def test_new_accounts_speak_the_language_chosen(house: House, admin: Person) -> None:
    await admin.open(PATH)
    for language, words in (("en", "English"), ("vi", "Tiếng Việt")):
        await field(admin, "Language of new accounts").select_option(language)
        await save(admin, words)
        made = await house.api.post("accounts", {"name": f"new.{language}", "role": "agent", "password": PASSWORD})
        assert made["language"] == language


async def test_every_field_is_saved_as_typed_at_once_and_shown_again_after_a_reload(
    house: House, admin: Person
) -> None:
    typed = {
        "incoming_iframe_url": "https://crm.example.com/in?c={customerNumber}",
        "outgoing_iframe_url": "https://crm.example.com/out",
        "webphone_embed_url": "https://phone.example.com/khách",
        "sla_answer_within_seconds": 15,
        "sla_target_percent": 95,
        "sla_short_abandon_seconds": 0,
        "disconnect_timeout_seconds": 30,
        "time_zone": "Asia/Bangkok",
    }
    chosen = {"country": "TH", "language": "en", "number_format": "national", "popup_answer_delivery": "desk"}
    before = await house.settings()
    await admin.open(PATH)
    for name, value in typed.items():
        await admin.page.locator(f"#{name}").fill(str(value))
    for name, value in chosen.items():
        await admin.page.locator(f"#{name}").select_option(value)
    tone = admin.page.locator("#ringtone option").nth(1)
    ringtone = await tone.get_attribute("value")
    await admin.page.locator("#ringtone").select_option(ringtone)
    await save(admin, f"{len(typed) + len(chosen) + 1} changes not saved", "20 → 15", "Asia/Ho_Chi_Minh → Asia/Bangkok")
    assert await house.settings() == {**before, **typed, **chosen, "ringtone": ringtone}
    await admin.page.reload()
    for name, value in {**typed, **chosen}.items():
        await expect(admin.page.locator(f"#{name}")).to_have_value(str(value))
    assert (await house.api.get("audit?limit=1"))["items"][0]["by"] == "admin"


WRONG = {
    "popup_answer_url": "javascript:alert(1)",
    "incoming_iframe_url": "https://crm.example.com/{nobodyKnows}",
    "outgoing_iframe_url": "crm.example.com",
    "webphone_embed_url": "https://name:word@crm.example.com/",
    "sla_answer_within_seconds": "0",
    "sla_target_percent": "101",
    "sla_short_abandon_seconds": "3601",
    "disconnect_timeout_seconds": "4",
    "time_zone": "Mars/Base",
}


async def test_each_wrong_value_is_told_beside_its_field_and_nothing_is_saved_or_lost(
    house: House, admin: Person
) -> None:
    before, page = await house.settings(), admin.page
    await admin.open(PATH)
    for name, value in WRONG.items():
        await page.locator(f"#{name}").fill(value)
    await field(admin, "Create tickets automatically").uncheck()
    admin.watch.expect(422, API)
    await page.get_by_role("button", name="Save").click()
    await expect(page.get_by_role("alert").first).to_be_visible()
    for name, value in WRONG.items():
        control = page.locator(f"#{name}")
        await expect(control).to_have_value(value)
        await expect(control).to_have_attribute("aria-invalid", "true")
        described = (await control.get_attribute("aria-describedby") or "").split()
        await expect(page.locator(f"#{described[-1]}")).not_to_be_empty()
    await expect(page.locator("#popup_answer_url")).to_be_focused()
    await expect(page.locator("#setting-popup_answer_url .wrong")).to_be_in_viewport()
    assert await house.settings() == before
    await page.get_by_role("button", name="Discard").click()
    await expect(page.locator("[aria-invalid]")).to_have_count(0)
    await expect(page.locator("#time_zone")).to_have_value(before["time_zone"])


async def test_two_admins_who_save_other_settings_both_have_their_way(house: House) -> None:
    one, two = await house.person(name="chi"), await house.person(name="em")
    for who in (one, two):
        await who.open(PATH)
    await field(one, "Target").fill("90")
    await save(one)
    await field(two, "Answer within").fill("30")
    two.watch.expect(412, API)
    await save(two)
    settings = await house.settings()
    assert (settings["sla_target_percent"], settings["sla_answer_within_seconds"]) == (90, 30)


async def test_of_two_admins_who_change_the_same_setting_the_second_is_told_and_decides(house: House) -> None:
    one, two = await house.person(name="chi"), await house.person(name="em")
    for who in (one, two):
        await who.open(PATH)
    await field(one, "Target").fill("90")
    await save(one)
    await field(two, "Target").fill("70")
    two.watch.expect(412, API)
    await two.page.get_by_role("button", name="Save").click()
    await expect(two.page.get_by_text("chi set this to 90")).to_be_visible()
    await expect(field(two, "Target")).to_have_value("70")
    assert (await house.settings())["sla_target_percent"] == 90
    await save(two)
    assert (await house.settings())["sla_target_percent"] == 70


async def test_what_others_save_appears_by_itself_and_what_is_typed_stays(house: House, admin: Person) -> None:
    await admin.page.clock.install()
    await admin.open(PATH)
    await field(admin, "Answer within").fill("30")
    await house.api.put("call-settings", {"sla_target_percent": 66})
    await admin.page.clock.run_for(10_000)
    await expect(field(admin, "Target")).to_have_value("66")
    await expect(field(admin, "Answer within")).to_have_value("30")


@asynccontextmanager
async def heard(house: House) -> AsyncIterator[list[str]]:
    """The names of the events that the live feed tells meanwhile."""
    events: list[str] = []

    async def listen() -> None:
        async for event in house.daemon.feed.listen(None):
            events.append(event.event_type)  # noqa: PERF401 - it never ends

    listening = asyncio.create_task(listen())
    await asyncio.sleep(0)
    try:
        yield events
    finally:
        await asyncio.sleep(0.05)
        listening.cancel()
