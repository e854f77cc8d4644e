"""What a report is: one table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

Cell = str | float | bool | None
Row = dict[str, Cell]


class ColumnKind(StrEnum):
    """What stands in a column. Seconds are numbers, times those of ISO 8601 in UTC."""

    TEXT = "text"
    COUNT = "count"
    SECONDS = "seconds"
    PERCENT = "percent"
    TIME = "time"
    YES = "yes"


@dataclass(frozen=True, slots=True)
class Table:
    """`total` is of all rows, or says what stands beside them; its names need not be those of columns."""

    columns: Mapping[str, ColumnKind]
    rows: Sequence[Row]
    total: Row


def rounded(value: float | None, digits: int = 2) -> float | None:
    return None if value is None else round(value, digits)
