"""The check of a PBX says what works, what does not and what to do, and disturbs nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from daemon.ami.checkup import Checkup
from daemon.ami.link import LinkState
from daemon.ami.manager_conf import Wishes
from daemon.pbx import Finding
from tests.ami.conftest import Linked

HARMLESS = {
    *("Challenge", "Login", "Ping", "CoreShowChannels", "CoreSettings", "CoreStatus", "ListCommands", "QueueStatus"),
    *("PJSIPShowEndpoints", "SIPpeers", "DeviceStateList"),
}


def by_name(findings: list[Finding]) -> dict[str, Finding]:
    assert len({finding.name for finding in findings}) == len(findings)
    return {finding.name: finding for finding in findings}


async def checked(linked: Linked) -> dict[str, Finding]:
    return by_name(await Checkup(linked.link).run())


async def test_where_all_is_well_every_test_is_passed_and_only_asked(linked: Linked) -> None:
    await linked.pbx.play("queue_answered", speed=200.0)
    linked.pbx.begin("direct_answered", speed=200.0, stays=True)
    await linked.until(lambda: bool(linked.pbx.channels.talking()))
    linked.pbx.report()
    await linked.link.actions.ping()
    found = await checked(linked)
    assert {name for name, finding in found.items() if finding.ok is not True} == {"phone_keys"}  # nobody needs it
    assert set(found) == {
        *("connected", "login", "version", "clock", "list_calls", "hang_up", "originate", "variables"),
        *("transfer", "pause", "phone_keys", "events", "timestamps", "reports", "unreachable", "queues", "endpoints"),
    }
    assert all(finding.fix is None for finding in found.values())
    assert set(linked.pbx.asked) <= HARMLESS
    assert linked.link.logins == 1


async def test_two_who_ask_at_once_share_one_run_and_one_who_leaves_ends_nothing(linked: Linked) -> None:
    checkup = Checkup(linked.link)
    leaving, staying = asyncio.create_task(checkup.run()), asyncio.create_task(checkup.run())
    await linked.until(lambda: "CoreSettings" in linked.pbx.asked)
    leaving.cancel()
    assert by_name(await staying)["endpoints"].ok is True
    assert linked.pbx.asked.count("ListCommands") == 1


async def test_a_pbx_that_answers_nothing_ends_the_check_in_time(
    linked: Linked, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("daemon.ami.checkup.WHOLE_S", 0.1)
    linked.pbx.mute |= {"CoreSettings", "ListCommands"}
    assert (await checked(linked))["in_time"].ok is False


async def test_a_right_that_lacks_is_named_with_its_fix_after_one_more_login(linked: Linked) -> None:
    linked.pbx.house.commands -= {"Originate", "Setvar"}
    found = await checked(linked)
    assert (found["originate"].ok, found["variables"].ok, found["hang_up"].ok) == (False, False, True)
    assert "Setvar" in found["variables"].words
    assert "Getvar" not in found["variables"].words
    assert "write = call,originate,agent,reporting" in str(found["originate"].fix)
    assert linked.link.logins == 2
    assert linked.link.last_failure is None  # what we did ourselves is no failure


async def test_a_right_given_since_the_login_is_found_because_we_log_in_again(linked: Linked) -> None:
    """A session of Asterisk keeps the rights it had at its login."""
    linked.pbx.house.commands -= {"Hangup"}
    checking = asyncio.create_task(checked(linked))
    await linked.until(lambda: "ListCommands" in linked.pbx.asked)
    linked.pbx.house.commands |= {"Hangup"}
    found = await checking
    assert (found["hang_up"].ok, linked.link.logins) == (True, 2)


async def test_the_right_to_write_to_phones_is_wanted_only_where_the_setting_is_on(linked: Linked) -> None:
    wishes = Wishes(phone_messages=True)
    lacking = by_name(await Checkup(linked.link).run(wishes))["phone_messages"]
    assert (lacking.ok, "MessageSend" in lacking.words) == (False, True)
    assert "write = call,originate,agent,reporting,message" in str(lacking.fix)
    linked.pbx.house.commands |= {"MessageSend"}
    assert by_name(await Checkup(linked.link).run(wishes))["phone_messages"].ok is True
    assert "phone_messages" not in await checked(linked)


async def test_the_wide_right_for_the_phones_keys_is_never_demanded(linked: Linked) -> None:
    without = (await checked(linked))["phone_keys"]
    assert (without.ok, without.fix, "system" in without.words) == (None, None, True)
    assert linked.link.logins == 1
    linked.pbx.house.commands |= {"PJSIPNotify"}
    assert (await checked(linked))["phone_keys"].ok is True


async def test_whether_events_come_is_told_only_after_a_call(linked: Linked) -> None:
    checkup = Checkup(linked.link)
    assert by_name(await checkup.run())["events"].ok is None
    linked.pbx.processed += 1  # a call went by and its events were kept from us
    silent = by_name(await checkup.run())["events"]
    assert silent.ok is False
    assert "read = call,agent,reporting,system" in str(silent.fix)
    await linked.pbx.play("direct_answered", speed=200.0)
    await linked.link.actions.ping()
    assert by_name(await checkup.run())["events"].ok is True


async def test_what_the_daemon_cannot_hear_of_lost_connections_is_said_with_what_it_costs(linked: Linked) -> None:
    found = await checked(linked)
    assert (found["reports"].ok, found["unreachable"].ok) == (None, True)
    for _ in range(40):
        await linked.pbx.play("queue_answered", speed=2_000.0)
    linked.link._connection.reader.reads_system = False  # type: ignore[union-attr]
    found = await checked(linked)
    assert (found["reports"].ok, found["unreachable"].ok) == (False, False)
    assert "registration" in found["reports"].words
    assert "on hold" in found["unreachable"].words
    assert "read = call,agent,reporting,system" in str(found["reports"].fix)
    assert found["unreachable"].fix == found["reports"].fix


async def test_events_without_the_pbx_time_are_noticed(linked: Linked) -> None:
    emit = linked.pbx.emit
    linked.pbx.emit = lambda event: emit(tuple(pair for pair in event if pair[0] != "Timestamp"))  # type: ignore[method-assign]
    await linked.pbx.play("direct_answered", speed=200.0)
    await linked.link.actions.ping()
    found = await checked(linked)
    assert (found["events"].ok, found["timestamps"].ok) == (True, False)
    assert "timestampevents = yes" in str(found["timestamps"].fix)


@pytest.mark.parametrize(("version", "ok"), [("13.38.3", False), ("16.28.0~dfsg", True), ("23.0.0", None), ("x", None)])
async def test_versions_are_judged(linked: Linked, version: str, ok: bool | None) -> None:
    text = f"Response: Success\r\nActionID: {{id}}\r\nAsteriskVersion: {version}\r\n\r\n"
    linked.pbx.answers["CoreSettings"] = text.encode()
    assert (await checked(linked))["version"].ok is ok


@pytest.mark.parametrize(
    ("stamp", "ok"), [("1", False), ("99999999999", False), ("", None), ("nan", None), ("inf", None), ("x", None)]
)
async def test_clocks_are_compared(linked: Linked, stamp: str, ok: bool | None) -> None:
    linked.pbx.answers["Ping"] = f"Response: Success\r\nActionID: {{id}}\r\nTimestamp: {stamp}\r\n\r\n".encode()
    found = (await checked(linked))["clock"]
    assert found.ok is ok
    assert (found.fix is not None) is (ok is False)


async def test_one_test_that_fails_leaves_the_others(linked: Linked) -> None:
    linked.pbx.mute.add("QueueStatus")
    linked.pbx.answers["CoreStatus"] = b"Response: Error\r\nActionID: {id}\r\nMessage: odd\r\n\r\n"
    linked.link.actions._limit = 0.2
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("daemon.ami.explore.LIST_S", 0.2)
        found = await checked(linked)
    assert (found["queues"].ok, found["endpoints"].ok) == (False, True)
    assert "in time" in found["queues"].words


async def test_a_refused_login_ends_the_check_with_what_to_compare(make: Callable[..., Linked]) -> None:
    here = make(secret="wrong-one")
    await here.until(lambda: here.link.state is LinkState.REFUSED)
    found = by_name(await Checkup(here.link).run())
    assert (found["connected"].ok, found["login"].ok, set(found)) == (True, False, {"connected", "login"})
    assert "permit" in str(found["login"].fix)
    assert "wrong-one" not in str(found)


async def test_where_nobody_listens_the_check_says_so(make: Callable[..., Linked]) -> None:
    here = make(port=1)
    await here.until(lambda: here.link.state is LinkState.LOST)
    found = by_name(await Checkup(here.link).run())
    assert (found["connected"].ok, found["login"].ok) == (False, None)
    assert "Nobody listens at 127.0.0.1:1" in found["connected"].words
