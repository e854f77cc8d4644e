"""How well calls are answered: the share answered in time, by the formulas people mean when they say SLA."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

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


def _share(part: int, whole: int) -> float | None:
    return WHOLE * part / whole if whole else None
