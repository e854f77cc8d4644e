"""A request's JSON, read once and doubted here: what passes is right by type. Never coerces (`"1"` is not 1)."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping
from typing import Any, Final, TypeVar

from aiohttp import web
from pydantic import TypeAdapter, ValidationError
from pydantic_core import ErrorDetails

from daemon.message import Message
from daemon.web.problem import FieldError, Problem, invalid

T = TypeVar("T")
JsonObject = dict[str, Any]

BODY_LIMIT: Final = 1024 * 1024
_DEPTH_LIMIT: Final = 16
_DIGITS_LIMIT: Final = 18  # SQLite's and PostgreSQL's integers have 64 bits


async def json_object(request: web.Request) -> JsonObject:
    """The body as an object; 415 for another type, 400 for what is not JSON or is built to hurt."""
    if request.content_type != "application/json":
        raise Problem(415, "send application/json", headers={"Accept": "application/json"})
    raw = await request.read()
    try:
        document = _decode(raw)
        _refuse_hostile(document)
    except (ValueError, RecursionError) as error:
        reason = "nested too deep" if isinstance(error, RecursionError) else str(error)[:200]
        raise Problem(400, f"the body is not acceptable JSON: {reason}") from error
    if not isinstance(document, dict):
        raise invalid([FieldError("", "must be an object")])
    return document


def _decode(raw: bytes) -> object:
    return json.loads(
        raw.decode("utf-8"),
        object_pairs_hook=_no_duplicates,
        parse_constant=_no_constant,
        parse_int=_bounded_int,
        parse_float=_finite_float,
    )


def _no_duplicates(pairs: list[tuple[str, object]]) -> dict[str, object]:
    """Two parsers would disagree about which one counts (RFC 8259 §4)."""
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key comes twice")
    return found


def _no_constant(name: str) -> object:
    raise ValueError(f"{name} is not JSON")


def _bounded_int(text: str) -> int:
    if len(text) > _DIGITS_LIMIT:
        raise ValueError("a number has too many digits")
    return int(text)


def _finite_float(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError("a number is too large")
    return number


def _refuse_hostile(document: object) -> None:
    """No store keeps half a surrogate pair or U+0000, and nothing of ours is nested deep."""
    level: list[object] = [document]
    for _ in range(_DEPTH_LIMIT):
        for text in level:
            if isinstance(text, str) and ("\x00" in text or _broken(text)):
                raise ValueError("a text holds U+0000 or half a surrogate pair")
        level = [child for parent in level for child in _children(parent)]
        if not level:
            return
    raise ValueError("nested too deep")


def _children(value: object) -> Iterable[object]:
    if isinstance(value, dict):
        return [*value.keys(), *value.values()]
    return value if isinstance(value, list) else ()


def _broken(text: str) -> bool:
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return True
    return False


def validated(adapter: TypeAdapter[T], document: Mapping[str, object]) -> T:
    """The value of this type; 422 naming every field that is unknown, missing, of another type or out of range."""
    try:
        return adapter.validate_json(json.dumps(document), strict=True, extra="forbid")
    except ValidationError as error:
        raise invalid(field_errors(error)) from None


def field_errors(error: ValidationError) -> list[FieldError]:
    """pydantic's findings in our words."""
    return [
        FieldError(".".join(str(part) for part in item["loc"])[:100], _message(item))
        for item in error.errors(include_input=False, include_url=False)[:100]
    ]


def _message(item: ErrorDetails) -> str:
    """A rule of ours (a ValueError) has its own words; for what pydantic found itself they stand in the table."""
    context = item.get("ctx", {})
    if isinstance(ours := context.get("error"), ValueError) and ours.args:
        return ours.args[0] if isinstance(ours.args[0], Message) else Message(str(ours))
    pattern = _MESSAGES.get(item["type"])
    if pattern is None:
        return item["msg"].replace("Input should", "must").replace("String should", "must")
    return Message(pattern, **{name: value for name, value in context.items() if "{" + name + "}" in pattern})


_NUMBER: Final = Message("must be a whole number")
_CHOICE: Final = Message("must be one of {expected}")
_MESSAGES: Final = {
    "unexpected_keyword_argument": Message("is not a known field"),
    "extra_forbidden": Message("is not a known field"),
    "missing": Message("is missing"),
    "missing_argument": Message("is missing"),
    "greater_than_equal": Message("must be {ge} or more"),
    "less_than_equal": Message("must be {le} or less"),
    "int_type": _NUMBER,
    "int_from_float": _NUMBER,
    "int_parsing": _NUMBER,
    "bool_type": Message("must be true or false"),
    "string_type": Message("must be a text"),
    "tuple_type": Message("must be a list"),
    "list_type": Message("must be a list"),
    "enum": _CHOICE,
    "literal_error": _CHOICE,
    "string_too_long": Message("must be at most {max_length} characters"),
    "string_too_short": Message("must be at least {min_length} characters"),
    "too_long": Message("must be at most {max_length}, here are {actual_length}"),
    "too_short": Message("must be at least {min_length}, here are {actual_length}"),
    "string_pattern_mismatch": Message("must look as {pattern}"),
}
