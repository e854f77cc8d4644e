"""What a browser complains of. Every test ends with `settle`: nothing may be wrong but what the test announced."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from playwright.async_api import BrowserContext, ConsoleMessage, Dialog, Error, Page, Request

_REPORT_VIOLATIONS = """
addEventListener("securitypolicyviolation", (event) => {
  console.error(`refused by the policy: ${event.violatedDirective} ${event.blockedURI} ${event.sample}`);
});
"""
_ANSWERED = re.compile(r"Failed to load resource: the server responded with a status of (\d+)")
_UNREACHABLE = "Failed to load resource: net::ERR_"
# The test's own clock, which goes into every frame, is not let into the desk's empty, sandboxed one.
_SHUT_OUT = re.compile(r"Blocked script execution in 'about:(blank|srcdoc)' because the document's frame is sandboxed")
_ONLY_READ_BY_POST = ("/settings/calls/what-happens",)
_SIDEWAYS = """() => {
  const wide = document.documentElement;
  if (wide.scrollWidth <= wide.clientWidth) return null;
  const out = [...document.querySelectorAll("body *")].filter((one) => one.getBoundingClientRect().right > innerWidth);
  return `${wide.scrollWidth} > ${wide.clientWidth}: ${out.slice(0, 3).map((one) => one.outerHTML.slice(0, 120))}`;
}"""


@dataclass
class Watch:
    """Everything wrong in one browser context, in the words of the browser."""

    wrong: list[str] = field(default_factory=list)
    refusals: Counter[tuple[int, str]] = field(default_factory=Counter)
    expected: Counter[tuple[int, str]] = field(default_factory=Counter)
    is_offline: bool = False
    is_signed_out: bool = False

    async def begin(self, context: BrowserContext) -> None:
        await context.add_init_script(_REPORT_VIOLATIONS)
        context.on("console", self._console)
        context.on("weberror", lambda error: self.wrong.append(f"uncaught: {error.error}"))
        context.on("requestfailed", self._failed)
        context.on("dialog", self._dialog)

    def expect(self, status: int, path: str, times: int = 1) -> None:
        """Announce that this path will answer with this status; it must, and no other may."""
        self.expected[status, path] += times

    def any_refusals(self) -> None:
        """From now on what asks for a session may be refused, as often as it asks: nobody is signed in, or another."""
        self.is_signed_out = True

    @contextmanager
    def offline(self) -> Iterator[None]:
        """Meanwhile the server is expected not to be reached."""
        self.is_offline = True
        yield
        self.is_offline = False

    async def settle(self, *pages: Page) -> None:
        """Fails on whatever was wrong up to now."""
        for page in pages:
            if sideways := await _sideways(page):  # also lets what the page said before arrive
                self.wrong.append(f"{page.url} scrolls sideways: {sideways}")
        assert not self.wrong, "\n".join(self.wrong)
        assert self.refusals == self.expected, f"refused: {dict(self.refusals)}, announced: {dict(self.expected)}"

    def forget(self) -> None:
        """Begin anew, for a test that has taken note."""
        self.wrong.clear()
        self.refusals.clear()
        self.expected.clear()

    def _console(self, message: ConsoleMessage) -> None:
        if message.type not in ("error", "warning"):
            return
        url = message.location["url"]
        answered = _ANSWERED.match(message.text)
        if _SHUT_OUT.match(message.text):
            return
        if answered and self.is_signed_out and answered[1] in ("401", "403"):
            return
        if answered:
            self.refusals[int(answered[1]), urlsplit(url).path] += 1
        elif not (self.is_offline and message.text.startswith(_UNREACHABLE)):
            self.wrong.append(f"console {message.type}: {message.text} ({url})")

    def _failed(self, request: Request) -> None:
        left = request.failure == "net::ERR_ABORTED"  # the reader went to another page meanwhile: no change is lost
        reads = request.method == "GET" or urlsplit(request.url).path in _ONLY_READ_BY_POST
        if self.is_offline or (left and reads):
            return
        self.wrong.append(f"request failed: {request.method} {request.url}: {request.failure}")

    async def _dialog(self, dialog: Dialog) -> None:
        """No page of ours asks in this way: it was somebody's script."""
        self.wrong.append(f"dialog: {dialog.type} {dialog.message}")
        await dialog.dismiss()


async def _sideways(page: Page) -> str | None:
    try:
        found: str | None = await page.evaluate(_SIDEWAYS)
    except Error:  # it was about to go to another page
        await page.wait_for_load_state()
        found = await page.evaluate(_SIDEWAYS)
    return found
