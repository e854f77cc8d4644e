"""The Debian package under a real systemd: minutes, and much of a machine; so only when asked for by `make boot`."""

from __future__ import annotations

import asyncio
import os
import re
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest

from daemon.ami.simulator import SimulatedPbx
from tests.packaging.machine import Machine, booted, make_root
from tests.packaging.test_deb import ROOT, run
from tests.whole.house import simulated_pbx, until

SUITE = os.environ.get("CALLWARDEN_BOOT", "")
CONFIG = "/etc/callwarden/callwarden.toml"

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not SUITE, reason="boots a Debian with the package: make boot"),
    pytest.mark.skipif(os.geteuid() != 0, reason="needs root"),
]


@pytest.fixture
async def machine(tmp_path: Path) -> AsyncIterator[Machine]:
    deb = Path(run(ROOT / "packaging/deb/build", tmp_path, sys.prefix, environ={"DEB_COMPRESSION": "0"}).strip())
    root = tmp_path / "root"
    make_root(root, SUITE)
    deb.rename(root / "callwarden.deb")  # noqa: ASYNC240 - nothing else runs
    async with booted(root) as machine:
        await machine.run("dpkg", "--install", "/callwarden.deb")
        yield machine


def configure(machine: Machine, pbx: SimulatedPbx, port: int) -> None:
    path = machine.root / CONFIG.removeprefix("/")
    text = re.sub(r"(?m)^#(?=\[\[|[a-z_]+ =)", "", path.read_text())
    path.write_text(text.replace("5038", str(pbx.port)).replace("8088", str(port)))
    secret = machine.root / "etc/callwarden/secrets/main"
    secret.write_text(pbx.secret)
    secret.chmod(0o600)


async def status(machine: Machine, name: str) -> str:
    return (await machine.run("systemctl", "show", "--value", f"--property={name}", "callwarden")).strip()


async def test_it_lives_under_systemd_from_its_installation_to_its_end(machine: Machine, unused_tcp_port: int) -> None:
    async with simulated_pbx() as pbx, aiohttp.ClientSession(f"http://127.0.0.1:{unused_tcp_port}") as session:
        configure(machine, pbx, unused_tcp_port)
        await machine.run("systemctl", "enable", "--now", "callwarden")  # returns when it is ready
        async with session.get("/healthz") as response:
            assert response.status == 200
        await until(lambda: _says(machine, "live calls: 0; main connected"))  # with the secret that only root can read
        token = (await machine.run("callwarden", "token", "create", "--role", "admin", "--config", CONFIG)).strip()
        headers = {"Authorization": f"Bearer {token}"}
        sound = (ROOT / "sounds/bird.16k.wav").read_bytes()
        async with session.post(
            "/api/v1/ringtones?name=bird2", data=sound, headers={**headers, "Content-Type": "audio/wav"}
        ) as response:
            assert response.status == 201, "the sound decoder works in the sandbox"
        await pbx.play("queue_answered", customer="0901234567", speed=8)
        await until(lambda: _has_call(session, headers))
        await machine.run("sed", "-i", f"s/{unused_tcp_port}/1/", CONFIG)
        await machine.run("systemctl", "reload", "callwarden")
        await until(lambda: _says(machine, "reloaded; only a restart puts in force: http.listen"))
        await machine.run("sed", "-i", f's/127.0.0.1:1"/127.0.0.1:{unused_tcp_port}"/', CONFIG)
        await _frozen_it_is_killed_and_begins_again(machine)
        await until(lambda: _has_call(session, headers))
        began = time.monotonic()
        await machine.run("systemctl", "stop", "callwarden")
        assert time.monotonic() - began < 10
        assert await status(machine, "Result") == "success"
        await machine.run("dpkg", "--purge", "callwarden")
        assert not (machine.root / "var/lib/callwarden").exists()


async def _frozen_it_is_killed_and_begins_again(machine: Machine) -> None:
    drop_in = machine.root / "run-watchdog.conf"
    drop_in.write_text("[Service]\nWatchdogSec=3s\n")
    await machine.run("install", "-D", "/run-watchdog.conf", "/etc/systemd/system/callwarden.service.d/watchdog.conf")
    await machine.run("systemctl", "daemon-reload")
    await machine.run("systemctl", "restart", "callwarden")
    before = await status(machine, "MainPID")
    await machine.run("sh", "-c", f"kill -STOP {before}")
    await until(lambda: _restarted(machine, before), deadline_s=40)
    assert "Watchdog timeout" in await machine.run("journalctl", "-u", "callwarden", "--no-pager")


async def _restarted(machine: Machine, before: str) -> bool:
    await asyncio.sleep(0.5)
    return await status(machine, "MainPID") not in ("0", before) and await status(machine, "ActiveState") == "active"


async def _says(machine: Machine, words: str) -> bool:
    await asyncio.sleep(0.3)
    return words in await status(machine, "StatusText")


async def _has_call(session: aiohttp.ClientSession, headers: dict[str, str]) -> bool:
    try:
        async with session.get("/api/v1/calls", headers=headers) as response:
            return len((await response.json())["items"]) == 1
    except aiohttp.ClientError:
        return False
