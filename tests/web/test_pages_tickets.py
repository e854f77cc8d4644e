"""The pages of tickets: what stands on them, what they may frame, and that nothing of a caller's runs."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from daemon.call.model import Call, CallState, Direction, EndedBy, Outcome
from daemon.call.signals import UnixMs
from daemon.policy.decision import CloseMissed, OpenTicket, Reason, TicketKind
from daemon.store.accounts import find_account
from daemon.store.role import Role
from daemon.store.values import Unit
from daemon.web.services import PageHead
from tests.factory import answered, missed
from tests.web.browser import Browser, Page, has_no_inline_code, signed_in
from tests.web.conftest import NOW, PASSWORD, House, open_house

EVIL = '"><script>alert(1)</script>{{7*7}}'
CRM = "https://crm.example.com/customer?x=1"


async def talk(house: House, number: int = 1, **changes: Any) -> Call:
    """A call that An answered and that is over, with a ticket of its own."""
    at = UnixMs(NOW - 60_000 + number * 1000)
    call = answered(f"1795332900.{number}", started_at=at, queue="support", **changes)
    over = replace(
        call,
        state=CallState.ENDED,
        outcome=Outcome.ANSWERED,
        ended_at=UnixMs(at + 30_000),
        ended_by=EndedBy.CUSTOMER,
    )
    opened = OpenTicket(over, TicketKind.INCOMING, f"a{number}", Reason.CALL_ANSWERED)
    await house.record(Unit(UnixMs(at + 3000), over, (opened,)))
    return over


async def agent_browser(house: House, user_id: str = "an") -> Browser:
    await house.ask("PUT", f"/api/v1/agents/{user_id}", json={"name": "Nguyễn Văn An", "endpoints": []})
    if await find_account(house.store.reader, user_id) is None:
        await house.add_account(user_id, Role.AGENT, user_id=user_id, language="en")
    browser = Browser(house)
    assert (await browser.sign_in(user_id, PASSWORD)).status == 303
    return browser


async def settings(house: House, **values: Any) -> None:
    assert (await house.ask("PUT", "/api/v1/call-settings", json=values)).status == 200


def rows(page: Page) -> list[str]:
    return re.findall(r'<tr data-ticket="(\d+)"', page.text)


async def test_an_agent_sees_his_own_to_be_done_and_with_a_filter_everybodys(house: House) -> None:
    await talk(house, 1)
    await house.miss(2)
    browser = await agent_browser(house)
    assert rows(await browser.get("/tickets")) == ["1"]
    assert rows(await browser.get("/tickets?mine=false")) == ["2", "1"]
    assert rows(await browser.get("/tickets?number=701234")) == ["2", "1"]
    assert rows(await browser.get("/missed")) == ["2"]
    await house.ask("PATCH", "/api/v1/tickets/1", json={"status": "closed"})
    assert rows(await browser.get("/tickets")) == []
    assert rows(await browser.get("/tickets?status=closed")) == ["1"]


async def test_a_ticket_says_how_long_its_customer_waited_to_be_called_back(house: House) -> None:
    await house.miss(1)
    (waiting,) = (await house.ask("GET", "/api/v1/tickets")).body["items"]
    missed_at = round(datetime.fromisoformat(waiting["opened_at"]).timestamp() * 1000)
    back = answered("1795332900.9", started_at=UnixMs(missed_at + 720_000), direction=Direction.OUTGOING)
    await house.record(
        Unit(UnixMs(missed_at + 725_000), back, (CloseMissed(back, Reason.CALLED_BACK, every_queue=True),))
    )
    (closed,) = (await house.ask("GET", "/api/v1/tickets")).body["items"]
    assert (closed["call_back_seconds"], closed["reached_at"]) == (725, closed["closed_at"])
    browser = await agent_browser(house)
    page = (await browser.get("/tickets/1")).text
    assert "Closed by itself: an agent reached the customer, 12:05 after the missed call" in page
    for text in (page, (await browser.get("/missed?status=closed")).text):
        assert "after 12:05" in text
    await house.ask("PATCH", "/api/v1/tickets/1", json={"status": "open"})
    assert (await house.ask("GET", "/api/v1/tickets/1")).body["call_back_seconds"] == 725


async def test_whoever_is_no_agent_sees_everybodys(house: House) -> None:
    await talk(house, 1)
    await house.miss(2)
    boss = await signed_in(house, "boss", Role.SUPERVISOR)
    assert rows(await boss.get("/tickets")) == ["2", "1"]
    assert "data-claim>" not in (await boss.get("/missed")).text


async def test_numbers_are_as_people_write_them_and_words_say_the_state(house: House) -> None:
    await house.miss(1, queue="support")
    text = (await (await agent_browser(house)).get("/missed")).text
    assert "0901 701 234" in text
    assert '<span class="state bad">Not called back</span>' in text
    assert "support" in text


async def test_the_list_goes_on_page_by_page_and_keeps_its_filters(house: House) -> None:
    for number in range(1, 53):
        await house.miss(number)
    browser = await agent_browser(house)
    first = await browser.get("/missed?unassigned=true")
    assert len(rows(first)) == 50
    (following,) = re.findall(r'href="([^"]+)">Older', first.text)
    second = await browser.get(following.replace("&amp;", "&"))
    assert rows(second) == ["2", "1"]
    assert "unassigned=true" in following


@pytest.mark.parametrize("address", ["/tickets?nonsense=1", "/tickets?status=lost", "/tickets?cursor=x"])
async def test_an_address_that_means_nothing_is_told_so(house: House, address: str) -> None:
    assert (await (await agent_browser(house)).get(address)).status == 422


@pytest.mark.parametrize("address", ["/tickets/99", "/tickets/x", "/tickets/-1", "/tickets/%3Cscript%3E"])
async def test_a_ticket_that_does_not_exist_is_not_found(house: House, address: str) -> None:
    page = await (await agent_browser(house)).get(address)
    assert (page.status, "<script>" in page.text.partition("<body")[2]) == (404, False)


async def test_hostile_names_and_notes_are_text_on_every_page(house: House) -> None:
    await talk(house, 1, customer_name=EVIL)
    await talk(house, 2, customer_name=EVIL, hotline=EVIL[:20])
    await settings(house, incoming_iframe_url=CRM)
    await house.ask("PATCH", "/api/v1/tickets/1", json={"note": f"</textarea>{EVIL}", "tags": [EVIL[:40]]})
    browser = await agent_browser(house)
    for address in ("/tickets", "/tickets/1", "/tickets/2", "/tickets/2?bare=1", "/missed"):
        page = await browser.get(address)
        assert page.status == 200
        assert has_no_inline_code(page.text), address
        assert "<script>alert" not in page.text
        assert "49" not in re.findall(r"&gt;(\d+)", page.text)
        assert "</textarea>&#34;" not in page.text


async def test_a_note_that_begins_with_an_empty_line_stays_as_it_is(house: House) -> None:
    await talk(house)
    await house.ask("PATCH", "/api/v1/tickets/1", json={"note": "\n\nb"})
    text = (await (await agent_browser(house)).get("/tickets/1")).text
    assert ">\n\n\nb</textarea>" in text  # a browser leaves the first line end out


async def test_the_history_tells_calls_and_changes_with_names(house: House) -> None:
    await talk(house, 1)
    browser = await agent_browser(house)
    an = await house.open_session("an")
    for change in ({"note": "Khách muốn đổi gói"}, {"status": "closed"}, {"assignee": None}):
        await house.ask("PATCH", "/api/v1/tickets/1", None, json=change, headers=an)
    text = (await browser.get("/tickets/1")).text
    for words in (
        "Nguyễn Văn An answered after 0:03, talked 0:27; the customer hung up",
        "Nguyễn Văn An wrote in the note",
        "Nguyễn Văn An set it to: Closed",
        "Nguyễn Văn An gave it back: nobody works on it",
    ):
        assert words in text


async def test_the_customers_other_tickets_and_calls_stand_beside_and_no_strangers(house: House) -> None:
    await talk(house, 1)
    await house.miss(2)
    stranger = missed("1795332999.9", number="0912345678")
    opened = OpenTicket(stranger, TicketKind.MISSED_INCOMING, "s", Reason.MISSED_NOT_MERGED_BY_MODE)
    await house.record(Unit(NOW, stranger, (opened,)))
    text = (await (await agent_browser(house)).get("/tickets/1")).text
    assert re.findall(r'data-ticket-link="(\d+)"', text) == ["2"]
    assert "Missed after 0:10" in text


async def test_a_caller_without_a_number_has_no_history_with_others_like_him(house: House) -> None:
    for number in (1, 2):
        call = missed(f"1795332859.{number}", number="anonymous")
        opened = OpenTicket(call, TicketKind.MISSED_INCOMING, f"n{number}", Reason.MISSED_ANONYMOUS)
        await house.record(Unit(NOW, call, (opened,)))
    text = (await (await agent_browser(house)).get("/tickets/1")).text
    assert "Number withheld" in text
    assert "data-ticket-link" not in text
    assert not re.search(r"data-call=|tel:", text)


def framed(page: Page) -> tuple[str, str]:
    """The frame's address and sandbox."""
    (tag,) = re.findall(r"<iframe [^>]*>", page.text)
    (source,), (sandbox,) = re.findall(r'src="([^"]*)"', tag), re.findall(r'sandbox="([^"]*)"', tag)
    assert 'referrerpolicy="no-referrer"' in tag
    return source.replace("&amp;", "&"), sandbox


