"""`python -m tests.browser.screenshots docs/images` (make screenshots): a picture of every page, and their list beside.

The house is furnished and its clock stands on a Monday morning, so that two runs differ only where pages do.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

import time_machine

from daemon.log import configure_logging
from tests.browser.chromium import BrowserUnavailableError, chromium
from tests.browser.furniture import OPENING, furnish
from tests.browser.house import NARROW, WIDE, House, Person, open_house
from tests.browser.pages import PAGES, Shown, Theme

_CRM_PORT: Final = 8077
"""It stands in pictures, so it is always the same."""
_HEAD: Final = """# Every page in a picture

Made by `make screenshots` from a furnished installation with invented people; the words beside are the page's purpose.
"""
_NO_CARET: Final = """() => {
  const sheet = new CSSStyleSheet();  // not an element: the page's policy refuses those
  sheet.replaceSync("* { caret-color: transparent !important }");
  document.adoptedStyleSheets = [...document.adoptedStyleSheets, sheet];
}"""


def variants(page: Shown) -> Iterator[tuple[str, int, Theme]]:
    """Its pictures: file name, width, theme."""
    yield f"{page.name}-light.png", WIDE, "light"
    if page.dark:
        yield f"{page.name}-dark.png", WIDE, "dark"
    if page.phone:
        yield f"{page.name}-390.png", NARROW, "light"


def page_list(folder: str) -> str:
    """The text of docs/pages.md."""
    lines = []
    for page in PAGES:
        first, *more = [f"{folder}/{name}" for name, _, _ in variants(page)]
        others = "".join(f", [{_word(name)}]({name})" for name in more)
        lines.append(f"- `{page.route}`: {page.words} [Picture]({first}){others}")
    return f"{_HEAD}\n" + "\n".join(lines) + "\n"


async def take_all(folder: Path) -> None:
    with tempfile.TemporaryDirectory() as temporary, time_machine.travel(OPENING) as clock:
        async with chromium() as browser, open_house(Path(temporary), browser, _CRM_PORT) as house:
            link = await house.daemon.set_up_link() or ""
            await _take(await house.visitor(), _of_set_up(), {"token": link.rpartition("/")[2]}, folder)
            ids = await furnish(house, clock)
            await _take_pages(house, ids, folder)


async def _take_pages(house: House, ids: Mapping[str, str], folder: Path) -> None:
    visitor, admin, agent = await house.visitor(), await house.browser_of("minh.tran"), await house.browser_of("an")
    await agent.open("/password")
    await agent.speak("en")
    for page in PAGES:
        if page != _of_set_up():
            who = agent if page.by_agent else admin if page.signed_in else visitor
            await _take(who, page, ids, folder)


async def _take(who: Person, page: Shown, ids: Mapping[str, str], folder: Path) -> None:
    for name, width, theme in variants(page):
        await who.size(width)
        await who.page.emulate_media(color_scheme=theme, reduced_motion="reduce")
        await who.open(page.path(ids))
        await who.page.wait_for_load_state("networkidle")
        await who.page.evaluate(_NO_CARET)
        await who.page.screenshot(path=folder / name, caret="initial")
        print(name)  # noqa: T201 - a command
    await who.settle()


def _of_set_up() -> Shown:
    return next(page for page in PAGES if page.route.startswith("/set-up/"))


def _word(name: str) -> str:
    return "on a phone" if name.endswith("-390.png") else "dark"


def main() -> None:
    if len(sys.argv) != 2:
        sys.exit("name the folder for the pictures")
    configure_logging("error", "console")
    try:
        folder = Path(sys.argv[1])
        folder.mkdir(parents=True, exist_ok=True)
        asyncio.run(take_all(folder))
        (folder.parent / "pages.md").write_text(page_list(folder.name), encoding="utf-8")
    except (BrowserUnavailableError, OSError) as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
