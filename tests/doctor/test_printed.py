"""What reaches a terminal or a monitoring program: plain text, sorted, and an exit code."""

from __future__ import annotations

import json
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from daemon.cli import app
from daemon.diagnosis import Finding, State, Step, Story, in_order
from daemon.doctor.printed import print_findings, print_stories
from daemon.doctor.wording import names, origin
from daemon.errors import CallwardenError, ConfigError
from daemon.message import Message

HOSTILE = "\x1b]0;owned\x07\x1b[2J\r\nok \u202eevil[red]x[/red]"


def printed(*findings: Finding) -> str:
    out = StringIO()
    print_findings(in_order(findings), Console(file=out, width=100, markup=False, highlight=False))
    return out.getvalue()


def finding(check: str = "pbx.login", state: State = State.PROBLEM, **changes: object) -> Finding:
    return Finding(**{"check": check, "state": state, "what": Message("It is so."), **changes})  # type: ignore[arg-type]


def test_what_strangers_wrote_moves_no_cursor_turns_no_text_and_is_no_markup() -> None:
    hostile = Message("Phones: {name}.", name=HOSTILE)
    text = printed(finding(what=hostile, why=hostile, fix=hostile, about=HOSTILE))
    step = Step(at=None, what=hostile, decision="x", user_id=HOSTILE)
    out = StringIO()
    story = Story(pbx=HOSTILE, call_id=HOSTILE, verdicts=(finding(what=hostile),), steps=(step,))
    print_stories([story], Console(file=out, width=100))
    for char in "\x1b\x07\r\u202e":
        assert char not in text + out.getvalue()
    assert "[red]x[/red]" in text.replace("\n", "")
    assert "\x1b" not in names([HOSTILE])


def test_the_worst_comes_first_in_each_group_and_the_end_sums_up() -> None:
    text = printed(
        finding("web.a", State.OK, what=Message("fine")),
        finding("web.b", State.PROBLEM, what=Message("bad"), why=Message("matters"), fix=Message("mend")),
        finding("pbx.c", State.WARNING, what=Message("hm")),
    )
    order = [text.index(word) for word in ("PBX", "hm", "Web and webhooks", "bad", "matters", "mend", "fine")]
    assert order == sorted(order)
    assert text.rstrip().endswith("1 problem, 1 warning, 0 unknown, 1 ok")


def test_of_many_names_ten_are_said_and_of_an_address_only_where_it_is() -> None:
    assert names([f"a{number:02}" for number in range(12)]).endswith("a09, …")
    assert origin("https://hooks.example.com:8443/T0/SECRET?key=1#x") == "https://hooks.example.com:8443"
    assert origin("http://[::1]:8/a") == "http://[::1]:8"


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "c.toml"
    path.write_text(
        f'[store]\nurl = "sqlite:///{tmp_path / "c.db"}"\n[http]\nlisten = "127.0.0.1:0"\n'
        '[[pbx]]\nname = "main"\nport = 9\nsecret = "never shown"\n'
    )
    return path


def test_a_problem_is_exit_code_1_and_one_json_object(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code = app(["doctor", "--config", str(config), "--json"], standalone_mode=False)
    told = json.loads(capsys.readouterr().out)
    assert (code, told["state"], told["next"]) == (1, "problem", None)
    assert sum(told["counts"].values()) == len(told["items"])
    assert {"check", "group", "about", "state", "what", "why", "fix"} == set(told["items"][0])
    assert "never shown" not in json.dumps(told)


def test_a_wrong_configuration_is_no_finding(config: Path) -> None:
    config.write_text("nonsense = 1")
    with pytest.raises(ConfigError):  # which `main` makes exit code 2
        app(["doctor", "--config", str(config)], standalone_mode=False)


def test_a_call_that_is_not_kept_is_said_to_be_so(config: Path) -> None:
    with pytest.raises(CallwardenError, match="cannot be used now"):
        app(["doctor", "--config", str(config), "--call", "1.1"], standalone_mode=False)
