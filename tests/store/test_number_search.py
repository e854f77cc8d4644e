"""A customer's number is found however it is typed, and nothing that is typed is a pattern."""

from __future__ import annotations

import re

import pytest

from daemon.store.number_search import number_search

STORED = "+84901701234"


def finds(typed: str, stored: str = STORED, country: str = "VN") -> bool:
    """As SQLite's LIKE with the escape sign does it."""
    found = number_search(typed, country)
    return found.exact == stored or any(re.fullmatch(_regex(pattern), stored, re.S) for pattern in found.patterns)


def _regex(pattern: str) -> str:
    parts = re.split(r"(\\.|[%_])", pattern)
    return "".join({"%": ".*", "_": "."}.get(part, re.escape(part.removeprefix("\\"))) for part in parts)


@pytest.mark.parametrize(
    "typed",
    [
        "0901701234",
        "+84901701234",
        "84901701234",
        "0084901701234",
        "090 170 12 34",
        "0901.701.234",
        "+84 (90) 1701-234",
    ],
)
def test_a_whole_number_is_found_in_any_form(typed: str) -> None:
    assert finds(typed)


@pytest.mark.parametrize("typed", ["0901", "+8490", "8490170", "1234", "701234", " 234 ", "901701"])
def test_a_part_is_found_where_people_remember_it(typed: str) -> None:
    assert finds(typed)


@pytest.mark.parametrize("typed", ["0902", "+8470", "0901701235", "%", "_", "09%", "x", "'; --"])
def test_what_is_not_in_the_number_finds_nothing(typed: str) -> None:
    assert not finds(typed)


def test_a_part_that_begins_with_zero_may_be_the_end_of_a_number() -> None:
    assert finds("0234", "+84901700234")


def test_the_name_of_a_sip_user_is_found_as_it_is_written() -> None:
    assert finds("lice", "alice_%")
    assert finds("e_%", "alice_%")
    assert not finds("e_%", "alice12")
