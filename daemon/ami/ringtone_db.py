"""Our part of Asterisk's own database (family `callwarden`), from which its dialplan takes what phones shall ring.

Seen on 16 and 22: DBPut needs the class `system`, with which the same user may also run programs; Setvar of DB(…) is
blocked as dangerous whatever the class, and so is Getvar of it; DB_DELETE(…) by Setvar and DB_EXISTS(…) by Getvar are
`call`, DBGetTree is `reporting`. So an entry is written by a call to our own context, which nobody
answers: `originate`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from daemon.ami.actions import Actions, Originate
from daemon.ami.failures import ActionRefused, InjectionRefused

FAMILY: Final = "callwarden"
HANDLER: Final = ("callwarden-ringtone", "s")
STORE: Final = ("callwarden-store", "put")
AT_ONCE: Final = 40
"""As many as the context takes; a manager's message has at most 128 headers (main/manager.c)."""

_LONGEST: Final = 900  # a header's line is 1,024 bytes
_WRITE_S: Final = 5
_READ_S: Final = 15.0


async def is_there(actions: Actions, place: Sequence[str]) -> bool | None:
    """Whether the dialplan has this context and extension; None where it cannot be told."""
    said = await actions.getvar(f"DIALPLAN_EXISTS({place[0]},{place[1]},1)")
    return {"1": True, "0": False}.get(said or "")


async def read(actions: Actions) -> dict[str, str] | None:
    """All entries of the family by key; None where this Asterisk cannot list them (an old one)."""
    try:
        rows = await actions.rows("DBGetTree", "DBGetTreeComplete", {"Family": FAMILY}, limit=_READ_S)
    except ActionRefused as refused:
        if "not found" in str(refused):
            return {}
        if "unknown command" in str(refused) or "Permission denied" in str(refused):
            return None
        raise
    prefix = f"/{FAMILY}/"
    return {key.removeprefix(prefix): row.get("Val") or "" for row in rows if (key := row.get("Key") or "") > prefix}


async def absent(actions: Actions, keys: Iterable[str]) -> list[str] | None:
    """Those of these keys that are not there, asked one by one; None where this Asterisk does not tell.

    For one that has no DBGetTree (before 16.28, 18.14, 19.6). What an entry holds it tells nobody: DB(…) is blocked.
    """
    found: list[str] = []
    for key in keys:
        match await actions.getvar(f"DB_EXISTS({FAMILY}/{_checked(key)})"):
            case "1":
                pass
            case "0":
                found.append(key)
            case _:
                return None
    return found


async def write(actions: Actions, entries: Iterable[tuple[str, str]]) -> None:
    """In this order, a few at a time. That the call was answered by nobody is how it ends well; read to be sure."""
    waiting = list(entries)
    for first in range(0, len(waiting), AT_ONCE):
        variables: dict[str, str] = {"CDR_PROP(disable)": "1"}
        for place, (key, value) in enumerate(waiting[first : first + AT_ONCE], 1):
            variables |= {f"CW_K{place}": _checked(key), f"CW_V{place}": _checked(value)}
        context, exten = STORE
        local = f"Local/{exten}@{context}/n"
        await actions.originate(Originate(local, context, exten, variables=variables, ring_seconds=_WRITE_S))


async def remove(actions: Actions, keys: Iterable[str]) -> None:
    for key in keys:
        await actions.setvar(f"DB_DELETE({FAMILY}/{_checked(key)})", "")


def missing(present: Mapping[str, str], wanted: Mapping[str, str]) -> list[str]:
    """The keys whose value is not the wanted one."""
    return [key for key, value in wanted.items() if present.get(key) != value]


def _checked(text: str) -> str:
    """A quote or backslash would be taken away on the way, a parenthesis end a function's argument."""
    if not text or len(text) > _LONGEST or not text.isascii() or set(text) & set("\"'\\(){}$,^ "):
        raise InjectionRefused(f"{text[:40]!r} cannot be written into the PBX's database")
    return text
