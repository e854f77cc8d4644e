"""What a PBX has is listed within bounds, whatever stands in names and whatever it refuses."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from daemon.ami import explore as explore_module
from daemon.ami.actions import Actions
from daemon.ami.explore import MAX_DETAILS, NO_WAY, Wanted, explore
from daemon.ami.settings import AmiTimings
from daemon.ami.simulated_house import SimulatedMember, SimulatedPhone
from daemon.call.signals import ChannelEnded, UnixMs
from daemon.pbx import EndpointSeen, Inventory, MemberSeen
from tests.ami.conftest import Linked
from tests.fakes.asterisk import event


async def explored(linked: Linked, wanted: Wanted | None = None) -> Inventory:
    return await explore("main", linked.link.actions, wanted or Wanted())


def endpoints(inventory: Inventory) -> dict[str, EndpointSeen]:
    return {seen.endpoint: seen for seen in inventory.endpoints}


async def test_phones_trunk_and_queues_are_found_by_the_rights_of_our_user(linked: Linked) -> None:
    found = await explored(linked, Wanted(rung={"PJSIP/1003": UnixMs(7)}))
    assert found.problems == ()
    phones = endpoints(found)
    assert set(phones) == {f"PJSIP/{name}" for name in ("1001", "1002", "1003", "1004", "trunk")}
    assert phones["PJSIP/1003"] == EndpointSeen(
        endpoint="PJSIP/1003",
        registered=True,
        takes_registrations=True,
        user_agent="Grandstream GXP2135 1.0.11.74",
        name="Agent 1003",
        rung_at=UnixMs(7),
    )
    assert (phones["PJSIP/1004"].registered, phones["PJSIP/1004"].takes_registrations) == (False, True)
    assert phones["PJSIP/trunk"].takes_registrations is False
    assert [(queue.name, len(queue.members)) for queue in found.queues] == [("support", 2), ("sales", 1)]


async def test_endpoints_of_agents_are_not_looked_at_more_closely(linked: Linked) -> None:
    found = await explored(linked, Wanted(known={"PJSIP/1001", "PJSIP/1002", "PJSIP/1003", "PJSIP/1004"}))
    assert endpoints(found)["PJSIP/1001"] == EndpointSeen(endpoint="PJSIP/1001", registered=True)
    asked = [action["Variable"] for action in linked.pbx.actions if action["Action"] == "Getvar"]
    assert asked
    assert all("trunk" in variable for variable in asked)


async def test_the_fuller_list_is_taken_where_the_user_may_have_it(linked: Linked) -> None:
    row = "Event: {}\r\nActionID: {{id}}\r\nObjectType: endpoint\r\nObjectName: {}\r\nContacts: {}\r\n\r\n"
    linked.pbx.answers["PJSIPShowEndpoints"] = (
        "Response: Success\r\nActionID: {id}\r\nEventList: start\r\n\r\n"
        + row.format("EndpointList", "2001", "2001/sip:2001@127.0.0.1:5,")
        + row.format("EndpointList", "1001", "")
        + "Event: EndpointListComplete\r\nActionID: {id}\r\nEventList: Complete\r\nListItems: 2\r\n\r\n"
    ).encode()
    phones = endpoints(await explored(linked))
    assert (phones["PJSIP/2001"].registered, phones["PJSIP/1001"].registered) == (True, False)
    assert "PJSIP/1004" in phones


async def test_chan_sip_tells_itself_what_registers(linked: Linked) -> None:
    kind = "Event: PeerEntry\r\nActionID: {{id}}\r\nChanneltype: SIP\r\n"
    peer = kind + "ObjectName: {}\r\nIPaddress: {}\r\nDynamic: {}\r\n\r\n"
    linked.pbx.answers["SIPpeers"] = (
        "Response: Success\r\nActionID: {id}\r\nEventList: start\r\n\r\n"
        + peer.format("301", "-none-", "yes")
        + peer.format("gateway", "192.0.2.1", "no")
        + "Event: PeerlistComplete\r\nActionID: {id}\r\nEventList: Complete\r\nListItems: 2\r\n\r\n"
    ).encode()
    phones = endpoints(await explored(linked))
    assert (phones["SIP/301"].registered, phones["SIP/301"].takes_registrations) == (False, True)
    assert (phones["SIP/gateway"].registered, phones["SIP/gateway"].takes_registrations) == (True, False)


async def test_a_local_member_stands_for_the_phone_whose_state_it_names(linked: Linked) -> None:
    local = SimulatedMember("An", "Local/1004@from-queue/n", "PJSIP/1004")
    mobile = SimulatedMember("Bình", "Local/0901@out/n", "Local/0901@out/n")
    linked.pbx.house.queues = {"mixed": [local, mobile], "empty": []}
    mixed, empty = (await explored(linked)).queues
    assert mixed.members == (
        MemberSeen("Local/1004@from-queue/n", "An", "PJSIP/1004"),
        MemberSeen("Local/0901@out/n", "Bình", None),
    )
    assert empty.members == ()


async def test_a_number_behind_a_trunk_is_no_endpoint(linked: Linked) -> None:
    number = SimulatedMember("Mobile", "PJSIP/0901701234@trunk", "PJSIP/0901701234@trunk")
    linked.pbx.house.phones.append(SimulatedPhone("an@example.com"))
    linked.pbx.house.queues = {
        "q": [number, SimulatedMember("An", "PJSIP/an@example.com", "PJSIP/an@example.com")],
    }
    found = await explored(linked)
    assert [m.endpoint for m in found.queues[0].members] == [None, "PJSIP/an@example.com"]
    assert "PJSIP/0901701234@trunk" not in endpoints(found)


async def test_a_member_that_no_list_has_is_an_endpoint_all_the_same(linked: Linked) -> None:
    linked.pbx.house.queues = {"sales": [SimulatedMember("Old", "DAHDI/3", "DAHDI/3")]}
    assert endpoints(await explored(linked))["DAHDI/3"].registered is None


@pytest.mark.parametrize(
    "hostile",
    ["x\r\nAction: Hangup", "a)b(", "${SHELL(id)}", "1001,aors)", "<script>", "a b", "x" * 500, "\u202e1", "1001/../x"],
)
async def test_a_hostile_name_neither_asks_for_more_nor_ends_the_search(linked: Linked, hostile: str) -> None:
    linked.pbx.house.phones.append(SimulatedPhone(hostile, user_agent="evil"))
    linked.pbx.house.queues[hostile] = [SimulatedMember(hostile, f"PJSIP/{hostile}", f"PJSIP/{hostile}")]
    before = len(linked.pbx.actions)
    found = await explored(linked)
    assert {"PJSIP/1001", "PJSIP/trunk"} <= set(endpoints(found))
    asked = linked.pbx.actions[before:]
    assert {action["Action"] for action in asked} <= {
        *("PJSIPShowEndpoints", "SIPpeers", "DeviceStateList", "QueueStatus", "Getvar", "Ping"),
    }
    assert not [action for action in asked if "SHELL" in action.get("Variable", "") or "<" in str(action)]


async def test_what_a_phone_calls_itself_is_one_short_line(linked: Linked) -> None:
    linked.pbx.house.phones = [SimulatedPhone("1", '"<img src=x>\u202e\x07" <1>', user_agent="\x1b[31m" + "A" * 5000)]
    (phone,) = [seen for seen in (await explored(linked)).endpoints if seen.endpoint == "PJSIP/1"]
    assert phone.user_agent == "[31m" + "A" * 196
    assert phone.name is None or phone.name.isprintable()


async def test_ten_thousand_endpoints_are_listed_and_calls_followed_meanwhile(
    make: Callable[..., Linked], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(explore_module, "LIST_S", 30.0)  # the simulated PBX shares this process, and a busy machine
    monkeypatch.setattr(explore_module, "WHOLE_S", 60.0)
    linked = make(timings=AmiTimings())
    await linked.connected()
    linked.pbx.house.phones = [SimulatedPhone(f"e{number}") for number in range(10_000)]
    exploring = asyncio.create_task(explored(linked))
    await linked.until(lambda: "Getvar" in linked.pbx.asked, 60.0)
    linked.pbx.send_raw(event("Hangup", Uniqueid="7.7", Cause="16"))
    await linked.next(ChannelEnded, 60.0)
    assert not exploring.done()
    found = await exploring
    assert len([seen for seen in found.endpoints if seen.endpoint.startswith("PJSIP/e")]) == 10_000
    looked_at = [seen for seen in found.endpoints if seen.takes_registrations is not None]
    assert len(looked_at) == MAX_DETAILS
    assert str(MAX_DETAILS) in str(found.problems)


async def test_a_list_without_end_is_given_up_in_time(linked: Linked, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(explore_module, "LIST_S", 0.2)
    start = b"Response: Success\r\nActionID: {id}\r\nEventList: start\r\n\r\n"
    linked.pbx.answers["QueueStatus"] = start + b"Event: QueueParams\r\nActionID: {id}\r\nQueue: x\r\n\r\n"
    linked.pbx.answers["DeviceStateList"] = start
    found = await explored(linked)
    assert len(found.problems) == 2
    assert all("did not come to its end" in problem for problem in found.problems)
    assert not linked.link.actions._lists


async def test_a_pbx_that_hangs_costs_a_bounded_time(linked: Linked, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(explore_module, "WHOLE_S", 0.1)
    linked.pbx.mute |= {"QueueStatus", "DeviceStateList"}
    found = await explored(linked)
    assert found.endpoints == ()
    assert "took too long" in str(found.problems)


async def test_without_the_right_or_the_module_the_problem_is_named(linked: Linked) -> None:
    linked.pbx.house.commands.discard("DeviceStateList")
    found = await explored(linked)
    assert found.problems == (NO_WAY,)
    assert set(endpoints(found)) == {"PJSIP/1001", "PJSIP/1002", "PJSIP/1003"}  # members of queues


async def test_a_pbx_that_is_down_is_a_problem_in_words() -> None:
    found = await explore("main", Actions(), Wanted())
    assert (found.endpoints, len(found.problems)) == ((), 1)
    assert "no connection" in found.problems[0]


async def test_a_link_that_falls_in_the_middle_of_a_list_ends_the_wait(make: Callable[..., Linked]) -> None:
    here = make()
    await here.connected()
    here.pbx.answers["QueueStatus"] = b"Response: Success\r\nActionID: {id}\r\nEventList: start\r\n\r\n"
    asking = asyncio.create_task(explore("main", here.link.actions, Wanted()))
    await here.until(lambda: "QueueStatus" in here.pbx.asked)
    here.pbx.drop()
    async with asyncio.timeout(2):
        assert "no connection" in str((await asking).problems)


async def test_rows_that_nobody_asked_for_are_passed_over(linked: Linked) -> None:
    linked.pbx.send_raw(
        b"Event: DeviceStateChange\r\nPrivilege: call,all\r\nDevice: PJSIP/evil\r\nState: INUSE\r\n\r\n"
    )
    linked.pbx.send_raw(b"Event: QueueMember\r\nActionID: guess\r\nQueue: x\r\nLocation: PJSIP/evil\r\n\r\n")
    assert "PJSIP/evil" not in endpoints(await explored(linked))
