"""Keys can be told apart and typed, names can be seen: by the characters of Unicode, not by a list of examples."""

from __future__ import annotations

import re
import sys
import unicodedata

import pytest

from daemon.store.name import KEY, NAME, key_error, name_error

EVERYTHING = [chr(code) for code in range(sys.maxunicode + 1) if not 0xD800 <= code < 0xE000]
UNSEEN = {"Cc", "Cf", "Zl", "Zp", "Zs"}
IGNORABLE = "\u034f\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u180f\u3164\uffa0\u2800\ufe00\ufe0f\U000e0100\U000e01ef"
"""Invisible letters, marks and symbols: their category does not say it."""


def test_a_key_holds_no_invisible_character_of_unicode() -> None:
    taken = {each for each in EVERYTHING if key_error(f"a{each}n") is None}
    assert not {each for each in taken if unicodedata.category(each) in UNSEEN} - {" "}
    assert not taken & set(IGNORABLE)


def test_letters_marks_digits_and_signs_of_every_script_may_stand_in_a_key() -> None:
    seen = {each for each in EVERYTHING if unicodedata.category(each)[0] in "LNPS"} - set(IGNORABLE)
    assert {each for each in seen if key_error(each)} == {"."}
    marks = {each for each in EVERYTHING if unicodedata.category(each) in ("Mn", "Mc")} - set(IGNORABLE)
    refused = {each for each in marks if key_error(f"a{each}")}
    assert all(0xFE00 <= ord(each) <= 0xFE0F or 0xE0100 <= ord(each) <= 0xE01EF for each in refused)  # variations


@pytest.mark.parametrize(
    "key", ["an", "Đặng Văn Ngô", "a/b", "...", "queue #1", "+84901234567", "支持", "a.b", ".a", "\U0001f4de"]
)
def test_what_people_call_things_is_taken(key: str) -> None:
    assert key_error(key) is None
    assert re.search(KEY, key)


@pytest.mark.parametrize(
    "key", ["", ".", "..", " ", " an", "an ", "an\u200b", "\u202egnp.exe", "a\u200dn", "\u3164", "a\n", "an\n"]
)
def test_what_cannot_be_reached_or_told_apart_is_refused(key: str) -> None:
    assert key_error(key)
    assert not re.fullmatch(KEY, key)


@pytest.mark.parametrize("name", ["", "An", " An ", "क्\u200dष", "\U0001f469\u200d\U0001f4bb", "☎\ufe0f Sales"])
def test_names_may_hold_the_joiners_that_scripts_need(name: str) -> None:
    assert name_error(name) is None
    assert re.search(NAME, name)


@pytest.mark.parametrize(
    "name", [" ", "\u200b", "\u200d\u200c", "\u3164", "\xa0", "\u2800", "An\u202e", "\u2066An", "a\u2028b"]
)
def test_a_name_is_seen_and_turns_nothing_around(name: str) -> None:
    assert name_error(name)
    assert not re.search(NAME, name)
