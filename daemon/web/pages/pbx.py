"""`/settings/pbx`: how the link to each PBX is, what its check says, and what to paste into its files.

The page asks for itself again every few seconds, so making it asks no PBX anything.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import quote

from aiohttp import web

from daemon.message import Message
from daemon.pbx import PbxState
from daemon.store.role import Role
from daemon.web.caller import caller
from daemon.web.page import show, words
from daemon.web.services import services
from daemon.web.words import Translate

_CONNECTED: Final = "connected"
_STATES: Final[Mapping[str, tuple[Message, str, Message]]] = {
    "connecting": (
        Message("Connecting"),
        "warn",
        Message("Callwarden is connecting and goes on trying by itself."),
    ),
    "refused": (
        Message("Login refused"),
        "bad",
        Message("The PBX answers but does not let Callwarden in. It is tried again by itself."),
    ),
    _CONNECTED: (Message("Connected"), "good", Message("Calls of this PBX are followed.")),
    "lost": (
        Message("Connection lost"),
        "bad",
        Message("Calls go on as before, but are not followed until the connection is back. It is tried by itself."),
    ),
}
_KINDS: Final = {"asterisk": "Asterisk", "freeswitch": "FreeSWITCH"}

LINES: Final = """\
[[pbx]]
name = "main"
host = "192.0.2.10"
port = 5038
username = "callwarden"
secret_file = "/etc/callwarden/ami.secret"
"""
"""What a configuration file needs to have a PBX; a test reads it as one."""


async def show_pbxs(request: web.Request) -> web.Response:
    _ = words(request)
    shown = [_shown(state, _) for state in services(request).pbxs.states()]
    connected = sum(one["state"].state == _CONNECTED for one in shown)
    may_change = caller(request).role is Role.ADMIN  # who watches calls sees why there are none; the rest is an admin's
    return await show(request, "pbx.html", pbxs=shown, connected=connected, lines=LINES, may_change=may_change)


def _shown(state: PbxState, _: Translate) -> dict[str, Any]:
    word, colour, meaning = _STATES[state.state]
    path = f"/api/v1/pbx/{quote(state.name, safe='')}"
    return {
        "state": state,
        "word": _(word),
        "colour": colour,
        "meaning": _(meaning),
        "kind": _KINDS.get(state.kind, state.kind),
        "where": f"[{state.host}]:{state.port}" if ":" in state.host else f"{state.host}:{state.port}",
        "is_connected": state.state == _CONNECTED,
        "was_connected": state.state == _CONNECTED or state.counters.get("logins", 0) > 0,
        "reconnects": max(state.counters.get("logins", 0) - 1, 0),
        "trouble": _(state.last_error) if state.last_error else None,
        "catch_up": state.catch_up,
        "unread": _(state.catch_up.error) if state.catch_up and state.catch_up.error else None,
        "check": f"POST {path}/check",
        "stanzas": f"{path}/stanzas",
    }
