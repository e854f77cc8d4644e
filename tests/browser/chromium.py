"""A real Chromium, Debian's, driven by playwright. Nothing is downloaded; without it the browser tests say so."""

from __future__ import annotations

import importlib.util
import os
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from playwright.async_api import Browser

_FLAGS: Final = (
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
    "--host-resolver-rules=MAP callwarden.lan 127.0.0.1",  # a name on a LAN, by http: browsers allow it less
)
_NAMES: Final = ("chromium", "chromium-browser")


class BrowserUnavailableError(Exception):
    """There is no browser to test with."""


def find_chromium() -> str:
    """The one that CHROMIUM names, or the first on the path."""
    names = (os.environ["CHROMIUM"],) if os.environ.get("CHROMIUM") else _NAMES
    found = next((path for name in names if (path := shutil.which(name))), None)
    if found is None:
        raise BrowserUnavailableError(f"no {names[0]}: apt-get install chromium, or name one with CHROMIUM=/path")
    return found


@asynccontextmanager
async def chromium(*, blocks_popups: bool = False) -> AsyncIterator[Browser]:
    """One browser process with a profile of its own, gone at the end. Playwright's lets every popup open by default."""
    if importlib.util.find_spec("playwright") is None:
        raise BrowserUnavailableError("no playwright: pip install playwright")
    from playwright.async_api import async_playwright

    path = find_chromium()
    sandbox = ("--no-sandbox",) if os.geteuid() == 0 else ()  # Chromium refuses to be root inside its sandbox
    left_out = ["--disable-popup-blocking"] if blocks_popups else None
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=path, args=[*_FLAGS, *sandbox], ignore_default_args=left_out
        )
        try:
            yield browser
        finally:
            await browser.close()
