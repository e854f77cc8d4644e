"""Nobody reads half a page in another language: every text of code and pages stands in every catalogue."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po

from daemon.message import Message as Said
from daemon.store.role import Role
from daemon.web.words import LOCALES, translator
from tests.web.conftest import House

DAEMON = Path(__file__).parents[2] / "daemon"
KEYWORDS = {"_": None, "ngettext": (1, 2), "Message": None, "not_found": None}
METHODS = [("**.py", "python"), ("**/templates/**.html", "jinja2")]
LANGUAGES = ["vi"]
PLACE = re.compile(r"\{\w*\}")


@cache
def texts() -> frozenset[str | tuple[str, ...]]:
    """Every text (with its plural) that code and pages can say."""
    found = extract_from_dir(
        DAEMON, METHODS, {"**/templates/**.html": {"trim_blocks": "true", "lstrip_blocks": "true"}}, keywords=KEYWORDS
    )
    return frozenset(message for _, _, message, _, _ in found)


@cache
def catalogue(language: str) -> Catalog:
    with (LOCALES / language / "LC_MESSAGES" / "callwarden.po").open("rb") as file:
        return read_po(file, locale=language, abort_invalid=True)


def written(language: str) -> list[Message]:
    return [message for message in catalogue(language) if message.id]


def test_texts_are_found_in_code_and_in_pages() -> None:
    assert {"Create tickets automatically", "is not a known field", "ringtone"} <= texts()


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_text_is_missing_or_left_over(language: str) -> None:
    known = {message.id if isinstance(message.id, str) else tuple(message.id) for message in written(language)}
    assert sorted(map(str, texts() - known)) == [], "run `make words` and translate these"
    assert sorted(map(str, known - texts())) == [], "run `make words`: these are said no more"


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_text_is_translated_and_no_guess_is_left(language: str) -> None:
    assert [message.id for message in written(language) if not all(forms(message.string))] == []
    assert [message.id for message in written(language) if message.fuzzy] == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_translation_has_the_places_of_its_text_and_no_others(language: str) -> None:
    """A place that is missing hides a number; one too many breaks the page."""
    wrong = []
    for message in written(language):
        wanted = set(PLACE.findall(forms(message.id)[-1]))
        wrong += [(message.id, text) for text in forms(message.string) if set(PLACE.findall(text)) != wanted]
    assert wrong == []


def forms(text: str | list[str] | tuple[str, ...] | None) -> list[str]:
    """Singular and plural, or the one there is."""
    return [text or ""] if isinstance(text, str | None) else list(text)


def test_a_message_is_said_in_another_language_with_its_values() -> None:
    said = Said("must be at most {limit} characters", limit=255)
    assert said == "must be at most 255 characters"
    assert translator("en")(said) == "must be at most 255 characters"
    assert "255" in translator("vi")(said)
    assert translator("vi")(said) != said


async def test_people_read_refusals_in_their_language_and_programs_in_english(house: House) -> None:
    wrong = {"sla_target_percent": 101}
    program = await house.ask("PUT", "/api/v1/call-settings", json=wrong)
    await house.add_account("an", Role.ADMIN, language="vi")
    person = await house.ask("PUT", "/api/v1/call-settings", None, json=wrong, headers=await house.open_session("an"))
    assert program.body["errors"][0]["message"] == "must be 100 or less"
    assert person.body["errors"][0]["message"] == translator("vi")(Said("must be {le} or less", le=100))
    assert person.body["errors"][0]["message"] != program.body["errors"][0]["message"]
