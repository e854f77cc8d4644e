"""The socket: the server says which port it got, a taken port is an error, stopping ends everything."""

from __future__ import annotations

import asyncio
from contextlib import suppress

import aiohttp
import pytest

from daemon.web.server import build_app, start_web
from tests.web.conftest import House


async def test_the_server_listens_answers_and_stops_with_listeners_on_the_line(house: House) -> None:
    server = await start_web(build_app(house.services()), "127.0.0.1", 0)
    address = f"http://127.0.0.1:{server.port}"
    async with aiohttp.ClientSession() as session:
        async with session.get(f"{address}/healthz") as response:
            assert response.status == 200
        async with session.get(f"{address}/api/v1/events", headers=house.headers()) as stream:
            async with asyncio.timeout(4):
                await server.stop()
            with suppress(aiohttp.ClientError):
                await stream.read()
        with pytest.raises(aiohttp.ClientConnectionError):
            await session.get(f"{address}/healthz")


async def test_a_taken_port_is_an_error(house: House) -> None:
    server = await start_web(build_app(house.services()), "127.0.0.1", 0)
    with pytest.raises(OSError, match="address"):
        await start_web(build_app(house.services()), "127.0.0.1", server.port)
    await server.stop()
