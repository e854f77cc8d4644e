"""Tickets in real browsers beside a running daemon: lists, keys, several at once, the customer's page."""

from __future__ import annotations

import json
import re
from urllib.parse import parse_qs, urlsplit

from playwright.async_api import expect

from daemon.ami.scenario import SCENARIOS
from tests.browser.accessible import assert_accessible
from tests.browser.at_tickets import agent, missed_calls, note, row
from tests.browser.house import NARROW, WIDE, House
from tests.browser.staged_call import StagedCall
from tests.delivery.receiver import Reply
from tests.whole.house import until

_HTML = {"Content-Type": "text/html; charset=utf-8"}
_EVIL = '<img src=x onerror="alert(1)">'


async def test_state_agent_and_tags_are_saved_at_once(house: House) -> None:
    await missed_calls(house)
    an = await agent(house)
    await an.open("/tickets/1")
    await an.page.get_by_role("button", name=re.compile("^Claim")).click()
    await expect(an.page.get_by_label("Agent", exact=True)).to_have_value("an")
    await an.page.get_by_label("State", exact=True).select_option("pending")
    for tag in ("VIP", "refund"):
        await an.page.get_by_label("Tags", exact=True).fill(tag)
        await an.page.get_by_label("Tags", exact=True).press("Enter")
        await expect(an.page.get_by_role("button", name=f"Take the tag {tag} away")).to_be_visible()
    await an.page.get_by_role("button", name="Take the tag VIP away").click()
    await expect(an.page.get_by_text("Nguyễn Văn An set the tags: refund")).to_be_visible()
    ticket = await house.api.get("tickets/1")
    assert (ticket["assignee"], ticket["status"], ticket["tags"]) == ("an", "pending", ["refund"])


async def test_a_call_that_goes_on_is_told_live(house: House) -> None:
    an = await agent(house)
    call = StagedCall(house.pbx, SCENARIOS["queue_answered"], name=_EVIL)
    call.rings()
    call.is_answered()
    await until(lambda: _there(house))
    await an.open("/tickets/1")
    facts = an.page.locator('[data-live="facts"]')
    await expect(facts).to_contain_text("Talking with Nguyễn Văn An now")
    call.ends()
    await expect(facts).to_contain_text("talked 0:")


async def _there(house: House) -> bool:
    return bool((await house.api.get("tickets"))["items"])


async def test_the_customers_page_stands_in_the_ticket_with_the_calls_parameters(house: House) -> None:
    body = b"<title>CRM</title><p>Lan, gold</p><script>try { top.location = 'https://evil.example/' } catch {}</script>"
    house.crm.plan("/customer", Reply(headers=_HTML, body=body))
    await house.api.patch("call-settings", {"incoming_iframe_url": f"{house.crm.url}/customer?from=pbx"})
    call_id = await house.play("queue_answered", customer="0901701234")
    an = await agent(house)
    await an.open("/tickets/1")
    frame = an.page.frame_locator("iframe")
    await expect(frame.get_by_text("Lan, gold")).to_be_visible()
    assert urlsplit(an.page.url).path == "/tickets/1"
    an.watch.wrong = [one for one in an.watch.wrong if "evil.example" not in one and "sandboxed" not in one]
    probe, shown = house.crm.got("/customer")
    assert "901701234" not in probe.query
    given = {name: values[0] for name, values in parse_qs(shown.query).items()}
    assert (given["userId"], given["customerNumber"], given["callId"]) == ("an", "84901701234", call_id)
    assert "referer" not in shown.headers


async def test_a_site_that_forbids_framing_is_offered_as_a_window(house: House) -> None:
    house.crm.plan("/customer", Reply(headers={**_HTML, "X-Frame-Options": "DENY"}, body=b"<title>CRM</title>window"))
    await house.api.patch("call-settings", {"incoming_iframe_url": f"{house.crm.url}/customer"})
    await house.play("queue_answered", customer="0901701234")
    an = await agent(house)
    await an.open("/tickets/1")
    await expect(an.page.get_by_text("127.0.0.1 does not let itself be shown inside another page.")).to_be_visible()
    await expect(an.page.locator("iframe")).to_have_count(0)
    async with an.context.expect_page() as opening:
        await an.page.get_by_role("link", name="Open the customer's page in a window").click()
    window = await opening.value
    await expect(window.get_by_text("window")).to_be_visible()
    assert "customerNumber=84901701234" in window.url
    assert await window.evaluate("window.opener") is None
    await window.close()


