"""Agents, queues and hotlines: one owner an endpoint, hostile names kept as data."""

from __future__ import annotations

from urllib.parse import quote

import pytest

from daemon.call.signals import Endpoint
from daemon.store.agents import read_directory
from daemon.store.queues import read_queues
from tests.web.conftest import House

HOSTILE = [
    "<script>alert(1)</script>",
    "=cmd|' /C calc'!A0",
    "'; DROP TABLE agents; --",
    "${jndi:ldap://x}",
    "../../etc/passwd",
    "{{7*7}}",
    "%s%n%x",
    "Nguyễn Văn Ấn",
    "🤝" * 50,
]


async def test_an_agent_is_stored_as_given_and_known_to_the_tracker(house: House) -> None:
    form = {"name": "An", "endpoints": ["PJSIP/1001", "SIP/x"], "ringtone": "marimba", "phone_brand": "yealink"}
    answer = await house.ask("PUT", "/api/v1/agents/an", json={**form, "personal_number": "+84901701234"})
    expected = {"user_id": "an", **form, "personal_number": "+84901701234", "account": None}
    assert (answer.status, answer.body, house.rules_changes) == (201, expected, 1)
    assert (await house.ask("GET", "/api/v1/agents/an")).body == expected
    directory = await read_directory(house.store.reader, "VN")
    assert directory.agent_at(Endpoint("PJSIP/1001")) == "an"
    assert directory.numbers == {"+84901701234": "an"}


async def test_put_replaces_and_delete_frees_the_endpoints(house: House) -> None:
    await house.ask("PUT", "/api/v1/agents/an", json={"name": "An", "endpoints": ["PJSIP/1001", "PJSIP/1002"]})
    answer = await house.ask("PUT", "/api/v1/agents/an", json={"endpoints": ["PJSIP/1002", "PJSIP/1002"]})
    assert (answer.status, answer.body["name"], answer.body["endpoints"]) == (200, "an", ["PJSIP/1002"])
    assert (await house.ask("DELETE", "/api/v1/agents/an")).status == 204
    assert (await house.ask("DELETE", "/api/v1/agents/an")).status == 404
    assert (await house.ask("PUT", "/api/v1/agents/binh", json={"endpoints": ["PJSIP/1002"]})).status == 201
    assert house.rules_changes == 4


async def test_an_endpoint_is_kept_as_asterisk_spells_it(house: House) -> None:
    given = ["pjsip/An-1", "PjSip/An-1", "sip/2", "iax2/3", "DONGLE/4", "Chan_Other/5", "sofia/internal/6"]
    kept = ["PJSIP/An-1", "SIP/2", "IAX2/3", "Dongle/4", "Chan_Other/5", "sofia/internal/6"]
    answer = await house.ask("PUT", "/api/v1/agents/an", json={"endpoints": given})
    assert (answer.status, answer.body["endpoints"]) == (201, kept)
    directory = await read_directory(house.store.reader, "VN")
    assert directory.agent_at(Endpoint("PJSIP/An-1")) == "an"
    answer = await house.ask("PUT", "/api/v1/agents/binh", json={"endpoints": ["pJSIP/An-1"]})
    assert (answer.status, answer.body["agent"]) == (409, "an")


@pytest.mark.parametrize(
    ("field", "form"),
    [
        ("endpoints", {"endpoints": ["PJSIP/1002", "PJSIP/1001"]}),
        ("personal_number", {"personal_number": "+84901701234"}),
    ],
)
async def test_what_belongs_to_another_agent_is_refused_with_his_name(
    house: House, field: str, form: dict[str, object]
) -> None:
    await house.ask("PUT", "/api/v1/agents/an", json={"endpoints": ["PJSIP/1001"], "personal_number": "+84901701234"})
    await house.ask("PUT", "/api/v1/agents/binh", json={"name": "Bình", "endpoints": ["PJSIP/1003"]})
    answer = await house.ask("PUT", "/api/v1/agents/binh", json=form)
    assert (answer.status, answer.body["agent"], answer.fields()) == (409, "an", {field})
    assert (await house.ask("GET", "/api/v1/agents/binh")).body["endpoints"] == ["PJSIP/1003"]
    assert house.rules_changes == 2


