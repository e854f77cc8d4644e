"""Under which address the server says it is: never one that a broken Host header makes up."""

from __future__ import annotations

import asyncio

import pytest

from daemon.store.role import Role
from tests.web.conftest import House

PAGES = ["/reference", "/settings/ringtones", "/api/v1/ringtones"]


async def status_of(house: House, path: str, host: bytes, cookie: str) -> int:
    """The bytes as they are: no client sends such a header."""
    url = house.client.make_url("/")
    reader, writer = await asyncio.open_connection(url.host, url.port)
    writer.write(
        b"GET %s HTTP/1.1\r\nHost: %s\r\nCookie: %s\r\nConnection: close\r\n\r\n"
        % (path.encode(), host, cookie.encode())
    )
    answer = await reader.read()
    writer.close()
    assert b"Traceback" not in answer
    return int(answer.split(b" ", 2)[1])


@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize(
    "host", ["a:99999", "a:b", "", "é", "a b", "a/b", "a@b", "a?b", "[::1", "a:", "<b>", "a\\b", "[" + "1" * 60 + "]"]
)
async def test_a_host_that_is_none_is_refused(house: House, path: str, host: str) -> None:
    cookie = (await house.sign_in_as(Role.ADMIN))["Cookie"]
    for encoding in ("utf-8", "latin-1"):
        assert await status_of(house, path, host.encode(encoding), cookie) == 400


@pytest.mark.parametrize("path", PAGES)
async def test_a_host_that_is_one_is_taken(house: House, path: str) -> None:
    cookie = (await house.sign_in_as(Role.ADMIN))["Cookie"]
    for host in (b"pbx_1.local", b"127.0.0.1:8088", b"[::1]:8088", b"calls.example.com:65535", b"a.b.", b"xn--d1acufc"):
        assert await status_of(house, path, host, cookie) == 200


async def test_a_configured_address_counts_whatever_was_asked_for(https_house: House) -> None:
    cookie = (await https_house.sign_in_as(Role.ADMIN))["Cookie"]
    assert await status_of(https_house, "/settings/ringtones", b"a:b", cookie) == 200
