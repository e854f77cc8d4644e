"""Every page in Vietnamese; a file of its own, because files are what is shared out among processes."""

from __future__ import annotations

from tests.browser.every_page import THEMES, assert_every_page_is_for_everybody
from tests.browser.house import House


async def test_every_page_can_be_read_and_used_by_everybody_in_vietnamese(house: House) -> None:
    await assert_every_page_is_for_everybody(house, "vi", THEMES[:1])  # colours are the same in every language
