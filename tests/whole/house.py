"""A whole installation on loopback: simulated PBX, a real CRM, and the daemon in this process or in its own."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp

from daemon.ami.simulator import SimulatedPbx

ROOT = Path(__file__).parents[2]
DEADLINE_S = 20.0
COMMAND_S = 60.0


def config_text(folder: Path, pbx: SimulatedPbx, http_port: int = 0) -> str:
    return f"""
[http]
listen = "127.0.0.1:{http_port}"
[store]
url = "sqlite:///{folder / "callwarden.db"}"
[log]
level = "warning"
[[pbx]]
name = "main"
host = "127.0.0.1"
port = {pbx.port}
username = "{pbx.username}"
secret = "{pbx.secret}"
"""


@asynccontextmanager
async def simulated_pbx() -> AsyncIterator[SimulatedPbx]:
    pbx = SimulatedPbx()
    await pbx.start()
    try:
        yield pbx
    finally:
        await pbx.close()


class Api:
    """A client of the JSON API that fails loudly."""

    def __init__(self, session: aiohttp.ClientSession, base: str) -> None:
        self._session = session
        self._base = base

    async def get(self, path: str) -> dict[str, Any]:
        return await self._ask("GET", path)

    async def put(self, path: str, body: Mapping[str, object]) -> dict[str, Any]:
        return await self._ask("PUT", path, body)

    async def patch(self, path: str, body: Mapping[str, object]) -> dict[str, Any]:
        return await self._ask("PATCH", path, body)

    async def post(self, path: str, body: Mapping[str, object] | None = None) -> dict[str, Any]:
        return await self._ask("POST", path, body or {})

    async def delete(self, path: str) -> None:
        await self._ask("DELETE", path)

    async def every(self, path: str) -> list[dict[str, Any]]:
        """All items of a list, page by page."""
        found: list[dict[str, Any]] = []
        cursor: str | None = ""
        while cursor is not None:
            page = await self.get(f"{path}?limit=100" + (f"&cursor={cursor}" if cursor else ""))
            found += page["items"]
            cursor = page["next"]
        return found

    async def _ask(self, method: str, path: str, body: Mapping[str, object] | None = None) -> dict[str, Any]:
        async with self._session.request(method, f"{self._base}/api/v1/{path}", json=body) as response:
            document: dict[str, Any] = await response.json(content_type=None) if response.status != 204 else {}
            assert response.status < 300, (method, path, response.status, document)
            return document


@asynccontextmanager
async def api_client(port: int, token: str) -> AsyncIterator[Api]:
    async with aiohttp.ClientSession(headers={"Authorization": f"Bearer {token}"}) as session:
        yield Api(session, f"http://127.0.0.1:{port}")


async def until(
    condition: Callable[[], Awaitable[bool]],
    explain: Callable[[], Awaitable[object]] | None = None,
    deadline_s: float = DEADLINE_S,
) -> None:
    """Wait for an async condition; when the time is over, `explain` says what was still wrong."""
    loop = asyncio.get_running_loop()
    end = loop.time() + deadline_s
    while not await condition():
        if loop.time() > end:
            raise AssertionError(f"not so after {deadline_s} s: {await explain() if explain else ''}")
        await asyncio.sleep(0.02)


async def command(*arguments: object) -> str:
    """Run `callwarden …` and return its output."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "daemon", *map(str, arguments), cwd=ROOT, stdout=-1, stderr=-1
    )
    out, err = await asyncio.wait_for(process.communicate(), COMMAND_S)
    assert process.returncode == 0, err.decode()
    return out.decode().strip()


class DaemonProcess:
    """`callwarden serve` as its own process, to be killed. `launcher` is what stands before `serve`."""

    def __init__(self, config: Path, port: int, launcher: Sequence[str] = ("-m", "daemon")) -> None:
        self._config = config
        self._port = port
        self._launcher = launcher
        self._process: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        self._process = await asyncio.create_subprocess_exec(
            sys.executable, *self._launcher, "serve", "--config", str(self._config), cwd=ROOT
        )

    async def ready(self, within_s: float = COMMAND_S) -> None:
        """Wait until store and PBX are there."""

        async def answers() -> bool:
            try:
                async with (
                    aiohttp.ClientSession() as session,
                    session.get(f"http://127.0.0.1:{self._port}/readyz") as response,
                ):
                    return response.status == 200
            except aiohttp.ClientError:
                return False

        await until(answers, deadline_s=within_s)

    async def kill(self) -> None:
        """SIGKILL: no goodbye."""
        assert self._process is not None
        os.kill(self._process.pid, signal.SIGKILL)
        await self._process.wait()

    async def stop(self) -> int:
        """SIGTERM, as systemd does; returns the exit code."""
        assert self._process is not None
        if self._process.returncode is None:
            self._process.terminate()
        return await asyncio.wait_for(self._process.wait(), DEADLINE_S)
