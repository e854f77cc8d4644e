"""CDR tables: SQLite as Asterisk itself made it. Real servers: test_cdr_servers.py."""

from __future__ import annotations

import sqlite3
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from daemon.ami.call_records import CallRecords, RecordsConfig
from daemon.call.directory import Directory
from daemon.call.model import PbxName, UserId
from daemon.call.past_call import understand
from daemon.call.signals import Endpoint, UnixMs
from daemon.errors import CallwardenError

MASTER_DB = Path(__file__).parents[1] / "recordings" / "cdr" / "asterisk-22" / "master.db"
EVER = UnixMs(2_000_000_000_000)
PEOPLE = Directory(endpoints={Endpoint(f"PJSIP/{user}"): UserId(str(user)) for user in (1001, 1002)})


def calls_of(records: CallRecords) -> list[tuple[Any, ...]]:
    found = []
    for gathered in records.gathered(UnixMs(0), EVER):
        for rows, notes in gathered.calls:
            past = understand(PbxName("main"), rows, notes, PEOPLE)
            assert past is not None
            call = past.call
            found.append(
                (call.direction.value, call.customer_number, call.outcome and call.outcome.value, call.user_ids)
            )
    return found


def test_a_table_that_asterisk_made_is_read() -> None:
    records = CallRecords(RecordsConfig(cdr=f"sqlite:///{MASTER_DB}", time_zone="UTC"))
    look = records.require_usable()
    assert (look.broken, look.has_links, look.zone_off_ms) == (0, True, 0)
    assert calls_of(records) == [
        ("incoming", "+84901000002", "missed", ()),
        ("incoming", "+84901000057", "answered", ("1001",)),
        ("incoming", "+84901000059", "missed", ()),
        ("outgoing", "+84912345678", "answered", ("1001",)),
        ("incoming", "+84901000006", "answered", ("1002",)),
        ("internal", None, "answered", ("1001", "1002")),
        ("incoming", "+84901000089", "answered", ("1001", "1002")),
    ]


def test_only_the_span_is_read() -> None:
    records = CallRecords(RecordsConfig(cdr=f"sqlite:///{MASTER_DB}", time_zone="UTC"))
    newest = records.look().newest_at
    assert newest is not None
    assert sum(len(one.calls) for one in records.gathered(newest, newest)) == 1


def test_reading_never_writes_and_makes_no_file(tmp_path: Path) -> None:
    records = CallRecords(RecordsConfig(cdr=f"sqlite:///{tmp_path / 'none.db'}"))
    with pytest.raises(CallwardenError, match="no such file"):
        records.look()
    assert list(tmp_path.iterdir()) == []


def test_a_table_of_something_else_is_refused_in_words(tmp_path: Path) -> None:
    path = tmp_path / "other.db"
    with sqlite3.connect(path) as database:
        database.execute("CREATE TABLE cdr (a, b)")
        database.execute("CREATE TABLE cdr2 (calldate)")
    with pytest.raises(CallwardenError, match="neither a column start nor calldate"):
        CallRecords(RecordsConfig(cdr=f"sqlite:///{path}")).look()
    with pytest.raises(CallwardenError, match='no table "calls"'):
        CallRecords(RecordsConfig(cdr=f"sqlite:///{path}", cdr_table="calls")).look()


def test_a_driver_that_is_not_installed_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pymysql", None)  # as Python says that there is none
    records = CallRecords(RecordsConfig(cdr="mysql+pymysql://a:secret@127.0.0.1/cdr"))
    with pytest.raises(CallwardenError, match=r"pip install 'callwarden\[mysql\]'") as refused:
        records.look()
    assert "secret" not in str(refused.value)


@pytest.mark.parametrize("write", [str, lambda at: f"{datetime.fromtimestamp(at, UTC):%Y-%m-%d %H:%M:%S}"])
def test_seconds_and_dates_are_both_times(tmp_path: Path, write: Callable[[int], str]) -> None:
    path, at = tmp_path / "cdr.db", 1_795_380_375
    with sqlite3.connect(path) as database:
        database.execute("CREATE TABLE cdr (calldate, duration, billsec, channel, src, dst, disposition, uniqueid)")
        row = (write(at), 9, 4, "PJSIP/trunk-1", "0901234567", "1900", "NO ANSWER", f"{at}.7")
        database.execute("INSERT INTO cdr VALUES (?, ?, ?, ?, ?, ?, ?, ?)", row)
    records = CallRecords(RecordsConfig(cdr=f"sqlite:///{path}", time_zone="UTC"))
    (gathered,) = records.gathered(UnixMs(at * 1000), UnixMs((at + 10) * 1000))
    ((rows, _),) = gathered.calls
    assert (rows[0].started_at, rows[0].ended_at, gathered.unlinked) == (at * 1000, (at + 9) * 1000, 1)


def test_the_hour_before_clocks_go_back_is_read_in_the_hour_after(tmp_path: Path) -> None:
    zone, at = "America/New_York", int(datetime(2026, 11, 1, 5, 40, tzinfo=UTC).timestamp())
    written = datetime.fromtimestamp(at, ZoneInfo(zone))
    with sqlite3.connect(tmp_path / "cdr.db") as table:
        table.execute("create table cdr(calldate text, channel text, duration int, disposition text, uniqueid text)")
        row = (f"{written:%Y-%m-%d %H:%M:%S}", "PJSIP/trunk-0001", 30, "NO ANSWER", f"{at}.1")
        table.execute("insert into cdr values(?,?,?,?,?)", row)
    table.close()
    records = CallRecords(RecordsConfig(cdr=f"sqlite:///{tmp_path / 'cdr.db'}", time_zone=zone))
    half_an_hour_later = records.gathered(UnixMs((at - 600) * 1000), UnixMs((at + 1800) * 1000))
    assert sum(len(one.calls) for one in half_an_hour_later) == 1
