"""One Chromium for the session; for each test a daemon with everything around it, and a look at what was wrong."""

from __future__ import annotations

import importlib.util
import inspect
import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import pytest
import pytest_asyncio

from tests.browser.chromium import BrowserUnavailableError, chromium

if TYPE_CHECKING:
    from playwright.async_api import Browser

    from tests.browser.house import House, Person

_MISSING = "no playwright: pip install playwright" if importlib.util.find_spec("playwright") is None else ""
collect_ignore_glob = ["test_*.py"] if _MISSING else []


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Everything in this folder is a browser test, and all share the loop in which the browser lives."""
    here = Path(__file__).parent
    one_loop = pytest.mark.asyncio(loop_scope="session")
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.browser)
            if inspect.iscoroutinefunction(getattr(item, "function", None)):
                item.add_marker(one_loop, append=False)


def pytest_sessionstart() -> None:
    if _MISSING and _is_ci():
        raise pytest.UsageError(f"the browser tests must run here: {_MISSING}")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if _MISSING:
        terminalreporter.write_line(f"browser tests were left out: {_MISSING}")


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser() -> AsyncIterator[Browser]:
    running = chromium()
    try:
        opened = await running.__aenter__()
    except BrowserUnavailableError as unavailable:
        _give_up(str(unavailable))
    yield opened
    await running.__aexit__(None, None, None)


@pytest_asyncio.fixture(loop_scope="session")
async def house(browser: Browser, tmp_path: Path) -> AsyncIterator[House]:
    """At the end every browser that was opened must have had nothing to complain of."""
    from tests.browser.house import open_house

    async with open_house(tmp_path, browser) as opened:
        yield opened
        for person in opened.people:
            await person.settle()


@pytest_asyncio.fixture(loop_scope="session")
async def admin(house: House) -> Person:
    """An admin who reads English, in front of a wide screen."""
    return await house.person(name="admin")


def _is_ci() -> bool:
    return os.environ.get("CI") == "true"


def _give_up(reason: str) -> NoReturn:
    if _is_ci():
        pytest.fail(f"the browser tests must run here: {reason}")
    pytest.skip(f"no browser tests: {reason}")
