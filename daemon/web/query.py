"""A request's query and path parts: only the known ones, each once, each of its type; else 422."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Collection, Sequence
from datetime import UTC, datetime
from enum import StrEnum
from typing import Final, TypeVar

from aiohttp import web

from daemon.call.signals import UnixMs
from daemon.message import Message
from daemon.web.problem import FieldError, Problem, invalid

E = TypeVar("E", bound=StrEnum)
PAGE: Final = 50
PAGE_LIMIT: Final = 200
VALUE_LIMIT: Final = 400
ONE_LINE: Final = r"^[^\x00-\x1f\x7f-\x9f]*$"
"""What `unusable` asks of characters, for JSON Schema."""


class Query:
    """The query parameters of one request. Reading one that is malformed raises 422 and names it."""

    def __init__(self, request: web.Request, known: Collection[str]) -> None:
        self._values: dict[str, str] = {}
        for name, value in request.query.items():
            if name not in known:
                raise invalid([FieldError(name, _unknown(known))])
            if name in self._values:
                raise invalid([FieldError(name, "is given twice")])
            if reason := unusable(value, VALUE_LIMIT):
                raise invalid([FieldError(name, reason)])
            self._values[name] = value

    def text(self, name: str) -> str | None:
        return self._values.get(name)

    def choice(self, name: str, kind: type[E]) -> str | None:
        value = self._values.get(name)
        if value is not None and value not in list(kind):
            raise invalid([FieldError(name, f"must be one of {', '.join(kind)}")])
        return value

    def time(self, name: str) -> UnixMs | None:
        """ISO 8601 with a zone (`Z` or an offset)."""
        value = self._values.get(name)
        if value is None:
            return None
        at = _time(value)
        if at is None:
            raise invalid([FieldError(name, "must be a time as 2026-11-22T07:34:19.467Z")])
        return at

    def limit(self) -> int:
        return self.number("limit", 1, PAGE_LIMIT) or PAGE

    def number(self, name: str, least: int, most: int) -> int | None:
        """A whole number in digits only."""
        value = self._values.get(name)
        if value is None:
            return None
        if not (value.isascii() and value.isdigit() and len(value) <= len(str(most)) and least <= int(value) <= most):
            raise invalid(
                [FieldError(name, Message("must be a number from {least} to {most}", least=least, most=most))]
            )
        return int(value)

    def cursor(self, *kinds: type) -> list[int | str] | None:
        """The place where the last page ended; its parts must be of these types."""
        value = self._values.get("cursor")
        if value is None:
            return None
        parts = _unpack(value)
        if parts is None or [type(part) for part in parts] != list(kinds):
            raise invalid([FieldError("cursor", "must be the next of a page before")])
        return parts


def _unknown(known: Collection[str]) -> Message:
    if not known:
        return Message("is not a known parameter; there is none here")
    return Message("is not a known parameter; there are {names}", names=", ".join(known))


def pack(parts: Sequence[int | str]) -> str:
    """A cursor: opaque to others, no secret."""
    return base64.urlsafe_b64encode(json.dumps(parts).encode()).decode().rstrip("=")


def _unpack(cursor: str) -> list[int | str] | None:
    try:
        parts = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode("utf-8"))
    except (ValueError, binascii.Error, RecursionError):
        return None
    usable = isinstance(parts, list) and all(_usable_part(part) for part in parts)
    return parts if usable else None


def _usable_part(part: object) -> bool:
    """64 bits, or text a store takes."""
    if isinstance(part, int):
        return abs(part) < 2**63
    return isinstance(part, str) and unusable(part, VALUE_LIMIT) is None


def _time(text: str) -> UnixMs | None:
    """None without a zone: a time of nowhere means something else to everybody."""
    try:
        at = datetime.fromisoformat(text.replace(" ", "+"))  # an unescaped + of an offset arrives as a space
        return None if at.tzinfo is None else UnixMs(int(at.astimezone(UTC).timestamp() * 1000))
    except (ValueError, OverflowError):
        return None


def path_part(request: web.Request, name: str, limit: int) -> str:
    """A name from the path: 404 when no name can look like this."""
    value = request.match_info[name]
    if not value or unusable(value, limit):
        raise Problem(404, "there is nothing at this address")
    return value


def unusable(text: str, limit: int) -> str | None:
    """Why a text cannot be a name: control characters end headers and lines, surrogates cannot be stored."""
    if len(text) > limit:
        return f"must be at most {limit} characters"
    if any(ord(char) < 32 or 127 <= ord(char) < 160 or 0xD800 <= ord(char) < 0xE000 for char in text):
        return "must not hold control characters"
    return None
