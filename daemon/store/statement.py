"""SQLAlchemy statements turned into SQL text once, for drivers that run it themselves."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping
from copy import copy
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Boolean, Executable, Select, TableValuedAlias, bindparam, func, select
from sqlalchemy.dialects import sqlite
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.dml import UpdateBase
from sqlalchemy.sql.elements import ClauseElement
from sqlalchemy.sql.selectable import ReturnsRows

from daemon.store.work import Row

_CACHE_SIZE = 512


def each_of(name: str) -> Select[Any]:
    """The elements of a JSON list parameter: `column.in_(each_of("ids"))` keeps one SQL text for any length."""
    elements: TableValuedAlias = func.json_each(bindparam(name)).table_valued("value")
    return select(elements.c.value)


@dataclass(frozen=True, slots=True)
class CompiledStatement:
    """`fixed` are values written into the statement itself; `expanding` means that its text depends on the values.

    `writes` is the table that it changes.
    """

    compiled: SQLCompiler
    text: str
    fixed: Mapping[str, object]
    expanding: bool
    returns_rows: bool
    booleans: tuple[str, ...]
    writes: str | None = None

    def bound(self, values: Mapping[str, object]) -> tuple[str, Mapping[str, object]]:
        """The text to run and its parameters."""
        if self.expanding:
            state = self.compiled.construct_expanded_state(dict(values))
            return state.statement, state.parameters
        return self.text, ({**self.fixed, **values} if self.fixed else values)

    def mappings(self, found: Iterable[sqlite3.Row]) -> list[Row]:
        """Rows by column name; SQLite has no booleans, they are made here."""
        rows = [dict(row) for row in found]
        for name in self.booleans:
            for row in rows:
                row[name] = None if row[name] is None else bool(row[name])
        return list(rows)


class StatementCache:
    """Compiles each (statement object, names of its values) once. Not for several threads."""

    def __init__(self) -> None:
        self._dialect = sqlite.dialect(paramstyle="named")
        self._known: dict[tuple[Executable, tuple[str, ...]], CompiledStatement] = {}

    def __call__(self, statement: Executable, names: tuple[str, ...]) -> CompiledStatement:
        known = self._known.get((statement, names))
        return known if known is not None else self._add(statement, names)

    def _add(self, statement: Executable, names: tuple[str, ...]) -> CompiledStatement:
        # The oldest goes first: statements in module constants come back at once, those made ad hoc never do.
        if len(self._known) >= _CACHE_SIZE:
            del self._known[next(iter(self._known))]
        self._known[statement, names] = compiled = self._compile(statement, names)
        return compiled

    def _compile(self, statement: Executable, names: tuple[str, ...]) -> CompiledStatement:
        assert isinstance(statement, ClauseElement)
        compiled = statement.compile(dialect=self._dialect, column_keys=list(names) or None)
        assert isinstance(compiled, SQLCompiler)
        columns = _columns(statement)
        return CompiledStatement(
            compiled=compiled,
            text=compiled.string,
            fixed={n: b.effective_value for n, b in compiled.binds.items() if not b.required and n not in names},
            expanding=bool(compiled.post_compile_params or compiled.literal_execute_params),
            returns_rows=bool(columns),
            booleans=tuple(name for name, type_ in columns if isinstance(type_, Boolean)),
            writes=statement.table.name if isinstance(statement, UpdateBase) else None,
        )


def _columns(statement: Executable) -> list[tuple[str, Any]]:
    """Names and types of what a statement returns; empty for plain text, whose rows come as SQLite has them."""
    if not isinstance(statement, ReturnsRows):
        return []
    # Asked of a copy: an INSERT once asked remembers that it returns nothing, and so would all that are later made
    # from it by returning() (SQLAlchemy 2.1 copies the memory along).
    return [(str(column.key), column.type) for column in copy(statement).exported_columns]
