"""`callwarden account …` and the first start, as an operator meets them."""

from __future__ import annotations

import asyncio
import os
import pty
import re
import sys
from contextlib import suppress
from pathlib import Path

import aiohttp
import pytest

from tests.whole.house import DEADLINE_S, ROOT, DaemonProcess, command, config_text, simulated_pbx

PASSWORD = "correct horse battery"


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "callwarden.toml"
    path.write_text(f'[store]\nurl = "sqlite:///{tmp_path / "callwarden.db"}"\n')
    return path


async def run(*arguments: object, typed: str = "") -> tuple[int, str, str]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "daemon", *map(str, arguments), cwd=ROOT, stdin=-1, stdout=-1, stderr=-1
    )
    out, err = await asyncio.wait_for(process.communicate(typed.encode()), DEADLINE_S)
    assert process.returncode is not None
    return process.returncode, out.decode(), err.decode()


async def run_on_terminal(*arguments: object, typed: tuple[str, ...]) -> tuple[int, str]:
    """With a terminal of its own, on which each text is typed after a prompt. Returns what the terminal showed."""
    pid, terminal = pty.fork()
    if pid == 0:
        os.chdir(ROOT)
        os.execv(sys.executable, [sys.executable, "-m", "daemon", *map(str, arguments)])  # noqa: S606
    shown = await asyncio.to_thread(_converse, terminal, typed)
    _, status = await asyncio.to_thread(os.waitpid, pid, 0)
    os.close(terminal)
    return os.waitstatus_to_exitcode(status), shown


def _converse(terminal: int, typed: tuple[str, ...]) -> str:
    shown, answers = "", list(typed)
    with suppress(OSError):  # the other side has ended
        while part := os.read(terminal, 4096):
            shown += part.decode()
            if answers and shown.endswith(": "):
                os.write(terminal, f"{answers.pop(0)}\n".encode())
    return shown


async def test_an_account_is_added_listed_and_gets_a_new_password(config: Path) -> None:
    code, out, err = await run(
        "account", "add", "Mai", "--role", "admin", "--password-file", "-", "--config", config, typed=PASSWORD + "\n"
    )
    assert (code, out, err) == (0, "mai: added as admin\n", "")
    header, line = (await command("account", "list", "--config", config)).splitlines()
    assert header.split() == ["NAME", "ROLE", "AGENT", "LANGUAGE", "STATE"]
    assert line.split() == ["mai", "admin", "-", "vi", "active"]
    kept = config.parent / "password"
    kept.write_text("another long one\r\n")
    assert "signed out everywhere" in await command(
        "account", "password", "MAI", "--password-file", kept, "--config", config
    )


@pytest.mark.parametrize(
    ("arguments", "typed", "code", "word"),
    [
        (("add", "mai", "--role", "admin", "--password-file", "-"), PASSWORD, 1, "already"),
        (("add", "a b", "--role", "admin", "--password-file", "-"), PASSWORD, 2, "NAME must be"),
        (("add", "an", "--role", "agent", "--password-file", "-"), "short", 2, "10 to 256 characters"),
        (("add", "an", "--role", "agent", "--password-file", "-"), "", 2, "10 to 256 characters"),
        (("add", "an", "--role", "agent", "--password-file", "/none"), "", 2, "/none: cannot be read"),
        (("add", "an", "--role", "agent"), PASSWORD, 2, "--password-file"),
        (("add", "an", "--role", "agent", "--user-id", "an", "--password-file", "-"), PASSWORD, 1, "no agent an"),
        (("password", "nobody", "--password-file", "-"), PASSWORD, 1, "there is no account nobody"),
    ],
)
async def test_what_cannot_be_done_is_one_line_that_says_what_to_do(
    config: Path, arguments: tuple[str, ...], typed: str, code: int, word: str
) -> None:
    await run("account", "add", "mai", "--role", "admin", "--password-file", "-", "--config", config, typed=PASSWORD)
    found, out, err = await run("account", *arguments, "--config", config, typed=typed)
    assert (found, out) == (code, "")
    assert len(err.splitlines()) == 1
    assert word in err
    assert PASSWORD not in err


