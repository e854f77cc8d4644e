"""Names that nobody can see, type or reach are not taken; what is stored under one can still be read and removed."""

from __future__ import annotations

from urllib.parse import quote

import pytest

from daemon.policy.call_settings import QueueSettings
from daemon.store.agents import Agent, put_agent
from daemon.store.queues import put_queue
from daemon.store.role import Role
from tests.web.browser import signed_in
from tests.web.conftest import PASSWORD, House

API = "/api/v1"
BAD = ["..", ".", " an", "an ", "an\u200b", "\u202egnp.exe", "a\u200dn", "\u3164", "a\xa0n"]


@pytest.mark.parametrize("name", BAD)
@pytest.mark.parametrize(("things", "field"), [("agents", "user_id"), ("queues", "name"), ("hotlines", "number")])
async def test_nothing_new_is_called_so(house: House, things: str, field: str, name: str) -> None:
    answer = await house.ask("PUT", f"{API}/{things}/{quote(name, safe='').replace('.', '%2E')}", json={})
    assert (answer.status, answer.fields()) == (422, {field})
    assert (await house.ask("GET", f"{API}/{things}")).body["items"] == []
    file = f'{field}\r\n"{name}"\r\n'.encode()
    sent = await house.ask(
        "POST", f"{API}/{things}/import?preview=false", data=file, headers={"Content-Type": "text/csv"}
    )
    assert (sent.status, sent.fields()) == (422, {f"2.{field}"})
    assert await house.audit() == []


@pytest.mark.parametrize("name", [".", "..", "\u3164", "\uff0e\uff0e"])
async def test_no_account_is_called_so(house: House, name: str) -> None:
    form = {"name": name, "role": "admin", "password": PASSWORD}
    answer = await house.ask("POST", f"{API}/accounts", json=form)
    assert (answer.status, answer.fields()) == (422, {"name"})
    assert (await house.ask("GET", f"{API}/accounts")).body["items"] == []


async def test_what_is_stored_under_such_a_name_can_be_read_changed_and_removed(house: House) -> None:
    for name in BAD:
        await house.store.writer.change(lambda name=name: put_agent(Agent(user_id=name, name=" ")))  # type: ignore[misc]
        await house.store.writer.change(lambda name=name: put_queue(name, QueueSettings()))  # type: ignore[misc]
        key = quote(name, safe="").replace(".", "%2E")
        for path in (f"{API}/agents/{key}", f"{API}/queues/{key}"):
            assert (await house.ask("GET", path)).status == 200
            assert (await house.ask("PUT", path, json={})).status == 200
            assert (await house.ask("DELETE", path)).status == 204
            assert (await house.ask("GET", path)).status == 404


async def test_an_account_of_such_a_name_can_still_be_disabled(house: House) -> None:
    await house.add_account("..", Role.ADMIN)
    await house.add_account("boss", Role.ADMIN)
    answer = await house.ask("PATCH", f"{API}/accounts/%2E%2E", json={"disabled": True})
    assert (answer.status, answer.body["disabled"]) == (200, True)


async def test_an_agent_stored_under_such_a_name_can_get_an_account(house: House) -> None:
    await house.store.writer.change(lambda: put_agent(Agent(user_id="an\u200b", name="An")))
    form = {"name": "an", "role": "agent", "password": PASSWORD, "user_id": "an\u200b"}
    assert (await house.ask("POST", f"{API}/accounts", json=form)).status == 201


@pytest.mark.parametrize("name", [" ", "\u200b", "\u3164", "An\u202e"])
async def test_what_people_are_shown_can_be_seen(house: House, name: str) -> None:
    for method, path, form, field in (
        ("PUT", "agents/an", {"name": name}, "name"),
        ("PUT", "hotlines/1900", {"label": name}, "label"),
        ("POST", "tokens", {"role": "agent", "label": name}, "label"),
        ("POST", "webhooks", {"url": "https://crm.example.com/", "description": name}, "description"),
    ):
        answer = await house.ask(method, f"{API}/{path}", json=form)
        assert (answer.status, answer.fields()) == (422, {field}), path


async def test_joiners_stay_in_names(house: House) -> None:
    shown = (await house.ask("PUT", f"{API}/agents/an", json={"name": "क्\u200dष"})).body
    assert shown["name"] == "क्\u200dष"


async def test_a_name_turns_nothing_around_that_stands_beside_it(house: House) -> None:
    """Whatever was stored before the rule."""
    await house.store.writer.change(lambda: put_agent(Agent(user_id="\u202ean", name="\u202eAn")))
    page = await (await signed_in(house, "boss", Role.ADMIN)).get("/settings/agents")
    assert page.text.count("\u202eAn") - page.text.count("<bdi>\u202eAn</bdi>") == 0
    assert "<bdi>\u202ean</bdi>" in page.text
