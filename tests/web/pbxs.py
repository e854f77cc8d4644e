"""PBXs for the web server alone: they say what a test put into them, and keep what they were asked."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

from daemon.call.signals import UnixMs
from daemon.message import Message
from daemon.pbx import EndpointSeen, Finding, Inventory, MemberSeen, PbxState, QueueSeen, Snippet


def state(name: str = "1", **changes: object) -> PbxState:
    known: dict[str, object] = {"host": "192.0.2.7", "port": 5038, "state": "connected", "kind": "asterisk"}
    return PbxState(**{"name": name, **known, **changes})  # type: ignore[arg-type]


def inventory(*endpoints: EndpointSeen, queues: Sequence[QueueSeen] = (), **changes: object) -> Inventory:
    return Inventory(**{"pbx": "1", "endpoints": endpoints, "queues": tuple(queues), **changes})  # type: ignore[arg-type]


@dataclass
class Pbxs:
    """One PBX, `1`, that has something of everything."""

    known: list[PbxState] = field(
        default_factory=lambda: [
            state(
                connected_since=UnixMs(1_795_340_000_000),
                version="11.0.0",
                events_per_second=1.5,
                last_error=Message("Nobody listens at {where}.", where="192.0.2.7:5038"),
                last_error_at=UnixMs(1_795_339_000_000),
                counters={"logins": 2},
            )
        ]
    )
    found: list[Inventory] = field(
        default_factory=lambda: [
            inventory(
                EndpointSeen(endpoint="PJSIP/1001", registered=True, takes_registrations=True, user_agent="Phone 1"),
                EndpointSeen(endpoint="PJSIP/trunk", takes_registrations=False),
                queues=[QueueSeen("sales", (MemberSeen("PJSIP/1001", "An", "PJSIP/1001"),))],
                problems=(Message("The PBX took too long to answer."),),
            )
        ]
    )
    texts: list[Snippet] = field(
        default_factory=lambda: [Snippet("manager.conf", Message("The user."), "[callwarden]\n", "manager reload")]
    )
    findings: list[Finding] = field(
        default_factory=lambda: [
            Finding("connected", ok=True, words=Message("Connected.")),
            Finding("events", ok=None, words=Message("No event yet.")),
            Finding("hang_up", ok=False, words=Message("Not allowed."), fix=Message("Change it.")),
        ]
    )
    asked_known: list[Collection[str]] = field(default_factory=list)
    asked_again: list[bool] = field(default_factory=list)

    def states(self) -> Sequence[PbxState]:
        return self.known

    def state(self, name: str) -> PbxState | None:
        return next((state for state in self.known if state.name == name), None)

    async def inventories(self, known: Collection[str], *, again: bool = False) -> Sequence[Inventory]:
        self.asked_known.append(known)
        self.asked_again.append(again)
        return self.found

    async def snippets(self, name: str) -> Sequence[Snippet] | None:
        return self.texts if self.state(name) else None

    async def check(self, name: str) -> Sequence[Finding] | None:
        return self.findings if self.state(name) else None
