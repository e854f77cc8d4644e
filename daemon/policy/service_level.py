"""How well calls are answered: the share answered in time, by the formulas people mean when they say SLA."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from math import floor
from types import MappingProxyType
from typing import Final

from daemon.policy.call_settings import CallSettings, QueueSettings

WHOLE: Final = 100.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """Counts of incoming calls. `within` are among the `answered`, `short` are among the `missed`.

    Waits are those of answered calls, in milliseconds; they add up to `waited`.
    """

    answered: int = 0
    within: int = 0
    missed: int = 0
    short: int = 0
    waited: int = 0
    longest: int = 0

    def __add__(self, other: Tally) -> Tally:
        return Tally(
            answered=self.answered + other.answered,
            within=self.within + other.within,
            missed=self.missed + other.missed,
            short=self.short + other.short,
            waited=self.waited + other.waited,
            longest=max(self.longest, other.longest),
        )

    @property
    def offered(self) -> int:
        return self.answered + self.missed

    @property
    def percent(self) -> float | None:
        """The headline: answered in time ÷ answered. None while nothing was answered."""
        return _share(self.within, self.answered)

    def shown_percent(self, target_percent: int, digits: int) -> float | None:
        return None if self.percent is None else rounded_below(target_percent, self.percent, digits)

    @property
    def percent_of_offered(self) -> float | None:
        """Answered in time ÷ (answered + missed)."""
        return _share(self.within, self.offered)

    @property
    def percent_without_short(self) -> float | None:
        """Answered in time ÷ offered, without those who gave up at once: nobody could have answered them."""
        return _share(self.within, self.offered - self.short)

    @property
    def average_wait_seconds(self) -> float | None:
        """Of answered calls, known in the field as ASA."""
        return self.waited / self.answered / 1000 if self.answered else None

    def meets(self, target_percent: int) -> bool | None:
        """Judged before rounding, so that 79.96 % is not 80 %. None while nothing was answered."""
        return None if not self.answered else self.within * 100 >= target_percent * self.answered


@dataclass(frozen=True, slots=True)
class Goal:
    """So many percent of the answered calls are to be answered within so many seconds."""

    target_percent: int
    within_seconds: int


@dataclass(frozen=True, slots=True)
class Goals:
    """That of the call settings, and those of queues for which something else is set."""

    usual: Goal
    of_queues: Mapping[str, Goal] = field(default_factory=lambda: MappingProxyType({}))

    def of(self, queue: str | None) -> Goal:
        return self.usual if queue is None else self.of_queues.get(queue, self.usual)

    @property
    def has_several_limits(self) -> bool:
        return any(goal.within_seconds != self.usual.within_seconds for goal in self.of_queues.values())

    def for_queue(self, queue: str | None) -> Goals:
        """Where only one queue is looked at, its goal is the one of all that is seen."""
        return self if queue is None else Goals(self.of(queue))

    def with_one_limit(self, seconds: int) -> Goals:
        """What if all calls had to be answered within so many seconds; the targets stay."""
        return _only_others(
            replace(self.usual, within_seconds=seconds),
            {name: replace(goal, within_seconds=seconds) for name, goal in self.of_queues.items()},
        )


def goals_of(settings: CallSettings, queues: Mapping[str, QueueSettings]) -> Goals:
    usual = Goal(settings.sla_target_percent, settings.sla_answer_within_seconds)
    return _only_others(usual, {name: _goal(queue, usual) for name, queue in queues.items()})


def _goal(queue: QueueSettings, usual: Goal) -> Goal:
    target, within = queue.sla_target_percent, queue.sla_answer_within_seconds
    return Goal(usual.target_percent if target is None else target, usual.within_seconds if within is None else within)


def _only_others(usual: Goal, goals: Mapping[str, Goal]) -> Goals:
    return Goals(usual, MappingProxyType({name: goals[name] for name in sorted(goals) if goals[name] != usual}))


def rounded_below(target_percent: int, percent: float, digits: int) -> float:
    """Rounded, but never up to a target that is not met."""
    near = round(percent, digits)
    return near if near < target_percent or percent >= target_percent else floor(percent * 10**digits) / 10**digits


def _share(part: int, whole: int) -> float | None:
    return WHOLE * part / whole if whole else None
