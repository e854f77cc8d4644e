"""Where a ringtone was chosen: in the call settings, for agents, queues and hotlines."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Executable, bindparam, literal, select, update

from daemon.store.audit import By
from daemon.store.settings import change_settings
from daemon.store.tables import agents, hotlines, queues, settings
from daemon.store.work import Query, Work


@dataclass(frozen=True, slots=True)
class Use:
    """`kind` and `key` as the audit log has them: `agent` and a user id, or `call_settings` and ''."""

    kind: str
    key: str
    label: str

    def as_json(self) -> dict[str, object]:
        return {"kind": self.kind, "key": self.key, "label": self.label}


_SETTING = select(settings.c.value).where(settings.c.key == "ringtone")
_CHOSEN: Final[Mapping[str, Executable]] = {
    "agent": select(agents.c.user_id.label("key"), agents.c.name.label("label"), agents.c.ringtone)
    .where(agents.c.ringtone.is_not(None))
    .order_by(agents.c.user_id),
    "queue": select(queues.c.name.label("key"), literal("").label("label"), queues.c.ringtone)
    .where(queues.c.ringtone.is_not(None))
    .order_by(queues.c.name),
    "hotline": select(hotlines.c.number.label("key"), hotlines.c.label, hotlines.c.ringtone)
    .where(hotlines.c.ringtone.is_not(None))
    .order_by(hotlines.c.number),
}
_FOLLOW: Final[Mapping[str, Executable]] = {
    "agent": update(agents).where(agents.c.user_id == bindparam("b_key")).values(ringtone=bindparam("b_ringtone")),
    "queue": update(queues).where(queues.c.name == bindparam("b_key")).values(ringtone=bindparam("b_ringtone")),
    "hotline": update(hotlines).where(hotlines.c.number == bindparam("b_key")).values(ringtone=bindparam("b_ringtone")),
}


def ringtone_uses() -> Work[Mapping[str, tuple[Use, ...]]]:
    """By the name of the ringtone; one that is used nowhere is left out."""
    found: dict[str, list[Use]] = defaultdict(list)
    for row in (yield Query(_SETTING)):
        if name := _text(row["value"]):
            found[name].append(Use("call_settings", "", ""))
    for kind, statement in _CHOSEN.items():
        for row in (yield Query(statement)):
            found[row["ringtone"]].append(Use(kind, row["key"], row["label"]))
    return {name: tuple(uses) for name, uses in found.items()}


def follow(use: Use, name: str, by: By) -> Work[None]:
    """Chooses the ringtone of this name there."""
    if use.kind == "call_settings":
        yield from change_settings({"ringtone": name}, by.name, by.at)
    else:
        yield Query(_FOLLOW[use.kind], {"b_key": use.key, "b_ringtone": name})


def _text(value: str) -> str | None:
    """A row that does not fit counts as its default: none."""
    try:
        name = json.loads(value)
    except ValueError:
        return None
    return name if isinstance(name, str) else None
