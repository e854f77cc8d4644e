"""A spreadsheet that is written row by row and never held in memory. What others wrote is text, never a formula."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Final

from xlsxwriter import Workbook

Cell = str | float | datetime | None

_LONGEST: Final = 32_767  # characters of a cell (Excel's limit)
_WIDTH: Final = 18


class Sheet:
    """`close` makes the file whole; until then its rows are in files beside it."""

    def __init__(self, path: Path, name: str, columns: Sequence[str]) -> None:
        self._book = Workbook(str(path), {"constant_memory": True, "tmpdir": str(path.parent)})
        self._sheet = self._book.add_worksheet(name)
        self._time = self._book.add_format({"num_format": "yyyy-mm-dd hh:mm:ss"})
        self._sheet.set_column(0, len(columns) - 1, _WIDTH)
        self._sheet.freeze_panes(1, 0)
        self._count = 0
        self.add([list(columns)])

    def add(self, rows: Sequence[Sequence[Cell]]) -> None:
        for row in rows:
            for column, cell in enumerate(row):
                self._put(column, cell)
            self._count += 1

    def close(self) -> None:
        self._book.close()

    def _put(self, column: int, cell: Cell) -> None:
        match cell:
            case None | "":
                pass
            case datetime():
                self._sheet.write_datetime(self._count, column, cell, self._time)
            case str():
                self._sheet.write_string(self._count, column, cell[:_LONGEST])
            case _:
                self._sheet.write_number(self._count, column, cell)
