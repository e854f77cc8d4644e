# ruff: noqa: ASYNC240 - nothing else runs in these loops
"""Backups of a database in use, the way back, and one daemon for one database."""

from __future__ import annotations

import asyncio
import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from daemon.call.signals import UnixMs
from daemon.errors import ConfigError
from daemon.store import schema
from daemon.store.audit import By
from daemon.store.backup import back_up, restore
from daemon.store.check import check_database
from daemon.store.live_calls import living_calls
from daemon.store.lock import StoreLock, StoreTaken
from daemon.store.store import Store
from daemon.store.trouble import StoreBroken, StoreTooNew, StoreUnavailable
from tests.store.made import NOON, answered_call, content_of_file

ROOT = By("command:root", NOON)


async def filled(path: Path, calls: int = 3) -> None:
    store = await Store.open(f"sqlite:///{path}")
    for number in range(calls):
        for unit in answered_call(number):
            await store.writer.submit(unit)
    await store.close()


def run(path: Path, *statements: str) -> None:
    with closing(sqlite3.connect(path)) as connection:
        for statement in statements:
            connection.execute(statement)
        connection.commit()


def garble(path: Path) -> None:
    """Every page but the first."""
    with path.open("r+b") as file:
        file.seek(4096)
        file.write(b"\xa5" * (path.stat().st_size - 4096))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "callwarden.db"


async def test_a_backup_of_a_store_that_is_written_meanwhile_is_whole_and_private(path: Path, tmp_path: Path) -> None:
    await filled(path)
    store = await Store.open(f"sqlite:///{path}")
    seen: list[tuple[int, int]] = []

    async def calls_go_on() -> None:
        number = 100
        while not seen:
            for unit in answered_call(number := number + 1):
                await store.writer.submit(unit)
            await store.writer.drain()

    goes_on = asyncio.create_task(calls_go_on())
    copy = tmp_path / "backup.db"
    report = await asyncio.to_thread(back_up, str(path), copy, progress=lambda *done: seen.append(done))
    await goes_on
    await store.close()
    assert report.sound
    assert seen[-1][0] == seen[-1][1]
    assert copy.stat().st_mode & 0o777 == 0o600
    assert sorted(p.name for p in tmp_path.iterdir()) == ["backup.db", "callwarden.db"]
    kept = content_of_file(copy)
    assert set(kept["calls"]) <= set(content_of_file(path)["calls"])
    assert len(kept["calls"]) >= 3
    assert {row[1] for row in kept["ticket_calls"]} <= {row[1] for row in kept["calls"]}


async def test_a_backup_never_replaces_a_file_unless_told_to(path: Path, tmp_path: Path) -> None:
    await filled(path)
    copy = tmp_path / "backup.db"
    copy.write_text("precious")
    with pytest.raises(ConfigError, match="--force"):
        back_up(str(path), copy)
    assert copy.read_text() == "precious"
    back_up(str(path), copy, force=True)
    assert check_database(str(copy)).sound
    for own in (path, Path(f"{path}-wal"), Path(f"{path}.lock")):
        with pytest.raises(ConfigError, match="database itself"):
            back_up(str(path), own, force=True)


async def test_no_backup_is_made_of_what_is_damaged_or_not_there(path: Path, tmp_path: Path) -> None:
    with pytest.raises(StoreUnavailable, match="no database to back up"):
        back_up(str(path), tmp_path / "b.db")
    await filled(path)
    garble(path)
    with pytest.raises(StoreBroken, match="damaged"):
        back_up(str(path), tmp_path / "b.db")
    assert [p.name for p in tmp_path.iterdir() if "b.db" in p.name.replace("callwarden.db", "")] == []


async def test_a_restore_puts_back_what_was_and_keeps_what_is(path: Path, tmp_path: Path) -> None:
    await filled(path, 3)
    back_up(str(path), copy := tmp_path / "backup.db")
    before = content_of_file(path)
    await filled(path, 5)
    restored = restore(copy, str(path), ROOT)
    assert content_of_file(path) == before
    assert restored.kept is not None
    assert restored.kept.name == "callwarden.db.before-2026-11-22T040000Z"
    assert len(content_of_file(restored.kept)["calls"]) == 5
    with closing(sqlite3.connect(path)) as connection:
        audit = connection.execute("SELECT by, action, object FROM audit_log").fetchall()
    assert audit == [("command:root", "store.restore", "store:backup.db")]
    store = await Store.open(f"sqlite:///{path}", alone=True)
    await store.close()


