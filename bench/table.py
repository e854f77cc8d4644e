"""How results are shown: one table a measurement, targets below it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rich.table import Table


@dataclass(frozen=True, slots=True)
class Goal:
    """A target: `what` is at least or at most so much."""

    what: str
    at_least: float | None = None
    at_most: float | None = None

    def met(self, value: float) -> bool:
        return (self.at_least is None or value >= self.at_least) and (self.at_most is None or value <= self.at_most)

    def __str__(self) -> str:
        return f"≥ {self.at_least:g}" if self.at_least is not None else f"≤ {self.at_most:g}"


def new_table(title: str, *columns: str) -> Table:
    """The first column is text, the others are numbers."""
    table = Table(title=title, title_justify="left", caption_justify="left", title_style="bold")
    for n, column in enumerate(columns):
        table.add_column(column, justify="right" if n else "left", no_wrap=True)
    return table


def verdict(goal: Goal, value: float) -> str:
    return f"{goal.what}: {value:.2f}, target {goal} {'met' if goal.met(value) else 'MISSED'}"


def per_second(rate: float) -> str:
    return f"{rate / 1000:,.1f}k" if rate >= 10_000 else f"{rate:,.0f}"


def milliseconds(seconds: float) -> str:
    return f"{seconds * 1000:.2f}"


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest value that `share` of all do not exceed; `values` is sorted."""
    return values[min(len(values) - 1, int(len(values) * share))]
