"""What axe-core finds on a page: nothing serious or critical may be against WCAG 2.2 AA."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import Any, Final

from playwright.async_api import Page

_RULES: Final = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
_GRAVE: Final = {"serious", "critical"}
_ALL: Final = {"type": "tag", "values": _RULES}
_COLOURS: Final = {"type": "rule", "values": ["color-contrast"]}
_RUN: Final = """which => axe.run(document, {
  runOnly: which, resultTypes: ["violations"], elementRef: false, iframes: false,  // what is framed is a customer's
})"""


@cache
def _axe() -> str:
    return files("axe_playwright_python").joinpath("axe.min.js").read_text(encoding="utf-8")


async def assert_accessible(page: Page, *, colours_only: bool = False) -> None:
    """The page as it is now: this theme, width and language. It is the debugger that runs axe, so the CSP stays.

    `colours_only` is for another theme of a page that was looked at: nothing but colours differs.
    """
    if not await page.evaluate("'axe' in globalThis"):
        await page.evaluate(_axe())
    result = await page.evaluate(_RUN, _COLOURS if colours_only else _ALL)
    grave = [finding for finding in result["violations"] if finding["impact"] in _GRAVE]
    assert not grave, f"{page.url}\n" + "\n".join(_words(finding) for finding in grave)


def _words(finding: dict[str, Any]) -> str:
    places = [f"  {node['html'][:200]}\n    {node['failureSummary']}" for node in finding["nodes"][:3]]
    return "\n".join([f"{finding['impact']} {finding['id']}: {finding['help']}", *places])