def policy(page: Page) -> str:
    return page.headers["Content-Security-Policy"]


async def test_the_frame_is_the_configured_page_with_the_calls_parameters_for_this_reader(house: House) -> None:
    call = await talk(house, 1)
    await settings(house, incoming_iframe_url=CRM)
    page = await (await agent_browser(house, "binh")).get("/tickets/1")
    source, sandbox = framed(page)
    assert {name: values[0] for name, values in parse_qs(urlsplit(source).query).items()} == {
        "x": "1",
        "userId": "binh",
        "hotline": "19001234",
        "customerNumber": "84901701234",
        "isCallOut": "false",
        "timeAnswer": str(call.answered_at),
        "callId": call.call_id,
    }
    assert "allow-same-origin" in sandbox.split()
    assert not {"allow-top-navigation", "allow-modals"} & set(sandbox.split())
    assert policy(page).endswith("; frame-src https://crm.example.com")


async def test_only_pages_with_tickets_may_frame_and_only_what_the_settings_name(house: House) -> None:
    await talk(house, 1)
    await settings(
        house,
        incoming_iframe_url="https://a.example.com:8443/x?u={userId}",
        outgoing_iframe_url="http://[fd00::5]/y",
        popup_answer_url="https://popup.example.com/",
    )
    browser = await agent_browser(house)
    for address in ("/tickets", "/missed", "/tickets/1", "/tickets/1?bare=1"):
        assert policy(await browser.get(address)).endswith("; frame-src http://[fd00::5] https://a.example.com:8443")
    assert "frame-src" not in policy(await browser.get("/password"))
    await settings(house, incoming_iframe_url=None, outgoing_iframe_url=None)
    page = await browser.get("/tickets/1")
    assert ("<iframe" in page.text, "frame-src" in policy(page)) == (False, False)


