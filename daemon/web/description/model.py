"""The words in which an address is described; `document` writes them as OpenAPI."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final

from daemon.web.query import ONE_LINE, PAGE, PAGE_LIMIT, VALUE_LIMIT

Schema = dict[str, Any]

JSON: Final = "application/json"


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter of the query, or (`place`) of the path or a header. `schema` says what values it takes.

    Those of a path are always `needed`.
    """

    name: str
    about: str
    schema: Schema
    place: str = "query"
    needed: bool = False


@dataclass(frozen=True, slots=True)
class ListOf:
    """A page of these: `{"items": […], "next": …}`."""

    item: type


@dataclass(frozen=True, slots=True)
class Answer:
    """What comes with a status that means success.

    `body` is the frozen dataclass of an object in `answers`, a `ListOf` them, or a plain JSON Schema; without any the
    answer is empty, unless its `media` says that it is something other than JSON.
    """

    about: str
    body: type | ListOf | Schema | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    media: str = JSON


@dataclass(frozen=True, slots=True)
class Body:
    """What is sent: the frozen dataclass with which the handler validates it, its name ending in `Form`.

    `partial`: what is left out stays, so that no field is needed and no default counts. `needed` are fields that
    the handler itself asks for although the dataclass has a default. `refined` says of a field what its type does
    not. `media` (with `schema`) where what is sent is no JSON.
    """

    form: type | None = None
    partial: bool = False
    needed: Sequence[str] = ()
    refined: Mapping[str, Schema] = field(default_factory=dict)
    media: str = JSON
    schema: Schema = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Description:
    """One method of one address. `refusals` are the statuses that are its own, with their reason.

    Those that follow from the rest are added by `document`: 401 and 403 where a role is needed, 404 with a name in
    the path, 400, 413 and 415 with a body, and 422, 500 and 503 everywhere.
    """

    tag: str
    summary: str
    answers: Mapping[int, Answer]
    more: str = ""
    parameters: Sequence[Parameter] = ()
    body: Body | None = None
    refusals: Mapping[int, str] = field(default_factory=dict)


Descriptions = Mapping[tuple[str, str], Description]
"""By method and path below `/api/v1`."""


def text(name: str, about: str) -> Parameter:
    """A value that must be met exactly."""
    return Parameter(name, about, {"type": "string", "maxLength": VALUE_LIMIT, "pattern": ONE_LINE})


def choice(name: str, about: str, kind: type[StrEnum]) -> Parameter:
    return Parameter(name, about, {"type": "string", "enum": [member.value for member in kind]})


def time(name: str, about: str) -> Parameter:
    return Parameter(name, about, {"type": "string", "format": "date-time", "maxLength": VALUE_LIMIT})


def path(name: str, about: str, limit: int, pattern: str | None = None) -> Parameter:
    """A name in the path; what cannot be one is 404."""
    schema = {"type": "string", "minLength": 1, "maxLength": limit, "pattern": pattern or ONE_LINE}
    return Parameter(name, about, schema, "path")


PAGING: Final = (
    Parameter("cursor", "The `next` of the page before.", {"type": "string", "maxLength": VALUE_LIMIT}),
    Parameter(
        "limit",
        "How many at most.",
        {"type": "integer", "minimum": 1, "maximum": PAGE_LIMIT, "default": PAGE},
    ),
)
