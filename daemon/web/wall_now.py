"""What stands on the wallboard this moment. Values only, and none of them tells who a customer is."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Final, Protocol

from daemon.call.signals import UnixMs
from daemon.policy.service_level import Goal, Goals, Tally

MOST_AGENTS: Final = 36
MOST_QUEUES: Final = 8
MOST_CALLS: Final = 6
"""What fits on a screen and is read from five metres; how many there are besides is told."""


class Doing(StrEnum):
    """What an agent does; the first that fits."""

    HOLD = "hold"
    TALKING = "talking"
    CALLING = "calling"
    RINGING = "ringing"
    WRAP_UP = "wrap_up"
    PAUSED = "paused"
    AVAILABLE = "available"
    NO_QUEUE = "no_queue"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Tile:
    """An agent. `since` is None while nothing has changed since the daemon began to look."""

    name: str
    doing: Doing
    since: UnixMs | None


@dataclass(frozen=True, slots=True)
class Waiting:
    """A call that waits for an agent; `queue` is None where it rings somebody directly."""

    queue: str | None
    since: UnixMs


@dataclass(frozen=True, slots=True, kw_only=True)
class Today:
    """What the store says of this day. `queues` by name, None: calls without one."""

    began: UnixMs
    queues: Mapping[str | None, Tally]
    not_called_back: int

    @property
    def total(self) -> Tally:
        return sum(self.queues.values(), Tally())


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What the call settings say of it."""

    time_zone: str
    waiting_alarm: int | None
    wait_alarm_seconds: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class WallNow:
    """`tiles` are in the order of names, so that nobody changes his place. `connected`: every PBX is."""

    waiting: Sequence[Waiting]
    tiles: Sequence[Tile]
    queue_names: frozenset[str]
    today: Today
    wanted: Wanted
    goals: Goals
    connected: bool
    figures_late: bool

    def as_json(self) -> dict[str, object]:
        """Ages are told as since when, by our clock: they grow in the browser."""
        oldest = sorted(self.waiting, key=lambda one: one.since)
        shown = _shown(self.tiles)
        return {
            **asdict(self.wanted),
            **asdict(self.goals.usual),
            "several_limits": self.goals.has_several_limits,
            "connected": self.connected,
            "figures_late": self.figures_late,
            "day": self.today.began,
            "waiting": len(oldest),
            "calls": [{"queue": one.queue, "since": one.since} for one in oldest[:MOST_CALLS]],
            "not_called_back": self.today.not_called_back,
            "sla": _share(self.today.total, self.goals.usual),
            "agents": [{"name": one.name, "doing": one.doing, "since": one.since} for one in shown],
            "more_agents": len(self.tiles) - len(shown),
            **self._queues(oldest),
        }

    def _queues(self, oldest: Sequence[Waiting]) -> dict[str, object]:
        """By name; where there are too many, those in which something happens."""
        waiting: dict[str | None, list[UnixMs]] = {}
        for one in oldest:
            waiting.setdefault(one.queue, []).append(one.since)
        tallies = {**dict.fromkeys((*waiting, *self.queue_names), Tally()), **self.today.queues}
        busiest = sorted(tallies, key=lambda name: (-len(waiting.get(name, ())), -tallies[name].offered, name or ""))
        rows = [
            {
                "name": name,
                "waiting": len(waiting.get(name, ())),
                "since": min(waiting.get(name, ()), default=None),
                **_share(tallies[name], self.goals.of(name)),
            }
            for name in sorted(busiest[:MOST_QUEUES], key=lambda name: (name is None, name or ""))
        ]
        return {"queues": rows, "more_queues": len(tallies) - len(rows)}


class Wall(Protocol):
    """The one wallboard that all screens share."""

    def listen(self, key: str) -> AsyncGenerator[tuple[str, str]]:
        """Event and data, the whole board first. `key` is who listens, to limit how often one does."""

    def is_full(self, key: str) -> bool:
        """Whether one listener more would be too many."""

    def close(self) -> None:
        """Ends every listener; the server is stopping."""


def compact(document: Mapping[str, object]) -> str:
    """One line of ASCII."""
    return json.dumps(document, separators=(",", ":"))


def _share(found: Tally, goal: Goal) -> dict[str, object]:
    return {
        "percent": found.shown_percent(goal.target_percent, 2),
        "met": found.meets(goal.target_percent),
        "answered": found.answered,
        "in_time": found.within,
        "missed": found.missed,
    }


def _shown(tiles: Sequence[Tile]) -> Sequence[Tile]:
    """Where there are too many, who takes no calls from queues and has none is left out first."""
    if len(tiles) <= MOST_AGENTS:
        return tiles
    here = [one for one in tiles if one.doing not in (Doing.NO_QUEUE, Doing.UNKNOWN)]
    return (here or tiles)[:MOST_AGENTS]
