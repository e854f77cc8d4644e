"""What the doctor says of the database, the disk and the clock; and that no check can take another down."""

from __future__ import annotations

import asyncio
import os
import sqlite3
from collections.abc import Iterable
from pathlib import Path
from typing import Any, cast

import pytest

from daemon.call.signals import UnixMs
from daemon.clock import now_ms
from daemon.config import load_config
from daemon.diagnosis import Area, Finding, State
from daemon.doctor import database
from daemon.doctor.examination import Check, Examination, examined
from daemon.doctor.own_session import open_doctor
from daemon.doctor.patient import Patient
from daemon.errors import TryAgain
from daemon.message import Message
from daemon.store.values import Unit
from tests.doctor.conftest import Clinic
from tests.factory import missed

NOBODY = cast("Patient", None)


def broken_copy(clinic: Clinic, text: str) -> None:
    """The database as it would be after this."""
    with sqlite3.connect(clinic.folder / "c.db") as connection:
        connection.executescript(text)
    connection.close()


async def test_a_sound_database_is_whole_of_this_version_and_ours_alone(clinic: Clinic) -> None:
    found = await clinic.examine(Area.MACHINE)
    assert {one.state for check, one in found.items() if check != "machine.disk"} == {State.OK}
    assert {"machine.database", "machine.database_version", "machine.database_file"} <= set(found)


async def test_where_there_is_no_database_every_finding_about_what_is_in_it_says_so(tmp_path: Path) -> None:
    path = tmp_path / "c.toml"
    path.write_text(f'[store]\nurl = "sqlite:///{tmp_path / "none.db"}"\n')
    async with open_doctor(load_config(path)) as examination:
        found = {one.check: one for one in await examination.examine()}
    assert found["machine.database_file"].state is State.PROBLEM
    assert (found["phones.agents"].state, "cannot be used" in found["phones.agents"].what) == (State.UNKNOWN, True)
    assert found["pbx.connected"].state is State.PROBLEM  # none is configured
    assert not (tmp_path / "none.db").exists()


async def test_a_database_of_another_version_is_read_as_far_as_it_goes_and_never_changed(clinic: Clinic) -> None:
    broken_copy(clinic, "UPDATE alembic_version SET version_num = '0001'")
    assert (await clinic.examine(Area.MACHINE))["machine.database_version"].state is State.WARNING
    broken_copy(clinic, "UPDATE alembic_version SET version_num = '9999'")
    assert (await clinic.examine(Area.MACHINE))["machine.database_version"].state is State.PROBLEM
    broken_copy(clinic, "ALTER TABLE agents DROP COLUMN phone_brand")
    found = await clinic.examine(Area.PHONES, Area.MACHINE)
    assert found["phones.agents"].state is State.UNKNOWN
    assert found["machine.database"].state is State.OK


async def test_damage_is_found(clinic: Clinic) -> None:
    await clinic.store.close()
    with (clinic.folder / "c.db").open("r+b") as file:
        file.seek(4096)
        file.write(b"\xff" * 40_000)
    found = await asyncio.to_thread(database._look_inside, clinic.folder / "c.db")
    assert (found[0].state, found[0].check) == (State.PROBLEM, "machine.database")


async def test_a_check_that_takes_too_long_is_broken_off(clinic: Clinic, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "QUICK_CHECK_S", -1.0)
    monkeypatch.setattr(database, "_STEPS", 1)
    found = (await clinic.examine(Area.MACHINE))["machine.database"]
    assert (found.state, "too big" in found.what) == (State.UNKNOWN, True)


async def test_a_database_that_everybody_may_read_or_that_has_a_huge_log_is_a_warning(
    clinic: Clinic, monkeypatch: pytest.MonkeyPatch
) -> None:
    (clinic.folder / "c.db").chmod(0o644)
    monkeypatch.setattr(database, "BIG_LOG", 1)
    await clinic.agent("an")
    found = await clinic.examine(Area.MACHINE)
    assert (found["machine.database_file"].state, found["machine.database_log"].state) == (State.WARNING,) * 2
    assert "chmod o= " in str(found["machine.database_file"].fix)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
async def test_files_of_several_owners_are_a_problem(clinic: Clinic) -> None:
    await clinic.agent("an")
    os.chown(clinic.folder / "c.db-wal", 65534, 65534)
    (found,) = database._look_at_file(clinic.folder / "c.db")  # before SQLite, as root, gives it back
    assert (found.state, "chown callwarden: " in str(found.fix)) == (State.PROBLEM, True)


@pytest.mark.parametrize(("free", "state"), [(10_000_000, State.PROBLEM), (500_000_000, State.WARNING)])
async def test_a_disk_that_is_nearly_full_is_told_before_it_is_full(
    clinic: Clinic, monkeypatch: pytest.MonkeyPatch, free: int, state: State
) -> None:
    real = os.statvfs

    def little(path: Any) -> os.statvfs_result:
        values = list(real(path))
        values[0], values[1], values[4] = 1, 1, free
        return os.statvfs_result(values)

    monkeypatch.setattr(os, "statvfs", little)
    found = (await clinic.examine(Area.MACHINE))["machine.disk"]
    assert (found.state, f"{free // 1_000_000} MB" in found.what) == (state, True)


async def test_a_call_of_tomorrow_tells_of_a_clock_that_was_wrong(clinic: Clinic) -> None:
    await clinic.record(Unit(now_ms(), missed(started_at=UnixMs(now_ms() + 3_600_000)), ()))
    found = (await clinic.examine(Area.MACHINE))["machine.clock"]
    assert (found.state, "60 minutes" in found.what) == (State.WARNING, True)


async def _fine(_: Patient) -> Iterable[Finding]:
    return [Finding(check="web.fine", state=State.OK, what=Message("Fine."))]


async def _breaks(_: Patient) -> Iterable[Finding]:
    raise KeyError("our own bug")


async def _is_refused(_: Patient) -> Iterable[Finding]:
    raise TryAgain("the outside said no")


async def _hangs(_: Patient) -> Iterable[Finding]:
    await asyncio.sleep(60)
    return []


async def test_a_check_that_fails_or_hangs_is_a_finding_and_the_others_are_made() -> None:
    checks = [Check("web.a", _breaks), Check("web.b", _is_refused), Check("web.fine", _fine)]
    examination = Examination(NOBODY, checks)
    found = await examination.examine()
    assert [(one.check, one.state) for one in found] == [
        ("web.a", State.UNKNOWN),
        ("web.b", State.UNKNOWN),
        ("web.fine", State.OK),
    ]
    assert ("see its log" in found[0].what, "the outside said no" in found[1].what) == (True, True)
    (late,) = await examined(Check("web.c", _hangs), NOBODY, 0.01)
    assert (late.state, "took longer" in late.what) == (State.UNKNOWN, True)
    await examination.close()


async def test_who_asks_meanwhile_shares_the_look_and_one_who_leaves_ends_nothing() -> None:
    looks: list[int] = []

    async def slow(_: Patient) -> Iterable[Finding]:
        looks.append(1)
        await asyncio.sleep(0.02)
        return await _fine(NOBODY)

    examination = Examination(NOBODY, [Check("web.slow", slow)])
    leaving, staying = (asyncio.create_task(examination.examine()) for _ in range(2))
    await asyncio.sleep(0.005)
    leaving.cancel()
    assert len(await staying) == len(await examination.examine((Area.WEB,))) == 1
    assert len(looks) == 1
    await examination.close()
