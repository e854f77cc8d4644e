"""What the doctor says of PBXs, phones and queues: what is wrong, what it costs, what to do, and never a secret."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

import pytest

from daemon.ami.simulated_house import SimulatedMember, SimulatedPhone
from daemon.clock import now_ms
from daemon.diagnosis import Area, Finding, State
from daemon.policy.call_settings import QueueSettings
from daemon.store.queues import put_queue
from daemon.store.values import Unit
from tests.doctor.conftest import Clinic
from tests.factory import missed

SECRET = "a wrong secret that nobody may read"


def texts(findings: dict[str, Finding]) -> str:
    return " ".join(f"{one.what} {one.why} {one.fix}" for one in findings.values())


async def test_a_wrong_password_is_told_with_what_it_costs_and_where_to_look(clinic: Clinic) -> None:
    clinic.pbx_lines["secret"] = SECRET
    found = await clinic.examine(Area.PBX, Area.PHONES, Area.QUEUES)
    login = found["pbx.login"]
    assert (login.state, login.about) == (State.PROBLEM, "main")
    assert "secret is wrong" in login.what
    assert "nobody follows them" in str(login.why)
    assert "[callwarden] in manager.conf" in str(login.fix)
    assert found["queues.known"].state is State.UNKNOWN
    assert SECRET not in texts(found)
    assert clinic.pbx.secret not in texts(found)


async def test_a_pbx_that_is_not_there_hides_nothing_else(clinic: Clinic) -> None:
    port = clinic.pbx.port
    await clinic.pbx.close()
    clinic.pbx_lines["port"] = port
    found = await clinic.examine()
    assert found["pbx.connected"].state is State.PROBLEM
    assert "Nobody listens" in found["pbx.connected"].what
    assert found["machine.database"].state is State.OK
    assert found["dialplan.ringtones"].state is State.UNKNOWN


@pytest.mark.parametrize(
    ("action", "check", "state", "lost"),
    [
        ("CoreShowChannels", "pbx.list_calls", State.PROBLEM, "followed no further"),
        ("Originate", "pbx.originate", State.WARNING, "Click-to-call"),
        ("BlindTransfer", "pbx.transfer", State.WARNING, "transfer"),
        ("QueuePause", "pbx.pause", State.WARNING, "take a break"),
    ],
)
async def test_a_right_that_lacks_is_told_with_the_feature_that_is_lost(
    clinic: Clinic, action: str, check: str, state: State, lost: str
) -> None:
    clinic.pbx.house.commands -= {action}
    found = (await clinic.examine(Area.PBX))[check]
    assert (found.state, lost in str(found.why)) == (state, True)
    assert "write = call,originate,agent,reporting" in str(found.fix)


async def test_all_is_well_where_all_is_well(clinic: Clinic) -> None:
    clinic.pbx.house.phones = [SimulatedPhone("1001", '"An" <1001>')]
    clinic.pbx.house.queues = {"support": [SimulatedMember("An", "PJSIP/1001", "PJSIP/1001")]}
    clinic.pbx.variables["STRFTIME(,,%z)"] = "+0700"
    await clinic.agent("an", "PJSIP/1001")
    await clinic.record(Unit(now_ms(), missed(started_at=now_ms()), ()))
    await clinic.followed()
    found = await clinic.findings(Area.PBX, Area.DIALPLAN, Area.PHONES, Area.QUEUES)
    assert {one.check for one in found if one.state is not State.OK} == {"pbx.records"}
    assert {"pbx.events", "pbx.zone", "phones.qualify", "queues.members"} <= {one.check for one in found}


async def test_calls_of_the_pbx_that_the_daemon_does_not_know_tell_that_events_do_not_arrive(clinic: Clinic) -> None:
    assert (await clinic.examine(Area.PBX))["pbx.events"].state is State.UNKNOWN  # no daemon follows it
    await clinic.followed()
    quiet = (await clinic.examine(Area.PBX))["pbx.events"]
    assert (quiet.state, "Make a call" in str(quiet.fix)) == (State.UNKNOWN, True)
    clinic.pbx.begin("direct_answered", speed=200.0, stays=True)
    while not clinic.pbx.channels.talking():  # noqa: ASYNC110 - at the other end of a socket
        await asyncio.sleep(0.005)
    deaf = (await clinic.examine(Area.PBX))["pbx.events"]
    assert (deaf.state, "eventfilter" in str(deaf.fix)) == (State.PROBLEM, True)


async def test_the_zone_of_the_pbx_is_compared_with_that_of_the_settings(clinic: Clinic) -> None:
    clinic.pbx.variables["STRFTIME(,,%z)"] = "-0330"
    found = (await clinic.examine(Area.PBX))["pbx.zone"]
    assert found.state is State.WARNING
    assert ("UTC-03:30" in found.what, "UTC+07:00" in found.what) == (True, True)


async def test_a_dialplan_that_is_not_included_matters_once_a_ringtone_is_chosen(clinic: Clinic) -> None:
    clinic.pbx.house.no_context |= {"callwarden-ringtone"}
    assert (await clinic.examine(Area.DIALPLAN))["dialplan.ringtones"].state is State.OK
    await clinic.set(ringtone="marimba")
    found = (await clinic.examine(Area.DIALPLAN))["dialplan.ringtone_dialplan"]
    assert (found.state, "dialplan reload" in str(found.fix)) == (State.WARNING, True)
    assert "DBGetTree" not in clinic.pbx.asked  # beside a daemon that keeps the table nothing is written
    assert "Originate" not in clinic.pbx.asked


async def test_phones_that_are_missing_unknown_away_or_never_asked_are_named(clinic: Clinic) -> None:
    clinic.pbx.house.phones[0] = SimulatedPhone("1001", qualify_s=0)
    await clinic.agent("an", "PJSIP/1001", "PJSIP/1002")
    await clinic.agent("binh", "PJSIP/1004", "PJSIP/nowhere")
    await clinic.agent("chi")
    found = await clinic.examine(Area.PHONES)
    assert {check: one.state for check, one in found.items()} == dict.fromkeys(
        ("phones.agents", "phones.known", "phones.registered", "phones.qualify"), State.WARNING
    )
    assert "1 (chi)" in found["phones.agents"].what
    assert "1 (PJSIP/nowhere binh)" in found["phones.known"].what
    assert "1 of 3 (PJSIP/1004 binh)" in found["phones.registered"].what
    assert "1 of 3 (PJSIP/1001 an)" in found["phones.qualify"].what
    assert "qualify_frequency = 60" in str(found["phones.qualify"].fix)


async def test_without_agents_nobody_can_answer(clinic: Clinic) -> None:
    found = await clinic.examine(Area.PHONES)
    assert {check: one.state for check, one in found.items()} == {"phones.agents": State.PROBLEM}


async def test_what_a_pbx_did_not_tell_makes_no_phone_unknown(clinic: Clinic) -> None:
    await clinic.agent("an", "PJSIP/nowhere")
    clinic.pbx.house.commands -= {"DeviceStateList"}
    found = await clinic.examine(Area.PHONES)
    assert found["phones.listed"].state is State.UNKNOWN
    assert "phones.known" not in found


async def test_queues_that_one_side_does_not_know_and_phones_of_nobody_are_named(clinic: Clinic) -> None:
    await clinic.agent("an", "PJSIP/1001", "PJSIP/1002")
    await clinic.store.writer.change(lambda: put_queue("old", QueueSettings()))
    found = await clinic.examine(Area.QUEUES)
    assert (found["queues.known"].state, "1 (old)" in found["queues.known"].what) == (State.WARNING, True)
    strangers = found["queues.members"]
    assert (strangers.state, "1 (PJSIP/1003 sales)" in strangers.what) == (State.PROBLEM, True)
    assert "count as missed" in str(strangers.why)


async def test_the_pbx_is_only_asked(clinic: Clinic) -> None:
    await clinic.agent("an", "PJSIP/1001")
    await clinic.findings()
    harmless = {"Challenge", "Login", "Ping", "ListCommands", "QueueStatus", "DeviceStateList", "PJSIPShowEndpoints"}
    assert set(clinic.pbx.asked) <= harmless | {"CoreShowChannels", "CoreSettings", "CoreStatus", "SIPpeers", "Getvar"}


async def test_a_pbx_that_lets_us_in_and_then_says_nothing_is_a_problem_in_time(
    clinic: Clinic, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("daemon.doctor.pbx_link.ANSWERS_S", 0.1)
    monkeypatch.setattr("daemon.doctor.examination.CHECK_S", 0.2)
    clinic.pbx.mute |= {"ListCommands", "CoreSettings", "DeviceStateList", "QueueStatus", "Getvar"}
    await clinic.agent("an", "PJSIP/1001")
    found = await clinic.examine(Area.PBX, Area.PHONES)
    assert (found["pbx.connected"].state, "hangs" in found["pbx.connected"].what) == (State.PROBLEM, True)
    assert found["phones.registered"].state is State.UNKNOWN


async def test_without_call_records_it_says_what_an_outage_costs(clinic: Clinic) -> None:
    found = (await clinic.examine(Area.PBX))["pbx.records"]
    assert (found.state, found.about) == (State.WARNING, "main")
    assert "leave no trace" in str(found.why)
    assert "Master.csv" in str(found.fix)


async def test_call_records_are_read_and_those_that_stand_still_or_are_missing_are_told(clinic: Clinic) -> None:
    records = clinic.folder / "Master.csv"
    clinic.pbx_lines["cdr"] = str(records)
    missing = (await clinic.examine(Area.PBX))["pbx.records"]
    assert (missing.state, "Master.csv" in missing.what) == (State.PROBLEM, True)
    began = now_ms() - 3_600_000
    at = datetime.fromtimestamp(began // 1000, UTC).strftime("%Y-%m-%d %H:%M:%S")
    call_id = f"{began // 1000}.7"
    records.write_text(
        f'"","0901","1900","hotline","","PJSIP/trunk-1","PJSIP/1001-1","Queue","support","{at}","{at}","{at}",0,0,'
        f'"ANSWERED","DOCUMENTATION","{call_id}","","","{call_id}",92\n'
    )
    clinic.pbx_lines["cdr_time_zone"] = "UTC"
    assert (await clinic.examine(Area.PBX))["pbx.records"].state is State.OK
    await clinic.record(Unit(now_ms(), missed(started_at=now_ms()), ()))
    still = (await clinic.examine(Area.PBX))["pbx.records"]
    assert (still.state, "older than the last call" in still.what) == (State.PROBLEM, True)
