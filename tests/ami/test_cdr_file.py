"""`Master.csv` and `queue_log` as they are found: rotated, cut, half written, huge, broken, forged."""

from __future__ import annotations

import gzip
import os
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from daemon.ami.call_records import CallRecords, RecordsConfig
from daemon.ami.cdr_file import CdrFile, row_of
from daemon.ami.cdr_row import attempt_of
from daemon.ami.growing_log import lines_since
from daemon.ami.queue_log import notes_of
from daemon.call.records import Attempt, QueueStep
from daemon.call.signals import ChannelId, UnixMs
from daemon.errors import CallwardenError

BEGIN = 1_795_380_000  # a Unix second
EVER = UnixMs(2_000_000_000_000)


def row(number: int, *, src: str = "0901234567", zone: str = "UTC", newer: bool = True) -> str:
    """The row of a missed call that began at `BEGIN + number`."""
    at = datetime.fromtimestamp(BEGIN + number, UTC).astimezone(ZoneInfo(zone))
    time = f'"{at:%Y-%m-%d %H:%M:%S}"'
    texts = (
        "",
        src,
        "1902",
        "in",
        f'"" <{src}>',
        f"PJSIP/trunk-{abs(number):08x}",
        "PJSIP/1001-00000001",
        "Dial",
        "x,8",
    )
    quoted = ",".join('"' + text.replace('"', '""') + '"' for text in texts)
    uniqueid = f"{BEGIN + number}.{abs(number)}"
    linked = f',"","{uniqueid}",{abs(number)}' if newer else ""
    return f'{quoted},{time},,{time},0,0,"NO ANSWER","DOCUMENTATION","{uniqueid}",""{linked}\n'


def records(path: Path, zone: str = "UTC") -> CallRecords:
    return CallRecords(RecordsConfig(cdr=str(path), time_zone=zone))