async def test_a_site_that_forbids_framing_is_offered_as_a_window_and_learns_no_number(house: House) -> None:
    await talk(house, 1)
    await settings(house, incoming_iframe_url="https://crm.example.com/c/{customerNumber}")
    house.page_head = PageHead("https://crm.example.com/sign-in", [("X-Frame-Options", "SAMEORIGIN")])
    browser = await agent_browser(house)
    for _ in range(3):
        page = await browser.get("/tickets/1")
        assert "<iframe" not in page.text
        assert "crm.example.com does not let itself be shown inside another page." in page.text
        assert 'href="https://crm.example.com/c/84901701234' in page.text
        assert 'rel="noopener noreferrer"' in page.text
    assert house.asked_for == [
        "https://crm.example.com/c/?userId=&hotline=&isCallOut=&timeAnswer=&callId="
    ]  # once, and of nobody


async def test_what_a_site_says_is_asked_again_later_while_the_old_answer_counts(house: House) -> None:
    await talk(house, 1)
    await settings(house, incoming_iframe_url=CRM)
    house.page_head = PageHead(CRM, [("X-Frame-Options", "DENY")])
    browser = await agent_browser(house)
    assert "<iframe" not in (await browser.get("/tickets/1")).text
    house.page_head = PageHead(CRM, [])
    house.wait(11 * 60_000)
    await browser.get("/tickets/1")
    assert "<iframe" in (await browser.get("/tickets/1")).text
    assert len(house.asked_for) == 2


async def test_a_site_that_cannot_be_asked_is_framed_all_the_same(house: House) -> None:
    await talk(house, 1)
    await settings(house, incoming_iframe_url=CRM)
    assert "<iframe" in (await (await agent_browser(house)).get("/tickets/1")).text


async def test_a_page_of_http_is_no_frame_inside_https(tmp_path: Any) -> None:
    async with open_house(tmp_path, public_url="https://calls.example.com") as house:
        await talk(house, 1)
        await settings(house, incoming_iframe_url="http://crm.example.com/")
        page = await (await agent_browser(house)).get("/tickets/1")
        assert "<iframe" not in page.text
        assert "A browser shows no http:// page inside this https:// one." in page.text


async def test_a_page_of_our_own_origin_may_not_reach_out_of_its_frame(tmp_path: Any) -> None:
    async with open_house(tmp_path, public_url="https://calls.example.com") as house:
        await talk(house, 1)
        await settings(house, incoming_iframe_url="https://calls.example.com/desk")
        _, sandbox = framed(await (await agent_browser(house)).get("/tickets/1"))
        assert "allow-same-origin" not in sandbox.split()


async def test_the_bare_ticket_is_the_ticket_alone(house: House) -> None:
    await talk(house, 1)
    page = await (await agent_browser(house)).get("/tickets/1?bare=1")
    assert page.text.lstrip().startswith("<article")
    assert "<html" not in page.text


async def test_the_settings_of_frames_say_no_more_that_they_do_nothing_yet(house: House) -> None:
    text = (await (await signed_in(house, "admin", Role.ADMIN)).get("/settings/calls")).text
    for name in ("incoming_iframe_url", "outgoing_iframe_url"):
        part = text.partition(f'id="setting-{name}"')[2].partition("</div>")[0]
        assert "saved, not acted on yet" not in part