async def test_names_and_notes_of_strangers_never_run(house: House) -> None:
    await house.api.put("agents/binh", {"name": _EVIL, "endpoints": ["PJSIP/1002"]})
    call = StagedCall(house.pbx, SCENARIOS["queue_abandoned"], name=_EVIL)
    call.rings()
    call.ends()
    await house.quiet()
    await house.api.patch("tickets/1", {"note": f"</textarea>{_EVIL}", "tags": [_EVIL], "assignee": "binh"})
    an = await agent(house)
    for path in ("/tickets?mine=false", "/tickets/1", "/tickets?mine=false&open=1"):
        await an.open(path)
        await expect(an.page.get_by_text("0901").first).to_be_visible()
        await an.page.wait_for_timeout(300)
        assert await an.page.locator('img[src="x"]').count() == 0
    await expect(note(an)).to_have_value(f"</textarea>{_EVIL}")


async def test_the_list_is_worked_with_keys_alone(house: House) -> None:
    await missed_calls(house, 3)
    an = await agent(house)
    await an.open("/missed")
    keys = an.page.keyboard
    await keys.press("j")
    await expect(row(an, 3).get_by_role("link", name="0901 701 232")).to_be_focused()
    await keys.press("j")
    await keys.press("j")
    await keys.press("k")
    await expect(row(an, 2).locator("a.row")).to_be_focused()
    await keys.press("m")
    await expect(row(an, 2)).to_contain_text("Nguyễn Văn An")
    await expect(row(an, 2).locator("a.row")).to_be_focused()
    await keys.press("Enter")
    await expect(note(an)).to_be_visible()
    assert "open=2" in an.page.url
    await keys.press("Escape")
    await expect(note(an)).to_have_count(0)
    await expect(row(an, 2).locator("a.row")).to_be_focused()
    await keys.press("e")
    await expect(row(an, 2)).to_have_class(re.compile("gone"))
    assert (await house.api.get("tickets/2"))["status"] == "closed"
    await keys.press("/")
    await expect(an.page.get_by_label("Customer's number")).to_be_focused()
    await keys.type("e1230")
    await keys.press("Escape")
    assert (await house.api.get("tickets/1"))["status"] == "open"
    await row(an, 1).locator("a.row").focus()
    await keys.press("?")
    await expect(an.page.get_by_role("dialog")).to_be_visible()
    await keys.press("e")
    await keys.press("Escape")
    assert (await house.api.get("tickets/1"))["status"] == "open"


async def test_several_are_chosen_and_changed_together(house: House) -> None:
    await missed_calls(house, 3)
    an = await agent(house)
    await an.open("/missed")
    for ticket_id in (1, 3):
        await row(an, ticket_id).get_by_role("checkbox").check()
    bar = an.page.locator("[data-bulk]")
    await expect(bar).to_contain_text("2 chosen")
    await bar.get_by_label("Tag").fill("campaign")
    await bar.get_by_role("button", name="Add").click()
    await expect(row(an, 3)).to_contain_text("campaign")
    await an.page.get_by_label("Choose all").check()
    await bar.get_by_label("Give to").select_option("binh")
    for ticket_id in (1, 2, 3):
        await expect(row(an, ticket_id)).to_contain_text("Trần Thị Bình")
    await row(an, 2).get_by_role("checkbox").check()
    await bar.get_by_role("button", name="Close", exact=True).click()
    await expect(row(an, 2)).to_have_class(re.compile("gone"))
    tickets = {one["ticket_id"]: one for one in await house.api.every("tickets")}
    assert [tickets[n]["status"] for n in "123"] == ["open", "closed", "open"]
    assert [tickets[n]["tags"] for n in "123"] == [["campaign"], [], ["campaign"]]
    assert {one["assignee"] for one in tickets.values()} == {"binh"}


async def test_who_claims_second_is_told_and_takes_nothing_away(house: House) -> None:
    await missed_calls(house)
    an, binh = await agent(house), await agent(house, "binh")
    await binh.page.route(re.compile("/events"), lambda route: route.abort())
    with binh.watch.offline():
        await binh.open("/missed")
        await an.open("/missed")
        await an.page.get_by_role("button", name=re.compile("^Claim 0901")).click()
        await expect(row(an, 1)).to_contain_text("Nguyễn Văn An")
        binh.watch.expect(412, "/api/v1/tickets/1")
        await binh.page.get_by_role("button", name=re.compile("^Claim 0901")).click()
        await expect(binh.page.get_by_text("Somebody was faster")).to_be_visible()
        await expect(row(binh, 1)).to_contain_text("Nguyễn Văn An")
    assert (await house.api.get("tickets/1"))["assignee"] == "an"


