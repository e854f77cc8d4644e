"""Accounts and tokens through the API: passwords go in and never come out, an admin always remains."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from daemon.store.accounts import find_account
from daemon.store.role import Role
from tests.web.browser import Browser
from tests.web.conftest import PASSWORD, House

PATH = "/api/v1/accounts"
FORM = {"name": "Mai", "role": "supervisor", "password": PASSWORD}


async def test_an_account_is_made_read_and_can_sign_in(house: House) -> None:
    await house.ask("PUT", "/api/v1/agents/mai", json={})
    answer = await house.ask("POST", PATH, json={**FORM, "user_id": "mai", "language": "en"})
    shown = {
        "name": "mai",
        "role": "supervisor",
        "user_id": "mai",
        "language": "en",
        "disabled": False,
        "created_at": "2026-11-22T09:33:20.000Z",
    }
    assert (answer.status, answer.body) == (201, shown)
    assert (await house.ask("GET", f"{PATH}/MAI")).body == shown
    assert (await house.ask("GET", PATH)).body == {"items": [shown], "next": None}
    browser = Browser(house)
    assert (await browser.sign_in("mai", PASSWORD)).status == 303
    assert '"user_id": "mai"' in (await browser.get("/api/v1/session")).text


async def test_an_account_without_a_language_gets_that_of_the_call_settings(house: House) -> None:
    await house.ask("PUT", "/api/v1/call-settings", json={"language": "en"})
    assert (await house.ask("POST", PATH, json=FORM)).body["language"] == "en"


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"name": ""}, "name"),
        ({"name": "a b"}, "name"),
        ({"name": "a:b"}, "name"),
        ({"name": "<b>"}, "name"),
        ({"name": "a" * 65}, "name"),
        ({"name": "a\u202e"}, "name"),
        ({"name": None}, "name"),
        ({"role": "god"}, "role"),
        ({"role": None}, "role"),
        ({"password": "short"}, "password"),
        ({"password": 1234567890}, "password"),
        ({"password": "x" * 300}, "password"),
        ({"password": "two\nlines of text"}, "password"),
        ({"user_id": "nobody"}, "user_id"),
        ({"user_id": ""}, "user_id"),
        ({"language": "fr"}, "language"),
        ({"password_hash": "x"}, "password_hash"),
        ({"disabled": True}, "disabled"),
    ],
)
async def test_a_wrong_account_is_refused_by_field(house: House, changes: dict[str, Any], field: str) -> None:
    answer = await house.ask("POST", PATH, json={**FORM, **changes})
    assert (answer.status, answer.fields()) == (422, {field})
    assert (await house.ask("GET", PATH)).body["items"] == []
    assert await house.audit() == []


async def test_a_name_is_given_once_in_whatever_case(house: House) -> None:
    answers = await asyncio.gather(*(house.ask("POST", PATH, json={**FORM, "name": n}) for n in ("mai", "MAI", "Mai")))
    assert sorted(answer.status for answer in answers) == [201, 409, 409]


async def test_an_agent_has_one_account(house: House) -> None:
    await house.ask("PUT", "/api/v1/agents/an", json={})
    assert (await house.ask("POST", PATH, json={**FORM, "user_id": "an"})).status == 201
    second = await house.ask("POST", PATH, json={**FORM, "name": "binh", "user_id": "an"})
    assert (second.status, second.fields()) == (422, {"user_id"})
    assert "has the account mai" in second.body["errors"][0]["message"]
    assert (await house.ask("PATCH", f"{PATH}/mai", json={"user_id": "an"})).status == 200  # its own already
    assert (await house.ask("PATCH", f"{PATH}/mai", json={"user_id": None})).body["user_id"] is None
    assert (await house.ask("POST", PATH, json={**FORM, "name": "binh", "user_id": "an"})).status == 201


async def test_what_a_patch_leaves_out_stays(house: House) -> None:
    await house.add_account("an", Role.SUPERVISOR)
    before = await find_account(house.store.reader, "an")
    answer = await house.ask("PATCH", f"{PATH}/an", json={"language": "en"})
    assert (answer.body["role"], answer.body["language"]) == ("supervisor", "en")
    after = await find_account(house.store.reader, "an")
    assert before is not None
    assert after is not None
    assert after.password_hash == before.password_hash
    for wrong in (
        {"role": "x"},
        {"role": None},
        {"disabled": 1},
        {"name": "x"},
        {"password": "short"},
        {"language": None},
    ):
        assert (await house.ask("PATCH", f"{PATH}/an", json=wrong)).status == 422
    assert (await house.ask("PATCH", f"{PATH}/nobody", json={})).status == 404
    assert (await house.ask("PATCH", f"{PATH}/a%20b", json={})).status == 404


@pytest.mark.parametrize("change", [{"role": "agent"}, {"role": "supervisor"}, {"disabled": True}])
async def test_the_last_admin_is_neither_demoted_nor_disabled(house: House, change: dict[str, Any]) -> None:
    await house.add_account("mai", Role.ADMIN)
    await house.add_account("hoa", Role.ADMIN)
    await house.add_account("an")
    assert (await house.ask("PATCH", f"{PATH}/hoa", json={"disabled": True})).status == 200
    refused = await house.ask("PATCH", f"{PATH}/mai", json=change)
    assert (refused.status, "last admin" in refused.body["detail"]) == (409, True)
    assert (await house.ask("GET", f"{PATH}/mai")).body["role"] == "admin"
    assert (await house.ask("PATCH", f"{PATH}/mai", json={"language": "en"})).status == 200
    assert (await house.ask("PATCH", f"{PATH}/hoa", json={"disabled": False})).status == 200
    assert (await house.ask("PATCH", f"{PATH}/mai", json=change)).status == 200


async def test_two_admins_cannot_disable_each_other_at_once(house: House) -> None:
    for name in ("mai", "hoa"):
        await house.add_account(name, Role.ADMIN)
    answers = await asyncio.gather(
        *(house.ask("PATCH", f"{PATH}/{name}", json={"disabled": True}) for name in ("mai", "hoa"))
    )
    assert sorted(answer.status for answer in answers) == [200, 409]


async def test_a_new_password_by_an_admin_ends_the_sessions_and_counts(house: House) -> None:
    await house.add_account("an")
    browser = Browser(house)
    await browser.sign_in("an", PASSWORD)
    assert (await house.ask("PATCH", f"{PATH}/an", json={"password": "a new long one"})).status == 200
    assert not await browser.is_signed_in()
    assert (await Browser(house).sign_in("an", PASSWORD)).status == 403
    assert (await Browser(house).sign_in("an", "a new long one")).status == 303


async def test_an_admins_own_password_is_not_changed_without_the_present_one(house: House) -> None:
    headers = await house.sign_in_as(Role.ADMIN)
    answer = await house.ask("PATCH", f"{PATH}/admin", None, json={"password": "a new long one"}, headers=headers)
    assert answer.status == 409
    assert (await Browser(house).sign_in("admin", PASSWORD)).status == 303


async def test_no_answer_holds_a_password_or_its_hash(house: House) -> None:
    texts = [
        str((await house.ask("POST", PATH, json=FORM)).body),
        str((await house.ask("POST", PATH, json={**FORM, "name": "x", "role": "god"})).body),
        str((await house.ask("PATCH", f"{PATH}/mai", json={"password": "a new long one"})).body),
        str((await house.ask("GET", PATH)).body),
        str((await house.ask("GET", f"{PATH}/mai")).body),
        str(await house.audit()),
        repr(await find_account(house.store.reader, "mai")),
    ]
    for text in texts:
        assert PASSWORD not in text
        assert "a new long one" not in text
        assert "argon2" not in text


async def test_accounts_are_listed_by_name_page_by_page(house: House) -> None:
    for name in ("c", "a", "d", "b"):
        await house.add_account(name)
    first = (await house.ask("GET", f"{PATH}?limit=3")).body
    second = (await house.ask("GET", f"{PATH}?limit=3&cursor={first['next']}")).body
    assert [item["name"] for item in first["items"] + second["items"]] == ["a", "b", "c", "d"]
    assert second["next"] is None


# -- tokens ------------------------------------------------------------------------------------------------------

TOKENS = "/api/v1/tokens"


async def test_two_tokens_of_one_label_are_told_apart_in_the_log(house: House) -> None:
    made = [(await house.ask("POST", TOKENS, json={"role": "admin", "label": "x" * 255})).body for _ in range(2)]
    for number, one in enumerate(made):
        bearer = {"Authorization": f"Bearer {one['token']}"}
        await house.ask("PUT", f"/api/v1/queues/q{number}", None, json={}, headers=bearer)
    second, first = [entry["by"] for entry in (await house.audit())[:2]]
    assert (first, second) == tuple(f"token:{'x' * 80} ({one['token_id']})" for one in made)


async def test_a_token_says_which_account_answers_for_it_also_when_a_token_made_it(house: House) -> None:
    await house.add_account("boss", Role.ADMIN)
    session = await house.open_session("boss")
    made = (await house.ask("POST", TOKENS, None, json={"role": "admin"}, headers=session)).body
    bearer = {"Authorization": f"Bearer {made['token']}"}
    grandchild = (await house.ask("POST", TOKENS, None, json={"role": "agent"}, headers=bearer)).body
    assert (made["created_by"], grandchild["created_by"]) == ("boss", "boss")
    assert {one["created_by"] for one in (await house.ask("GET", TOKENS)).body["items"]} == {"boss", None}


async def test_a_token_is_shown_once_works_tells_its_last_use_and_is_revoked_at_once(house: House) -> None:
    made = await house.ask("POST", TOKENS, json={"role": "supervisor", "label": "crm"})
    token = made.body.pop("token")
    assert (made.status, made.body["role"], made.body["label"], made.body["last_used_at"]) == (
        201,
        "supervisor",
        "crm",
        None,
    )
    bearer = {"Authorization": f"Bearer {token}"}
    me = (await house.ask("GET", "/api/v1/session", None, headers=bearer)).body
    assert (me["name"], me["role"], me["user_id"]) == (f"token:crm ({made.body['token_id']})", "supervisor", None)
    await asyncio.sleep(0.05)
    await house.store.writer.drain()
    listed = (await house.ask("GET", TOKENS)).body
    assert token not in str(listed)
    mine = next(item for item in listed["items"] if item["label"] == "crm")
    assert mine == {**made.body, "last_used_at": made.body["created_at"]}
    assert (await house.ask("DELETE", f"{TOKENS}/{mine['token_id']}")).status == 204
    assert (await house.ask("GET", "/api/v1/session", None, headers=bearer)).status == 401
    assert (await house.ask("DELETE", f"{TOKENS}/{mine['token_id']}")).status == 404
    again = (await house.ask("GET", TOKENS)).body["items"]
    assert next(item for item in again if item["label"] == "crm")["revoked_at"] is not None


@pytest.mark.parametrize(
    ("form", "field"),
    [
        ({}, "role"),
        ({"role": "god"}, "role"),
        ({"role": "agent", "label": "a\nb"}, "label"),
        ({"role": "agent", "token": "x"}, "token"),
    ],
)
async def test_a_wrong_token_form_is_refused(house: House, form: dict[str, Any], field: str) -> None:
    answer = await house.ask("POST", TOKENS, json=form)
    assert (answer.status, answer.fields()) == (422, {field})


async def test_tokens_are_listed_newest_first_page_by_page(house: House) -> None:
    seen: list[str] = []
    cursor: str | None = ""
    while cursor is not None:
        page = (await house.ask("GET", f"{TOKENS}?limit=2{cursor and '&cursor=' + cursor}")).body
        seen += [item["label"] for item in page["items"]]
        cursor = page["next"]
    assert sorted(seen) == ["admin", "agent", "supervisor"]


async def test_a_stream_ends_when_its_token_is_revoked(house: House) -> None:
    made = (await house.ask("POST", TOKENS, json={"role": "supervisor"})).body
    bearer = {"Authorization": f"Bearer {made['token']}"}
    async with house.client.get("/api/v1/events", headers=bearer) as stream:
        await stream.content.readline()
        await house.ask("DELETE", f"{TOKENS}/{made['token_id']}")
        async with asyncio.timeout(3):
            await stream.content.read()