@pytest.mark.parametrize(
    "form",
    [
        {"name": ""},
        {"name": "a\nb"},
        {"name": "a" * 256},
        {"name": 1},
        {"endpoints": "PJSIP/1001"},
        {"endpoints": ["1001"]},
        {"endpoints": ["PJSIP/"]},
        {"endpoints": ["PJSIP//1001"]},
        {"endpoints": ["/1001"]},
        {"endpoints": ["Local/1001@from-internal"]},
        {"endpoints": ["local/1001@from-internal"]},
        {"endpoints": ["PJSIP/10 01"]},
        {"endpoints": ["PJSIP/1&SIP/2"]},
        {"endpoints": ["PJSIP/1001\r\nAction: Originate"]},
        {"endpoints": ["PJSIP/1001\n"]},
        {"endpoints": [None]},
        {"endpoints": [f"PJSIP/{n}" for n in range(21)]},
        {"ringtone": "a/b"},
        {"phone_brand": "a" * 33},
        {"personal_number": "0901701234"},
        {"personal_number": "+84"},
        {"user_id": "other"},
    ],
)
async def test_a_wrong_agent_is_refused_and_not_stored(house: House, form: dict[str, object]) -> None:
    answer = await house.ask("PUT", "/api/v1/agents/an", json=form)
    assert answer.status == 422
    assert {field.split(".")[0] for field in answer.fields()} == set(form)
    assert (await house.ask("GET", "/api/v1/agents/an")).status == 404


@pytest.mark.parametrize("name", HOSTILE)
async def test_hostile_names_are_data(house: House, name: str) -> None:
    part = quote(name, safe="")
    for path, form, key in (
        (f"/api/v1/agents/{part}", {"name": name}, "user_id"),
        (f"/api/v1/queues/{part}", {"create_tickets": False}, "name"),
        (f"/api/v1/hotlines/{part}", {"label": name}, "number"),
    ):
        answer = await house.ask("PUT", path, json=form)
        assert (answer.status, answer.body[key]) == (201, name)
        read = await house.ask("GET", path)
        assert (read.status, read.body, read.headers["Content-Type"][:16]) == (200, answer.body, "application/json")


async def test_a_queue_switch_is_known_to_the_daemon_and_deleting_it_means_on(house: House) -> None:
    assert (await house.ask("PUT", "/api/v1/queues/sales", json={"create_tickets": False})).status == 201
    assert (await read_queues(house.store.reader))["sales"].create_tickets is False
    for wrong in ({"create_tickets": 0}, {"create_tickets": None}, {"on": True}, {"ringtone": ""}):
        assert (await house.ask("PUT", "/api/v1/queues/sales", json=wrong)).status == 422
    assert (await house.ask("PUT", "/api/v1/queues/sales", json={"ringtone": "marimba"})).body == {
        "name": "sales",
        "create_tickets": True,
        "ringtone": "marimba",
        "sla_target_percent": None,
        "sla_answer_within_seconds": None,
    }
    assert (await house.ask("DELETE", "/api/v1/queues/sales")).status == 204
    assert (await house.ask("GET", "/api/v1/queues/sales")).status == 404
    assert house.rules_changes == 3


async def test_a_queue_has_a_target_and_limit_of_its_own_until_a_put_leaves_them_out(house: House) -> None:
    path, own = "/api/v1/queues/vip", {"sla_target_percent": 95, "sla_answer_within_seconds": 10}
    assert (await house.ask("PUT", path, json=own)).body == {
        "name": "vip",
        "create_tickets": True,
        "ringtone": None,
        **own,
    }
    assert (await house.ask("GET", path)).body["sla_target_percent"] == 95
    kept = (await read_queues(house.store.reader))["vip"]
    assert (kept.sla_target_percent, kept.sla_answer_within_seconds) == (95, 10)
    for field, values in (("sla_target_percent", (-1, 101, "80", 1.5)), ("sla_answer_within_seconds", (0, 3601, True))):
        for value in values:
            assert (await house.ask("PUT", path, json={field: value})).fields() == {field}
    as_ever = await house.ask("PUT", path, json={"create_tickets": True, "ringtone": None})
    assert (as_ever.status, as_ever.body["sla_target_percent"]) == (200, None), "as all that a PUT leaves out"
    entry = (await house.audit(object="queue:vip"))[0]
    assert (entry["old"], entry["new"]) == (own, dict.fromkeys(own))


async def test_lists_of_names_go_on_after_the_last_one(house: House) -> None:
    for kind in ("agents", "queues", "hotlines"):
        for name in ("c", "a", "d", "b"):
            await house.ask("PUT", f"/api/v1/{kind}/{name}", json={})
        seen, cursor = [], ""
        while cursor is not None:
            page = (await house.ask("GET", f"/api/v1/{kind}?limit=3{cursor and '&cursor=' + cursor}")).body
            seen += [next(iter(item.values())) for item in page["items"]]
            cursor = page["next"]
            await house.ask("PUT", f"/api/v1/{kind}/aa", json={})
        assert seen == ["a", "b", "c", "d"]