async def test_a_restore_signs_everybody_out(path: Path, tmp_path: Path) -> None:
    await filled(path)
    account = "INSERT INTO accounts VALUES ('mai', 'x', 'admin', NULL, 'vi', 1, NULL)"
    run(path, account, "INSERT INTO sessions VALUES ('d', 'mai', 1, 1, 1, '', '')")
    back_up(str(path), copy := tmp_path / "backup.db")
    restore(copy, str(path), ROOT)
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT count(*) FROM sessions").fetchone() == (0,)
        assert connection.execute("SELECT count(*) FROM accounts").fetchone() == (1,)


async def test_nothing_is_restored_under_a_daemon_or_any_other_program(path: Path, tmp_path: Path) -> None:
    await filled(path)
    back_up(str(path), copy := tmp_path / "backup.db")
    daemon = await Store.open(f"sqlite:///{path}", alone=True)
    with pytest.raises(StoreTaken, match=f"process {os.getpid()}.*stop it first"):
        restore(copy, str(path), ROOT)
    await daemon.close()
    other = await Store.open(f"sqlite:///{path}")
    await living_calls(other.reader)
    with pytest.raises(StoreTaken, match="another program"):
        restore(copy, str(path), ROOT)
    await other.close()
    restore(copy, str(path), ROOT)


async def test_a_damaged_database_is_named_at_the_start_and_a_restore_mends_it(path: Path, tmp_path: Path) -> None:
    await filled(path)
    back_up(str(path), copy := tmp_path / "backup.db")
    before = content_of_file(path)
    garble(path)
    assert not check_database(str(path)).sound
    with pytest.raises(StoreBroken, match="callwarden restore FILE"):
        await Store.open(f"sqlite:///{path}", alone=True)
    restore(copy, str(path), ROOT)
    assert content_of_file(path) == before


