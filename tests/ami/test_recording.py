"""A recording reads back as it was, or with every number and name replaced."""

from __future__ import annotations

import gzip
import io
import json
import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.ami.masking import Masker
from daemon.ami.recording import Recorder
from daemon.ami.scenario import SCENARIOS
from daemon.ami.signal_reader import SignalReader
from daemon.ami.simulator import encoded
from daemon.ami.trace import TraceUnreadable, read_trace
from daemon.call.signals import UnixMs
from tests.fakes.asterisk import event

CALL = b"".join(encoded(headers) for headers in SCENARIOS["outgoing_answered"].events())


def record(data: bytes, masker: Masker | None = None, size: int = 333) -> str:
    stream = io.StringIO()
    recorder = Recorder(stream, masker)
    for at in range(0, len(data), size):
        recorder.write(data[at : at + size], 1_795_332_859.467528)
    return stream.getvalue()


@given(st.binary(min_size=1))
def test_what_was_recorded_reads_back_byte_for_byte(data: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "recording"
        path.write_text(record(data, size=7))
        assert b"".join(chunk.data for chunk in read_trace(path)) == data


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("as_lines", [False, True])
def test_both_forms_of_trace_are_read_packed_or_not(tmp_path: Path, packed: bool, as_lines: bool) -> None:
    data = CALL + b"Name: \xe1\r\n\r\n"
    text = record(data).encode() if as_lines else data
    path = tmp_path / "trace"
    path.write_bytes(gzip.compress(text) if packed else text)
    seen: list[int] = []
    chunks = list(read_trace(path, seen.append))
    assert b"".join(chunk.data for chunk in chunks) == data
    assert {chunk.arrival for chunk in chunks} == {UnixMs(1_795_332_859_467 if as_lines else 0)}
    assert seen[-1] == path.stat().st_size


def test_a_trace_that_lost_its_carriage_returns_is_read(tmp_path: Path) -> None:
    path = tmp_path / "edited.ami"
    path.write_bytes(CALL.replace(b"\r\n", b"\n"))
    assert b"".join(chunk.data for chunk in read_trace(path)) == CALL


@pytest.mark.parametrize(
    "text", [b"{", b'{"at": 1}', b'{"at": "x", "raw": "a"}', b'{"at": 1, "base64": "?"}', b"\x1f\x8bx"]
)
def test_a_damaged_trace_is_named_and_not_guessed(tmp_path: Path, text: bytes) -> None:
    path = tmp_path / "damaged"
    path.write_bytes(text)
    with pytest.raises(TraceUnreadable):
        list(read_trace(path))


def test_a_missing_trace_is_named(tmp_path: Path) -> None:
    with pytest.raises(TraceUnreadable, match="nowhere"):
        list(read_trace(tmp_path / "nowhere"))


def test_no_number_and_no_name_survives_masking_and_the_call_stays_the_same_call() -> None:
    text = record(CALL, Masker(b"key"))
    assert "901234510" not in text
    assert "19001234" not in text
    masked = "".join(json.loads(line)["raw"] for line in text.splitlines()).encode()
    kept = [type(signal) for signal in SignalReader(live=False).feed(CALL)]
    assert [type(signal) for signal in SignalReader(live=False).feed(masked)] == kept


def test_one_customer_has_one_pseudonym_in_every_spelling() -> None:
    masker = Masker(b"key")
    ends = {masker.number(number)[-7:] for number in ("84901234567", "0901234567", "0084901234567")}
    assert len(ends) == 1
    assert ends != {"1234567"}


@given(st.lists(st.from_regex(r"[0-9]{8}", fullmatch=True), unique=True))
def test_two_numbers_never_become_one(numbers: list[str]) -> None:
    masker = Masker(b"key")
    assert len({masker.number(number) for number in numbers}) == len(numbers)


def test_numbers_are_masked_wherever_they_stand_and_instances_are_not() -> None:
    masker = Masker(b"key")
    fake = masker.number("0901234567")
    told = event(
        "DialBegin",
        Channel="PJSIP/0901234567-00000012",
        DestChannel="Local/0901234567@out-00000001;2",
        Uniqueid="1795332859.0",
        Exten="0901234567",
        DialString="trunk/sip:0901234567@203.0.113.9",
        CallerIDName="Nguyễn Văn A",
        CallerID='"Nguyễn Văn A" <0901234567>',
        DestCallerIDNum="1001",
    )
    text = masker.message(told).decode()
    assert f"Channel: PJSIP/{fake}-00000012\r\n" in text
    assert f"DestChannel: Local/{fake}@out-00000001;2\r\n" in text
    assert f"Exten: {fake}\r\n" in text
    assert f"DialString: trunk/sip:{fake}@203.0.113.9\r\n" in text
    assert "Uniqueid: 1795332859.0\r\n" in text
    assert "DestCallerIDNum: 1001" in text
    assert "Nguy" not in text
    assert f"<{fake}>" in text


def test_free_text_is_left_out_of_a_masked_recording() -> None:
    assert record(event("VarSet", Variable="customer", Value="Nguyễn Văn A"), Masker()) == ""


def test_a_stream_that_cannot_be_masked_is_not_written_and_the_next_connection_is() -> None:
    stream = io.StringIO()
    recorder = Recorder(stream, Masker())
    recorder.write(b"x" * (1 << 21), 1.0)
    recorder.write(b"half a mess", 1.0)
    recorder.write(b"Asterisk Call Manager/11.0.0\r\nResponse: Success\r\n\r\n", 1.0)
    assert [json.loads(line)["raw"][:8] for line in stream.getvalue().splitlines()] == ["Asterisk"]
