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
_HALF: Final = 500
_LONGEST_NAME: Final = 18


@dataclass(frozen=True, slots=True)
class Picture:
    """One chart, drawn for wide and narrow screens or once for both. `legend` are classes of series and their words."""

    title: str
    drawn: Sequence[tuple[str, Markup]]
    legend: Sequence[tuple[str, str]] = ()


@dataclass(frozen=True, slots=True)
class Axis:
    """What stands along a chart, short and in full; how values are said, and where they end."""

    labels: Sequence[str]
    names: Sequence[str]
    say: Callable[[float], str]
    unit: Unit = Unit.ANY
    top: float | None = None


@dataclass(frozen=True, slots=True)
class Painter:
    """Of one page."""

    words: Words
    grain: Grain

    def over_time(
        self, table: Table, say: Callable[[float], str], unit: Unit = Unit.ANY, top: float | None = None
    ) -> Axis:
        keys = [str(row["period"]) for row in table.rows]
        return Axis(self.words.labels(keys, self.grain), self.words.names(keys, self.grain), say, unit, top)

    def wide(self, key: str, shape: Shape, axis: Axis, series: Sequence[Series]) -> Picture:
        used = [one for one in series if any(one.values)]
        chart = self._chart(key, shape, axis, used)
        return Picture("", [("wide", draw(chart, *_WIDE)), ("narrow", draw(chart, *_NARROW))], _legend(used))

    def small(self, key: str, axis: Axis, series: Series) -> Picture:
        """Bars, of a few charts that stand beside one another and on a phone below."""
        return Picture(series.word, [("small", draw(self._chart(key, Shape.BARS, axis, [series]), *_SMALL))])

    def places(self, key: str, places: Sequence[str], series: Series) -> Picture:
        """One lying bar for each, from the top."""
        names = list(reversed(places))
        turned = Series(series.name, series.word, list(reversed(series.values)))
        chart = self._chart(key, Shape.LYING, Axis(names, names, self.words.number, Unit.WHOLE), [turned])
        return Picture("", [("wide", draw(chart, _WIDE[0], 170)), ("narrow", draw(chart, _NARROW[0], 170))])

    def lying(
        self, key: str, rows: Sequence[Row], columns: Mapping[str, str], say: Callable[[float], str], unit: Unit
    ) -> Picture:
        """For each of the rows a bar of each column, which has a class, beside one another."""
        return self._of_people(key, Shape.LYING, _HALF, rows, columns, say, unit)

    def shares(
        self, key: str, rows: Sequence[Row], columns: Mapping[str, str], say: Callable[[float], str], unit: Unit
    ) -> Picture:
        """One bar for each of the rows, of parts, over the whole width."""
        return self._of_people(key, Shape.LYING_STACKED, _WIDE[0], rows, columns, say, unit)

    def _of_people(
        self,
        key: str,
        shape: Shape,
        width: int,
        rows: Sequence[Row],
        columns: Mapping[str, str],
        say: Callable[[float], str],
        unit: Unit,
    ) -> Picture:
        """From the top."""
        turned = list(reversed(rows))
        names = [str(row["name"]) for row in turned]
        series = [
            Series(css, self.words.column(name), [_number(row[name]) for row in turned])
            for name, css in columns.items()
        ]
        chart = self._chart(key, shape, Axis([_cut(name) for name in names], names, say, unit), series)
        several = len(columns) > 1
        height = 46 + len(rows) * (26 if several else 20)
        return Picture(
            "" if several else series[0].word,
            [
                ("half" if width == _HALF else "wide", draw(chart, width, height)),
                ("narrow", draw(chart, _NARROW[0], height)),
            ],
            _legend(series) if several else (),
        )

    def _chart(self, key: str, shape: Shape, axis: Axis, series: Sequence[Series]) -> Chart:
        return Chart(
            key=key,
            shape=shape,
            title=", ".join(one.word for one in series),
            about=self.words._("The table beside has the same figures."),
            series=series,
            labels=axis.labels,
            names=axis.names,
            say=axis.say,
            top=axis.top,
            unit=axis.unit,
        )


def _cut(name: str) -> str:
    return name if len(name) <= _LONGEST_NAME else f"{name[: _LONGEST_NAME - 1]}…"


def _legend(series: Sequence[Series]) -> list[tuple[str, str]]:
    return [(one.name, one.word) for one in series]


def _number(value: object) -> float:
    return float(value) if isinstance(value, int | float) else 0
