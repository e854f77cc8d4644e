"""What systemd is told by `callwarden serve`, what SIGHUP does, and how it stops: by the real process and signals."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import re
import signal
import socket
import sqlite3
import sys
import time
from collections.abc import AsyncIterator, Collection
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp
import pytest

from daemon.ami.simulator import SimulatedPbx
from tests.delivery.receiver import Misbehaviour, Receiver, Reply
from tests.whole.house import DEADLINE_S, ROOT, api_client, command, config_text, simulated_pbx, until

STOP_WITHIN_S = 10.0


@dataclass
class Serving:
    """The process, and every message it sent to its service manager."""

    process: asyncio.subprocess.Process
    log: Path
    told: list[str] = field(default_factory=list)

    async def heard(self, words: str) -> bool:
        return any(words in message for message in self.told)

    async def wait_for(self, words: str) -> None:
        async def explain() -> object:
            return self.told, self.log.read_text()

        await until(lambda: self.heard(words), explain)

    async def stop(self) -> float:
        """SIGTERM; returns how long it took. It ends well."""
        began = time.monotonic()
        self.process.terminate()
        assert await asyncio.wait_for(self.process.wait(), DEADLINE_S) == 0
        return time.monotonic() - began


@contextlib.asynccontextmanager
async def serving(config: Path, **environ: str) -> AsyncIterator[Serving]:
    folder = config.parent
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(folder / "notify"))
        manager.setblocking(False)
        with (folder / "log").open("wb") as log:
            process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "daemon", "serve", "--config", str(config), cwd=ROOT, stderr=log,
                env={**os.environ, "NOTIFY_SOCKET": str(folder / "notify"), "WATCHDOG_USEC": "800000", **environ},
            )  # fmt: skip
        one = Serving(process, folder / "log")
        loop = asyncio.get_running_loop()
        loop.add_reader(manager, lambda: one.told.append(manager.recv(4096).decode()))
        try:
            yield one
        finally:
            loop.remove_reader(manager)
            if process.returncode is None:
                process.kill()
                await process.wait()


def configured(folder: Path, pbx: SimulatedPbx, port: int = 0, level: str = "warning") -> Path:
    path = folder / "callwarden.toml"
    path.write_text(config_text(folder, pbx, port).replace('level = "warning"', f'level = "{level}"'))
    return path


async def test_it_is_ready_when_it_answers_fed_while_it_moves_and_says_how_things_are(
    tmp_path: Path, unused_tcp_port: int
) -> None:
    async with simulated_pbx() as pbx, serving(
        configured(tmp_path, pbx, unused_tcp_port)
    ) as one:  # fmt: skip
        await one.wait_for("READY=1")
        healthz = f"http://127.0.0.1:{unused_tcp_port}/healthz"
        async with aiohttp.ClientSession() as session, session.get(healthz) as response:
            assert response.status == 200
        await one.wait_for("STATUS=live calls: 0; main connected")
        fed = sum("WATCHDOG=1" in message for message in one.told)
        await asyncio.sleep(1.0)
        assert sum("WATCHDOG=1" in message for message in one.told) >= fed + 3
        await pbx.close()
        await one.wait_for("STATUS=live calls: 0; main lost")
        fed = sum("WATCHDOG=1" in message for message in one.told)
        await asyncio.sleep(1.0)
        assert sum("WATCHDOG=1" in message for message in one.told) >= fed + 3
        assert await one.stop() < STOP_WITHIN_S
        await one.wait_for("STOPPING=1")


async def test_a_frozen_process_feeds_nobody(tmp_path: Path) -> None:
    async with simulated_pbx() as pbx, serving(configured(tmp_path, pbx)) as one:
        await one.wait_for("WATCHDOG=1")
        one.process.send_signal(signal.SIGSTOP)
        await asyncio.sleep(0.3)
        one.told.clear()
        await asyncio.sleep(1.0)
        assert one.told == []
        one.process.send_signal(signal.SIGCONT)
        await one.wait_for("WATCHDOG=1")


async def test_it_is_ready_without_its_pbx(tmp_path: Path) -> None:
    """Otherwise a PBX that is away would end it at the start."""
    async with simulated_pbx() as pbx:
        config = configured(tmp_path, pbx)
    async with serving(config) as one:
        await one.wait_for("READY=1")
        await one.wait_for("STATUS=live calls: 0; main")
        assert await one.stop() < STOP_WITHIN_S


async def test_what_cannot_start_is_never_ready(tmp_path: Path) -> None:
    async with simulated_pbx() as pbx:
        config = configured(tmp_path, pbx)
        (tmp_path / "callwarden.db").write_bytes(b"this is no database" * 100)
        async with serving(config) as one:
            assert await asyncio.wait_for(one.process.wait(), DEADLINE_S) == 1
            assert not await one.heard("READY=1")


async def test_a_reload_takes_over_what_it_can_and_names_the_rest(tmp_path: Path) -> None:
    async with simulated_pbx() as pbx:
        config = configured(tmp_path, pbx)
        async with serving(config) as one:
            await one.wait_for("main connected")
            one.process.send_signal(signal.SIGHUP)
            await one.wait_for("READY=1\nSTATUS=reloaded: nothing has changed")
            assert re.search(r"RELOADING=1\nMONOTONIC_USEC=\d+", "\n".join(one.told))
            text = config.read_text()
            config.write_text(text.replace('level = "warning"', 'level = "info"').replace("127.0.0.1:0", "127.0.0.1:1"))
            one.process.send_signal(signal.SIGHUP)
            await one.wait_for("STATUS=reloaded; only a restart puts in force: http.listen")
            config.write_text(text + '\n["loggổ"]\n', "utf-8")
            one.process.send_signal(signal.SIGHUP)
            await one.wait_for("the configuration was not reloaded: ")
            await one.wait_for('unknown key "loggổ"; did you mean "log"')
            assert await one.stop() < STOP_WITHIN_S
        events = [json.loads(line)["event"] for line in one.log.read_text().splitlines() if line.startswith("{")]
        assert events.count("configuration_reloaded") == 1  # the first one was below the level of then
        assert events.count("configuration_not_reloaded") == 1


async def test_a_new_secret_is_used_at_the_next_login(tmp_path: Path) -> None:
    async with simulated_pbx() as pbx:
        config = configured(tmp_path, pbx)
        async with serving(config) as one:
            await one.wait_for("main connected")
            old, pbx.secret = pbx.secret, "another-secret"
            config.write_text(config.read_text().replace(old, pbx.secret))
            one.process.send_signal(signal.SIGHUP)
            await one.wait_for("STATUS=reloaded: pbx.main.secret")
            before = set(pbx.clients)
            for client in before:
                client.writer.transport.abort()
            await until(lambda: _logged_in(pbx, before))
            await one.stop()


async def _logged_in(pbx: SimulatedPbx, before: Collection[object]) -> bool:
    return any(client.logged_in for client in pbx.clients if client not in before)


@pytest.mark.parametrize("secret_file", ["/{folder}/secrets/main"])
async def test_a_secret_comes_from_what_systemd_has_read(tmp_path: Path, secret_file: str) -> None:
    """The file itself is root's: here it says something else, and is not looked at."""
    credentials = tmp_path / "credentials"
    (tmp_path / "secrets").mkdir()
    (tmp_path / "secrets/main").write_text("not for you")
    credentials.mkdir()
    async with simulated_pbx() as pbx:
        (credentials / "secrets_main").write_text(pbx.secret + "\n")
        config = configured(tmp_path, pbx)
        name = secret_file.replace("/{folder}", str(tmp_path))
        config.write_text(config.read_text().replace(f'secret = "{pbx.secret}"', f'secret_file = "{name}"'))
        async with serving(config, CREDENTIALS_DIRECTORY=str(credentials)) as one:
            await one.wait_for("main connected")
            await one.stop()


