"""A CSV file as spreadsheets save it: bytes to rows of text, and back. What cannot be read exactly is refused.

UTF-8, or UTF-16 with its mark (Excel's "Unicode text"); cells parted by commas, semicolons or tabs.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from daemon.message import Message
from daemon.web.csv_cells import guarded, unguarded
from daemon.web.problem import FieldError, Problem, invalid

ROW_LIMIT: Final = 5_000  # one transaction, for which calls wait: 10,000 agents took 0.3 s (measured 22 Nov 2026)
DELIMITERS: Final = {"comma": ",", "semicolon": ";", "tab": "\t"}
_ERRORS: Final = 20
_UTF16: Final = (b"\xff\xfe", b"\xfe\xff")


@dataclass(frozen=True, slots=True)
class SheetRow:
    """`cells` by column; `error` says why they could not be told apart. `line` is where the row begins, from 1."""

    line: int
    cells: Mapping[str, str]
    error: str | None = None


@dataclass(frozen=True, slots=True)
class Sheet:
    columns: tuple[str, ...]
    rows: tuple[SheetRow, ...]


def read_sheet(raw: bytes, known: Collection[str], needed: str) -> Sheet:
    """Raises Problem: 400 for what is no CSV, 422 for columns that are unknown, double or missing and too many rows."""
    records = _records(decoded(raw), known)
    _, header = next(records, (1, []))
    columns = _without_empty_end([cell.strip() for cell in header])
    _check_columns(columns, known, needed)
    rows: list[SheetRow] = []
    for line, cells in records:
        if len(rows) == ROW_LIMIT:
            raise invalid([FieldError("", Message("must be at most {limit} rows", limit=ROW_LIMIT))])
        rows.append(_row(line, cells, columns))
    return Sheet(columns, tuple(rows))


def write_sheet(columns: Sequence[str], rows: Iterable[Sequence[str]], delimiter: str = ",") -> bytes:
    """With the mark without which Excel reads UTF-8 as the code page of the machine."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, delimiter=delimiter, lineterminator="\r\n")  # RFC 4180 §2
    writer.writerow(columns)
    for row in rows:
        writer.writerow([guarded(cell) for cell in row])
    return text.getvalue().encode("utf-8-sig")


def decoded(raw: bytes) -> str:
    try:
        text = raw.decode("utf-16" if raw.startswith(_UTF16) else "utf-8-sig")
    except UnicodeDecodeError as error:
        raise Problem(400, Message("the file is not UTF-8; save it as “CSV UTF-8”")) from error
    if "\x00" in text:
        raise Problem(400, Message("the file is not text; save it as “CSV UTF-8”"))
    return text


def _records(text: str, known: Collection[str]) -> Iterator[tuple[int, list[str]]]:
    """Each record with the line on which it begins; those without any text are left out, as Excel adds them."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=_delimiter(text, known), strict=True)
    line = 1
    try:
        for cells in reader:
            if any(cells):
                yield line, cells
            line = reader.line_num + 1
    except csv.Error as error:
        reason = Message("the file is no CSV from line {line} on: {reason}", line=line, reason=str(error))
        raise Problem(400, reason) from error


def _delimiter(text: str, known: Collection[str]) -> str:
    """The one by which the first line names most of the columns; a comma where all do the same."""
    first = next((line for line in io.StringIO(text, newline=None) if line.strip()), "")

    def named(delimiter: str) -> int:
        return sum(cell.strip(' \r\n"') in known for cell in first.split(delimiter))

    return max(DELIMITERS.values(), key=named)


def _check_columns(columns: Sequence[str], known: Collection[str], needed: str) -> None:
    errors = []
    if needed not in columns:
        errors.append(FieldError(needed, Message("is missing; the first line names the columns")))
    seen = [name for name in columns if name in known]
    errors += [FieldError(name, Message("is named by two columns")) for name in known if seen.count(name) > 1]
    unknown = list(dict.fromkeys(name for name in columns if name not in known))
    names = ", ".join(known)
    errors += [
        FieldError(name[:100], Message("is not a known column; there are {names}", names=names))
        for name in unknown[:_ERRORS]
    ]
    if errors:
        raise invalid(errors)


def _without_empty_end(cells: Sequence[str], shortest: int = 0) -> tuple[str, ...]:
    count = len(cells)
    while count > shortest and not cells[count - 1]:
        count -= 1
    return tuple(cells[:count])


def _row(line: int, cells: Sequence[str], columns: Sequence[str]) -> SheetRow:
    count, error = len(_without_empty_end(cells, len(columns))), None
    if count != len(columns):
        error = Message("has {count} cells where the first line has {columns}", count=count, columns=len(columns))
    named = zip(columns, cells, strict=False)
    return SheetRow(line, {name: unguarded(cell) for name, cell in named}, error)
