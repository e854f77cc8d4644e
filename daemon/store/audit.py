"""Who changed what: written in the transaction of the change itself, so neither is ever there without the other.

What is kept comes from `Subject.facts`, which name their columns one by one. A secret must never be among them.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from sqlalchemy import ColumnElement, and_, insert, or_, select

from daemon.call.rendering import iso_utc
from daemon.call.signals import UnixMs
from daemon.store.reader import Reader
from daemon.store.tables import audit_log
from daemon.store.work import Query, Row, Values, Work

T = TypeVar("T")
Facts = Mapping[str, object]
FactsByKey = Mapping[str, Facts]


@dataclass(frozen=True, slots=True)
class By:
    """Who does something now, and from which address (None: on the machine itself)."""

    name: str
    at: UnixMs
    remote: str | None = None


@dataclass(frozen=True, slots=True)
class Subject:
    """A kind of thing that people change. `facts` reads one of them as the log shall show it; None: there is none."""

    kind: str
    facts: Callable[[str], Work[Facts | None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditFilter:
    """None matches every entry; `until` does not count in. `kind` is of things; `but` an action that is left out."""

    by: str | None = None
    action: str | None = None
    object: str | None = None
    kind: str | None = None
    but: str | None = None
    since: UnixMs | None = None
    until: UnixMs | None = None


_INSERT = insert(audit_log)
_ALL = select(audit_log).order_by(audit_log.c.audit_id.desc())


def audited(by: By, subject: Subject, key: str, change: Callable[[], Work[T]]) -> Work[T]:
    """Does the change; what then differs is noted. A change that changes nothing leaves no entry."""
    old = yield from subject.facts(key)
    result = yield from change()
    new = yield from subject.facts(key)
    if old != new:
        yield from _note_change(by, subject.kind, key, old, new)
    return result


def noted_changes(by: By, kind: str, changed: Iterable[tuple[str, Facts | None, Facts | None]]) -> list[Values]:
    """The entries of things changed together: of each its key, how it was and how it is."""
    return [_change_values(by, kind, key, old, new) for key, old, new in changed if old != new]


def write_notes(entries: Sequence[Values]) -> Query:
    return Query(_INSERT, entries)


def noted(by: By, action: str, named: str, change: Callable[[], Work[T]]) -> Work[T]:
    """Does the change where there is nothing to compare; what comes to nothing (False) is not noted."""
    result = yield from change()
    if result:
        yield from note(by, action, named)
    return result


def note(by: By, action: str, named: str, old: Facts | None = None, new: Facts | None = None) -> Work[None]:
    """One entry. For what has no facts to compare: a secret that was rotated, a password, a sign-in."""
    yield Query(_INSERT, _note_values(by, action, named, old, new))


def _note_values(by: By, action: str, named: str, old: Facts | None, new: Facts | None) -> Values:
    return {
        "at": by.at,
        "by": by.name[:128],
        "action": action,
        "object": named[:255],
        "old": _text(old),
        "new": _text(new),
        "remote": by.remote and by.remote[:64],
    }


async def read_audit(reads: Reader, wanted: AuditFilter, limit: int, after: int | None) -> list[Row]:
    """Newest first; `after` is an entry's number."""
    statement = _ALL.limit(limit)
    for name in ("by", "action", "object"):
        if (value := getattr(wanted, name)) is not None:
            statement = statement.where(audit_log.c[name] == value)
    if wanted.kind is not None:
        statement = statement.where(_is_of(wanted.kind))
    if wanted.but is not None:
        statement = statement.where(audit_log.c.action != wanted.but)
    if wanted.since is not None:
        statement = statement.where(audit_log.c.at >= wanted.since)
    if wanted.until is not None:
        statement = statement.where(audit_log.c.at < wanted.until)
    if after is not None:
        statement = statement.where(audit_log.c.audit_id < after)
    return list(await reads.fetch(statement, {}))


def audit_json(row: Row) -> dict[str, object]:
    """The entry as the API shows it."""
    return {
        "audit_id": str(row["audit_id"]),
        "at": iso_utc(row["at"]),
        "by": row["by"],
        "action": row["action"],
        "object": row["object"],
        "old": row["old"] and json.loads(row["old"]),
        "new": row["new"] and json.loads(row["new"]),
        "remote": row["remote"],
    }


def _is_of(kind: str) -> ColumnElement[bool]:
    """`agent:an` and, of what there is one of, the bare `call_settings`; a range, so that the index serves."""
    named = audit_log.c.object
    return or_(named == kind, and_(named >= f"{kind}:", named < f"{kind};"))  # ; is the character after :


def _note_change(by: By, kind: str, key: str, old: Facts | None, new: Facts | None) -> Work[None]:
    yield from note(by, *_words(kind, key, old, new), *_difference(old, new))


def _change_values(by: By, kind: str, key: str, old: Facts | None, new: Facts | None) -> Values:
    return _note_values(by, *_words(kind, key, old, new), *_difference(old, new))


def _words(kind: str, key: str, old: Facts | None, new: Facts | None) -> tuple[str, str]:
    verb = "create" if old is None else "delete" if new is None else "change"
    return f"{kind}.{verb}", f"{kind}:{key}" if key else kind


def _difference(old: Facts | None, new: Facts | None) -> tuple[Facts | None, Facts | None]:
    """Of a thing that stays only what differs."""
    if old is None or new is None:
        return old, new
    names = [name for name in {**old, **new} if old.get(name) != new.get(name)]
    return {name: old.get(name) for name in names}, {name: new.get(name) for name in names}


def _text(facts: Facts | None) -> str | None:
    return None if facts is None else json.dumps(dict(facts), ensure_ascii=False)
