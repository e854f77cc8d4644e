"""The history of calls and the page of one: filters, roles, hostile names, and the same calls as a file."""

from __future__ import annotations

import csv
import io
import re
from dataclasses import replace
from html import unescape
from typing import Any
from urllib.parse import quote
from xml.etree import ElementTree as Xml
from zipfile import ZipFile

import pytest

from daemon.call.model import Call, CallId, CallState, EndedBy, Outcome, PbxName, UserId
from daemon.call.signals import UnixMs
from daemon.call.timeline import Moment, What
from daemon.policy.decision import AnnounceCall, EventType, PopScreen, Reason
from daemon.store.role import Role
from daemon.store.values import Unit
from daemon.web import call_export
from tests.factory import answered
from tests.web.browser import Browser, Page, has_no_inline_code, signed_in
from tests.web.conftest import NOW, House
from tests.web.test_pages_tickets import agent_browser, settings

EVIL = '"><script>alert(1)</script>{{7*7}}'
FORMULA = '=HYPERLINK("http://evil.example","x")'


async def talk(house: House, number: int = 1, moments: tuple[Moment, ...] = (), **changes: Any) -> Call:
    """A call that is over; An answered it unless it is said otherwise."""
    at = UnixMs(NOW - 600_000 + number * 1000)
    call = replace(
        answered(f"1795332900.{number}", started_at=at),
        **{
            "state": CallState.ENDED,
            "outcome": Outcome.ANSWERED,
            "ended_by": EndedBy.CUSTOMER,
            "ended_at": UnixMs(at + 33_000),
            **changes,
        },
    )
    await house.record(Unit(UnixMs(at + 33_000), call, (), moments))
    return call


def shown(page: Page) -> list[str]:
    """The last parts of the ids of the calls in the list."""
    assert page.status == 200, page.text
    return re.findall(r'<tr data-call-row="main/1795332900\.(\d+)"', page.text)


async def boss(house: House) -> Browser:
    browser = await signed_in(house, "boss", Role.SUPERVISOR)
    await house.ask("PATCH", "/api/v1/accounts/boss", json={"language": "en"})
    return browser


async def test_filters_in_the_address_choose_and_each_can_be_taken_away(house: House) -> None:
    await talk(house, 1, queue="support")
    await talk(house, 2, user_id=UserId("binh"), user_ids=(UserId("an"), UserId("binh")))
    await house.miss(3)
    browser = await boss(house)
    assert shown(await browser.get("/calls"))[-2:] == ["2", "1"]
    for query, found in {
        "queue=support": ["1"],
        "user_id=an": ["2", "1"],
        "user_id=binh": ["2"],
        "number=0901701234&outcome=answered": ["2", "1"],
        "number=701234&user_id=binh": ["2"],
        "ended_by=customer&talk_from=30&outcome=answered": ["2", "1"],
        "wait_from=20": [],
        "from=2020-01-01&to=2020-01-31": [],
        "customer_number=%2B84901701234&queue=support": ["1"],
    }.items():
        assert shown(await browser.get(f"/calls?{query}")) == found, query
    page = await browser.get("/calls?queue=support&wait_before=60&from=2026-01-01")
    chips = dict(re.findall(r'href="(/calls[^"]*)"><bdi>([^<]*)</bdi>', unescape(page.text)))
    assert set(chips.values()) == {"Queue: support", "Waited less than 1:00", "From 2026-01-01"}
    assert next(path for path, word in chips.items() if word.startswith("Queue")) == (
        "/calls?wait_before=60&from=2026-01-01"
    )
    for wrong in ("from=x", "direction=up", "wait_from=-1", "nonsense=1", "cursor=abc"):
        assert (await browser.get(f"/calls?{wrong}")).status == 422


@pytest.mark.parametrize("path", ["/calls", "/settings/audit"])
@pytest.mark.parametrize("day", ["0001-01-01", "0001-01-02", "9999-12-30", "9999-12-31", "2026-02-30"])
async def test_no_day_of_the_calendar_breaks_a_list(house: House, path: str, day: str) -> None:
    browser = await signed_in(house, "mai", Role.ADMIN)
    for name in ("from", "to"):
        assert (await browser.get(f"{path}?{name}={day}")).status in (200, 422)


async def test_pages_of_the_list_follow_one_another_without_a_hole(house: House) -> None:
    for number in range(1, 121):
        await talk(house, number)
    browser, seen, path = await boss(house), [], "/calls?outcome=answered"
    while path:
        page = await browser.get(path)
        seen += shown(page)
        found = re.search(r'rel="next" href="([^"]*)"', page.text)
        path = unescape(found[1]) if found else ""
    assert seen == [str(number) for number in range(120, 0, -1)]


async def test_an_agent_sees_his_own_first_everybodys_if_he_asks_and_saves_no_file(house: House) -> None:
    await talk(house, 1)
    await talk(house, 2, user_id=UserId("binh"), user_ids=(UserId("binh"),))
    browser = await agent_browser(house)
    page = await browser.get("/calls")
    assert shown(page) == ["1"]
    assert "calls.csv" not in page.text
    assert shown(await browser.get("/calls?mine=false")) == ["2", "1"]
    for kind in ("csv", "xlsx"):
        assert (await house.ask("GET", f"/api/v1/calls.{kind}", Role.AGENT)).status == 403


