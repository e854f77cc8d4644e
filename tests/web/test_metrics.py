"""Who may read `/metrics`: by a token, or named by the configuration; the world never, whatever proxy is in front."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import pytest

from daemon.store.role import Role
from tests.web.conftest import House, open_house

PATH = "/metrics"
NO_HEADERS: Mapping[str, str] = {}
THIS_MACHINE = (ip_network("127.0.0.0/8"),)


async def _status(house: House, role: Role | None = None, headers: Mapping[str, str] = NO_HEADERS) -> int:
    async with house.client.get(PATH, headers={**house.headers(role), **headers}) as response:
        text = await response.text()
        assert ("# TYPE callwarden_calls_total counter" in text) == (response.status == 200)
        return response.status


@pytest.fixture
async def named(tmp_path: Path) -> AsyncIterator[House]:
    """A house whose configuration names this machine."""
    async with open_house(tmp_path, metrics_from=THIS_MACHINE, trusted_proxies=THIS_MACHINE) as house:
        yield house


async def test_a_supervisors_token_reads(house: House) -> None:
    async with house.client.get(PATH, headers=house.headers(Role.SUPERVISOR)) as response:
        assert response.status == 200
        assert response.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
        assert response.headers["Cache-Control"] == "no-store"
        assert "process_resident_memory_bytes" in await response.text()


async def test_nobody_else_does_also_not_what_looks_like_this_machine(house: House, https_house: House) -> None:
    """nginx as it comes asks for 127.0.0.1 by name and forwards no address: its whole world is this machine."""
    nginx = {"Host": f"127.0.0.1:{house.client.port}", "Connection": "close"}
    for one in (house, https_house):
        assert await _status(one, headers=nginx) == 401
        statuses = {role: await _status(one, role) for role in Role}
        assert statuses == {Role.ADMIN: 200, Role.SUPERVISOR: 200, Role.AGENT: 403}


@pytest.mark.parametrize("host", ["localhost:8088", "127.0.0.1", "[::1]:8088"])
async def test_this_machine_reads_by_any_of_its_names_once_it_is_named(named: House, host: str) -> None:
    assert await _status(named, headers={"Host": host}) == 200


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:8088", "localhost.evil.example", "127.0.0.1.evil.example"]
)
async def test_a_page_that_renames_itself_to_this_machine_reads_nothing(named: House, host: str) -> None:
    assert await _status(named, headers={"Host": host}) == 401


async def test_whom_a_proxy_names_is_not_this_machine(named: House) -> None:
    assert await _status(named, headers={"X-Forwarded-For": "203.0.113.9"}) == 401
    assert await _status(named, headers={"X-Forwarded-For": "203.0.113.9, 127.0.0.1"}) == 401


async def test_the_configuration_names_who_else_reads(tmp_path: Path) -> None:
    networks: dict[str, Any] = {
        "metrics_from": (ip_network("203.0.113.0/24"),),
        "trusted_proxies": (ip_network("127.0.0.0/8"),),
    }
    async with open_house(tmp_path, public_url="https://calls.example.com", **networks) as house:
        assert await _status(house, headers={"X-Forwarded-For": "203.0.113.9"}) == 200
        assert await _status(house, headers={"X-Forwarded-For": "198.51.100.9"}) == 401
        assert await _status(house) == 401
        assert await _status(house, Role.ADMIN) == 200


async def test_an_admin_may_look_with_his_browser(https_house: House) -> None:
    headers = await https_house.sign_in_as(Role.ADMIN)
    assert await _status(https_house, headers=headers) == 200
