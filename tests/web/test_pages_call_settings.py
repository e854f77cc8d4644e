"""The call settings page: it shows what is in force, what overrules what, and what would happen."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from daemon.delivery.customer_answer import Unfit
from daemon.policy.call_settings import CallSettings, MissedCallMerge, Rulebook
from daemon.policy.retry import Failure
from daemon.store.role import Role
from daemon.store.settings import read_settings
from daemon.web.sample import Sample, missed_day, picture, sample_url, ticket_groups
from daemon.web.vocabulary import LOOKUP_TROUBLES
from tests.factory import NOON
from tests.web.conftest import LAN, Answer, House

SAMPLE = Sample(user_id="an", agent_name="An", hotline="19001234", queues=("Support", "Sales"), now=NOON)


async def page_of(house: House, **options: Any) -> str:
    answer = await house.ask("GET", "/settings/calls", None, **options)
    assert answer.status == 200
    return str(answer.body)


async def admin(house: House) -> dict[str, str]:
    await house.add_account("an", Role.ADMIN, language="en")
    return await house.open_session("an")


@pytest.mark.parametrize(
    ("mode", "frames"),
    [
        (MissedCallMerge.INCOMING, [4, 1, 1]),
        (MissedCallMerge.NONE, [1, 1, 1, 1, 1, 1]),
        (MissedCallMerge.INCOMING_AND_OUTGOING, [4, 2]),
        (MissedCallMerge.INCOMING_PER_QUEUE_AND_OUTGOING, [3, 1, 2]),
    ],
)
def test_the_picture_of_a_mode_groups_calls_as_the_contract_says(mode: MissedCallMerge, frames: list[int]) -> None:
    drawn = picture(mode, SAMPLE)
    assert [len(frame.marks) for frame in drawn] == frames
    edges = [edge for frame in drawn for edge in (frame.x, frame.x + frame.width)]
    assert edges == sorted(edges)
    assert edges[-1] <= 208  # the picture's width


def test_with_the_switch_off_the_day_makes_no_ticket() -> None:
    settings = CallSettings(auto_create_tickets=False)
    assert ticket_groups(missed_day(SAMPLE, settings), Rulebook(settings)) == ()


def test_a_sample_address_is_filled_as_a_real_popup_is() -> None:
    settings = CallSettings(country="VN")
    url = sample_url("https://crm.example.com/c/{customerNumber}", SAMPLE, settings)
    assert re.fullmatch(
        r"https://crm\.example\.com/c/84\d+\?userId=an&hotline=19001234&isCallOut=false&timeAnswer=\d{13}&callId=[\d.]+",
        url,
    )


async def test_the_page_names_the_queues_that_are_switched_off(house: House) -> None:
    headers = await admin(house)
    await house.ask("PUT", "/api/v1/queues/Night", json={"create_tickets": False})
    shown = await page_of(house, headers=headers)
    assert "1 queue has it switched off: Night." in shown
    assert re.search(r"data-while-off hidden", shown)


async def test_with_tickets_off_the_page_says_so(house: House) -> None:
    headers = await admin(house)
    await house.ask("PUT", "/api/v1/call-settings", json={"auto_create_tickets": False})
    shown = await page_of(house, headers=headers)
    assert re.search(r"data-while-off>", shown)
    assert "That makes no ticket, because tickets are switched off." in shown


async def test_the_page_tells_who_changed_a_setting_last(house: House) -> None:
    headers = await admin(house)
    await house.ask("PUT", "/api/v1/call-settings", None, json={"sla_target_percent": 90}, headers=headers)
    shown = await page_of(house, headers=headers)
    assert "Changed by an " in shown
    assert "Default: 80 %" in shown


async def test_the_panel_answers_for_what_is_typed_and_ignores_what_is_half_typed(house: House) -> None:
    headers = await admin(house)
    draft = {
        "missed_call_merge": "none",
        "popup_answer_url": "https://crm.ex",
        "sla_target_percent": "9",
        "nonsense": 1,
    }
    panel = await ask_panel(house, headers, draft)
    assert "That makes 6 tickets." in panel
    assert "https://crm.ex/?userId=an&amp;hotline=19001234" in panel
    assert "the target of 80 % is met" in panel
    assert (await read_settings(house.store.reader)).settings == CallSettings()  # nothing was saved


async def test_a_hostile_name_is_only_text_on_the_page_and_in_the_panel(house: House) -> None:
    headers = await admin(house)
    name = '"><script>alert(1)</script>'
    await house.ask("PUT", "/api/v1/agents/an", json={"name": name})
    await house.ask("PUT", "/api/v1/queues/%3Cimg%20src=x%20onerror=alert(1)%3E", json={"create_tickets": False})
    for shown in (
        await page_of(house, headers=headers),
        await ask_panel(house, headers, {"popup_answer_url": "http://h/"}),
    ):
        assert "<script>alert" not in shown
        assert "<img" not in shown
        assert "&lt;script&gt;" in shown or "&lt;img" in shown


async def test_a_popup_can_be_tried_before_it_is_saved(house: House) -> None:
    await house.ask("POST", "/api/v1/call-settings/rotate-popup-secret")
    tried = await house.ask(
        "POST", "/api/v1/call-settings/try-popup", json={"popup_answer_url": "https://crm.example.com/p"}
    )
    assert (tried.status, tried.body["status_code"]) == (200, 204)
    assert [(target.method, target.url) for target in house.targets] == [("GET", tried.body["url"])]
    assert tried.body["url"].startswith("https://crm.example.com/p?userId=an&hotline=19001234&customerNumber=84")
    assert (await read_settings(house.store.reader)).settings.popup_answer_url is None


@pytest.mark.parametrize(
    "url", ["", "ftp://x/", "http://169.254.169.254/", "http://a/{nothing}", "javascript:alert(1)"]
)
async def test_a_popup_that_could_not_be_saved_is_not_tried(house: House, url: str) -> None:
    await house.ask("POST", "/api/v1/call-settings/rotate-popup-secret")
    tried = await house.ask("POST", "/api/v1/call-settings/try-popup", json={"popup_answer_url": url})
    assert (tried.status, tried.fields()) == (422, {"popup_answer_url"})
    assert house.targets == []


async def test_a_look_up_can_be_tried_before_it_is_saved_and_tells_what_was_understood(house: House) -> None:
    path, url = "/api/v1/call-settings/try-lookup", "https://crm.example.com/who/{customerNumber}"
    tried = await house.ask("POST", path, json={"customer_lookup_url": url})
    (asked,) = house.lookups
    assert asked.startswith("https://crm.example.com/who/84")
    assert parse_qs(urlsplit(asked).query).keys() == {"hotline", "isCallOut", "callId"}
    assert (tried.status, tried.body["url"], tried.body["customer"]) == (200, asked, LAN.as_json())
    for wrong in ("", "ftp://x/", "http://169.254.169.254/", "http://a/{userId}", "javascript:alert(1)"):
        refused = await house.ask("POST", path, json={"customer_lookup_url": wrong})
        assert (refused.status, refused.fields()) == (422, {"customer_lookup_url"})
    assert len(house.lookups) == 1


def test_every_reason_why_nothing_was_learnt_has_a_sentence() -> None:
    assert {*Failure, *Unfit} - {Unfit.TOO_MANY} <= LOOKUP_TROUBLES.keys()  # a trial needs no turn


async def test_the_panel_shows_what_will_be_asked(house: House) -> None:
    headers = await admin(house)
    panel = await ask_panel(house, headers, {"customer_lookup_url": "https://crm.example.com/who"})
    assert "https://crm.example.com/who?customerNumber=84" in panel
    assert "userId" not in panel


async def test_whoever_is_overtaken_is_told_what_is_in_force_now_and_by_whom(house: House) -> None:
    tag = (await house.ask("GET", "/api/v1/call-settings")).headers["ETag"]
    headers = await admin(house)
    await house.ask("PUT", "/api/v1/call-settings", None, json={"sla_target_percent": 90}, headers=headers)
    late = await house.ask("PUT", "/api/v1/call-settings", json={"sla_target_percent": 70}, headers={"If-Match": tag})
    assert late.status == 412
    assert late.body["settings"]["sla_target_percent"] == 90
    assert late.body["changed"]["sla_target_percent"]["by"] == "an"
    assert f'"{late.body["version"]}"' == (await house.ask("GET", "/api/v1/call-settings")).headers["ETag"]


async def ask_panel(house: House, headers: dict[str, str], draft: dict[str, object]) -> str:
    answer: Answer = await house.ask("POST", "/settings/calls/what-happens", None, json=draft, headers=headers)
    assert answer.status == 200
    return str(answer.body)
