"""Every page, in both themes and widths: for everybody to read and operate, and silent in the console."""

from __future__ import annotations

from daemon.web.navigation import SECTIONS
from daemon.web.routes import ROUTES
from tests.browser.every_page import THEMES, assert_every_page_is_for_everybody, wrong_pages
from tests.browser.house import House
from tests.browser.pages import LEADS_ELSEWHERE, PAGES, is_part
from tests.browser.screenshots import page_list
from tests.whole.house import ROOT


def test_every_page_is_among_those_that_are_tested_and_pictured() -> None:
    routes = {route.path for route in ROUTES if route.page and route.method == "GET" and not is_part(route.path)}
    routes -= LEADS_ELSEWHERE
    assert sorted(page.route for page in PAGES) == sorted(routes)


def test_every_page_of_the_navigation_is_pictured() -> None:
    links = {link.path for section in SECTIONS for link in section.links}
    assert links <= {page.route for page in PAGES}


def test_the_list_of_pages_in_the_documents_is_the_one_of_the_tests() -> None:
    assert (ROOT / "docs" / "pages.md").read_text(encoding="utf-8") == page_list("images")


async def test_every_page_can_be_read_and_used_by_everybody(house: House) -> None:
    await assert_every_page_is_for_everybody(house, "en", THEMES)


async def test_pages_with_nothing_to_show_are_as_good(house: House) -> None:
    for user_id in ("an", "binh"):
        await house.api.delete(f"agents/{user_id}")
    empty = [page.route for page in PAGES if page.signed_in and "{" not in page.route]
    wrong = await wrong_pages(await house.person(), empty, "en", THEMES[:1])
    assert not wrong, wrong
