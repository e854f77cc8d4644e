"""Every page, by its route: what it is called, an example address, one line about it, and how it is pictured."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Literal

Theme = Literal["light", "dark"]


@dataclass(frozen=True, slots=True)
class Shown:
    """`name` is the stem of its pictures; `values` fill the route. `dark` and `phone`: pictured so too.

    `by_agent`: as the agent `an` sees it, not as an admin does.
    """

    route: str
    name: str
    words: str
    values: Mapping[str, str] = field(default_factory=dict)
    dark: bool = False
    phone: bool = False
    signed_in: bool = True
    by_agent: bool = False

    def path(self, ids: Mapping[str, str]) -> str:
        """`ids` are those that only the running house knows."""
        return self.route.format_map({**ids, **self.values})


PAGES: Final = (
    Shown("/tickets", "tickets", "What came of calls, and what is to be done.", dark=True, phone=True),
    Shown("/missed", "missed", "Who waits to be called back.", phone=True),
    Shown(
        "/tickets/{ticket_id}",
        "ticket",
        "One ticket: its calls, the note, the customer's page.",
        {"ticket_id": "1"},
        dark=True,
        phone=True,
    ),
    Shown("/calls", "calls", "Every call, found by anything that is known of it.", dark=True, phone=True),
    Shown("/calls/{call_id}", "call", "One call from the first ring to the end.", dark=True, phone=True),
    Shown("/desk", "desk", "An agent's day: who rings, whom to call back.", dark=True, phone=True, by_agent=True),
    Shown("/service-level", "service-level", "How many calls were answered in time.", dark=True, phone=True),
    Shown("/reports", "reports", "What happened in a week, a month, a year: charts and tables.", dark=True, phone=True),
    Shown("/wallboard", "wallboard", "The floor at a glance: who waits, who talks, how the day goes.", phone=True),
    Shown("/wall/{secret}", "wall", "The same on a screen on the wall, by a link.", phone=True, signed_in=False),
    Shown("/webphone", "webphone", "A small window: dial, act on the call, give it on.", phone=True, by_agent=True),
    Shown("/settings/calls", "call-settings", "The call settings, and what they will do.", dark=True, phone=True),
    Shown("/settings/agents", "agents", "Who has which phone.", phone=True),
    Shown("/settings/new-agent", "new-agent", "Somebody new who answers calls."),
    Shown("/settings/agents/{user_id}", "agent", "One agent: phones, personal number, ringtone.", {"user_id": "an"}),
    Shown("/settings/queues", "queues", "Which queues make tickets, and what they sound like."),
    Shown("/settings/hotlines", "hotlines", "The company's numbers, their names and ringtones."),
    Shown("/settings/ringtones", "ringtones", "Ringtones to listen to, and your own.", dark=True),
    Shown("/settings/webhooks", "webhooks", "Where events are sent, and how that goes.", phone=True),
    Shown("/settings/new-webhook", "new-webhook", "A new endpoint, and which events it gets."),
    Shown("/settings/webhooks/{webhook_id}", "webhook", "One endpoint: its events, its secret, a test."),
    Shown("/settings/deliveries", "deliveries", "Each message that was sent, and what came of it.", phone=True),
    Shown("/settings/deliveries/{delivery_id}", "delivery", "One message: every attempt, and sending it again."),
    Shown(
        "/settings/summary", "summary", "The day before in a few lines, by mail or messenger.", dark=True, phone=True
    ),
    Shown("/settings/pbx", "pbx", "The state of each PBX, what it has, and what to paste into it."),
    Shown("/settings/check-up", "check-up", "What is wrong, why it matters and what to do.", dark=True, phone=True),
    Shown("/calls/{call_id}/decisions", "call-decisions", "Why a popup opened for a call, or none."),
    Shown("/settings/accounts", "accounts", "Who may sign in."),
    Shown("/settings/new-account", "new-account", "Somebody new who may sign in."),
    Shown("/settings/accounts/{name}", "account", "One account: role, agent, language.", {"name": "lan.pham"}),
    Shown("/settings/tokens", "tokens", "What programs use to reach the API."),
    Shown("/settings/audit", "changes", "Who changed what, and when.", phone=True),
    Shown("/settings/data", "data", "How long what is kept, and what tonight would go.", dark=True, phone=True),
    Shown("/reference", "api-reference", "Every address of the API."),
    Shown("/password", "your-account", "Your password, and the way out."),
    Shown("/sign-in", "sign-in", "The way in.", dark=True, phone=True, signed_in=False),
    Shown("/set-up/{token}", "set-up", "The first admin's account, by the printed link.", signed_in=False),
)

LEADS_ELSEWHERE: Final = frozenset({"/"})


def is_part(route: str) -> bool:
    """Fetched by a page into itself, and looked at there."""
    return route.startswith("/settings/found/")
