"""The bench as fixtures: one Asterisk for the session, phones and a trunk for each test."""

from __future__ import annotations

import contextlib
import importlib.util
import inspect
import os
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import pytest
import pytest_asyncio

from daemon.ami import dialplan
from daemon.ami.manager_conf import ManagerUser, stanza
from tests.browser.chromium import BrowserUnavailableError, chromium
from tests.live.asterisk import Asterisk, LiveUnavailable
from tests.live.daemon_house import ALERT_TIMES, ANSWER_TIMES, House, daemon_beside, daemon_inside
from tests.live.lab import Lab
from tests.live.phone import Phone, PhoneError
from tests.live.trunk import Trunk
from tests.whole.house import until

if TYPE_CHECKING:
    from playwright.async_api import Browser

PhoneMaker = Callable[[str], Awaitable[Phone]]
LOAD_AGENTS = 50
_HAS_PLAYWRIGHT = importlib.util.find_spec("playwright") is not None
_TIMES = {
    "after the phone's own answer, as the daemon has it": ANSWER_TIMES,
    "after the phone began or ceased to ring, as the desk shows it": ALERT_TIMES,
}
collect_ignore = [] if _HAS_PLAYWRIGHT else ["test_desk.py", "test_webphone.py"]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Everything in this folder is a live test, and all share the loop in which a browser lives."""
    here = Path(__file__).parent
    one_loop = pytest.mark.asyncio(loop_scope="session")
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.live)
            if inspect.iscoroutinefunction(getattr(item, "function", None)):
                item.add_marker(one_loop, append=False)


def pytest_sessionfinish(session: pytest.Session) -> None:
    """A worker's times are printed by the session that started it."""
    if hasattr(session.config, "workeroutput"):
        session.config.workeroutput["times"] = {title: dict(times.seen) for title, times in _TIMES.items()}


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    for title, seen in getattr(node, "workeroutput", {}).get("times", {}).items():
        for what, times in seen.items():
            _TIMES[title].seen[what] += times


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print how far apart daemon and phones were, how soon the CRM had the popup and the desk the alert."""
    for title, times in _TIMES.items():
        if lines := list(times.table()):
            terminalreporter.section(title)
            terminalreporter.write("\n".join(lines) + "\n")


@pytest.fixture(scope="session")
def asterisk() -> Iterator[Asterisk]:
    """A running Asterisk with agents 1001..1005, and 2001..2050 for load; we print its manager user and dialplan."""
    with contextlib.ExitStack() as stack:
        ours = dialplan.snippets(dialplan.Kind.ASTERISK)[0].text
        yield running(
            stack, lambda: Asterisk(load_agents=LOAD_AGENTS, manager_stanza=printed_stanza, extra_dialplan=ours)
        )


def running(stack: contextlib.ExitStack, make: Callable[[], Asterisk]) -> Asterisk:
    """Start it; where that cannot be, the tests are skipped or fail."""
    try:
        _need_phones()
        return stack.enter_context(make())
    except LiveUnavailable as unavailable:
        give_up(unavailable.reason)


def printed_stanza(secret: str) -> str:
    return stanza(ManagerUser(secret=secret))


@pytest_asyncio.fixture(loop_scope="session")
async def house(asterisk: Asterisk, tmp_path: Path) -> AsyncIterator[House]:
    """A daemon in this process with an empty store, connected and furnished."""
    async with daemon_inside(tmp_path, asterisk) as opened:
        yield opened


@pytest_asyncio.fixture(loop_scope="session")
async def own_house(asterisk: Asterisk, tmp_path: Path) -> AsyncIterator[House]:
    """The same with the daemon as a process of its own, to be killed."""
    async with daemon_beside(tmp_path, asterisk) as opened:
        yield opened


@pytest_asyncio.fixture(loop_scope="session")
async def phone(asterisk: Asterisk) -> AsyncIterator[PhoneMaker]:
    """`await phone("1001")` is the registered phone of that agent, gone when the test ends."""
    async with contextlib.AsyncExitStack() as stack:

        async def make(user: str) -> Phone:
            made = await stack.enter_async_context(Phone(asterisk, user))
            stack.push_async_callback(_sign_off, made)
            await made.register()
            return made

        yield make


@pytest.fixture
def known_phone(phone: PhoneMaker, lab: Lab) -> PhoneMaker:
    """The same, once the PBX takes the phone for free, which is a moment after it has answered the registration."""

    async def make(user: str) -> Phone:
        made = await phone(user)

        async def is_there() -> bool:
            return (await lab.action("Getvar", Variable=f"DEVICE_STATE(PJSIP/{user})"))["Value"] == "NOT_INUSE"

        await until(is_there)
        return made

    return make


@pytest_asyncio.fixture(loop_scope="session")
async def trunk(asterisk: Asterisk) -> AsyncIterator[Trunk]:
    """The customers' side."""
    async with Trunk.open(asterisk) as opened:
        yield opened


@pytest_asyncio.fixture(loop_scope="session")
async def lab(asterisk: Asterisk) -> AsyncIterator[Lab]:
    """A manager connection which may do everything and keeps the raw bytes."""
    async with Lab.open(asterisk) as opened:
        yield opened


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def browser() -> AsyncIterator[Browser]:
    """A Chromium for the tests of one file."""
    async with contextlib.AsyncExitStack() as stack:
        try:
            opened = await stack.enter_async_context(chromium())
        except BrowserUnavailableError as unavailable:
            give_up(str(unavailable))
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