async def test_it_stops_within_ten_seconds_whatever_is_under_way_and_nothing_is_lost(
    tmp_path: Path, unused_tcp_port: int
) -> None:
    """A server that never answers, a desk that listens, a request whose body never comes, a call on the line."""
    async with simulated_pbx() as pbx, Receiver() as crm:
        crm.plan("/hook", Reply(misbehaviour=Misbehaviour.HANG))
        config = configured(tmp_path, pbx, unused_tcp_port)
        async with serving(config) as one:
            await one.wait_for("main connected")
            token = await command("token", "create", "--role", "admin", "--config", config)
            async with api_client(unused_tcp_port, token) as api:
                await api.put("agents/an", {"name": "An", "endpoints": ["PJSIP/1001"]})
                await api.post("webhooks", {"url": crm.url + "/hook", "events": ["call.answered", "ticket.created"]})
                playing = asyncio.create_task(pbx.play("queue_answered", customer="0901234567", speed=4))
                await until(lambda: _answered(crm))
                listening = asyncio.create_task(_listen(unused_tcp_port, token))
                _, slow = await asyncio.open_connection("127.0.0.1", unused_tcp_port)
                slow.write(
                    b"POST /api/v1/tokens HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n"
                    b"Authorization: Bearer " + token.encode() + b"\r\n\r\n"
                )
                await asyncio.sleep(0.3)
                took = await one.stop()
                assert await asyncio.wait_for(listening, 1) == "ended"
                slow.close()
            playing.cancel()
        assert took < STOP_WITHIN_S
        with contextlib.closing(sqlite3.connect(tmp_path / "callwarden.db")) as store:
            deliveries = store.execute("SELECT event_type, status FROM deliveries ORDER BY event_type").fetchall()
            assert deliveries == [("call.answered", "pending"), ("ticket.created", "pending")]
            assert store.execute("SELECT count(*) FROM tickets").fetchone() == (1,)
            assert store.execute("PRAGMA integrity_check").fetchone() == ("ok",)


async def _answered(crm: Receiver) -> bool:
    return len(crm.requests) >= 2


async def _listen(port: int, token: str) -> str:
    """Until the server ends the stream; a connection that breaks is no end."""
    headers, address = {"Authorization": f"Bearer {token}"}, f"http://127.0.0.1:{port}/api/v1/events"
    async with aiohttp.ClientSession(headers=headers) as session, session.get(address) as response:
        async for _ in response.content:
            pass
    return "ended"
