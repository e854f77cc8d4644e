"""The report of pauses and states: a row for each agent, and columns for each reason for which somebody paused."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Final

from daemon.store.report_agent_times import AgentTime, Spent
from daemon.web.report_table import ColumnKind, Row, Table

MOST_REASONS: Final = 50
"""That have columns of their own: whoever pauses by hand may write what he likes. The others are summed."""

AGENT_TIMES: Final = {
    "user_id": ColumnKind.TEXT,
    "name": ColumnKind.TEXT,
    "available_seconds": ColumnKind.SECONDS,
    "wrap_up_seconds": ColumnKind.SECONDS,
    "paused_seconds": ColumnKind.SECONDS,
    "not_known_seconds": ColumnKind.SECONDS,
    "pauses": ColumnKind.COUNT,
    "estimated": ColumnKind.COUNT,
}
"""What it always has; of `estimated` periods the end was not seen."""

_MARK: Final = ": "


def agent_times_table(found: Sequence[AgentTime], names: Mapping[str, str], most: int = MOST_REASONS) -> Table:
    """Of whom most is known comes first; so do the longest reasons, `most` of them."""
    reasons = _longest(found)
    shown = reasons[:most]
    pairs = [pause_columns(reason) for reason in (*shown, *([None] if reasons[most:] else []))]
    more = {name: kind for pair in pairs for name, kind in zip(pair, _PAIR, strict=True)}
    rows: list[Row] = [
        {
            "user_id": one.user_id,
            "name": names.get(one.user_id, ""),
            "available_seconds": one.available.ms / 1000,
            "wrap_up_seconds": one.wrap_up.ms / 1000,
            "paused_seconds": one.paused.ms / 1000,
            "not_known_seconds": one.not_known / 1000,
            "pauses": one.paused.count,
            "estimated": one.estimated,
            **_pauses(one, shown, reasons[most:]),
        }
        for one in sorted(found, key=lambda one: (-one.known, one.user_id))
    ]
    columns = {**AGENT_TIMES, **more}
    return Table(columns, rows, {name: _sum(rows, name) for name, kind in columns.items() if kind is not _TEXT})


def pause_columns(reason: str | None) -> tuple[str, str]:
    """How long and how often, for this reason; '' is without one, None all that have no columns of their own."""
    if reason:
        return f"paused_seconds{_MARK}{reason}", f"pauses{_MARK}{reason}"
    which = "others" if reason is None else "no_reason"
    return f"paused_seconds_{which}", f"pauses_{which}"


def reason_of(column: str) -> str:
    """For which it was paused; '' where the column is of none that somebody wrote."""
    return column.partition(_MARK)[2]


_TEXT: Final = ColumnKind.TEXT
_PAIR: Final = (ColumnKind.SECONDS, ColumnKind.COUNT)


def _longest(found: Sequence[AgentTime]) -> list[str]:
    total: Counter[str] = Counter()
    for one in found:
        total.update({reason: spent.ms for reason, spent in one.pauses.items()})
    return sorted(total, key=lambda reason: (-total[reason], reason))


def _pauses(one: AgentTime, shown: Sequence[str], others: Sequence[str]) -> Row:
    spent: dict[str | None, Spent] = {reason: one.pauses.get(reason, Spent()) for reason in shown}
    if others:
        spent[None] = sum((one.pauses.get(reason, Spent()) for reason in others), Spent())
    found: Row = {}
    for reason, of in spent.items():
        seconds, count = pause_columns(reason)
        found |= {seconds: of.ms / 1000, count: of.count}
    return found


def _sum(rows: Sequence[Row], name: str) -> float:
    return round(sum(value for row in rows if isinstance(value := row[name], int | float)), 3)
