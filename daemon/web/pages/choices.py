"""What several pages let an admin choose from, and the words of a CSV file's columns."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from typing import Final

import phonenumbers

from daemon.message import Message
from daemon.store.reader import Reader
from daemon.store.ringtones import Ringtone, read_choices
from daemon.web.change_words import field_word
from daemon.web.csv_kinds import Kind
from daemon.web.words import Translate

Options = list[tuple[str, str]]
_ACCOUNT: Final = Message("Account")
_MARKS: Final = "Mn"  # Unicode's combining marks


async def ringtone_options(reads: Reader, _: Translate) -> Options:
    """Each ringtone's name and what it is called."""
    return [(tone.name, ringtone_word(tone, _)) for tone in await read_choices(reads)]


def ringtone_word(tone: Ringtone, _: Translate) -> str:
    """What somebody called his own is said as he wrote it, also where our catalogue has the same word."""
    return _(tone.label) if isinstance(tone.label, Message) else tone.label


def called(options: Sequence[tuple[str, str]], value: str | None) -> str | None:
    """What is stored in words, also where it is none of the options."""
    return dict(options).get(value, value) if value is not None else None


def with_kept(options: Sequence[tuple[str, str]], value: str | None) -> Options:
    """The options and what is stored, also where it is none of them: saving must not change it by the way."""
    known = value is None or any(key == value for key, _ in options)
    return [*options, *([] if known or value is None else [(value, value)])]


def column_words(kind: Kind, _: Translate) -> Mapping[str, str]:
    """The columns of a CSV file as the page calls them."""
    key = {"user_id": Message("User id"), "name": Message("Queue"), "number": Message("Number")}[kind.key]
    columns = {column.name: field_word(kind.subject, column.name, _) for column in kind.columns}
    return {kind.key: _(key), **columns, **{name: _(_ACCOUNT) for name in kind.read_only}}


def spoken(number: str, country: str) -> str:
    """A number in groups as people of this country write it; what is no number of a plan stays as it is."""
    try:
        parsed = phonenumbers.parse(number, country)
    except phonenumbers.NumberParseException:
        return number
    if not phonenumbers.is_valid_number(parsed):
        return number
    own = phonenumbers.region_code_for_number(parsed) == country
    form = phonenumbers.PhoneNumberFormat.NATIONAL if own else phonenumbers.PhoneNumberFormat.INTERNATIONAL
    return phonenumbers.format_number(parsed, form)


def number_words(country: str) -> dict[str, str]:
    """What a page's scripts need to say +84 901 701 234 as 0901 701 234."""
    code = phonenumbers.country_code_for_region(country)
    return {"code": f"+{code}" if code else "", "prefix": phonenumbers.ndd_prefix_for_region(country, True) or ""}


def searchable(text: str) -> str:
    """Without capitals and diacritics, so that `nguyen` finds Nguyễn."""
    bare = "".join(c for c in unicodedata.normalize("NFD", text.casefold()) if unicodedata.category(c) != _MARKS)
    return bare.replace("đ", "d")
