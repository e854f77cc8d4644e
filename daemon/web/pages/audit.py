"""`/settings/audit`, called Changes: who changed what, from what to what, in words."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import quote, urlsplit

from aiohttp import web

from daemon.store.accounts import read_accounts
from daemon.store.agents import read_agent_names
from daemon.store.audit import AuditFilter, read_audit
from daemon.store.reader import Reader
from daemon.store.settings import read_settings
from daemon.store.work import Row
from daemon.web.change_words import KINDS, action_word, field_word, kind_word, object_page, value_word
from daemon.web.page import show, words
from daemon.web.pages.filters import ROWS, address_of, cursor, day_begins, filters, older
from daemon.web.pages.webhooks import read_names
from daemon.web.services import services
from daemon.web.words import Translate

_PATH: Final = "/settings/audit"
_FILTERS: Final = ("by", "kind", "object", "from", "to")
_SIGN_IN: Final = "session.open"
_SIGN_INS: Final = "sign-ins"
_TITLES: Final = ("name", "label", "description")
_ALONE: Final = frozenset({"call_settings"})
"""There is one of it, so nothing more names it."""


@dataclass(frozen=True, slots=True)
class Known:
    """What there is now, by key: only that has a page. `names` are of kinds whose keys say nothing to people."""

    accounts: frozenset[str]
    names: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    def has(self, kind: str, key: str) -> bool:
        if kind == "account":
            return key in self.accounts
        return kind not in self.names or key in self.names[kind]


async def show_audit(request: web.Request) -> web.Response:
    parts, _, chosen = services(request), words(request), filters(request, _FILTERS)
    place, zone = cursor(request, int), (await read_settings(parts.reads)).settings.time_zone
    rows = await read_audit(parts.reads, _wanted(chosen, zone), ROWS + 1, int(place[0]) if place else None)
    shown = rows[:ROWS]
    known = await _read_known(parts.reads, [row["object"] for row in shown] + [chosen.get("object", "")])
    return await show(
        request,
        "audit.html",
        entries=[_entry(row, known, _) for row in shown],
        chosen=chosen,
        only=_named(chosen["object"], {}, known, _) if "object" in chosen else None,
        without=address_of(_PATH, chosen, object=None),
        kinds=_kinds(_),
        people=sorted(known.accounts),
        older=older(_PATH, chosen, [shown[-1]["audit_id"]]) if len(rows) > ROWS else None,
        newest=address_of(_PATH, chosen) if place else None,
    )


def _wanted(chosen: Mapping[str, str], zone: str) -> AuditFilter:
    """Signing in changes nothing: those entries are shown where they are asked for."""
    kind = chosen.get("kind")
    asked = kind == _SIGN_INS or "object" in chosen
    return AuditFilter(
        by=chosen.get("by"),
        object=chosen.get("object"),
        kind=None if kind == _SIGN_INS else kind,
        action=_SIGN_IN if kind == _SIGN_INS else None,
        but=None if asked else _SIGN_IN,
        since=day_begins(chosen.get("from", ""), zone),
        until=day_begins(chosen.get("to", ""), zone, days=1),
    )


def _kinds(_: Translate) -> list[tuple[str | None, str]]:
    kinds = [(kind, kind_word(kind, _)) for kind in KINDS]
    return [(None, _("All changes")), *kinds, (_SIGN_INS, _("Sign-ins"))]


async def _read_known(reads: Reader, objects: Iterable[str]) -> Known:
    """What is needed to write of these."""
    agents = await read_agent_names(reads, {named.removeprefix("agent:") for named in objects})
    accounts = frozenset(one.name for one in await read_accounts(reads))
    return Known(accounts, {"agent": agents, "webhook": await read_names(reads)})


def _entry(row: Row, known: Known, _: Translate) -> dict[str, Any]:
    old, new = _facts(row["old"]), _facts(row["new"])
    kind, _colon, key = row["object"].partition(":")
    return {
        "at": row["at"],
        "by": _who(row["by"], _),
        "by_page": f"/settings/accounts/{quote(row['by'], safe='')}" if row["by"] in known.accounts else None,
        "remote": row["remote"],
        "action": action_word(row["action"], _),
        "kind": kind_word(kind, _),
        "name": _name(kind, key, {**old, **new}, known),
        "page": object_page(kind, key) if known.has(kind, key) else None,
        "fields": [_field(kind, name, old, new, _) for name in {**old, **new} if _says_something(name, old, new)],
        "is_new": not old,
        "is_gone": not new,
    }


def _field(kind: str, name: str, old: Mapping[str, Any], new: Mapping[str, Any], _: Translate) -> dict[str, str]:
    return {
        "label": field_word(kind, name, _),
        "old": value_word(name, old.get(name), _),
        "new": value_word(name, new.get(name), _),
    }


def _says_something(name: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> bool:
    """Of a thing made or deleted only what was set; and that who paused a webhook paused it."""
    if name == "disabled_reason" and {old.get(name), new.get(name)} <= {None, "paused"}:
        return False
    return bool(old and new) or _was_set(name, {**old, **new}[name])


def _was_set(name: str, value: object) -> bool:
    return value not in (None, "", []) and (name, value) not in (("disabled", False), ("enabled", True))


def _named(named: str, facts: Mapping[str, Any], known: Known, _: Translate) -> str:
    kind, _colon, key = named.partition(":")
    return f"{kind_word(kind, _)} {_name(kind, key, facts, known)}".strip()


def _name(kind: str, key: str, facts: Mapping[str, Any], known: Known) -> str:
    """What people call it, else its key. The name it has now: what it was called is among the changed fields."""
    if kind in _ALONE:
        return ""
    now = known.names.get(kind, {}).get(key)
    then = next((str(facts[name]) for name in _TITLES if facts.get(name)), "")
    return now or then or urlsplit(str(facts.get("url") or "")).netloc or key


def _who(by: str, _: Translate) -> str:
    """`command:root`, `token:CRM (tok_…)` and `setup:link` in words. No account's name holds a colon."""
    if by == "setup:link":
        return _("The link that makes the first admin")
    kind, colon, name = by.partition(":")
    if colon and kind == "token":
        return _("Token {name}").format(name=name)
    if colon and kind == "command":
        return _("Command line ({name})").format(name=name)
    return by


def _facts(text: str | None) -> Mapping[str, Any]:
    facts = json.loads(text) if text else None
    return facts if isinstance(facts, dict) else {}