async def test_a_call_tells_its_story_and_what_came_of_it(house: House) -> None:
    await settings(house, recording_url="https://records.example.com/{pbx}/{callId}.wav")
    await house.ask("POST", "/api/v1/webhooks", json={"url": "https://crm.example.com/hook"})
    at = UnixMs(NOW - 599_000)
    call = await talk(
        house,
        1,
        (
            Moment(at, What.RANG, UserId("an"), "PJSIP/1001", UnixMs(at + 3000)),
            Moment(UnixMs(at + 3000), What.CONNECTED, UserId("an")),
            Moment(UnixMs(at + 9000), What.HELD, UserId("an"), "", UnixMs(at + 12_000)),
            Moment(UnixMs(at + 20_000), What.CONNECTED, UserId("binh")),
            Moment(UnixMs(at + 20_000), What.NO_POPUP, UserId("binh"), "no_popup_url"),
        ),
        queue="support",
        hangup_cause=16,
    )
    made = (
        PopScreen(call, UserId("an"), "https://crm.example.com/x", at, True, False, Reason.AGENT_ANSWERED),
        AnnounceCall(EventType.CALL_ENDED, call, None, "", Reason.SUBSCRIBED),
    )
    await house.record(Unit(UnixMs(at + 33_000), call, made))
    page = await (await boss(house)).get(f"/calls/{call.call_id}")
    text = " ".join(unescape(re.sub(r"<[^>]*>", " ", page.text.partition("<main")[2])).split())
    order = [
        "The customer called",
        "an's phone rang 0:03 · PJSIP/1001",
        "an has the customer",
        "Customer page for an · not opened on a desk",
        "an held the call for 0:03",
        "Handed over to binh",
        "No popup for binh: the call settings name no page to open",
        "The customer hung up · talked 0:30 · cause 16",
        "Call ended · crm.example.com Waiting",
    ]
    places = [text.find(part) for part in order]
    assert -1 not in places, (order[places.index(-1)], text)
    assert sorted(places[:3] + places[4:]) == places[:3] + places[4:]
    assert f'href="https://records.example.com/main/{call.call_id}.wav" target="_blank" rel="noopener' in page.text
    assert f"/calls/{call.call_id}/decisions?pbx=main" in page.text
    assert "/decisions" not in (await (await agent_browser(house)).get(f"/calls/{call.call_id}")).text


async def test_names_of_callers_and_hostile_call_ids_stay_text(house: House) -> None:
    evil = CallId('x"><script>alert(1)</script>/../{callId}?a=1#b')
    call = answered(evil, customer_name=EVIL, queue=EVIL, hotline=EVIL, pbx=PbxName("main"))
    await house.record(Unit(UnixMs(NOW), call, (), (Moment(UnixMs(NOW), What.RANG, UserId(EVIL), EVIL),)))
    browser = await boss(house)
    for path in (
        "/calls",
        f"/calls/{quote(evil, safe='')}",
        f"/calls?queue={quote(EVIL)}",
        f"/calls?number={quote(EVIL)}",
    ):
        page = await browser.get(path)
        assert page.status == 200
        assert "<script>alert" not in page.text
        assert has_no_inline_code(page.text.partition("<main")[2])
    link = re.search(r'<a class="row figures" href="([^"]*)"', (await browser.get("/calls")).text)
    assert link
    assert (await browser.get(unescape(link[1]))).status == 200
    assert (await browser.get("/calls/1.2.3")).status == 404


async def test_a_whole_call_id_in_the_search_leads_to_its_call(house: House) -> None:
    call = await talk(house, 1)
    page = await (await boss(house)).get(f"/calls?number={call.call_id}")
    assert (page.status, page.location) == (303, f"/calls/{call.call_id}?pbx=main")


async def test_a_csv_of_the_calls_has_no_formulas_and_the_time_of_the_call_centre(house: House) -> None:
    await talk(house, 1, customer_name=FORMULA, queue="support")
    await talk(house, 2, queue="sales")
    answer = await raw(house, "/api/v1/calls.csv?queue=support&export=one")
    (row,) = csv.DictReader(io.StringIO(answer.decode("utf-8-sig")))
    assert row["customer_name"].startswith("'=")
    assert row["customer_number"] == "'+84901701234"
    assert re.fullmatch(r"2026-11-2\d \d\d:\d\d:\d\d", row["started_at"])
    assert (row["wait_seconds"], row["talk_seconds"], row["outcome"]) == ("3.0", "30.0", "answered")
    progress = (await house.ask("GET", "/api/v1/exports/one")).body
    assert progress == {"count": 1, "done": 1, "finished": True}
    assert (await house.ask("GET", "/api/v1/exports/one", Role.SUPERVISOR)).status == 404
    (noted,) = await house.audit(action="calls.export")
    assert noted["new"] == {"format": "csv", "queue": "support"}


async def test_a_spreadsheet_of_the_calls_holds_texts_as_texts(house: House) -> None:
    await talk(house, 1, customer_name=FORMULA)
    with ZipFile(io.BytesIO(await raw(house, "/api/v1/calls.xlsx"))) as book:
        sheet = Xml.fromstring(book.read("xl/worksheets/sheet1.xml"))  # noqa: S314 - our own
    name = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
    assert sheet.find(f".//{name}f") is None
    texts = [cell.text for cell in sheet.iter(f"{name}t")]
    assert FORMULA in texts
    assert "+84901701234" in texts


async def test_too_many_calls_for_a_file_are_refused_in_words(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(call_export, "MOST_XLSX", 1)
    await talk(house, 1)
    await talk(house, 2)
    answer = await house.ask("GET", "/api/v1/calls.xlsx")
    assert answer.status == 422
    assert "more than 1 calls fit" in answer.body["detail"]


async def raw(house: House, path: str) -> bytes:
    headers = {"Authorization": f"Bearer {house.tokens[Role.ADMIN]}"}
    async with house.client.get(path, headers=headers) as answer:
        assert answer.status == 200
        return await answer.read()
