"""The pages a reader can go to, in the order in which they stand at the side."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from daemon.message import Message
from daemon.store.role import Role

_ADMIN: Final = frozenset({Role.ADMIN})
_SUPERVISORS: Final = frozenset({Role.ADMIN, Role.SUPERVISOR})
_EVERYBODY: Final = frozenset(Role)


@dataclass(frozen=True, slots=True)
class Link:
    """`pages` are the beginnings of the paths that belong to it besides its own.

    `for_agents`: somebody of another role sees it only when his account belongs to an agent. `count` is which of the
    counts of `/api/v1/tickets/counts` stands beside it.
    """

    path: str
    title: Message
    roles: frozenset[Role]
    icon: str
    pages: tuple[str, ...] = ()
    for_agents: bool = False
    count: str = ""

    def shown_to(self, role: Role, *, has_desk: bool) -> bool:
        return role in self.roles and (has_desk or role is Role.AGENT or not self.for_agents)

    def leads_to(self, path: str) -> bool:
        return path == self.path or any(path.startswith(beginning) for beginning in (self.path + "/", *self.pages))


@dataclass(frozen=True, slots=True)
class Section:
    """The first one has no title: what people do all day."""

    title: Message | None
    links: tuple[Link, ...]


SECTIONS: Final = (
    Section(
        None,
        (
            Link("/desk", Message("Desk"), _EVERYBODY, "desk", for_agents=True),
            Link("/tickets", Message("Tickets"), _EVERYBODY, "tickets", count="tickets"),
            Link("/missed", Message("Missed"), _EVERYBODY, "missed", count="missed"),
            Link("/calls", Message("Calls"), _EVERYBODY, "calls"),
        ),
    ),
    Section(
        Message("Team"),
        (
            Link("/wallboard", Message("Wallboard"), _SUPERVISORS, "wallboard"),
            Link("/service-level", Message("Service level"), _SUPERVISORS, "service-level"),
            Link("/reports", Message("Reports"), _SUPERVISORS, "reports"),
        ),
    ),
    Section(
        Message("Settings"),
        (
            Link("/settings/calls", Message("Calls"), _ADMIN, "calls"),
            Link("/settings/agents", Message("Agents"), _ADMIN, "agents", ("/settings/new-agent",)),
            Link("/settings/queues", Message("Queues"), _ADMIN, "queues"),
            Link("/settings/hotlines", Message("Hotlines"), _ADMIN, "hotlines"),
            Link("/settings/ringtones", Message("Ringtones"), _ADMIN, "ringtones"),
            Link(
                "/settings/webhooks",
                Message("Webhooks"),
                _ADMIN,
                "webhooks",
                ("/settings/new-webhook", "/settings/deliveries"),
            ),
            Link("/settings/summary", Message("Daily summary"), _ADMIN, "summary"),
            Link("/settings/pbx", Message("PBX"), _SUPERVISORS, "pbx"),
        ),
    ),
    Section(
        Message("Administration"),
        (
            Link("/settings/accounts", Message("Accounts"), _ADMIN, "accounts", ("/settings/new-account",)),
            Link("/settings/tokens", Message("API tokens"), _ADMIN, "tokens"),
            Link("/settings/audit", Message("Changes"), _ADMIN, "audit"),
            Link("/settings/check-up", Message("Check-up"), _ADMIN, "check-up"),
            Link("/settings/data", Message("Data"), _ADMIN, "data"),
            Link("/reference", Message("API reference"), _EVERYBODY, "reference"),
        ),
    ),
)


def sections_of(role: Role, *, has_desk: bool = False) -> Sequence[Section]:
    """What this role may open; a section with nothing in it is left out."""
    shown = [
        Section(one.title, tuple(link for link in one.links if link.shown_to(role, has_desk=has_desk)))
        for one in SECTIONS
    ]
    return [section for section in shown if section.links]


def home_of(role: Role) -> str:
    """The first page after signing in."""
    return {Role.ADMIN: "/settings/calls", Role.SUPERVISOR: "/service-level", Role.AGENT: "/desk"}[role]
