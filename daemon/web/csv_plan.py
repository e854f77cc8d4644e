"""What an import would change, row by row: a pure function of the file and of what is there. It writes nothing."""

from __future__ import annotations

import hashlib
import json
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from daemon.message import Message
from daemon.store.audit import Facts, FactsByKey
from daemon.store.name import key_error
from daemon.web.csv_file import Sheet, SheetRow
from daemon.web.csv_kinds import Column, Kind
from daemon.web.problem import FieldError, Problem
from daemon.web.query import unusable

_SHORTENED: Final = re.compile(r"[0-9]([.,][0-9]+)?[eE]\+?[0-9]+")
Changes = Mapping[str, Mapping[str, object]]


class Action(StrEnum):
    CREATE = "create"
    UPDATE = "update"
    UNCHANGED = "unchanged"
    ERROR = "error"


@dataclass(frozen=True, slots=True)
class PlannedRow:
    """`facts` is how the thing would be afterwards; None where the row does not say which thing it is."""

    line: int
    key: str
    action: Action
    facts: Facts | None = None
    changes: Changes | None = None
    errors: tuple[FieldError, ...] = ()

    def as_json(self, translate: Callable[[str], str] = str) -> dict[str, object]:
        return {
            "line": self.line,
            "key": self.key,
            "action": self.action.value,
            "changes": self.changes or {},
            "errors": [{"field": error.field, "message": translate(error.message)} for error in self.errors],
        }


@dataclass(frozen=True, slots=True)
class Plan:
    rows: tuple[PlannedRow, ...]
    version: str
    """The same as long as the same file would come to the same."""

    @property
    def totals(self) -> dict[str, int]:
        counted = Counter(row.action for row in self.rows)
        return {"rows": len(self.rows), **{action.value: counted[action] for action in Action}}

    @property
    def puts(self) -> dict[str, Facts]:
        """What is to be written, by key."""
        return {row.key: row.facts for row in self.rows if row.facts and row.action in (Action.CREATE, Action.UPDATE)}

    def errors(self) -> list[FieldError]:
        """Each named by line and field, as `3.endpoints`."""
        return [
            FieldError(f"{row.line}.{error.field}".rstrip("."), error.message)
            for row in self.rows
            for error in row.errors
        ]


def make_plan(kind: Kind, sheet: Sheet, present: FactsByKey, ringtones: Collection[str]) -> Plan:
    """`ringtones` are the names that can be chosen."""
    lines: dict[str, int] = {}
    rows = [_with_ringtone(_planned(kind, row, present, lines), ringtones) for row in sheet.rows]
    for column in kind.columns:
        if column.alone:
            rows = _without_clashes(column, rows, present)
    shown = json.dumps([kind.name, *(row.as_json() for row in rows)])
    return Plan(tuple(rows), hashlib.sha256(shown.encode()).hexdigest()[:32])


def _planned(kind: Kind, row: SheetRow, present: FactsByKey, lines: dict[str, int]) -> PlannedRow:
    key = row.cells.get(kind.key, "")
    old = present.get(key)
    if error := _row_error(kind, row, key, lines) or (_key_error(kind, key) if old is None else None):
        return PlannedRow(row.line, key[: kind.key_limit], Action.ERROR, errors=(error,))
    lines[key] = row.line
    given = {
        column.name: column.read(row.cells[column.name])
        for column in kind.columns
        if column.name in row.cells and (old is None or row.cells[column.name] != column.show(old[column.name]))
    }
    facts, errors = _accepted(kind, key, given)
    if old is not None:
        facts = {**old, **{name: facts[name] for name in given}}
    return _row_plan(row.line, key, old, facts, errors)


def _row_plan(line: int, key: str, old: Facts | None, facts: Facts, errors: Sequence[FieldError]) -> PlannedRow:
    changes = {
        name: {"old": old and old[name], "new": value}
        for name, value in facts.items()
        if old is None or old[name] != value
    }
    sound = Action.CREATE if old is None else Action.UPDATE if changes else Action.UNCHANGED
    return PlannedRow(line, key, Action.ERROR if errors else sound, facts, changes, tuple(errors))


def _with_ringtone(row: PlannedRow, ringtones: Collection[str]) -> PlannedRow:
    """As for a PUT, whatever is written must name one that is there; what stays as it is may not."""
    chosen = row.facts and row.facts["ringtone"]
    if not row.changes or chosen is None or chosen in ringtones:
        return row
    error = FieldError("ringtone", Message("there is no ringtone {name}", name=chosen))
    return replace(row, action=Action.ERROR, errors=(*row.errors, error))


def _row_error(kind: Kind, row: SheetRow, key: str, lines: Mapping[str, int]) -> FieldError | None:
    if row.error is not None:
        return FieldError("", row.error)
    if key in lines:
        return FieldError(kind.key, Message("is in line {line} already", line=lines[key]))
    return None


def _key_error(kind: Kind, key: str) -> FieldError | None:
    """What no name may be, and what is hardly meant: a new thing for a slip of the spreadsheet."""
    reason: str | None = unusable(key, kind.key_limit) or key_error(key)
    if reason is None and _SHORTENED.fullmatch(key):
        reason = Message("was shortened by the spreadsheet; format the column as text and enter it again")
    return FieldError(kind.key, reason) if reason else None


def _accepted(kind: Kind, key: str, given: Mapping[str, object]) -> tuple[Facts, list[FieldError]]:
    """With the fields that are wrong left out; one error for each."""
    errors: dict[str, FieldError] = {}
    while True:
        try:
            good = {name: value for name, value in given.items() if name not in errors}
            return kind.accept(key, good), list(errors.values())
        except Problem as problem:
            found: dict[str, FieldError] = {}
            for error in problem.errors:
                name = error.field.partition(".")[0]
                found.setdefault(name, FieldError(name, error.message))
            assert found, "a refusal names a field"
            assert found.keys() <= good.keys(), f"{sorted(found.keys() - good.keys())} was not given"
            errors |= found


def _without_clashes(column: Column, rows: Sequence[PlannedRow], present: FactsByKey) -> list[PlannedRow]:
    """As if all rows were written at once: who is named twice then, by the file or by who is not in it."""
    lines = {row.key: row.line for row in rows if row.facts is not None}
    after = {**present, **{row.key: row.facts for row in rows if row.facts is not None}}
    owners: dict[str, list[str]] = defaultdict(list)
    for key, facts in after.items():
        for value in _values(facts[column.name]):
            if len(owners[value]) < 2:  # whose they are besides does not matter
                owners[value].append(key)
    return [_with_clash(column, row, owners, lines) for row in rows]


def _with_clash(
    column: Column, row: PlannedRow, owners: Mapping[str, Sequence[str]], lines: Mapping[str, int]
) -> PlannedRow:
    for value in _values(row.facts[column.name]) if row.facts is not None else ():
        for owner in owners[value]:
            if owner != row.key:
                error = FieldError(column.name, _clash(value, owner, lines.get(owner)))
                return replace(row, action=Action.ERROR, errors=(*row.errors, error))
    return row


def _clash(value: str, owner: str, line: int | None) -> Message:
    if line is not None:
        return Message("{value} is also named in line {line}", value=value, line=line)
    return Message("{value} belongs to the agent {user_id}; take it away there first", value=value, user_id=owner)


def _values(value: object) -> Sequence[str]:
    if isinstance(value, list):
        return value
    return [value] if isinstance(value, str) else []