async def test_call_back_rings_the_agents_phone_and_then_the_customers(house: House) -> None:
    await missed_calls(house)
    an = await agent(house)
    for path in ("/missed", "/tickets/1"):
        house.pbx.actions.clear()
        await an.open(path)
        await an.page.get_by_role("button", name=re.compile("^Call back 0901")).click()
        await expect(an.page.get_by_text("Your phone rings; pick it up")).to_be_visible()
        (ordered,) = (action for action in house.pbx.actions if action.get("Action") == "Originate")
        assert "1001" in ordered["Channel"]
        assert "0901701230" in json.dumps(ordered)
    house.pbx.actions.clear()
    await an.page.evaluate("document.querySelector('[data-call]').dataset.hotline = '19009999'")  # of years ago
    await an.page.get_by_role("button", name=re.compile("^Call back 0901")).click()
    await expect(an.page.get_by_text("is none of yours any more: he sees the one the PBX chooses")).to_be_visible()
    (ordered,) = (action for action in house.pbx.actions if action.get("Action") == "Originate")
    assert "19009999" not in json.dumps(ordered)


async def test_a_new_ticket_is_offered_and_moves_no_row_and_the_counts_follow(house: House) -> None:
    await missed_calls(house)
    an = await agent(house)
    await an.open("/missed")
    count = an.page.locator('nav.side [data-count="missed"]')
    await expect(count).to_have_text("1")
    before = await row(an, 1).bounding_box()
    await house.play("queue_abandoned", customer="0912345678")
    offer = an.page.get_by_role("button", name="1 new ticket: show")
    await expect(offer).to_be_visible()
    await expect(count).to_have_text("2")
    assert before is not None
    assert await an.page.locator("tr[data-ticket]").count() == 1
    await offer.click()
    await expect(row(an, 2)).to_be_visible()


async def test_a_customer_who_is_reached_leaves_the_missed(house: House) -> None:
    await house.play("queue_abandoned", customer="0901701234")
    an = await agent(house)
    await an.open("/missed")
    await house.play("outgoing_answered", customer="0901701234")
    await expect(row(an, 1)).to_have_class(re.compile("gone"))
    await an.open("/tickets/1")
    await expect(an.page.get_by_text("Called back", exact=True)).to_be_visible()
    await expect(an.page.get_by_text("Closed by itself: an agent reached the customer")).to_be_visible()


async def test_filters_stand_in_the_address_and_a_number_is_found_in_any_form(house: House) -> None:
    await missed_calls(house, 2)
    an = await agent(house)
    for typed in ("0901 701 231", "+84901701231", "84901701231", "1231"):
        await an.open("/tickets?mine=false")
        await an.page.get_by_label("Customer's number").fill(typed)
        await an.page.get_by_label("Customer's number").press("Enter")
        await expect(an.page.locator("tr[data-ticket]")).to_have_count(1)
        await expect(row(an, 2)).to_be_visible()
        assert "number=" in an.page.url
    await an.page.get_by_role("link", name="Closed").click()
    await expect(an.page.get_by_text("No ticket fits this.")).to_be_visible()
    await an.page.get_by_role("link", name="Clear").click()
    assert urlsplit(an.page.url).query == ""


async def test_a_ticket_opens_beside_the_list_where_there_is_room_and_on_its_page_on_a_phone(house: House) -> None:
    await missed_calls(house, 2)
    an = await agent(house)
    await an.open("/missed")
    await row(an, 1).click(position={"x": 400, "y": 10})
    await expect(note(an)).to_be_visible()
    await expect(an.page.get_by_role("table")).to_be_visible()
    await assert_accessible(an.page)
    await an.page.reload()
    await expect(note(an)).to_be_visible()
    await an.size(NARROW)
    await an.open("/missed")
    await assert_accessible(an.page)
    await row(an, 1).locator("a.row").click()
    await expect(an.page.get_by_role("heading", name="Ticket 1")).to_be_visible()
    await assert_accessible(an.page)
    await an.size(WIDE)
