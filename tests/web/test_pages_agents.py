"""The pages of agents: who has which phone, what the PBX offers, and that names stay names."""

from __future__ import annotations

import json
from html import unescape
from urllib.parse import quote

import pytest

from daemon.message import Message
from daemon.pbx import EndpointSeen, MemberSeen, QueueSeen
from daemon.store.role import Role
from daemon.web.csv_kinds import AGENTS
from tests.web.browser import Browser, has_no_inline_code, signed_in
from tests.web.conftest import House
from tests.web.pbxs import inventory

HOSTILE = "<script>alert('Đỗ')</script>"
ODD = ['a/b?c#d%2f"', "Nguyễn Ấn", "{{7*7}}", "<b>"]


async def admin(house: House) -> Browser:
    browser = await signed_in(house, "boss", Role.ADMIN)
    await house.ask("PATCH", "/api/v1/accounts/boss", json={"language": "en"})
    return browser


async def read(browser: Browser, path: str) -> str:
    """The page's content as a reader sees it, after a look for code that a name brought in."""
    page = await browser.get(path)
    assert page.status == 200, page.text
    assert "<script>alert" not in page.text
    content = page.text.partition("<main")[2] or page.text
    assert has_no_inline_code(content)
    return " ".join(unescape(content).split())


async def put(house: House, user_id: str, **form: object) -> None:
    answer = await house.ask("PUT", f"/api/v1/agents/{quote(user_id, safe='')}", json=form)
    assert answer.status == 201, answer.body


def row_of(text: str, words: str) -> str:
    """The table row in which these words stand."""
    (row,) = [row for row in text.split("<tr")[1:] if words in row.partition("</tr>")[0]]
    return row.partition("</tr>")[0]


async def test_the_list_shows_phones_ringtone_and_who_signs_in(house: House) -> None:
    await put(house, "an", name=HOSTILE, endpoints=["PJSIP/1001", "SIP/2"], ringtone="marimba")
    await put(house, "binh")
    await house.add_account("nguyễn", user_id="an")
    text = await read(await admin(house), "/settings/agents")
    row = row_of(text, "PJSIP/1001")
    for words in (HOSTILE, "SIP/2", "Marimba", "/settings/accounts/nguy%E1%BB%85n"):
        assert words in row
    assert "no phone" in row_of(text, ">binh<")
    assert "no account" in row_of(text, ">binh<")
    assert "2 agents" in text


async def test_without_agents_the_list_says_what_will_be_there(house: House) -> None:
    text = await read(await admin(house), "/settings/agents")
    assert "Here stand the people who answer calls" in text
    assert "<table" not in text


@pytest.mark.parametrize("user_id", ODD)
async def test_an_agent_of_any_name_is_reached_from_the_list(house: House, user_id: str) -> None:
    await put(house, user_id, name="Mai")
    browser = await admin(house)
    path = row_of((await browser.get("/settings/agents")).text, ">Mai<").partition('href="')[2].partition('"')[0]
    assert path == f"/settings/agents/{quote(user_id, safe='')}"
    page = await browser.get(path)
    assert page.status == 200
    assert f"DELETE /api/v1/agents/{quote(user_id, safe='')}" in page.text


async def test_thousands_of_agents_come_in_pages_and_are_found_without_diacritics(house: House) -> None:
    lines = [f"u{n:04},Đặng Ấn {n},PJSIP/{n}" for n in range(1001)]
    file = "\n".join(["user_id,name,endpoints", *lines]).encode()
    headers = {"Content-Type": "text/csv"}
    imported = await house.ask("POST", "/api/v1/agents/import?preview=false", data=file, headers=headers)
    assert imported.status == 200
    browser, path, seen = await admin(house), "/settings/agents", 0
    for rows in (500, 500, 1):
        text = await read(browser, path)
        assert text.count("data-search=") == rows
        assert "1,001 agents" in text
        seen += rows
        path = text.partition("Next page")[0].rpartition('href="')[2].partition('"')[0]
    assert "data-filter" not in text
    found = await read(browser, "/settings/agents?q=dang+AN+PJSIP%2F77+u0077")
    assert found.count("data-search=") == 1
    assert "1 agent found" in found
    assert "holds these words" in await read(browser, "/settings/agents?q=%3Cscript%3Ealert")


async def test_an_agent_keeps_what_the_page_does_not_know(house: House) -> None:
    await put(house, "an", name="An", phone_brand="Đời cũ <b>", endpoints=["PJSIP/1001"])
    text = await read(await admin(house), "/settings/agents/an")
    assert '<option value="Đời cũ <b>" selected>' in text
    assert 'value="PJSIP/1001"' in text
    assert (await (await admin(house)).get("/settings/agents/nobody")).status == 404


