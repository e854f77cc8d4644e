"""All ringtones, built in and uploaded, and where each is used. An uploaded one may be renamed: its uses follow."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import cache
from typing import Final, TypeVar

from sqlalchemy import Executable, bindparam, delete, func, insert, select, update

from daemon.call.rendering import iso_utc
from daemon.call.signals import UnixMs
from daemon.errors import CallwardenError
from daemon.message import Message
from daemon.store.agents import AGENT
from daemon.store.audit import By, Facts, Subject, audited, note
from daemon.store.built_in_ringtones import BUILT_IN, built_in_sound
from daemon.store.hotlines import HOTLINE
from daemon.store.queues import QUEUE
from daemon.store.reader import Reader
from daemon.store.ringtone_sound import NARROW_HZ, Sound
from daemon.store.ringtone_uses import Use, follow, ringtone_uses
from daemon.store.settings import SETTINGS
from daemon.store.tables import ringtones
from daemon.store.work import Query, Row, Work

T = TypeVar("T")
UPLOADED_LIMIT: Final = 100
"""With the longest sounds 140 MB in the store."""


class Kind(StrEnum):
    BUILT_IN = "built_in"
    UPLOADED = "uploaded"


class NameTaken(CallwardenError):
    """There is a ringtone of this name, in small or capital letters."""

    def __init__(self, name: str) -> None:
        super().__init__(Message("there is a ringtone {name} already", name=name))


class TooMany(CallwardenError):
    """There are as many uploaded ringtones as the store takes; delete one first."""


class InUse(CallwardenError):
    """The ringtone is chosen somewhere; choose another one there first."""

    def __init__(self, uses: tuple[Use, ...]) -> None:
        super().__init__()
        self.uses = uses


@dataclass(frozen=True, slots=True, kw_only=True)
class Ringtone:
    """Without its sound. `digest` changes when the sound does; `used_by` is where it was chosen."""

    name: str
    label: str
    kind: Kind
    duration_ms: int
    digest: str
    created_at: UnixMs | None = None
    created_by: str | None = None
    used_by: tuple[Use, ...] = ()

    def as_json(self) -> dict[str, object]:
        return {
            "name": self.name,
            "label": str(self.label),
            "kind": self.kind.value,
            "duration_ms": self.duration_ms,
            "created_at": iso_utc(self.created_at),
            "created_by": self.created_by,
            "used_by": [use.as_json() for use in self.used_by],
        }

    def place(self) -> tuple[int, str]:
        """Its place in the list: the built-in ones come first."""
        return int(self.kind is Kind.UPLOADED), self.name


_COLUMNS = [column for column in ringtones.c if column.name not in ("wide", "narrow")]
_ALL = select(*_COLUMNS).order_by(ringtones.c.name)
_ONE = select(*_COLUMNS).where(ringtones.c.name == bindparam("b_name"))
_ALIKE = select(ringtones.c.name).where(func.lower(ringtones.c.name) == bindparam("b_lower"))
_COUNT = select(func.count().label("count")).select_from(ringtones)
_WIDE = select(ringtones.c.wide.label("wav")).where(ringtones.c.name == bindparam("b_name"))
_NARROW = select(ringtones.c.narrow.label("wav")).where(ringtones.c.name == bindparam("b_name"))
_INSERT = insert(ringtones)
_UPDATE = (
    update(ringtones)
    .where(ringtones.c.name == bindparam("b_name"))
    .values(name=bindparam("b_new_name"), label=bindparam("b_label"))
)
_DELETE = delete(ringtones).where(ringtones.c.name == bindparam("b_name"))


async def read_ringtones(reads: Reader) -> list[Ringtone]:
    """All of them with their uses: the built-in ones, then the uploaded ones, by name."""
    uses = await _read(reads, ringtone_uses)
    return [replace(each, used_by=uses.get(each.name, ())) for each in await read_choices(reads)]


async def read_choices(reads: Reader) -> list[Ringtone]:
    """The same without their uses, which may be 10,000."""
    return [*map(_built_in, BUILT_IN), *(_ringtone_of(row) for row in await reads.fetch(_ALL, {}))]


async def read_ringtone(reads: Reader, name: str) -> Ringtone | None:
    """With its uses."""
    found = await find_ringtone(reads, name)
    return replace(found, used_by=(await _read(reads, ringtone_uses)).get(name, ())) if found else None


async def find_ringtone(reads: Reader, name: str) -> Ringtone | None:
    """Without its uses."""
    if name in BUILT_IN:
        return _built_in(name)
    rows = await reads.fetch(_ONE, {"b_name": name})
    return _ringtone_of(rows[0]) if rows else None


async def read_wav(reads: Reader, name: str, rate: int) -> bytes | None:
    """The file that phones get, at WIDE_HZ or NARROW_HZ. None: there is no such ringtone."""
    if name in BUILT_IN:
        sound = built_in_sound(name)
        return sound.narrow if rate == NARROW_HZ else sound.wide
    statement: Executable = _NARROW if rate == NARROW_HZ else _WIDE
    rows = await reads.fetch(statement, {"b_name": name})
    return bytes(rows[0]["wav"]) if rows else None


def ringtone_facts(name: str) -> Work[Facts | None]:
    """Of an uploaded one; others never change."""
    rows = yield Query(_ONE, {"b_name": name})
    return _facts(_ringtone_of(rows[0])) if rows else None


RINGTONE: Final = Subject("ringtone", ringtone_facts)
_SUBJECTS: Final[Mapping[str, Subject]] = {each.kind: each for each in (SETTINGS, AGENT, QUEUE, HOTLINE)}


def add_ringtone(name: str, label: str, sound: Sound, by: By) -> Work[None]:
    """Raises NameTaken, TooMany."""
    yield from _refuse_taken(name)
    if (yield Query(_COUNT))[0]["count"] >= UPLOADED_LIMIT:
        raise TooMany
    made: dict[str, object] = {
        "name": name,
        "label": label,
        "wide": sound.wide,
        "narrow": sound.narrow,
        "digest": sound.digest,
        "duration_ms": sound.duration_ms,
        "created_at": by.at,
        "created_by": by.name,
    }
    yield Query(_INSERT, made)


def change_ringtone(name: str, new_name: str | None, label: str | None, by: By) -> Work[bool]:
    """Another name, another label (None: the same). False: nobody uploaded one of this name. Raises NameTaken.

    Notes in the audit log what it did: the ringtone under its old name, and each thing that follows it.
    """
    rows = yield Query(_ONE, {"b_name": name})
    if not rows:
        return False
    old, wanted = _ringtone_of(rows[0]), name if new_name is None else new_name
    yield from _refuse_taken(wanted, besides=name)
    uses = (yield from ringtone_uses()).get(name, ())
    yield Query(_UPDATE, {"b_name": name, "b_new_name": wanted, "b_label": old.label if label is None else label})
    changed = (("name", name, wanted), ("label", old.label, old.label if label is None else label))
    before, after = ({each[0]: each[side] for each in changed if each[1] != each[2]} for side in (1, 2))
    if before:
        yield from note(by, "ringtone.change", f"ringtone:{name}", before, after)
    if wanted != name:
        for use in uses:
            yield from audited(by, _SUBJECTS[use.kind], use.key, _following(use, wanted, by))
    return True


def delete_ringtone(name: str) -> Work[bool]:
    """False: nobody uploaded one of this name. Raises InUse."""
    if not (yield Query(_ONE, {"b_name": name})):
        return False
    if uses := (yield from ringtone_uses()).get(name):
        raise InUse(uses)
    yield Query(_DELETE, {"b_name": name})
    return True


def _following(use: Use, name: str, by: By) -> Callable[[], Work[None]]:
    return lambda: follow(use, name, by)


def _refuse_taken(name: str, besides: str | None = None) -> Work[None]:
    """Names that differ in capitals only would be mistaken for each other."""
    alike = [row["name"] for row in (yield Query(_ALIKE, {"b_lower": name.lower()})) if row["name"] != besides]
    taken = name.lower() if name.lower() in BUILT_IN else next(iter(alike), None)
    if taken is not None:
        raise NameTaken(taken)


@cache
def _built_in(name: str) -> Ringtone:
    sound = built_in_sound(name)
    return Ringtone(
        name=name, label=BUILT_IN[name], kind=Kind.BUILT_IN, duration_ms=sound.duration_ms, digest=sound.digest
    )


def _ringtone_of(row: Row) -> Ringtone:
    return Ringtone(kind=Kind.UPLOADED, **row)


def _facts(ringtone: Ringtone) -> Facts:
    return {"label": ringtone.label, "duration_ms": ringtone.duration_ms, "digest": ringtone.digest}


async def _read(reads: Reader, make_work: Callable[[], Work[T]]) -> T:
    """Runs a piece of work that only reads."""
    work = make_work()
    try:
        query = next(work)
        while True:
            assert isinstance(query.values, Mapping) or not query.values, "one statement at a time"
            query = work.send(await reads.fetch(query.statement, {}))
    except StopIteration as done:
        result: T = done.value
        return result
