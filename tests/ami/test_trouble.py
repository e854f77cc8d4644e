"""Every way in which a link fails is told in words of its own."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from daemon.ami.failures import ActionTimeout, ClosedByPbx
from daemon.ami.framing import ProtocolError
from daemon.ami.settings import AmiConfig
from daemon.ami.trouble import words
from daemon.message import Message
from tests.ami.conftest import Linked

CONFIG = AmiConfig("main", "callwarden", "s3cret", host="pbx.example.com")


async def told(here: Linked) -> Message:
    await here.until(lambda: here.link.last_failure is not None)
    assert here.link.last_failure is not None
    return words(here.link.last_failure.error, here.link.config)


async def test_a_wrong_secret_is_told_with_what_else_it_may_be(make: Callable[..., Linked]) -> None:
    said = await told(make(secret="not-this"))
    assert "login of callwarden" in said
    assert "permit" in said
    assert "not-this" not in said


async def test_nobody_listening_is_told(make: Callable[..., Linked]) -> None:
    assert "Nobody listens at 127.0.0.1:1" in await told(make(port=1))


async def test_a_host_with_several_addresses_where_nobody_listens_is_told(make: Callable[..., Linked]) -> None:
    assert "Nobody listens at localhost:1" in await told(make(host="localhost", port=1))


async def test_an_unknown_host_is_told(make: Callable[..., Linked]) -> None:
    assert "name nowhere.invalid is not known" in await told(make(host="nowhere.invalid"))


async def test_a_port_that_is_no_manager_interface_is_told(make: Callable[..., Linked]) -> None:
    here = make()
    here.pbx.greeting = b"SSH-2.0-OpenSSH_9.2\r\n"
    assert "no Asterisk manager interface" in await told(here)


async def test_tls_where_there_is_none_is_told(make: Callable[..., Linked]) -> None:
    here = make(tls=True)
    said = await told(here)
    assert "TLS" in said or "answered" in said


async def test_silence_is_told(make: Callable[..., Linked]) -> None:
    here = make()
    here.pbx.greeting = b""
    assert "then said nothing" in await told(here)


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (ClosedByPbx("x"), "closed the connection"),
        (ProtocolError("x"), "damaged"),
        (ActionTimeout("x"), "did not answer in time"),
        (OSError(113, "No route to host"), "no way to pbx.example.com:5038"),
        (OSError("Multiple exceptions: [Errno 111] Connect call failed, [Errno 111] Connect"), "Nobody listens"),
        (ConnectionResetError(104, "reset"), "cut by the other side"),
        (RuntimeError("{odd}"), "failed: {odd}."),
        (RuntimeError(), "failed: RuntimeError."),
    ],
)
def test_other_failures_are_told(error: Exception, expected: str) -> None:
    said = words(error, CONFIG)
    assert expected in said
    assert "s3cret" not in said


async def test_an_error_stays_when_the_link_is_back_and_can_be_translated(make: Callable[..., Linked]) -> None:
    here = make()
    await here.connected()
    here.pbx.drop()
    await here.until(lambda: here.link.logins == 2)
    said = await told(here)
    assert said.translated(lambda text: text.replace("closed", "đã đóng")).count("đã đóng") == 1
    await asyncio.sleep(0)
