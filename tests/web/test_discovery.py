"""What the PBXs have beside what Callwarden knows: phones told apart from trunks, queues and numbers."""

from __future__ import annotations

import pytest

from daemon.call.model import Direction
from daemon.call.signals import UnixMs
from daemon.message import Message
from daemon.pbx import EndpointSeen, MemberSeen, QueueSeen
from daemon.store.role import Role
from daemon.web.found_phones import found_phones
from tests.web.conftest import NOW, House
from tests.web.pbxs import inventory

RUNG = UnixMs(NOW - 5000)


def member(phone: str, name: str | None = None) -> MemberSeen:
    return MemberSeen(phone, name or phone, phone)


def seen(endpoint: str, **facts: object) -> EndpointSeen:
    return EndpointSeen(endpoint=endpoint, **facts)  # type: ignore[arg-type]


def like_agents(*endpoints: EndpointSeen, queues: tuple[QueueSeen, ...] = ()) -> set[str]:
    found = found_phones(inventory(*endpoints, queues=queues), {}, ())
    assert all((phone.why is not None) is phone.like_agent for phone in found)
    return {phone.endpoint for phone in found if phone.like_agent}


def test_a_queue_member_that_belongs_to_nobody_is_like_an_agent() -> None:
    queues = (QueueSeen("sales", (member("PJSIP/1"), member("DAHDI/1"))), QueueSeen("empty"))
    endpoints = (seen("PJSIP/1", takes_registrations=True), seen("DAHDI/1"), seen("PJSIP/2", takes_registrations=True))
    assert like_agents(*endpoints, queues=queues) == {"PJSIP/1", "DAHDI/1"}


def test_a_phone_that_a_call_made_ring_is_like_an_agent() -> None:
    assert like_agents(seen("PJSIP/1", takes_registrations=True, rung_at=RUNG)) == {"PJSIP/1"}


def test_a_trunk_that_a_forwarded_call_made_ring_is_a_trunk() -> None:
    trunk = seen("PJSIP/trunk", takes_registrations=False, rung_at=RUNG, registered=True)
    (phone,) = found_phones(inventory(trunk), {}, ())
    assert (phone.like_agent, phone.trunk) == (False, True)


def test_a_phone_with_a_fixed_address_in_a_queue_is_no_trunk() -> None:
    fixed = inventory(seen("PJSIP/7", takes_registrations=False), queues=(QueueSeen("q", (member("PJSIP/7"),)),))
    (phone,) = found_phones(fixed, {}, ())
    assert (phone.like_agent, phone.trunk) == (True, False)


def test_what_rings_and_may_be_a_trunk_is_left_alone() -> None:
    assert like_agents(seen("DAHDI/i1", rung_at=RUNG)) == set()


def test_an_agents_phone_needs_no_agent() -> None:
    known = inventory(seen("PJSIP/1", rung_at=RUNG), queues=(QueueSeen("q", (member("PJSIP/1"),)),))
    (phone,) = found_phones(known, {"PJSIP/1": "an"}, {"an"})
    assert (phone.agent, phone.like_agent, phone.suggested_user_id, phone.suggested_name) == ("an", False, None, None)


def test_suggestions_are_free_and_named_as_the_pbx_names_them() -> None:
    queues = (QueueSeen("q", (member("PJSIP/2", "Bình"), member("PJSIP/4"))),)
    endpoints = (seen("PJSIP/1", name="An"), seen("PJSIP/2"), seen("SIP/2"), seen("PJSIP/3"), seen("PJSIP/4"))
    found = found_phones(inventory(*endpoints, queues=queues), {}, {"1", "1-1"})
    suggested = {phone.endpoint: (phone.suggested_user_id, phone.suggested_name) for phone in found}
    assert suggested == {
        "PJSIP/1": ("1-1-2", "An"),
        "PJSIP/2": ("2", "Bình"),
        "SIP/2": ("2-1", "2-1"),
        "PJSIP/3": ("3", "3"),
        "PJSIP/4": ("4", "4"),
    }


def test_what_no_agent_could_have_is_not_shown() -> None:
    names = ("PJSIP/a b", "Local/1@x", "nonsense", "PJSIP/a\r\nb", "PJSIP/" + "x" * 200, "pjsip/lower")
    assert found_phones(inventory(*(seen(name) for name in names)), {}, ()) == []


