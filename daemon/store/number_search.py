"""Customer numbers as people type them: 0901…, +84901…, 84901…, only the last digits, or the name of a SIP user."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

import phonenumbers
from sqlalchemy import ColumnElement, or_

from daemon.call.number import customer_number

_DECORATION: Final = re.compile(r"[\s().\-/]")
_ABROAD: Final = re.compile(r"^(?:\+|00)")


@dataclass(frozen=True, slots=True)
class NumberSearch:
    """`exact` is the number if what was typed is a whole one; `patterns` are for LIKE, escaped with a backslash."""

    exact: str | None
    patterns: tuple[str, ...]

    def matches(self, column: ColumnElement[str]) -> ColumnElement[bool]:
        whole = [column == self.exact] if self.exact else []
        return or_(*whole, *(column.like(pattern, escape="\\") for pattern in self.patterns))


def number_search(typed: str, country: str) -> NumberSearch:
    """A leading + or 0 begins a number; other digits may stand anywhere in it; the last digits always count."""
    bare = _DECORATION.sub("", typed.strip())
    if not re.fullmatch(r"\+?[0-9]+", bare, re.ASCII):
        return NumberSearch(None, (f"%{_escaped(typed.strip())}%",))
    exact = customer_number(bare, country)
    abroad = _ABROAD.sub("", bare)
    if abroad != bare:
        return NumberSearch(exact, (f"+{abroad}%", f"{bare}%"))
    if bare.startswith("0"):
        code = phonenumbers.country_code_for_region(country)
        return NumberSearch(exact, (f"+{code}{bare[1:]}%", f"{bare}%", f"%{bare}"))
    return NumberSearch(exact, (f"%{bare}%",))


def _escaped(text: str) -> str:
    return re.sub(r"([\\%_])", r"\\\1", text)