def read(path: Path, since: int = 0, until: int = EVER // 1000, zone: str = "UTC") -> tuple[list[Attempt], int]:
    """All rows of the calls that ended in the span, and how many rows were broken."""
    portions = list(records(path, zone).gathered(UnixMs(since * 1000), UnixMs(until * 1000)))
    return [one for part in portions for rows, _ in part.calls for one in rows], sum(part.broken for part in portions)


def test_rotated_files_are_read_before_the_one_that_is_written(tmp_path: Path) -> None:
    path = tmp_path / "Master.csv"
    (tmp_path / "Master.csv.2.gz").write_bytes(gzip.compress(row(1).encode()))
    (tmp_path / "Master.csv-20261122").write_text(row(2))
    path.write_text(row(3))
    for age, name in ((20, "Master.csv.2.gz"), (10, "Master.csv-20261122")):
        os.utime(tmp_path / name, (BEGIN + 100 - age, BEGIN + 100 - age))
    assert [one.order for one in read(path, BEGIN)[0]] == [1, 2, 3]


def test_rotated_files_from_before_the_span_are_not_opened(tmp_path: Path) -> None:
    path, old = tmp_path / "Master.csv", tmp_path / "Master.csv.1"
    old.write_bytes(b"\0")
    os.utime(old, (1000, 1000))
    path.write_text(row(3))
    assert len(read(path, BEGIN)[0]) == 1


WHOLE = gzip.compress("".join(row(number) for number in range(2, 2000)).encode())


@pytest.mark.parametrize(
    ("damaged", "at_least"), [(WHOLE[: len(WHOLE) // 2], 500), (WHOLE[:500] + b"\xff" * 500, 0), (b"a full disk", 0)]
)
def test_a_rotated_file_that_is_damaged_ends_there_and_counts_as_broken(
    tmp_path: Path, damaged: bytes, at_least: int
) -> None:
    path = tmp_path / "Master.csv"
    (tmp_path / "Master.csv.1.gz").write_bytes(damaged)
    path.write_text(row(1))
    rows, broken = read(path, BEGIN)
    assert (rows[0].order, broken) == (1, 1)
    assert len(rows) > at_least


def test_a_rotated_file_that_is_being_compressed_is_read_once(tmp_path: Path) -> None:
    path = tmp_path / "Master.csv"
    (tmp_path / "Master.csv.1").write_text(row(1))
    (tmp_path / "Master.csv.1.gz").write_bytes(gzip.compress(row(1).encode()))
    path.write_text(row(2))
    assert [one.order for one in read(path, BEGIN)[0]] == [1, 2]


def test_a_rotated_file_that_is_gone_before_it_is_opened_counts_as_broken(tmp_path: Path) -> None:
    path = tmp_path / "Master.csv"
    (tmp_path / "Master.csv.1").symlink_to(tmp_path / "gone")
    path.write_text(row(2))
    rows, broken = read(path, BEGIN)
    assert ([one.order for one in rows], broken) == ([2], 1)


def test_a_row_that_is_being_written_is_left_for_the_next_time(tmp_path: Path) -> None:
    path = tmp_path / "Master.csv"
    path.write_text(row(1) + row(2)[:60])
    assert [(len(rows), broken) for rows, broken in [read(path)]] == [(1, 0)]
    path.write_text(row(1) + row(2))
    assert len(read(path)[0]) == 2


@pytest.mark.parametrize(
    "torn", [row(2)[:60] + row(3), row(2)[:9] + "\n" + row(3), "what is this?\n" + row(3), "\0" * 50 + "\n"]
)
def test_broken_rows_are_counted_and_the_others_kept(tmp_path: Path, torn: str) -> None:
    path = tmp_path / "Master.csv"
    path.write_text(row(1) + torn + row(4) + row(5))
    rows, broken = read(path)
    assert {1, 4, 5} <= {one.order for one in rows}
    assert broken == 1


@pytest.mark.parametrize("further", ['"{id}",""', '"{id}","","","{id}",1'])
def test_a_channel_may_have_an_id_of_any_form(further: str) -> None:
    begin, own = row(1).split(',"DOCUMENTATION"')[0], "550e8400-e29b-41d4-a716-446655440000"
    found = row_of(f'{begin},"DOCUMENTATION",{further.format(id=own)}\n')
    assert found is not None
    assert found["uniqueid"] == own


@pytest.mark.parametrize("further", ['"a note"', '"a note","","1795380001.1",1'])
def test_what_the_dialplan_noted_is_no_id(further: str) -> None:
    found = row_of(row(1).split(',"DOCUMENTATION"')[0] + f',"DOCUMENTATION",{further}\n')
    assert found is not None
    assert "uniqueid" not in found


@pytest.mark.parametrize(
    "absurd",
    [
        {"duration": "1e300"},
        {"duration": 10**18},
        {"start": "9999-12-31 23:59:59"},
        {"start": "0001-01-01 00:00:00"},
        {"start": datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)},
        {"answer": "2099-01-01 00:00:00"},
        {"start": "99999999999"},
    ],
)
@pytest.mark.parametrize("zone", [None, ZoneInfo("Asia/Ho_Chi_Minh"), ZoneInfo("America/New_York")])
def test_a_row_with_an_absurd_time_is_broken_and_nothing_more(absurd: dict[str, object], zone: ZoneInfo | None) -> None:
    sane = {"channel": "PJSIP/x-1", "uniqueid": "1.1", "disposition": "ANSWERED", "start": "2026-11-22 10:00:00"}
    assert attempt_of(sane, zone, 0) is not None
    assert attempt_of(sane | absurd, zone, 0) is None


def test_an_answer_is_never_before_the_beginning() -> None:
    sane = {"channel": "PJSIP/x-1", "uniqueid": "1.1", "disposition": "ANSWERED", "start": "2026-11-22 10:00:00"}
    found = attempt_of(sane | {"billsec": "1e300"}, UTC, 0)
    assert found is not None
    assert found.answered_at == found.started_at


def test_a_caller_who_writes_a_row_into_his_number_makes_no_call(tmp_path: Path) -> None:
    path = tmp_path / "Master.csv"
    forged = [row(7).strip(), row(8).replace('"', "").strip(), f"{row(9)}{row(10)}".strip()]
    path.write_text("".join(row(number, src=f"0900\r\n{text}\r\n") for number, text in enumerate(forged)))
    rows, broken = read(path)
    assert ([one.order for one in rows], broken) == ([0, 1, 2], 0)
    assert {one.number for one in rows} == {"0900"}


def test_a_search_into_the_middle_of_such_a_row_starts_at_none_of_its_lines(tmp_path: Path) -> None:
    path = tmp_path / "Master.csv"
    forged = "0900\r\n" + ("\r\n".join(row(1).replace('"', "").strip() for _ in range(20)))
    path.write_text("".join(row(number * 600, src=forged) for number in range(200)))
    assert all(one.number == "0900" for one in read(path, BEGIN + 100_000)[0])


def test_a_huge_file_is_searched_not_read(tmp_path: Path) -> None:
    path, count = tmp_path / "Master.csv", 30_000
    with path.open("w") as file:
        file.writelines(row(number * 60) for number in range(count))
    wanted = BEGIN + (count - 100) * 60
    assert len(read(path, wanted)[0]) == 100
    size = sum(map(len, lines_since(path, UnixMs((wanted - 6 * 3600) * 1000), CdrFile(path, UTC)._dated)))
    assert size < path.stat().st_size / 40


def test_the_hour_that_a_clock_goes_through_twice_is_told_apart_by_the_channel(tmp_path: Path) -> None:
    path, autumn = tmp_path / "Master.csv", 1_792_891_800  # 2026-10-25 01:30 UTC: the second 02:30 in Berlin
    path.write_text("".join(row(at - BEGIN, zone="Europe/Berlin") for at in (autumn - 3600, autumn)))
    assert [one.started_at // 1000 for one in read(path, zone="Europe/Berlin")[0]] == [autumn - 3600, autumn]


def test_a_wrong_time_zone_is_refused_in_words(tmp_path: Path) -> None:
    path = tmp_path / "Master.csv"
    path.write_text(row(1, zone="Asia/Ho_Chi_Minh"))
    with pytest.raises(CallwardenError, match=r"\+7 hours off; set cdr_time_zone"):
        records(path).require_usable()
    assert records(path, "Asia/Ho_Chi_Minh").require_usable().zone_off_ms == 0


def test_rows_without_ids_are_refused_in_words(tmp_path: Path) -> None:
    path = tmp_path / "Master.csv"
    path.write_text(",".join(row(1).split(",")[:16]) + "\n")
    with pytest.raises(CallwardenError, match="loguniqueid"):
        records(path).require_usable()


def test_without_the_newer_columns_rows_belong_together_by_their_channel(tmp_path: Path) -> None:
    path = tmp_path / "Master.csv"
    path.write_text(row(1, newer=False) + row(1, newer=False))
    (gathered,) = records(path).gathered(UnixMs(0), EVER)
    assert ([len(rows) for rows, _ in gathered.calls], gathered.unlinked) == ([2], 1)


def test_a_file_that_is_not_there_or_is_none_is_said(tmp_path: Path) -> None:
    with pytest.raises(CallwardenError, match=r"Master\.csv: cannot be read \(No such file"):
        records(tmp_path / "Master.csv").require_usable()
    with pytest.raises(CallwardenError, match="is not a file"):
        records(tmp_path).require_usable()


def test_rows_beyond_what_is_held_at_once_come_in_portions(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("daemon.ami.call_records.ROWS_AT_ONCE", 10)
    path = tmp_path / "Master.csv"
    path.write_text("".join(row(number) for number in range(35)))
    portions = [len(part.calls) for part in records(path).gathered(UnixMs(0), EVER)]
    assert (sum(portions), max(portions)) == (35, 5)


def test_queue_log_is_read_for_its_callers_and_its_time_only(tmp_path: Path) -> None:
    path = tmp_path / "queue_log"
    path.write_text(
        f"{BEGIN}|1.1|support|NONE|ENTERQUEUE||0901|1\n{BEGIN + 1}|2.2|support|NONE|ENTERQUEUE||0902|1\n"
        f"{BEGIN + 2}|1.1|support|An|CONNECT|2|1.2|0\nrubbish\n||\n{BEGIN + 99}|1.1|support|NONE|ABANDON|1|1|9\n"
    )
    found = list(notes_of(path, {ChannelId("1.1")}, UnixMs(BEGIN * 1000), UnixMs((BEGIN + 50) * 1000)))
    assert [note.step for note in found] == [QueueStep.ENTERED, QueueStep.CONNECTED]


def entered(at: int) -> str:
    return f"{at}|{at}.1|support|NONE|ENTERQUEUE||0901|1\n"


def queue_notes(path: Path, times: range, since: int) -> list[UnixMs]:
    calls = {ChannelId(f"{at}.1") for at in times}
    return [note.at for note in notes_of(path, calls, UnixMs(since * 1000), UnixMs(times.stop * 1000))]


@pytest.mark.parametrize("forged", ["9999999999|x|q|NONE|CONNECT|1", "9999999999|1795380000.1|q|NONE|CONNECT|1"])
def test_a_forged_line_of_the_future_hides_nothing_after_it(tmp_path: Path, forged: str) -> None:
    path, times = tmp_path / "queue_log", range(BEGIN, BEGIN + 50, 10)
    path.write_text(forged.join("\n" + entered(at) for at in times))
    assert queue_notes(path, times, BEGIN) == [at * 1000 for at in times]


@pytest.mark.parametrize("forged", ["1|x|q|NONE|CONNECT|1", "1|100000000.1|q|N|CONNECT|"])
def test_forged_lines_of_the_past_do_not_lead_the_search_astray(tmp_path: Path, forged: str) -> None:
    path, times = tmp_path / "queue_log", range(BEGIN, BEGIN + 40_000, 10)
    path.write_text("".join(entered(at) + f"{forged}\n" * 3 for at in times))
    since = BEGIN + 10_000
    assert queue_notes(path, times, since) == [at * 1000 for at in times if at >= since]
