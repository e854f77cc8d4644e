"""The call settings on disk: one row for each key that was ever changed, with when and by whom; the rest is default."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Final

from pydantic import TypeAdapter, ValidationError
from sqlalchemy import bindparam, insert, select, update

from daemon.call.signals import UnixMs
from daemon.errors import CallwardenError
from daemon.policy.call_settings import CallSettings
from daemon.store.audit import Facts, Subject
from daemon.store.reader import Reader
from daemon.store.ringtone_choice import require_ringtone
from daemon.store.tables import settings
from daemon.store.work import Query, Row, Work

SETTING_NAMES: Final = tuple(field.name for field in fields(CallSettings))
POPUP_SECRET: Final = "popup_secret"  # noqa: S105 -- the row's name
_VERSION: Final = "call_settings_version"
_ADAPTER: Final = TypeAdapter(CallSettings)


class SettingsChanged(CallwardenError):
    """Somebody else changed the settings meanwhile; read them again."""


@dataclass(frozen=True, slots=True)
class Change:
    at: UnixMs
    by: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredSettings:
    """`version` grows with every change. `broken` are rows that no longer fit their key: the default counts."""

    settings: CallSettings
    version: int
    changed: Mapping[str, Change]
    broken: tuple[str, ...]


_ALL = select(settings)
_ONE = select(settings).where(settings.c.key == bindparam("b_key"))
_INSERT = insert(settings)
_UPDATE = (
    update(settings)
    .where(settings.c.key == bindparam("b_key"))
    .values(value=bindparam("b_value"), changed_at=bindparam("b_at"), changed_by=bindparam("b_by"))
)


async def read_settings(reads: Reader) -> StoredSettings:
    rows = {str(row["key"]): row for row in await reads.fetch(_ALL, {})}
    fitting = _fitting(rows)
    return StoredSettings(
        settings=_parse(fitting),
        version=_version(rows),
        changed={name: Change(rows[name]["changed_at"], rows[name]["changed_by"]) for name in fitting},
        broken=tuple(name for name in SETTING_NAMES if name in rows and name not in fitting),
    )


def settings_json(values: CallSettings) -> dict[str, Any]:
    """The settings as the API shows them."""
    dumped: dict[str, Any] = _ADAPTER.dump_python(values, mode="json")
    return dumped


def settings_from(values: Mapping[str, object]) -> CallSettings:
    """The other way round: what does not fit its key, or is no key of today's, counts as its default."""
    return _parse({name: value for name, value in values.items() if name in SETTING_NAMES and _fits(name, value)})


def settings_facts(_: str = "") -> Work[Facts | None]:
    """What is in force: a row that does not fit counts as its default."""
    rows = {str(row["key"]): row for row in (yield Query(_ALL))}
    return settings_json(_parse(_fitting(rows)))


SETTINGS: Final = Subject("call_settings", settings_facts)


def change_settings(
    values: Mapping[str, object], by: str, now: UnixMs, expected: int | None = None
) -> Work[tuple[str, ...]]:
    """Writes those of these settings (JSON values, already checked) that differ; returns their names.

    `expected` is the version the change was made on; raises SettingsChanged when it is not the present one.
    Raises UnknownRingtone too.
    """
    rows = {str(row["key"]): row for row in (yield Query(_ALL))}
    if expected is not None and expected != _version(rows):
        raise SettingsChanged
    if isinstance(ringtone := values.get("ringtone"), str):
        yield from require_ringtone(ringtone)
    present = {**settings_json(CallSettings()), **{name: _value(row) for name, row in rows.items()}}
    different = tuple(name for name, value in values.items() if not _same(present[name], value))
    for name in different:
        yield _put(name, values[name], name in rows, by, now)
    if different:
        yield _put(_VERSION, _version(rows) + 1, _VERSION in rows, by, now)
    return different


def keep_inner(key: str, value: str, by: str | None, now: UnixMs, *, replace: bool = False) -> Work[str]:
    """An inner value such as `popup_secret`: the one that is kept already, unless it is to be replaced."""
    rows = yield Query(_ONE, {"b_key": key})
    kept = _value(rows[0]) if rows else None
    if isinstance(kept, str) and not replace:
        return kept
    yield _put(key, value, bool(rows), by, now)
    return value


async def read_inner(reads: Reader, key: str) -> str | None:
    rows = await reads.fetch(_ONE, {"b_key": key})
    value = _value(rows[0]) if rows else None
    return value if isinstance(value, str) else None


def _put(key: str, value: object, exists: bool, by: str | None, now: UnixMs) -> Query:
    text = json.dumps(value, ensure_ascii=False)
    if exists:
        return Query(_UPDATE, {"b_key": key, "b_value": text, "b_at": now, "b_by": by})
    return Query(_INSERT, {"key": key, "value": text, "changed_at": now, "changed_by": by})


def _same(one: object, other: object) -> bool:
    """JSON equality: 1 and true are two values."""
    return type(one) is type(other) and one == other


_NOTHING: Final = object()


def _value(row: Row | Mapping[Any, Any]) -> object:
    try:
        return json.loads(row["value"])
    except ValueError:
        return _NOTHING


def _version(rows: Mapping[str, Row | Mapping[Any, Any]]) -> int:
    value = _value(rows[_VERSION]) if _VERSION in rows else 0
    return value if isinstance(value, int) else 0


def _fitting(rows: Mapping[str, Row | Mapping[Any, Any]]) -> dict[str, object]:
    given = {name: value for name in SETTING_NAMES if name in rows and (value := _value(rows[name])) is not _NOTHING}
    return {name: value for name, value in given.items() if _fits(name, value)}


def _fits(name: str, value: object) -> bool:
    try:
        _parse({name: value})
    except ValidationError:
        return False
    return True


def _parse(values: Mapping[str, object]) -> CallSettings:
    return _ADAPTER.validate_json(json.dumps(values), strict=True)
