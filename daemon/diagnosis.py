"""What a check-up says: findings on the whole installation, and the story of one call. Values only, no secrets."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from daemon.call.rendering import iso_utc
from daemon.call.signals import UnixMs
from daemon.message import Message, translated

Say = Callable[[object], object]


class State(StrEnum):
    """The worst first, as findings are sorted."""

    PROBLEM = "problem"
    WARNING = "warning"
    UNKNOWN = "unknown"
    OK = "ok"


class Area(StrEnum):
    """What is looked at together, in the order in which it is shown."""

    PBX = "pbx"
    DIALPLAN = "dialplan"
    PHONES = "phones"
    QUEUES = "queues"
    WEB = "web"
    MACHINE = "machine"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that was looked at. `check` is its group and name, as `pbx.login`; `about` which PBX, agent or target.

    `why` it matters and what to do (`fix`) are said where it is not in order.
    """

    check: str
    state: State
    what: Message
    why: Message | None = None
    fix: Message | None = None
    about: str | None = None

    @property
    def group(self) -> Area:
        return Area(self.check.partition(".")[0])

    def as_json(self, say: Say) -> dict[str, object]:
        return {
            "check": self.check,
            "group": self.group.value,
            "about": self.about,
            "state": self.state.value,
            "what": say(self.what),
            "why": say(self.why),
            "fix": say(self.fix),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One thing that was decided or done about a call. `reason` is the policy's, where it was decided.

    `at` None: it is not kept when.
    """

    at: UnixMs | None
    what: Message
    decision: str
    reason: str | None = None
    user_id: str | None = None

    def as_json(self, say: Say) -> dict[str, object]:
        return {
            "at": iso_utc(self.at),
            "decision": self.decision,
            "reason": self.reason,
            "user_id": self.user_id,
            "what": say(self.what),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """A call told from what is kept. `verdicts` say why a popup came or not, first of all."""

    pbx: str
    call_id: str
    verdicts: tuple[Finding, ...]
    steps: tuple[Step, ...]

    def as_json(self, say: Say) -> dict[str, object]:
        return {
            "pbx": self.pbx,
            "call_id": self.call_id,
            "verdicts": [verdict.as_json(say) for verdict in self.verdicts],
            "steps": [step.as_json(say) for step in self.steps],
        }


class Doctor(Protocol):
    """Looks and tells; it changes nothing, and raises nothing of what it looks at."""

    async def examine(self, areas: Collection[Area] = tuple(Area)) -> Sequence[Finding]:
        """Sorted by area, the worst first. Bounded in time; who asks meanwhile shares the same look."""

    async def stories(self, call_id: str, pbx: str | None = None) -> Sequence[Story]:
        """Of every PBX that had a call with this id; none where no such call is kept."""


def in_order(findings: Iterable[Finding]) -> list[Finding]:
    groups, states = list(Area), list(State)
    return sorted(
        findings,
        key=lambda one: (groups.index(one.group), states.index(one.state), one.check, one.about or "", str(one.what)),
    )


def worst(findings: Iterable[Finding]) -> State:
    """OK where there is nothing."""
    states = list(State)
    return min((one.state for one in findings), key=states.index, default=State.OK)


def report_json(findings: Sequence[Finding], say: Say) -> dict[str, object]:
    """The answer of the API and of `callwarden doctor --json`."""
    return {
        "state": worst(findings).value,
        "counts": {state.value: sum(one.state is state for one in findings) for state in State},
        "items": [finding.as_json(say) for finding in findings],
        "next": None,
    }


def in_english(value: object) -> object:
    return translated(value, str)
