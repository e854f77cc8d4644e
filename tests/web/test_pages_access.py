"""The pages of accounts, tokens, changes and of one's own account: what they say, and that names stay names."""

from __future__ import annotations

import re
from html import unescape
from urllib.parse import quote

import pytest

from daemon.store.accounts import find_account
from daemon.store.audit import By, note
from daemon.store.role import Role
from daemon.store.settings import SETTING_NAMES
from daemon.web.change_words import KINDS
from tests.web.browser import Browser, has_no_inline_code, signed_in
from tests.web.conftest import PASSWORD, House

HOSTILE = "<script>alert('Đỗ')</script>"
UA = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0"


async def admin(house: House) -> Browser:
    browser = await signed_in(house, "boss", Role.ADMIN)
    await house.ask("PATCH", "/api/v1/accounts/boss", json={"language": "en"})
    return browser


async def read(browser: Browser, path: str) -> str:
    """The page's content as a reader sees it, after a look for code that a name brought in."""
    page = await browser.get(path)
    assert page.status == 200, page.text
    assert "<script>alert" not in page.text
    content = page.text.partition("<main")[2]
    assert has_no_inline_code(content)
    return " ".join(unescape(content).split())


async def test_the_list_of_accounts_says_who_may_what_and_who_never_came(house: House) -> None:
    await house.ask("PUT", "/api/v1/agents/an", json={"name": HOSTILE, "endpoints": []})
    await house.add_account("nguyễn", Role.SUPERVISOR, user_id="an")
    text = await read(await admin(house), "/settings/accounts")
    row = text.partition(">nguyễn<")[2].partition("</tr>")[0]
    assert "Supervisor" in row
    assert HOSTILE in row
    assert "Never signed in" in row
    assert "in 1 browser" in text.partition(">boss<")[2].partition("</tr>")[0]


async def test_an_account_that_signed_in_shows_when_even_after_it_left(house: House) -> None:
    await house.add_account("an")
    person = Browser(house)
    await person.sign_in("an", PASSWORD)
    await person.submit("/password", "/sign-out")
    row = (await read(await admin(house), "/settings/accounts")).partition(">an<")[2].partition("</tr>")[0]
    assert "Never signed in" not in row
    assert "in 1 browser" not in row


async def test_an_account_offers_only_agents_who_have_no_account(house: House) -> None:
    for user_id in ("an", "binh", "chi"):
        await house.ask("PUT", f"/api/v1/agents/{user_id}", json={"name": user_id.title(), "endpoints": []})
    await house.add_account("mai", user_id="an")
    await house.add_account("lan", user_id="binh")
    browser = await admin(house)
    assert [f'value="{one}"' in await read(browser, "/settings/accounts/mai") for one in ("an", "binh", "chi")] == [
        True,
        False,
        True,
    ]
    assert 'value="an"' not in await read(browser, "/settings/new-account")


async def test_ones_own_account_has_no_field_for_a_password_but_the_way_to_its_page(house: House) -> None:
    browser = await admin(house)
    assert 'id="password"' not in await read(browser, "/settings/accounts/boss")
    await house.add_account("an")
    assert 'id="password"' in await read(browser, "/settings/accounts/an")


@pytest.mark.parametrize("name", ["nobody", "%00", "..%2f", "a%2Fb", "%F0%9F%92%A9"])
async def test_a_page_of_an_account_that_cannot_be_is_a_page_that_says_so(house: House, name: str) -> None:
    page = await (await admin(house)).get(f"/settings/accounts/{name}", Accept="text/html")
    assert page.status == 404
    assert page.headers["Content-Type"].startswith("text/html")


async def test_accounts_come_in_pages_and_none_is_left_out(house: House) -> None:
    browser = await admin(house)
    for number in range(105):
        await house.add_account(f"agent-{number:03}")
    first = await read(browser, "/settings/accounts")
    following = first.partition('rel="next" href="')[2].partition('"')[0]
    second = await read(browser, following)
    shown = [name for name in (f"agent-{n:03}" for n in range(105)) if f">{name}<" in first + second]
    assert len(shown) == 105
    assert ">boss<" in second
    assert 'rel="next"' not in second


async def test_tokens_are_listed_with_their_last_use_and_never_themselves(house: House) -> None:
    made = await house.ask("POST", "/api/v1/tokens", json={"role": "agent", "label": HOSTILE})
    gone = await house.ask("POST", "/api/v1/tokens", json={"role": "admin", "label": "old"})
    await house.ask("DELETE", f"/api/v1/tokens/{gone.body['token_id']}")
    text = await read(await admin(house), "/settings/tokens")
    assert HOSTILE in text
    assert made.body["token"] not in text
    assert f"DELETE /api/v1/tokens/{made.body['token_id']}" in text
    assert f"DELETE /api/v1/tokens/{gone.body['token_id']}" not in text


