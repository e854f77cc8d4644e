"""The commands as an operator runs them: what they print, what they refuse, how they end."""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
import sys
from pathlib import Path

import pytest

from tests.whole.house import DEADLINE_S, ROOT, command, config_text, simulated_pbx


async def run(*arguments: object, stop: bool = False) -> tuple[int, str, str]:
    """Run `callwarden …`; `stop`: it gets SIGTERM after its first line on stderr. Exit code, stdout and stderr."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "daemon", *map(str, arguments), cwd=ROOT, stdout=-1, stderr=-1
    )
    said = b""
    if stop and process.stderr is not None:
        said = await asyncio.wait_for(process.stderr.readline(), DEADLINE_S)
        process.send_signal(signal.SIGTERM)
    out, err = await asyncio.wait_for(process.communicate(), DEADLINE_S)
    assert process.returncode is not None
    return process.returncode, out.decode(), (said + err).decode()


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "callwarden.toml"
    path.write_text(
        f"""
[store]
url = "sqlite:///{tmp_path / "callwarden.db"}"
[[pbx]]
name = "main"
secret = "s3cret"
"""
    )
    return path


async def test_a_right_configuration_is_fine_and_nothing_is_made(config: Path) -> None:
    assert "fine (main)" in await command("check-config", "--config", config)
    assert [path.name for path in config.parent.iterdir()] == [config.name]


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("[store]\nurll = 'x'", 'did you mean "store.url"'),
        ("[[pbx]]\nname = 'a'\nsecret = 's'\nkind = 'freeswitch'", "follows Asterisk only"),
        ("[store]\nurl = 'postgresql://localhost/x'", "SQLite only"),
        ("[store]\nurl = 'postgresql://u:p@h:bad/x'", "store.url"),
        ("http = 5", '"http"'),
        ("[[pbx]]\nname = 'a'\nsecret = 's'\nport = 70000", "pbx"),
        ("not toml", "this is not TOML"),
    ],
)
async def test_a_wrong_configuration_is_one_line_that_says_what_to_do(tmp_path: Path, text: str, word: str) -> None:
    path = tmp_path / "wrong.toml"
    path.write_text(text)
    code, out, err = await run("check-config", "--config", path)
    assert (code, out) == (2, "")
    assert len(err.splitlines()) == 1
    assert word in err


async def test_a_missing_configuration_is_wrong_usage(tmp_path: Path) -> None:
    code, _, err = await run("serve", "--config", tmp_path / "none.toml")
    assert code == 2
    assert "there is no such file" in err


async def test_serve_without_a_pbx_says_so(tmp_path: Path) -> None:
    path = tmp_path / "callwarden.toml"
    path.write_text("")
    code, _, err = await run("serve", "--config", path)
    assert code == 2
    assert "[[pbx]]" in err


async def test_serve_says_when_its_port_is_taken(tmp_path: Path) -> None:
    async with simulated_pbx() as pbx:
        path = tmp_path / "callwarden.toml"
        path.write_text(config_text(tmp_path, pbx, http_port=pbx.port))
        code, _, err = await run("serve", "--config", path)
    assert code == 1
    assert "cannot listen on" in err
    assert "Traceback" not in err


async def test_serve_ends_well_on_sigterm(tmp_path: Path) -> None:
    async with simulated_pbx() as pbx:
        path = tmp_path / "callwarden.toml"
        path.write_text(config_text(tmp_path, pbx))
        code, _, err = await run("serve", "--config", path, stop=True)
    assert code == 0
    assert re.fullmatch(r"callwarden: no account yet; .*/set-up/\S+\n", err)


async def test_a_token_is_printed_alone_and_differs_each_time(config: Path) -> None:
    first = await command("token", "create", "--role", "admin", "--config", config)
    second = await command("token", "create", "--role", "agent", "--config", config, "--label", "desk")
    assert re.fullmatch(r"cw_[A-Za-z0-9_-]{43}", first)
    assert first != second


async def test_an_unknown_role_is_wrong_usage(config: Path) -> None:
    code, _, err = await run("token", "create", "--role", "god", "--config", config)
    assert code == 2
    assert "god" in err


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (["frob"], "frob"),
        (["serve"], "--config"),
        (["serve", "--bad"], "--bad"),
        (["serve", "--config"], "--config"),
        (["serve", "--config", "/etc"], "/etc"),
        (["token", "frob"], "frob"),
        (["token", "create", "--role", "king", "--config", "x"], "king"),
        (["demo", "--port", "many"], "--port"),
        (["demo", "--port", "a\nb"], "--port"),
        (["replay", "--country", "XX", __file__], "--country"),
        (["replay", "--country", "", __file__], "--country"),
    ],
)
async def test_wrong_usage_is_one_line_and_exit_code_2(arguments: list[str], word: str) -> None:
    code, out, err = await run(*arguments)
    assert (code, out, len(err.splitlines())) == (2, "", 1)
    assert err.startswith("callwarden: ")
    assert word in err


@pytest.mark.parametrize("label", ["a\nb", "a\r", "a\x1bb", os.fsdecode(b"a\xffb"), "a" * 256])
async def test_a_label_is_one_line_of_text(config: Path, label: str) -> None:
    code, out, err = await run("token", "create", "--role", "admin", "--config", config, "--label", label)
    assert (code, out, len(err.splitlines())) == (2, "", 1)
    assert "--label" in err


@pytest.mark.parametrize("arguments", [["--help"], ["serve", "--help"], ["token", "--help"]])
async def test_help_is_no_error(arguments: list[str]) -> None:
    code, out, err = await run(*arguments)
    assert (code, err) == (0, "")
    assert "Usage: " in out


@pytest.mark.parametrize("arguments", [[], ["token"]])
async def test_without_a_command_the_help_is_shown(arguments: list[str]) -> None:
    code, out, err = await run(*arguments)
    assert (code, err) == (2, "")
    assert "Usage: " in out


async def test_a_country_may_be_written_small() -> None:
    trace = ROOT / "tests/recordings/asterisk-22/out_answered_customer_hangs_up.ami"
    agent = ("--agent", "1001=PJSIP/1001")
    small, large = [await command("replay", trace, *agent, "--country", country) for country in ("vn", "VN")]
    assert small == large
    assert "+84" in small


@pytest.mark.parametrize("content", [b"", b"\n" * 70_000, b"not AMI", b"\x00\xff" * 40_000, b'{"at": 1, "raw": "x"}\n'])
async def test_a_trace_without_any_ami_is_an_error(tmp_path: Path, content: bytes) -> None:
    good, bad = ROOT / "tests/recordings/asterisk-22/in_direct_answered.ami", tmp_path / "trace.bin"
    bad.write_bytes(content)
    code, out, err = await run("replay", good, bad)
    assert (code, out, len(err.splitlines())) == (1, "", 1)
    assert "trace.bin" in err


async def test_asterisk_config_prints_the_manager_user_of_this_installation(config: Path) -> None:
    text = await command("asterisk-config", "--config", config)
    assert "[callwarden]" in text
    assert "secret = s3cret" in text
    for rights in re.findall(r"^(?:read|write) = (.*)$", text, re.MULTILINE):
        assert not {"all", "command", "config", "originate-all"} & set(rights.split(","))


async def test_wider_rights_are_printed_only_when_asked_for() -> None:
    plain, wide = await command("asterisk-config"), await command("asterisk-config", "--phone-messages", "--phone-keys")
    assert "write = call,originate,agent,reporting\n" in plain
    assert "write = call,originate,agent,system,message\n" in wide


@pytest.mark.parametrize(
    ("kind", "line"),
    [
        ("asterisk", "b(callwarden-ringtone^s^1(NAME))"),
        ("freepbx", "exten => s,1,Gosub(callwarden-freepbx,s,1)"),
    ],
)
async def test_asterisk_config_prints_the_dialplan_and_no_secret(config: Path, kind: str, line: str) -> None:
    text = await command("asterisk-config", "--dialplan", kind, "--config", config)
    assert "[callwarden-ringtone]\n" in text
    assert line in text
    assert "secret" not in text


async def test_asterisk_config_needs_no_configuration_and_makes_a_secret() -> None:
    secrets = {re.findall(r"^secret = (\S+)$", await command("asterisk-config"), re.M)[0] for _ in range(2)}
    assert len(secrets) == 2


async def test_what_is_recorded_masked_can_be_replayed_and_tells_no_number(tmp_path: Path) -> None:
    async with simulated_pbx() as pbx:
        path, out = tmp_path / "callwarden.toml", tmp_path / "trace.jsonl"
        path.write_text(config_text(tmp_path, pbx))
        recording = asyncio.create_task(run("record", out, "--config", path, "--mask", "--seconds", "6"))
        while not any(client.logged_in for client in pbx.clients):  # noqa: ASYNC110 - the fake has no event for it
            await asyncio.sleep(0.05)
        await pbx.play("queue_answered", customer="0901234567", speed=8)
        code, _, err = await recording
        assert code == 0, err
    assert "901234567" not in out.read_text()
    assert out.stat().st_mode & 0o077 == 0
    last = json.loads((await command("replay", out, "--agent", "an=PJSIP/1001")).splitlines()[-1])
    (call,) = last["calls"]
    assert (call["outcome"], call["user_ids"], len(last["tickets"])) == ("answered", ["an"], 1)


async def test_a_recording_is_never_overwritten(config: Path) -> None:
    code, _, err = await run("record", config, "--config", config)
    assert code == 1
    assert "File exists" in err


async def test_the_demo_shows_calls_tickets_and_popups_and_ends_by_itself() -> None:
    output = await command("demo", "--port", "0", "--seconds", "6")
    assert re.search(r"call +answered: incoming", output)
    assert re.search(r"ticket +opened #\d+", output)
    assert re.search(r"popup +(an|binh) sees", output)
    assert re.search(r"[1-9]\d* calls ended \(\d+ missed\), [1-9]\d* tickets, [1-9]\d* popups\.", output)