async def test_there_is_no_way_to_put_a_password_on_the_command_line(config: Path) -> None:
    _, out, _ = await run("account", "add", "--help")
    assert set(re.findall(r"--[\w-]+", out)) >= {"--role", "--user-id", "--password-file"}
    assert "--password " not in out
    code, _, _ = await run("account", "add", "mai", PASSWORD, "--role", "admin", "--config", config)
    assert code == 2


async def test_a_terminal_asks_twice_and_shows_nothing_of_it(config: Path) -> None:
    arguments = ("account", "add", "mai", "--role", "admin", "--config", config)
    code, shown = await run_on_terminal(*arguments, typed=(PASSWORD, PASSWORD + "x"))
    assert (code, "two passwords differ" in shown, PASSWORD in shown) == (2, True, False)
    code, shown = await run_on_terminal(*arguments, typed=(PASSWORD, PASSWORD))
    assert (code, "mai: added as admin" in shown, PASSWORD in shown) == (0, True, False)


async def _first_line(process: asyncio.subprocess.Process) -> str:
    assert process.stderr is not None
    return (await asyncio.wait_for(process.stderr.readline(), DEADLINE_S)).decode()


async def _start(config: Path) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable, "-m", "daemon", "serve", "--config", str(config), cwd=ROOT, stderr=-1
    )


async def _stop(process: asyncio.subprocess.Process) -> str:
    """What was left on stderr."""
    process.terminate()
    _, err = await asyncio.wait_for(process.communicate(), DEADLINE_S)
    return err.decode()


async def _status(address: str) -> int:
    async with aiohttp.ClientSession() as session, session.get(address) as response:
        return response.status


async def test_the_first_start_prints_a_link_once_and_no_start_after_there_is_an_account(tmp_path: Path) -> None:
    async with simulated_pbx() as pbx:
        config = tmp_path / "callwarden.toml"
        config.write_text(config_text(tmp_path, pbx))
        links = []
        for _ in range(2):
            process = await _start(config)
            line = await _first_line(process)
            links.append(line.split()[-1])
            assert re.fullmatch(r"callwarden: no account yet; .* http://127\.0\.0\.1:\d+/set-up/[\w-]{43}\n", line)
            assert await _status(links[-1]) == 200
            port = links[-1].split("/")[2]
            assert await _status(f"http://{port}/set-up/{links[0].rpartition('/')[2]}") == (404 if links[1:] else 200)
            assert await _stop(process) == ""
        assert links[0].rpartition("/")[2] != links[1].rpartition("/")[2]
        assert links[1].rpartition("/")[2].encode() not in (tmp_path / "callwarden.db").read_bytes()
        await run(
            "account", "add", "mai", "--role", "admin", "--password-file", "-", "--config", config, typed=PASSWORD
        )
        process = await _start(config)
        await asyncio.sleep(2)
        assert "set-up" not in await _stop(process)


async def test_a_password_set_by_command_signs_out_a_browser_of_the_running_daemon(
    tmp_path: Path, unused_tcp_port: int
) -> None:
    async with simulated_pbx() as pbx:
        config = tmp_path / "callwarden.toml"
        config.write_text(config_text(tmp_path, pbx, http_port=unused_tcp_port))
        await run(
            "account", "add", "mai", "--role", "admin", "--password-file", "-", "--config", config, typed=PASSWORD
        )
        daemon = DaemonProcess(config, unused_tcp_port)
        await daemon.start()
        try:
            await daemon.ready()
            await _browse(f"http://127.0.0.1:{unused_tcp_port}", config)
        finally:
            await daemon.stop()


async def _browse(base: str, config: Path) -> None:
    jar = aiohttp.CookieJar(unsafe=True)  # an address, not a name
    async with aiohttp.ClientSession(base, cookie_jar=jar) as browser:
        async with browser.get("/sign-in") as page:
            token = re.findall(r'name="csrf" value="([\w-]+)"', await page.text())[0]
        form = {"csrf": token, "name": "mai", "password": PASSWORD}
        async with browser.post("/sign-in", data=form, allow_redirects=False) as answer:
            assert answer.status == 303
        async with browser.get("/api/v1/accounts") as answer:
            assert [item["name"] for item in (await answer.json())["items"]] == ["mai"]
        await run("account", "password", "mai", "--password-file", "-", "--config", config, typed="another long one")
        async with browser.get("/api/v1/accounts") as answer:
            assert answer.status == 401