async def test_a_database_cut_short_is_refused_at_the_start(path: Path) -> None:
    await filled(path, 20)
    os.truncate(path, path.stat().st_size // 2 // 4096 * 4096)
    with pytest.raises(StoreBroken, match="restore a backup"):
        await Store.open(f"sqlite:///{path}", alone=True)


@pytest.mark.parametrize("there", [False, True])
async def test_a_log_of_the_old_database_is_not_read_into_the_restored_one(
    path: Path, tmp_path: Path, *, there: bool
) -> None:
    """What a crash leaves, the database itself moved away or damaged; the log is kept with it."""
    await filled(path)
    back_up(str(path), copy := tmp_path / "backup.db")
    before, log = content_of_file(path), Path(f"{path}-wal")
    store = await Store.open(f"sqlite:///{path}")
    for number in range(50, 70):
        for unit in answered_call(number):
            await store.writer.submit(unit)
    await store.writer.drain()
    crashed = log.read_bytes()
    await store.close()
    if there:
        path.write_bytes(b"no database " * 1000)
    else:
        path.unlink()
    log.write_bytes(crashed)
    Path(f"{path}-journal").write_bytes(b"torn")
    assert restore(copy, str(path), ROOT).report.sound
    assert sorted(p.name for p in tmp_path.iterdir() if ".before-" in p.name and p.name.endswith("-wal"))
    assert not log.exists()
    assert not Path(f"{path}-journal").exists()
    assert check_database(str(path), full=True).findings() == ()
    assert content_of_file(path) == before


async def test_only_a_backup_that_this_version_knows_is_restored(path: Path, tmp_path: Path) -> None:
    await filled(path)
    back_up(str(path), copy := tmp_path / "backup.db")
    before = content_of_file(path)
    wrong = {
        "newer": (StoreTooNew, "install the newer version"),
        "text": (StoreBroken, "no backup"),
        "empty": (StoreBroken, "no database of Callwarden"),
        "garbled": (StoreBroken, "nothing was changed"),
    }
    for name in ("newer", "garbled"):
        (tmp_path / name).write_bytes(copy.read_bytes())
    run(tmp_path / "newer", "UPDATE alembic_version SET version_num = '9999'")
    garble(tmp_path / "garbled")
    (tmp_path / "text").write_text("no database " * 1000)
    (tmp_path / "empty").touch()
    for name, (kind, words) in wrong.items():
        with pytest.raises(kind, match=words):
            restore(tmp_path / name, str(path), ROOT)
    with pytest.raises(ConfigError, match="no such backup"):
        restore(tmp_path / "nothing", str(path), ROOT)
    assert content_of_file(path) == before
    assert [p.name for p in tmp_path.iterdir() if p.name.endswith(".part") or ".before-" in p.name] == []


async def test_a_check_names_references_to_what_is_not_there(path: Path) -> None:
    await filled(path)
    assert check_database(str(path), full=True).findings() == ()
    run(path, "DELETE FROM tickets")
    (finding,) = check_database(str(path)).findings()
    assert finding == "3 rows of ticket_calls refer to tickets that are not there"


async def test_a_second_daemon_is_refused_until_the_first_has_ended(path: Path) -> None:
    first = await Store.open(f"sqlite:///{path}", alone=True)
    with pytest.raises(StoreTaken):
        await Store.open(f"sqlite:///{path}", alone=True)
    beside = await Store.open(f"sqlite:///{path}")  # a command beside the daemon is welcome
    await beside.close()
    await first.close()
    second = await Store.open(f"sqlite:///{path}", alone=True)
    await second.close()


def test_a_killed_daemon_leaves_no_lock_behind(path: Path) -> None:
    taking = f"from daemon.store.lock import StoreLock; kept = StoreLock.take({str(path)!r})"
    child = f"{taking}; print(1, flush=True); input()"
    with subprocess.Popen([sys.executable, "-c", child], stdin=-1, stdout=-1) as process:
        assert process.stdout is not None
        process.stdout.readline()
        with pytest.raises(StoreTaken, match=f"process {process.pid}"):
            StoreLock.take(str(path))
        process.send_signal(signal.SIGKILL)
    StoreLock.take(str(path)).release()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
async def test_what_root_makes_belongs_to_the_owner_of_its_folder(path: Path, tmp_path: Path) -> None:
    os.chown(tmp_path, 4242, 4243)
    store = await Store.open(f"sqlite:///{path}", alone=True)
    for unit in answered_call(1):
        await store.writer.submit(unit)
    await store.writer.drain()
    owners = {p.name: (p.stat().st_uid, p.stat().st_gid, p.stat().st_mode & 0o777) for p in tmp_path.iterdir()}
    await store.close()
    names = [f"callwarden.db{end}" for end in ("", "-wal", "-shm", ".lock")]
    assert owners == dict.fromkeys(names, (4242, 4243, 0o600))
    back_up(str(path), copy := tmp_path / "backup.db")
    restore(copy, str(path), By("command:root", UnixMs(1)))
    assert path.stat().st_uid == 4242


def test_a_backup_of_an_older_version_is_brought_up_to_date(path: Path, tmp_path: Path) -> None:
    old = tmp_path / "old.db"
    old.touch()
    run(old, "CREATE TABLE alembic_version (version_num TEXT)", "INSERT INTO alembic_version VALUES ('0001')")
    assert check_database(str(old)).revision is None  # no table of ours
    schema.upgrade(str(path))
    assert check_database(str(path)).revision == schema.NEWEST


async def _number_of_a_new_ticket(path: Path, call: int) -> int:
    store = await Store.open(f"sqlite:///{path}")
    for unit in answered_call(call):
        await store.writer.submit(unit)
    await store.close()
    return max(int(str(row[0])) for row in content_of_file(path)["tickets"])


async def test_no_ticket_gets_a_number_that_was_given_since_the_backup(path: Path, tmp_path: Path) -> None:
    """Its messages would have the ids of the old one's: who has seen those would take them for repeats."""
    await filled(path, 3)
    back_up(str(path), copy := tmp_path / "backup.db")
    await filled(path, 5)
    told = {row[0] for row in content_of_file(path)["deliveries"]}
    assert restore(copy, str(path), ROOT).next_ticket == 6
    restored = {row[0] for row in content_of_file(path)["deliveries"]}
    assert await _number_of_a_new_ticket(path, 77) == 6
    new = {row[0] for row in content_of_file(path)["deliveries"]} - restored
    assert new
    assert not new & told
    assert await _number_of_a_new_ticket(path, 78) == 7
    assert restore(copy, str(path), By("command:root", UnixMs(NOON + 1000))).next_ticket == 8  # and once more


@pytest.mark.parametrize("harm", [Path.unlink, garble])
async def test_where_nobody_knows_how_many_were_given_enough_are_left_out(
    path: Path, tmp_path: Path, harm: Callable[[Path], None]
) -> None:
    await filled(path, 3)
    back_up(str(path), copy := tmp_path / "backup.db")
    harm(path)
    a_day_later = By("command:root", UnixMs(NOON + 86_400_000))
    assert 900 < restore(copy, str(path), a_day_later).next_ticket < 1_100
    assert await _number_of_a_new_ticket(path, 77) > 900


async def test_a_backup_that_moves_to_another_machine_leaves_out_nearly_none(path: Path, tmp_path: Path) -> None:
    await filled(path, 3)
    back_up(str(path), copy := tmp_path / "backup.db")
    assert restore(copy, str(tmp_path / "new.db"), By("command:root", UnixMs(NOON + 300_000))).next_ticket < 10
