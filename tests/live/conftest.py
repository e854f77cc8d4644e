"""The bench as fixtures: one Asterisk for the session, phones and a trunk for each test."""

from __future__ import annotations

import contextlib
import importlib.util
import os
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path
from typing import NoReturn

import pytest
import pytest_asyncio

from daemon.ami.manager_conf import ManagerUser, stanza
from tests.live.asterisk import Asterisk, LiveUnavailable
from tests.live.daemon_house import ANSWER_TIMES, House, daemon_beside, daemon_inside
from tests.live.lab import Lab
from tests.live.phone import Phone, PhoneError
from tests.live.trunk import Trunk

PhoneMaker = Callable[[str], Awaitable[Phone]]
LOAD_AGENTS = 50


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Everything in this folder is a live test."""
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.live)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print how far apart daemon and phones were, and how soon the CRM had the popup."""
    if lines := list(ANSWER_TIMES.table()):
        terminalreporter.section("after the phone's own answer, as the daemon has it")
        terminalreporter.write("\n".join(lines) + "\n")


@pytest.fixture(scope="session")
def asterisk() -> Iterator[Asterisk]:
    """A running Asterisk with agents 1001..1005, and 2001..2050 for load; its manager user is the one we print."""
    with contextlib.ExitStack() as stack:
        try:
            _need_phones()
            pbx = stack.enter_context(Asterisk(load_agents=LOAD_AGENTS, manager_stanza=printed_stanza))
        except LiveUnavailable as unavailable:
            give_up(unavailable.reason)
        yield pbx


def printed_stanza(secret: str) -> str:
    return stanza(ManagerUser(secret=secret))


@pytest_asyncio.fixture
async def house(asterisk: Asterisk, tmp_path: Path) -> AsyncIterator[House]:
    """A daemon in this process with an empty store, connected and furnished."""
    async with daemon_inside(tmp_path, asterisk) as opened:
        yield opened


@pytest_asyncio.fixture
async def own_house(asterisk: Asterisk, tmp_path: Path) -> AsyncIterator[House]:
    """The same with the daemon as a process of its own, to be killed."""
    async with daemon_beside(tmp_path, asterisk) as opened:
        yield opened


@pytest_asyncio.fixture
async def phone(asterisk: Asterisk) -> AsyncIterator[PhoneMaker]:
    """`await phone("1001")` is the registered phone of that agent, gone when the test ends."""
    async with contextlib.AsyncExitStack() as stack:

        async def make(user: str) -> Phone:
            made = await stack.enter_async_context(Phone(asterisk, user))
            stack.push_async_callback(_sign_off, made)
            await made.register()
            return made

        yield make


@pytest_asyncio.fixture
async def trunk(asterisk: Asterisk) -> AsyncIterator[Trunk]:
    """The customers' side."""
    async with Trunk.open(asterisk) as opened:
        yield opened


@pytest_asyncio.fixture
async def lab(asterisk: Asterisk) -> AsyncIterator[Lab]:
    """A manager connection which may do everything and keeps the raw bytes."""
    async with Lab.open(asterisk) as opened:
        yield opened


async def _sign_off(phone: Phone) -> None:
    """A contact left behind would go on ringing in the next test's queue."""
    if phone.is_running:
        with contextlib.suppress(PhoneError, TimeoutError):
            await phone.unregister()


def _need_phones() -> None:
    if importlib.util.find_spec("pjsua2") is None:
        raise LiveUnavailable("no SIP phones: pip install pjsua2-python")


def give_up(reason: str) -> NoReturn:
    """Skip with the reason; where everything could be installed (CI, root, apt) it is a failure."""
    could_be_installed = os.geteuid() == 0 and shutil.which("apt-get") is not None
    if os.environ.get("CI") == "true" and could_be_installed:
        pytest.fail(f"the live bench must run here: {reason}")
    pytest.skip(f"no live bench: {reason}")