async def test_only_accounts_of_nobody_can_be_linked(house: House) -> None:
    await put(house, "an")
    await put(house, "binh")
    await house.add_account("taken", user_id="binh")
    await house.add_account("free")
    browser = await admin(house)
    text = await read(browser, "/settings/agents/an")
    assert "<option>free</option>" in text
    assert "<option>taken</option>" not in text
    assert "/settings/new-account?user_id=an" in text
    assert '/settings/accounts/taken"' in await read(browser, "/settings/agents/binh")
    assert '<option value="an" selected>' in await read(browser, "/settings/new-account?user_id=an")


async def test_a_new_agent_is_filled_in_from_the_address_and_nothing_of_it_runs(house: House) -> None:
    query = f"user_id={quote(HOSTILE)}&name={quote(HOSTILE)}&endpoint=PJSIP%2F7"
    text = await read(await admin(house), f"/settings/new-agent?{query}")
    assert text.count(f'value="{HOSTILE}"') == 2
    assert 'value="PJSIP/7"' in text


async def test_phones_like_agents_are_offered_with_the_reason_and_trunks_are_not(house: House) -> None:
    await put(house, "an", endpoints=["PJSIP/1001"])
    members = (MemberSeen("PJSIP/1003", HOSTILE, "PJSIP/1003"),)
    house.pbxs.found = [
        inventory(
            EndpointSeen(endpoint="PJSIP/1001", registered=False, takes_registrations=True),
            EndpointSeen(endpoint="PJSIP/1003", registered=True, takes_registrations=True, user_agent=HOSTILE),
            EndpointSeen(endpoint="PJSIP/1004", takes_registrations=True),
            EndpointSeen(endpoint="PJSIP/trunk", takes_registrations=False),
            queues=[QueueSeen("sales", members)],
        )
    ]
    text = await read(await admin(house), "/settings/found/agents")
    row = row_of(text, "<strong>PJSIP/1003<")
    for words in ("member of the queue sales", HOSTILE, "registered", 'data-adopt="/api/v1/agents/1003"'):
        assert words in row
    assert text.index("PJSIP/1003") < text.index("1 other phone") < text.index("<strong>PJSIP/1004<")
    assert "<strong>PJSIP/trunk" not in text
    assert "1 trunk is left out" in text
    state = text.partition('data-phone-state="PJSIP/1001">')[2].partition("</template>")[0]
    assert "not registered" in state
    assert "data-phone-missing" in text


async def test_what_the_pbx_could_not_tell_is_said_and_nothing_is_called_missing(house: House) -> None:
    house.pbxs.found = [
        inventory(problems=(Message("The PBX took too long to answer."),)),
        inventory(pbx="2", problems=(Message("The PBX is not connected."),)),
    ]
    text = await read(await admin(house), "/settings/found/agents")
    assert "<strong>2</strong>: The PBX is not connected." in text
    assert text.count('href="/settings/pbx"') == 2
    assert "data-phone-missing" not in text
    assert "Every phone of the PBX" not in text


async def test_without_a_pbx_the_page_leads_to_setting_one_up(house: House) -> None:
    house.pbxs.found = []
    assert "No PBX is connected" in await read(await admin(house), "/settings/found/agents")
    assert "No PBX is connected" in await read(await admin(house), "/settings/found/queues")


@pytest.mark.parametrize("address", ["agents/an", "queues/sales", "hotlines/1900"])
async def test_what_may_only_be_new_replaces_nothing(house: House, address: str) -> None:
    path, only_new = f"/api/v1/{address}", {"If-None-Match": "*"}
    first = await house.ask("PUT", path, json={}, headers=only_new)
    again = await house.ask("PUT", path, json={"ringtone": "marimba"}, headers=only_new)
    assert (first.status, again.status) == (201, 412)
    assert len(again.fields()) == 1
    assert (await house.ask("GET", path)).body == first.body
    assert house.rules_changes == 1
    assert (await house.ask("PUT", path, json={"ringtone": "marimba"})).status == 200


async def test_the_columns_of_the_file_are_named_as_on_the_page(house: House) -> None:
    text = (await (await admin(house)).get("/settings/agents")).text
    columns = json.loads(unescape(text.partition("data-columns='")[2].partition("'")[0]))
    assert set(columns) == set(AGENTS.names)
    assert columns["endpoints"] == "Phones"
