"""One unit of work on the store, written without a driver.

A piece of work is a generator: it yields `Query`, is sent the rows, and returns its result. The SQLite writer runs it
in its thread, a PostgreSQL writer can await it; either way all of one piece is one transaction. It must never do I/O
of its own, and it may be run again from the start when a transaction has failed.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from sqlalchemy import Executable

T = TypeVar("T")
Row = Mapping[str, Any]
Values = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Query:
    """A statement and the values of its bind parameters; a list of values runs it once for each.

    Keep `statement` in a module constant: drivers compile each statement object once.
    """

    statement: Executable
    values: Values | Sequence[Values] = ()


Work = Generator[Query, list[Row], T]