async def test_changes_are_told_in_words_old_and_new(house: House) -> None:
    await house.ask(
        "PUT", "/api/v1/call-settings", json={"missed_call_merge": "none", "disconnect_timeout_seconds": 30}
    )
    await house.ask("PUT", "/api/v1/agents/a%2Fb%3F", json={"name": HOSTILE, "endpoints": ["PJSIP/1"]})
    await house.ask("PUT", "/api/v1/agents/a%2Fb%3F", json={"name": HOSTILE, "endpoints": ["PJSIP/2"]})
    text = await read(await admin(house), "/settings/audit")
    assert "<del>All incoming calls in one ticket</del>" in text
    assert "<ins>One ticket per call</ins>" in text
    assert "<del>off</del>" in text
    assert "<ins>after 30 seconds</ins>" in text
    assert "Phones:</span> <del>PJSIP/1</del>" in text
    assert f'href="/settings/agents/a%2Fb%3F"><bdi>{HOSTILE}<' in text
    assert "Token admin" in text


async def test_what_is_deleted_keeps_its_name_and_leads_nowhere(house: House) -> None:
    await house.ask("PUT", "/api/v1/agents/an", json={"name": "Nguyễn Văn An", "endpoints": []})
    await house.ask("DELETE", "/api/v1/agents/an")
    text = await read(await admin(house), "/settings/audit")
    assert text.count("Nguyễn Văn An") >= 2
    assert "/settings/agents/an" not in text


async def test_an_account_shows_the_tokens_that_outlive_it(house: House) -> None:
    browser = await admin(house)
    await house.add_account("mai", Role.ADMIN, language="en")
    session = await house.open_session("mai")
    made = [
        (await house.ask("POST", "/api/v1/tokens", None, json={"role": "admin", "label": label}, headers=session)).body
        for label in (HOSTILE, "old CRM")
    ]
    await house.ask("DELETE", f"/api/v1/tokens/{made[1]['token_id']}")
    await house.ask("PATCH", "/api/v1/accounts/mai", json={"disabled": True})
    text = await read(browser, "/settings/accounts/mai")
    tokens = text.partition('id="tokens"')[2]
    assert HOSTILE in tokens
    assert f'data-api="DELETE /api/v1/tokens/{made[0]["token_id"]}"' in tokens
    assert "old CRM" not in tokens
    assert 'id="tokens"' not in await read(browser, "/settings/accounts/boss")


async def test_the_link_of_the_first_start_stands_in_the_changes_in_words(house: House) -> None:
    await house.store.writer.change(lambda: note(By("setup:link", house.now), "account.create", "account:boss"))
    text = await read(await admin(house), "/settings/audit")
    assert "The link that makes the first admin" in text
    assert "setup:link" not in text


async def test_sign_ins_are_no_changes_but_can_be_asked_for(house: House) -> None:
    browser = await admin(house)
    assert "Signed in" not in await read(browser, "/settings/audit")
    assert "Signed in" in await read(browser, "/settings/audit?kind=sign-ins")
    assert "Signed in" in await read(browser, "/settings/audit?object=account:boss")


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("kind=agent", {"Agent An"}),
        ("kind=queue", {"Queue sales"}),
        ("kind=call_settings", {"Call settings"}),
        ("object=agent:an", {"Agent An"}),
        ("by={admin}", {"Agent An", "Queue sales", "Call settings"}),
        ("by=nobody", set()),
        ("from=2026-11-22&to=2026-11-22", {"Agent An", "Queue sales", "Call settings"}),
        ("from=2026-11-23", set()),
        ("to=2026-11-21", set()),
        ("to=9999-12-31&from=0001-01-01", {"Agent An", "Queue sales", "Call settings"}),
        ("from=yesterday&kind=", {"Agent An", "Queue sales", "Call settings"}),
        ("kind=%27%3B--", set()),
    ],
)
async def test_changes_are_found_by_every_filter(house: House, query: str, found: set[str]) -> None:
    await house.ask("PUT", "/api/v1/agents/an", json={"name": "An", "endpoints": []})
    await house.ask("PUT", "/api/v1/queues/sales", json={"create_tickets": False})
    await house.ask("PUT", "/api/v1/call-settings", json={"country": "DE"})
    page = await (await admin(house)).get(f"/settings/audit?{query.replace('{admin}', quote(house.named()))}")
    bare = re.sub(r"<[^>]*>", "", page.text.partition("<tbody>")[2])
    assert {one for one in ("Agent An", "Queue sales", "Call settings") if one in bare} == found


async def test_changes_come_in_pages_that_neither_skip_nor_repeat(house: House) -> None:
    for number in range(60):
        await house.ask("PUT", f"/api/v1/queues/q{number:02}", json={"create_tickets": False})
    browser = await admin(house)
    first = await read(browser, "/settings/audit?kind=queue")
    following = first.partition('rel="next" href="')[2].partition('"')[0]
    second = await read(browser, following)
    assert [sum(f"q{n:02} · " in text or f">q{n:02}<" in text for text in (first, second)) for n in range(60)] == [
        1
    ] * 60


