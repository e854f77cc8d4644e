"""Two people change the same: with `If-Match` nobody undoes what he has not seen, and is told what is there."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from tests.web.conftest import PASSWORD, House

API = "/api/v1"
PUT: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "agents/an": ({"name": "An", "endpoints": ["PJSIP/1002", "PJSIP/1001"]}, {"endpoints": ["PJSIP/1003"]}),
    "queues/sales": ({"create_tickets": False}, {"ringtone": "chime"}),
    "hotlines/1900": ({"label": "Sales"}, {"label": "Support"}),
}
PATCH: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "accounts/mallory": ({"role": "agent", "disabled": True}, {"language": "en"}),
    "webhooks": ({"url": "https://new.example.com/"}, {"events": ["call.missed"]}),
}


async def _made(house: House, address: str) -> str:
    """The path of one that is there."""
    if address in PUT:
        await house.ask("PUT", f"{API}/{address}", json={})
        return f"{API}/{address}"
    if address == "webhooks":
        answer = await house.ask("POST", f"{API}/webhooks", json={"url": "https://crm.example.com/"})
        return f"{API}/webhooks/{answer.body['webhook_id']}"
    await house.ask("POST", f"{API}/accounts", json={"name": "mallory", "role": "supervisor", "password": PASSWORD})
    return f"{API}/{address}"


async def _tag(house: House, path: str) -> str:
    return (await house.ask("GET", path)).headers["ETag"]


@pytest.mark.parametrize("address", [*PUT, *PATCH])
async def test_whoever_was_slower_changes_nothing_and_is_told_what_is_there(house: House, address: str) -> None:
    path, method = await _made(house, address), "PUT" if address in PUT else "PATCH"
    first, second = {**PUT, **PATCH}[address]
    tag = {"If-Match": await _tag(house, path)}
    assert (await house.ask(method, path, json=first, headers=tag)).status == 200
    stored, rules, entries = await house.ask("GET", path), house.rules_changes, len(await house.audit())
    late = await house.ask(method, path, json=second, headers=tag)
    assert late.status == 412
    assert {name: late.body["now"][name] for name in first} == {name: stored.body[name] for name in first}
    assert late.body["changed"]["by"] == (await house.audit())[0]["by"]
    assert late.headers["ETag"] == f'"{late.body["version"]}"' == stored.headers["ETag"]
    assert (await house.ask("GET", path)).body == stored.body
    assert (house.rules_changes, len(await house.audit())) == (rules, entries)
    assert (await house.ask(method, path, json=second, headers={"If-Match": late.headers["ETag"]})).status == 200


@pytest.mark.parametrize("address", [*PUT, *PATCH])
async def test_the_answer_of_a_change_brings_the_tag_of_the_next(house: House, address: str) -> None:
    path, method = await _made(house, address), "PUT" if address in PUT else "PATCH"
    for body in {**PUT, **PATCH}[address]:
        answer = await house.ask(method, path, json=body)
        assert answer.headers["ETag"] == await _tag(house, path)


@pytest.mark.parametrize("address", [*PUT, *PATCH])
async def test_without_a_tag_the_last_one_wins_as_ever(house: House, address: str) -> None:
    path, method = await _made(house, address), "PUT" if address in PUT else "PATCH"
    for body in {**PUT, **PATCH}[address]:
        assert (await house.ask(method, path, json=body)).status == 200


@pytest.mark.parametrize("address", [*PUT, *PATCH])
async def test_of_many_who_saw_the_same_one_wins(house: House, address: str) -> None:
    path, method = await _made(house, address), "PUT" if address in PUT else "PATCH"
    tag, body = {"If-Match": await _tag(house, path)}, {**PUT, **PATCH}[address][0]
    answers = await asyncio.gather(*(house.ask(method, path, json=body, headers=tag) for _ in range(4)))
    assert sorted(answer.status for answer in answers) == [200, 412, 412, 412]


@pytest.mark.parametrize("address", [*PUT, "webhooks"])
async def test_what_was_changed_or_removed_meanwhile_is_neither_removed_nor_made_again(
    house: House, address: str
) -> None:
    path, method = await _made(house, address), "PUT" if address in PUT else "PATCH"
    old = {"If-Match": await _tag(house, path)}
    await house.ask(method, path, json={**PUT, **PATCH}[address][0])
    assert (await house.ask("DELETE", path, headers=old)).status == 412
    new = {"If-Match": await _tag(house, path)}
    assert (await house.ask("DELETE", path, headers=new)).status == 204
    gone = await house.ask(method, path, json={}, headers=new)
    assert (gone.status, gone.body["now"], "ETag" in gone.headers) == (412, None, False)
    assert (await house.ask("GET", path)).status == 404


@pytest.mark.parametrize(
    ("sent", "status"),
    [("{tag}", 200), ("W/{tag}", 200), ('"x", {tag}', 200), ("*", 200), ("", 412), ('"x"', 412), ("{tag}x", 412)],
)
async def test_a_tag_is_read_as_the_standard_says(house: House, sent: str, status: int) -> None:
    path = await _made(house, "queues/sales")
    tag = await _tag(house, path)
    answer = await house.ask("PUT", path, json={}, headers={"If-Match": sent.format(tag=tag)})
    assert answer.status == status


async def test_what_is_no_change_is_no_new_version(house: House) -> None:
    path = await _made(house, "accounts/mallory")
    tag = await _tag(house, path)
    await house.ask("PATCH", path, json={"password": "another one, and long"})
    assert await _tag(house, path) == tag
    assert (
        "hash" not in (await house.ask("PATCH", path, json={"language": "en"}, headers={"If-Match": '"x"'})).body["now"]
    )
