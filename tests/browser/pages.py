"""Every page, by its route: what it is called, an example address, one line about it, and how it is pictured."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final


@dataclass(frozen=True, slots=True)
class Shown:
    """`name` is the stem of its pictures; `values` fill the route. `dark` and `phone`: pictured so too."""

    route: str
    name: str
    words: str
    values: Mapping[str, str] = field(default_factory=dict)
    dark: bool = False
    phone: bool = False
    signed_in: bool = True

    def path(self, ids: Mapping[str, str]) -> str:
        """`ids` are those that only the running house knows."""
        return self.route.format_map({**ids, **self.values})


PAGES: Final = (
    Shown("/settings/calls", "call-settings", "The call settings, and what they will do.", dark=True, phone=True),
    Shown("/settings/agents", "agents", "Who has which phone.", phone=True),
    Shown("/settings/queues", "queues", "Which queues make tickets, and what they sound like."),
    Shown("/settings/hotlines", "hotlines", "The company's numbers, their names and ringtones."),
    Shown("/settings/ringtones", "ringtones", "Ringtones to listen to, and your own.", dark=True),
    Shown("/settings/webhooks", "webhooks", "Where events are sent, and how that goes.", phone=True),
    Shown("/settings/pbx", "pbx", "The state of each PBX, what it has, and what to paste into it."),
    Shown("/settings/accounts", "accounts", "Who may sign in."),
    Shown("/settings/tokens", "tokens", "What programs use to reach the API."),
    Shown("/settings/audit", "changes", "Who changed what, and when.", phone=True),
    Shown("/reference", "api-reference", "Every address of the API."),
    Shown("/password", "your-account", "Your password, and the way out."),
    Shown("/sign-in", "sign-in", "The way in.", dark=True, phone=True, signed_in=False),
    Shown("/set-up/{token}", "set-up", "The first admin's account, by the printed link.", signed_in=False),
)

NO_PAGES: Final = frozenset({"/"})
"""Addresses of pages that only lead elsewhere."""