async def test_a_person_sees_and_ends_only_his_own_sessions(house: House) -> None:
    here, there = await signed_in(house, "an", Role.AGENT, **{"User-Agent": UA}), await signed_in(house, "an")
    other = await signed_in(house, "binh")
    await house.ask("PATCH", "/api/v1/accounts/an", json={"language": "en"})
    text = await read(here, "/password")
    assert text.count("This browser") == 1
    assert "Firefox on Windows" in text
    sessions = (await house.ask("GET", "/api/v1/sessions", None, headers=_headers(here))).body["items"]
    (elsewhere,) = [one["session_id"] for one in sessions if not one["current"]]
    path = f"/api/v1/sessions/{elsewhere}"
    token = (await other.get("/api/v1/session")).text
    assert "csrf_token" in token
    assert (await house.ask("DELETE", path, None, headers=await _change(other))).status == 404
    assert await there.is_signed_in()
    assert (await house.ask("DELETE", path, Role.ADMIN)).status == 404
    assert (await house.ask("DELETE", path, None, headers=await _change(here))).status == 204
    assert not await there.is_signed_in()
    assert await here.is_signed_in()
    assert await other.is_signed_in()
    assert [entry["object"] for entry in await house.audit(action="session.end")] == ["account:an"]
    assert (await house.ask("DELETE", path, None, headers=await _change(here))).status == 404


async def test_the_id_of_a_session_opens_nothing(house: House) -> None:
    here = await signed_in(house)
    (mine,) = (await house.ask("GET", "/api/v1/sessions", None, headers=_headers(here))).body["items"]
    assert mine["session_id"] not in here.cookies["callwarden"]
    assert len(mine["session_id"]) == 16


async def test_an_admin_signs_an_account_out_everywhere(house: House) -> None:
    person, browser = await signed_in(house, "an"), await admin(house)
    path = "/api/v1/accounts/an/sessions"
    assert (await house.ask("DELETE", path, None, headers=await _change(person))).status == 403
    assert (await house.ask("DELETE", path, None, headers=await _change(browser))).status == 204
    assert not await person.is_signed_in()
    assert await browser.is_signed_in()
    assert (await house.ask("DELETE", "/api/v1/accounts/nobody/sessions")).status == 404
    entries = await house.audit(action="session.end_all")
    assert [(entry["by"], entry["object"]) for entry in entries] == [("boss", "account:an")]


async def test_the_own_page_shows_the_language_that_counts(house: House) -> None:
    browser = await signed_in(house)
    assert 'value="en" lang="en" selected' in await read(browser, "/password")
    await house.ask("PATCH", "/api/v1/session", None, json={"language": "vi"}, headers=await _change(browser))
    assert 'value="vi" lang="vi" selected' in await read(browser, "/password")
    known = await find_account(house.store.reader, "an")
    assert known is not None
    assert known.account.language == "vi"


def _headers(browser: Browser) -> dict[str, str]:
    return {"Cookie": "; ".join(f"{name}={value}" for name, value in browser.cookies.items())}


async def _change(browser: Browser) -> dict[str, str]:
    """With what a change must carry."""
    session = await browser.house.ask("GET", "/api/v1/session", None, headers=_headers(browser))
    return {**_headers(browser), "X-CSRF-Token": session.body["csrf_token"]}


async def test_every_field_that_people_change_has_a_word(house: House) -> None:
    """As the log keeps them: a field added to a thing without its word in the table fails here."""
    await house.ask("PUT", "/api/v1/agents/an", json={"name": "An", "endpoints": []})
    await house.ask("PUT", "/api/v1/queues/sales", json={})
    await house.ask("PUT", "/api/v1/hotlines/1900", json={})
    await house.ask("POST", "/api/v1/webhooks", json={"url": "https://crm.example.com/"})
    await house.ask("POST", "/api/v1/accounts", json={"name": "lan", "role": "agent", "password": PASSWORD})
    seen = {entry["action"]: entry["new"] for entry in await house.audit()}
    told = {name.partition(".")[0]: set(facts) for name, facts in seen.items()}
    told["call_settings"] = set((await house.ask("GET", "/api/v1/call-settings")).body) & set(SETTING_NAMES)
    assert set(told) >= {"agent", "queue", "hotline", "webhook", "account"}
    without = {(kind, name) for kind, names in told.items() for name in names - set(KINDS[kind].fields)}
    assert not without
    assert told["call_settings"] == set(SETTING_NAMES)


@pytest.mark.parametrize("cursor", ["x", "", "W10", "WyJhIl0", "%00"])
async def test_a_cursor_made_up_by_hand_is_refused_with_a_page(house: House, cursor: str) -> None:
    browser = await admin(house)
    for path in ("audit", "tokens", "deliveries", "accounts"):
        page = await browser.get(f"/settings/{path}?cursor={cursor}", Accept="text/html")
        assert page.status in (200, 422)  # "a" is a place among accounts
        assert page.headers["Content-Type"].startswith("text/html")
