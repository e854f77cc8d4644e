"""Records drawn by chance and by malice: whatever stands in them, no row beside them is lost and nobody's is forged."""

from __future__ import annotations

import sqlite3
import tempfile
from contextlib import closing
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from daemon.ami.call_records import CallRecords, RecordsConfig
from daemon.ami.cdr_row import attempt_of
from daemon.ami.queue_log import notes_of
from daemon.call.directory import Directory
from daemon.call.model import CallState, PbxName, UserId
from daemon.call.past_call import understand
from daemon.call.records import Attempt
from daemon.call.signals import ChannelId, Endpoint, UnixMs
from daemon.errors import CallwardenError
from tests.ami.test_cdr_file import BEGIN, EVER, row
from tests.drawn import examples

ASTERISK_KEEPS = 79
"""Characters of a number or a name in a CDR."""
PEOPLE = Directory(endpoints={Endpoint("PJSIP/1001"): UserId("1001")})

_PIECES = st.sampled_from(
    [
        '"',
        '""',
        ",",
        "\r\n",
        "\n",
        "\r",
        "\0",
        "\x85",
        "\u2028",
        row(5),
        row(5)[:90],
        row(5)[90:],
        '"","1","',
        f'"{BEGIN}.9"',
    ]
)
_HOSTILE = st.lists(_PIECES | st.text(max_size=12), max_size=12).map("".join)
_BYTES = _HOSTILE.map(lambda text: text.encode(errors="replace")) | st.binary(max_size=200)


def _read(data: bytes) -> tuple[list[Attempt], int]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "Master.csv"
        path.write_bytes(data)
        portions = list(CallRecords(RecordsConfig(cdr=str(path), time_zone="UTC")).gathered(UnixMs(0), EVER))
    return [one for part in portions for rows, _ in part.calls for one in rows], sum(part.broken for part in portions)


@given(_BYTES, st.booleans())
def test_whatever_stands_between_rows_the_others_are_read_and_what_is_torn_is_counted(
    garbage: bytes, ends: bool
) -> None:
    data = b"".join((row(1).encode(), garbage, b"\n" if ends else b"", row(2).encode(), row(3).encode()))
    rows, broken = _read(data)
    orders = [one.order for one in rows]
    assert {1, 3} <= set(orders)
    assert 2 in orders or broken  # it may be the end of a line that somebody began
    if ends:
        assert 2 in orders


@given(_HOSTILE.map(lambda text: text[:ASTERISK_KEEPS]))
def test_no_number_or_name_of_a_caller_makes_a_row_or_hides_one(number: str) -> None:
    """As Asterisk writes it: every quote of his is doubled."""
    rows, broken = _read((row(1) + row(2, src=number) + row(3)).encode(errors="replace"))
    assert {1, 3} <= {one.order for one in rows} <= {1, 2, 3}
    assert len(rows) + broken >= 3
    own = [one for one in rows if one.order == 2]
    assert all((one.channel, one.number or "") == (f"{BEGIN + 2}.2", _shown(number)) for one in own)


def _shown(number: str) -> str:
    text = number.encode(errors="replace").decode()
    return text.replace("\r", "\n").partition("\n")[0].strip()


@given(st.lists(_BYTES, max_size=6))
def test_no_bytes_in_a_queue_log_break_it_or_speak_for_another_call(lines: list[bytes]) -> None:
    mine, genuine = ChannelId(f"{BEGIN}.1"), f"{BEGIN}|{BEGIN}.1|support|NONE|ENTERQUEUE||0900|1\n".encode()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "queue_log"
        path.write_bytes(b"".join(line + b"\n" + genuine for line in lines) + genuine)
        notes = list(notes_of(path, {mine}, UnixMs(0), EVER))
    assert {note.channel for note in notes} == {mine}
    assert len(notes) >= 1 + len(lines)


_TIMES = st.sampled_from(
    [f"{BEGIN}", BEGIN, float(BEGIN), "2026-11-22 10:00:00", "2026-11-22 25:00:00", "0000-00-00 00:00:00"]
)
_VALUES = _TIMES | st.none() | st.integers(-(2**63), 2**63 - 1) | st.floats() | st.binary(max_size=9) | _HOSTILE
_NAMES = (
    *("start", "answer", "end", "clid", "src", "dst", "channel", "dstchannel", "lastapp", "lastdata"),
    *("duration", "billsec", "disposition", "uniqueid", "linkedid", "sequence", "did"),
)
_LIKELY: dict[str, st.SearchStrategy[object]] = {
    "uniqueid": st.just(f"{BEGIN}.1") | _VALUES,
    "channel": st.sampled_from(["PJSIP/trunk-1", "PJSIP/1001-2", "Local/x@y-1;2"]) | _VALUES,
    "dstchannel": st.sampled_from(["PJSIP/1001-2", "PJSIP/trunk-3", ""]) | _VALUES,
    "disposition": st.sampled_from(["ANSWERED", "NO ANSWER", "BUSY"]) | _VALUES,
    "lastapp": st.sampled_from(["Queue", "Dial", "AppDial2"]) | _VALUES,
}
_ROWS = st.fixed_dictionaries({name: _LIKELY.get(name, _VALUES) for name in _NAMES})


@given(st.lists(_ROWS, max_size=4))
def test_rows_of_any_values_are_a_call_that_ended_or_none(rows: list[dict[str, object]]) -> None:
    attempts = [one for place, values in enumerate(rows) if (one := attempt_of(values, None, place)) is not None]
    past = understand(PbxName("main"), attempts, [], PEOPLE)
    if past is not None:
        assert past.call.state is CallState.ENDED
        assert past.call.ended_at is not None
        assert past.call.started_at <= past.call.ended_at


@given(st.lists(_ROWS, max_size=5))
@settings(max_examples=examples(20))
def test_a_table_of_any_values_is_read_to_its_end_or_refused_in_one_line(rows: list[dict[str, object]]) -> None:
    columns, places = ", ".join(f'"{name}"' for name in _NAMES), ", ".join("?" * len(_NAMES))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "cdr.db"
        with closing(sqlite3.connect(path)) as table:
            table.execute(f"CREATE TABLE cdr ({columns})")
            kept = [tuple(_kept(values[name]) for name in _NAMES) for values in rows]
            table.executemany(f"INSERT INTO cdr VALUES ({places})", kept)  # noqa: S608 - question marks
            table.commit()
        records = CallRecords(RecordsConfig(cdr=f"sqlite:///{path}", time_zone="UTC"))
        portions = list(records.gathered(UnixMs(0), EVER))
        refused = _refused(records)
    told = sum(len(own) for one in portions for own, _ in one.calls) + sum(one.broken for one in portions)
    assert told <= len(rows)
    assert refused is None or refused.isprintable()


def _refused(records: CallRecords) -> str | None:
    try:
        records.require_usable()
    except CallwardenError as error:
        return str(error)
    return None


def _kept(value: object) -> object:
    """What SQLite can hold."""
    return value.encode(errors="replace").decode() if isinstance(value, str) else value
