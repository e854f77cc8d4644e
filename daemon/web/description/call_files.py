"""Calls as files, and how far such a file is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Final

from pydantic import Field

from daemon.web.description.calls import FILTERS
from daemon.web.description.model import Answer, Description, Descriptions, Parameter, path


@dataclass(frozen=True, slots=True, kw_only=True)
class Export:
    """A file of calls that is being made."""

    count: Annotated[int, Field(description="How many calls it will hold, as counted at its beginning.")]
    done: int
    finished: Annotated[bool, Field(description="Nothing more is written, whole or not.")]


_EXPORT: Final = (
    *FILTERS,
    Parameter(
        "export",
        "A name of yours for this file, to ask `/exports/{name}` how far it is.",
        {"type": "string", "maxLength": 40, "pattern": "^[0-9A-Za-z-]+$"},
    ),
)
_TOO_MANY: Final = {422: "More calls fit than one file may hold; choose a shorter span."}

CALL_FILES: Final[Descriptions] = {
    ("GET", "/calls.csv"): Description(
        tag="Calls",
        summary="All calls that fit, newest first, as CSV.",
        more="At most 1,000,000. Times are those of the call centre's zone. Noted in the audit log.",
        parameters=_EXPORT,
        answers={200: Answer("The file.", media="text/csv")},
        refusals=_TOO_MANY,
    ),
    ("GET", "/calls.xlsx"): Description(
        tag="Calls",
        summary="The same for Excel.",
        more="At most 200,000. The answer begins when the file is complete.",
        parameters=_EXPORT,
        answers={200: Answer("The file.", media="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet")},
        refusals=_TOO_MANY,
    ),
    ("GET", "/exports/{name}"): Description(
        tag="Calls",
        summary="How far a file is that you asked for.",
        parameters=(path("name", "The `export` it was asked for with.", 40),),
        answers={200: Answer("The counts.", Export)},
    ),
}
