"""Charts of reports from their tables, in the reader's language."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from markupsafe import Markup

from daemon.policy.report_span import Grain
from daemon.web.charts import Chart, Series, Shape, Unit, draw
from daemon.web.report_table import Row, Table
from daemon.web.report_words import Words

_WIDE: Final = (1020, 250)
_NARROW: Final = (340, 220)
_SMALL: Final = (340, 170)
_ROOMS: Final = {"half": 500, "wide": _WIDE[0]}
_LONGEST_NAME: Final = 18


@dataclass(frozen=True, slots=True)
class Picture:
    """One chart, drawn for wide and narrow screens or once for both. `legend` are classes of series and their words."""

    title: str
    drawn: Sequence[tuple[str, Markup]]
    legend: Sequence[tuple[str, str]] = ()


@dataclass(frozen=True, slots=True)
class Painter:
    """Of one page."""

    words: Words
    grain: Grain

    def _chart(
        self,
        key: str,
        shape: Shape,
        table: Table,
        series: Sequence[Series],
        say: Callable[[float], str],
        *,
        top: float | None = None,
        unit: Unit = Unit.ANY,
    ) -> Chart:
        _ = self.words._
        keys = [str(row["period"]) for row in table.rows]
        return Chart(
            key=key,
            shape=shape,
            title=", ".join(one.word for one in series),
            about=_("The table beside has the same figures."),
            series=series,
            labels=self.words.labels(keys, self.grain),
            names=self.words.names(keys, self.grain),
            say=say,
            top=top,
            unit=unit,
        )

    def wide(
        self,
        key: str,
        shape: Shape,
        table: Table,
        series: Sequence[Series],
        say: Callable[[float], str],
        *,
        top: float | None = None,
        unit: Unit = Unit.ANY,
    ) -> Picture:
        used = [one for one in series if any(one.values)]
        chart = self._chart(key, shape, table, used, say, top=top, unit=unit)
        return Picture("", [("wide", draw(chart, *_WIDE)), ("narrow", draw(chart, *_NARROW))], _legend(used))

    def small(
        self, key: str, table: Table, series: Series, say: Callable[[float], str], unit: Unit = Unit.ANY
    ) -> Picture:
        """Bars, of a few charts that stand beside one another and on a phone below."""
        return Picture(
            series.word, [("small", draw(self._chart(key, Shape.BARS, table, [series], say, unit=unit), *_SMALL))]
        )

    def places(self, key: str, places: Sequence[str], series: Series) -> Picture:
        """One lying bar for each, from the top."""
        chart = Chart(
            key=key,
            shape=Shape.LYING,
            title=series.word,
            about=self.words._("The table beside has the same figures."),
            series=[Series(series.name, series.word, list(reversed(series.values)))],
            labels=list(reversed(places)),
            names=list(reversed(places)),
            say=self.words.number,
            unit=Unit.WHOLE,
        )
        return Picture("", [("wide", draw(chart, 1020, 170)), ("narrow", draw(chart, 340, 170))])

    def lying(
        self,
        key: str,
        rows: Sequence[Row],
        columns: Sequence[str],
        say: Callable[[float], str],
        *,
        unit: Unit = Unit.ANY,
    ) -> Picture:
        classes = ("other", "answered") if len(columns) > 1 else ("answered",)
        return self._of_people(key, Shape.LYING, rows, dict(zip(columns, classes, strict=True)), say, "half", unit)

    def shares(
        self, key: str, rows: Sequence[Row], columns: Mapping[str, str], say: Callable[[float], str], unit: Unit
    ) -> Picture:
        """A bar for each, of parts upon one another, over the whole width; columns with their classes."""
        return self._of_people(key, Shape.LYING_STACKED, rows, columns, say, "wide", unit)

    def _of_people(
        self,
        key: str,
        shape: Shape,
        rows: Sequence[Row],
        columns: Mapping[str, str],
        say: Callable[[float], str],
        room: str,
        unit: Unit,
    ) -> Picture:
        _ = self.words._
        names = [str(row["name"]) for row in rows]
        series = [
            Series(css, self.words.column(name), [_number(row[name]) for row in rows]) for name, css in columns.items()
        ]
        chart = Chart(
            key=key,
            shape=shape,
            title=", ".join(one.word for one in series),
            about=_("The table beside has the same figures."),
            series=series,
            labels=[name if len(name) <= _LONGEST_NAME else f"{name[: _LONGEST_NAME - 1]}…" for name in names],
            names=names,
            say=say,
            unit=unit,
        )
        several = len(columns) > 1
        height = 46 + len(rows) * (26 if several else 20)
        return Picture(
            "" if several else series[0].word,
            [(room, draw(chart, _ROOMS[room], height)), ("narrow", draw(chart, _NARROW[0], height))],
            _legend(series) if several else (),
        )


def _legend(series: Sequence[Series]) -> list[tuple[str, str]]:
    return [(one.name, one.word) for one in series]


def _number(value: object) -> float:
    return float(value) if isinstance(value, int | float) else 0
