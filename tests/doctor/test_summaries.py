"""What the doctor says of the daily summary."""

from __future__ import annotations

from datetime import date

import pytest

from daemon.clock import now_ms
from daemon.diagnosis import Area, Finding, State
from daemon.policy.summary import SummaryReason
from daemon.store.summaries import begin_sending, leave_out, settle_sending
from daemon.store.summary_targets import add_target
from tests.doctor.conftest import Clinic

SECRET = "abcdefg_hijklmnop"


async def add(clinic: Clinic) -> None:
    url = f"tgram://123456789:{SECRET}/42"
    await clinic.store.writer.change(lambda: add_target("sum_1", url, "Boss", "en", now_ms()))


async def found(clinic: Clinic) -> Finding | None:
    return (await clinic.examine(Area.WEB)).get("web.summary")


async def settled(clinic: Clinic, day: int, reason: SummaryReason | None) -> None:
    on = date(2026, 11, day)
    await clinic.store.writer.change(lambda: begin_sending("sum_1", on, now_ms()))
    await clinic.store.writer.change(lambda: settle_sending("sum_1", on, now_ms(), reason, "401 Unauthorized"))


async def test_nothing_is_said_where_nobody_gets_one_and_all_is_well_before_the_first(clinic: Clinic) -> None:
    assert await found(clinic) is None
    await add(clinic)
    said = await found(clinic)
    assert said is not None
    assert said.state is State.OK


async def test_one_that_did_not_come_is_a_warning_until_the_next_one_comes(clinic: Clinic) -> None:
    await add(clinic)
    await settled(clinic, 22, SummaryReason.REFUSED)
    said = await found(clinic)
    assert said is not None
    assert (said.state, said.about) == (State.WARNING, "sum_1")
    assert "Boss (Telegram)" in said.what
    assert "401 Unauthorized" in said.what
    assert SECRET not in f"{said.what}{said.why}{said.fix}"
    await settled(clinic, 23, None)
    said = await found(clinic)
    assert said is not None
    assert said.state is State.OK


async def test_one_that_was_left_out_is_told(clinic: Clinic) -> None:
    await add(clinic)
    await clinic.store.writer.change(lambda: leave_out("sum_1", date(2026, 11, 22), now_ms()))
    said = await found(clinic)
    assert said is not None
    assert (said.state, "was not running" in said.what) == (State.WARNING, True)


async def test_without_apprise_it_is_a_problem_with_the_command_that_solves_it(
    clinic: Clinic, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("daemon.doctor.summaries.is_installed", lambda: False)
    await add(clinic)
    said = await found(clinic)
    assert said is not None
    assert (said.state, "pip install" in str(said.fix)) == (State.PROBLEM, True)
