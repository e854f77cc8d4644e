"""`replay` as a user runs it: the command, its output, its exit codes."""

from __future__ import annotations

import asyncio
import gzip
import json
import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from daemon.errors import CallwardenError
from daemon.replay import Scene, print_line, replay
from tests.ami.test_fuzz import recordings, streams
from tests.drawn import examples

RECORDINGS = Path(__file__).parent / "recordings" / "asterisk-22"
AGENTS = [option for n in range(1001, 1006) for option in ("--agent", f"{n}=PJSIP/{n}")]


def run(*arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "daemon", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


def lines(result: subprocess.CompletedProcess[str]) -> list[dict[str, Any]]:
    assert result.returncode == 0, result.stderr
    return [json.loads(line) for line in result.stdout.splitlines()]


def summary(*paths: Path, options: Sequence[object] = AGENTS) -> dict[str, Any]:
    last = lines(run("replay", *paths, *options))[-1]
    assert last["type"] == "summary"
    return last


def test_a_queue_call_is_told_from_ringing_to_end_with_its_ticket() -> None:
    output = lines(run("replay", RECORDINGS / "in_queue_answered_customer_hangs_up.ami", *AGENTS))
    types = [line["type"] for line in output if line["type"] != "decision"]
    assert types[0] == "call.started"
    assert types[-2:] == ["call.ended", "summary"]
    assert [t for t in types if t in ("call.ringing", "call.answered")] == ["call.ringing", "call.answered"]
    decisions = [line["decision"] for line in output if line["type"] == "decision"]
    (opened,) = [decision for decision in decisions if decision["name"] == "OpenTicket"]
    assert (opened["kind"], opened["reason"]) == ("incoming", "call_answered")
    (call,), (ticket,) = output[-1]["calls"], output[-1]["tickets"]
    assert call["ticket_id"] == ticket["ticket_id"]
    assert ticket["call_ids"] == [call["call_id"]]
    assert call["user_ids"] == ["1001"]


def test_missed_calls_of_one_customer_share_a_ticket(tmp_path: Path) -> None:
    first = RECORDINGS / "in_queue_abandoned.ami"
    again = tmp_path / "again.ami"
    later = re.compile(rb"\b(\d{9})(\d)(\.\d{1,5})(?=\r\n)")  # the same call with other ids
    again.write_bytes(later.sub(lambda m: m[1] + bytes([m[2][0] ^ 1]) + m[3], first.read_bytes()))
    found = summary(first, again)
    assert len(found["calls"]) == 2
    (ticket,) = found["tickets"]
    assert ticket["missed_count"] == 2
    assert set(ticket["call_ids"]) == {call["call_id"] for call in found["calls"]}


def test_a_reconnect_is_two_traces_in_order() -> None:
    found = summary(RECORDINGS / "reconnect_in_talk.a.ami", RECORDINGS / "reconnect_in_talk.b.ami")
    (call,) = found["calls"]
    assert (call["state"], call["outcome"]) == ("ended", "answered")
    assert len(found["tickets"]) == 1


def test_raw_bytes_json_lines_and_gzip_tell_the_same(tmp_path: Path) -> None:
    raw = RECORDINGS / "in_direct_answered.ami"
    packed = tmp_path / "trace.ami.gz"
    packed.write_bytes(gzip.compress(raw.read_bytes()))
    recorded = tmp_path / "trace.jsonl"
    data = raw.read_bytes().decode()
    pieces = [data[start : start + 1000] for start in range(0, len(data), 1000)]
    recorded.write_text("".join(json.dumps({"at": 1.0, "raw": piece}) + "\n" for piece in pieces))
    assert summary(raw) == summary(packed) == summary(recorded)


def test_the_country_of_numbers_can_be_said() -> None:
    path = RECORDINGS / "out_answered_customer_hangs_up.ami"
    assert summary(path)["calls"][0]["customer_number"] == "+84912345678"
    abroad = summary(path, options=[*AGENTS, "--country", "DE"])
    assert abroad["calls"][0]["customer_number"] == "+49912345678"


@pytest.mark.parametrize(
    ("arguments", "code", "word"),
    [
        (["replay"], 2, "TRACE"),
        (["replay", "/nowhere.ami"], 2, "there is no such trace"),
        (["replay", str(RECORDINGS / "in_direct_missed.ami"), "--agent", "1001"], 2, "USERID=ENDPOINT"),
        (["no-such-command"], 2, "no-such-command"),
    ],
)
def test_wrong_usage_is_one_clear_error_and_exit_code_2(arguments: list[str], code: int, word: str) -> None:
    result = run(*arguments)
    assert result.returncode == code
    assert word in result.stderr
    assert "Traceback" not in result.stderr


@pytest.mark.parametrize("garbage", [b"", b"\x00" * 100, b"hello", b"Event: Newchannel\r\n\r\n", b"{not json}\n"])
def test_garbage_is_no_traceback(tmp_path: Path, garbage: bytes) -> None:
    path = tmp_path / "trace"
    path.write_bytes(garbage)
    result = run("replay", path)
    assert result.returncode in (0, 1)
    assert "Traceback" not in result.stderr


def test_a_message_without_end_is_an_error_in_one_line(tmp_path: Path) -> None:
    path = tmp_path / "trace"
    path.write_bytes(b"Event: Newchannel\r\nX: " + b"a" * 2_000_000)
    result = run("replay", path)
    assert result.returncode == 1
    assert len(result.stderr.splitlines()) == 1


_ENTRIES = st.sampled_from(
    [b'{"at": 1795332860.1, "raw": "Event: Hangup\\r\\n\\r\\n"}', b'{"at": 1e999}', b'{"at": 1, "base64": "!"}', b"{"]
)
_TRACES = recordings | streams | st.lists(_ENTRIES | st.binary(max_size=20), min_size=1).map(b"\n".join)


@settings(max_examples=examples(25), suppress_health_check=list(HealthCheck))
@given(trace=_TRACES, cut=st.integers(0, 4000), packed=st.booleans())
def test_any_trace_is_told_to_its_end_or_refused_in_words(
    tmp_path_factory: pytest.TempPathFactory, trace: bytes, cut: int, packed: bool
) -> None:
    path, told = tmp_path_factory.getbasetemp() / "trace", list[Any]()
    path.write_bytes((gzip.compress(trace) if packed else trace)[: cut or None])
    try:
        asyncio.run(replay([path], Scene(), told.append))
    except CallwardenError as error:
        told.append({"type": error.message and "refused"})
    assert told[-1]["type"] in ("summary", "refused")


def test_a_callers_name_steers_no_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    line = {"call": {"customer_name": "Ấn\x9b2J\x1b[2J\u202egnp\U000e0001"}}
    print_line(line)
    told = capsys.readouterr().out
    assert told.removesuffix("\n").isprintable()
    assert "Ấn" in told
    assert json.loads(told) == line