async def test_everything_is_told_in_one_answer(house: House) -> None:
    await house.ask("PUT", "/api/v1/agents/an", json={"endpoints": ["PJSIP/1002"]})
    await house.ask("PUT", "/api/v1/queues/sales", json={})
    queue = QueueSeen(
        "sales", (member("PJSIP/1001", "Bình"), member("PJSIP/1002"), MemberSeen("Local/9@x/n", "M", None))
    )
    house.pbxs.found = [
        inventory(
            seen("PJSIP/1001", registered=True, takes_registrations=True, user_agent="Phone 1"),
            seen("PJSIP/1002", registered=False),
            queues=[queue],
        ),
        inventory(pbx="2", problems=(Message("There is no connection."),)),
    ]
    body = (await house.ask("GET", "/api/v1/discovery")).body
    assert body["endpoints"] == [
        {
            "pbx": "1",
            "endpoint": "PJSIP/1001",
            "user_agent": "Phone 1",
            "registered": True,
            "trunk": False,
            "agent": None,
            "like_agent": True,
            "why": "It is a member of the queue sales, and belongs to no agent.",
            "suggested_user_id": "1001",
            "suggested_name": "Bình",
        },
        {
            "pbx": "1",
            "endpoint": "PJSIP/1002",
            "user_agent": None,
            "registered": False,
            "trunk": None,
            "agent": "an",
            "like_agent": False,
            "why": None,
            "suggested_user_id": None,
            "suggested_name": None,
        },
    ]
    assert body["queues"] == [
        {
            "pbx": "1",
            "name": "sales",
            "configured": True,
            "members": [
                {"interface": "PJSIP/1001", "name": "Bình", "endpoint": "PJSIP/1001", "agent": None},
                {"interface": "PJSIP/1002", "name": "PJSIP/1002", "endpoint": "PJSIP/1002", "agent": "an"},
                {"interface": "Local/9@x/n", "name": "M", "endpoint": None, "agent": None},
            ],
        }
    ]
    assert body["problems"] == [{"pbx": "2", "words": "There is no connection."}]
    assert house.pbxs.asked_known == [frozenset({"PJSIP/1002"})]


async def test_company_numbers_of_the_last_month_are_counted(house: House) -> None:
    await house.miss(1, hotline="19001234")
    await house.miss(2, hotline="19001234")
    await house.miss(3, hotline="842871081234")
    await house.miss(-40 * 86_400, hotline="19009999")
    await house.miss(4, hotline="1001", direction=Direction.INTERNAL)
    await house.ask("PUT", "/api/v1/hotlines/842871081234", json={"label": "Office"})
    found = (await house.ask("GET", "/api/v1/discovery")).body["hotlines"]
    assert found == [
        {"number": "19001234", "calls": 2, "last_call_at": "2026-11-22T09:33:22.000Z", "configured": False},
        {"number": "842871081234", "calls": 1, "last_call_at": "2026-11-22T09:33:23.000Z", "configured": True},
    ]


@pytest.mark.parametrize("name", ["<script>alert(1)</script>", "</script>", "a\r\nb", "\u202e", "{0.__class__}", "%s"])
async def test_hostile_names_stay_data(house: House, name: str) -> None:
    queue = QueueSeen(name, (member("PJSIP/1", name),))
    house.pbxs.found = [inventory(seen("PJSIP/1", user_agent=name, name=None), queues=[queue])]
    answer = await house.ask("GET", "/api/v1/discovery")
    (phone,) = answer.body["endpoints"]
    assert answer.headers["Content-Type"].startswith("application/json")
    assert (phone["user_agent"], answer.body["queues"][0]["name"]) == (name, name)
    assert phone["why"] == f"It is a member of the queue {name}, and belongs to no agent."
    assert phone["suggested_user_id"] == "1"


async def test_ten_thousand_endpoints_are_answered(house: House) -> None:
    house.pbxs.found = [inventory(*(seen(f"PJSIP/{number}") for number in range(10_000)))]
    answer = await house.ask("GET", "/api/v1/discovery")
    assert len(answer.body["endpoints"]) == 10_000


async def test_discovery_is_for_admins(house: House) -> None:
    assert (await house.ask("GET", "/api/v1/discovery", Role.SUPERVISOR)).status == 403
