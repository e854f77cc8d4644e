"""Charts as SVG, drawn by pygal and taken over by their shapes alone.

pygal's own picture brings a style sheet, a script, ids and comments: the policy of our pages runs none of them, and its
colours know no dark theme and no print. What is kept are groups, rectangles, lines and letters with classes of ours, to
which `style.css` gives colours; each bar and dot says on hover what it is, and the whole has a title and a description.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from math import log10
from typing import Any, Final
from xml.etree.ElementTree import Element, SubElement, tostring

import pygal
from markupsafe import Markup
from pygal.style import Style

_LETTERS_PX: Final = 11
_STYLE: Final = Style(
    label_font_size=_LETTERS_PX, major_label_font_size=_LETTERS_PX, font_family="sans-serif", background="none"
)
_MOST_DOTS: Final = 62
_SHAPES: Final = {
    "rect": ("x", "y", "width", "height"),
    "path": ("d",),
    "circle": ("cx", "cy", "r"),
    "text": ("x", "y"),
}
_VISIBLE_PX: Final = 0.05
_STEPS: Final = (1, 2, 2.5, 5, 10, 20, 50, 100)
_HOURS: Final = (1, 2, 4, 6, 12, 24, 50, 100, 200, 500, 1000, 2000, 5000, 10_000)
_SECONDS: Final = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, *(3600 * hours for hours in _HOURS))


class Shape(StrEnum):
    """Of a chart: bars beside or upon one another, lines, bars that lie beside or upon one another."""

    BARS = "bars"
    STACKED = "stacked"
    LINES = "lines"
    LYING = "lying"
    LYING_STACKED = "lying stacked"


class Unit(StrEnum):
    """What values are, for the numbers at the axis: shares and the like, things that are counted, seconds."""

    ANY = "any"
    WHOLE = "whole"
    SECONDS = "seconds"


class _Bars(pygal.Bar):  # type: ignore[misc]
    _series_margin = 0.14  # with room between them


class _Stacked(pygal.StackedBar):  # type: ignore[misc]
    _series_margin = 0.14


_KINDS: Final = {
    Shape.BARS: _Bars,
    Shape.STACKED: _Stacked,
    Shape.LINES: pygal.Line,
    Shape.LYING: pygal.HorizontalBar,
    Shape.LYING_STACKED: pygal.HorizontalStackedBar,
}
_LYING: Final = (Shape.LYING, Shape.LYING_STACKED)
_PILED: Final = (Shape.STACKED, Shape.LYING_STACKED)


@dataclass(frozen=True, slots=True)
class Series:
    """`name` is its class in the style sheet, `word` what people call it. None is a gap."""

    name: str
    word: str
    values: Sequence[float | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """`labels` stand at the axis, `names` are the same in full. `say` writes a value; `top` is where the axis ends.

    `key` is unique on its page.
    """

    key: str
    shape: Shape
    title: str
    about: str
    series: Sequence[Series]
    labels: Sequence[str]
    names: Sequence[str]
    say: Callable[[float], str]
    top: float | None = None
    unit: Unit = Unit.ANY


def draw(chart: Chart, width: int, height: int) -> Markup:
    """In that many pixels, and letters of the size of small text: it is not to be shown much smaller."""
    graph = _graph(chart, width, height)
    svg = Element("svg", {"class": f"chart {chart.shape}", "viewBox": f"0 0 {width} {height}", "role": "img"})
    title, about = f"{chart.key}-{width}-title", f"{chart.key}-{width}-about"
    svg.set("aria-labelledby", f"{title} {about}")
    SubElement(svg, "title", {"id": title}).text = chart.title
    SubElement(svg, "desc", {"id": about}).text = chart.about
    classes = {f"serie-{place}": f"series s-{one.name}" for place, one in enumerate(chart.series)}
    for plot in _plots(graph.render_tree()):
        _copy(plot, svg, classes)
    return Markup(tostring(svg, encoding="unicode"))  # noqa: S704 - every text went through the tree, which escapes it


def _graph(chart: Chart, width: int, height: int) -> Any:
    ticks = _ticks(chart)
    graph = _KINDS[chart.shape](
        width=width,
        height=height,
        js=(),
        style=_STYLE,
        margin=6,
        show_legend=False,
        truncate_label=-1,
        show_minor_x_labels=chart.shape in _LYING,
        range=(0, ticks[-1]),
        allow_interruptions=True,
        show_dots=len(chart.labels) <= _MOST_DOTS,
        dots_size=2.5,
        formatter=chart.say,
    )
    graph.x_labels = list(chart.labels)
    if chart.shape not in _LYING:
        graph.x_labels_major_every = max(1, -(-len(chart.labels) * _widest(chart.labels) // (width - 60)))
    graph.y_labels = [{"value": tick, "label": chart.say(tick)} for tick in _that_fit(ticks, chart, width)]
    for one in chart.series:
        said = [
            None if value is None else f"{name}: {one.word} {chart.say(value)}"
            for name, value in zip(chart.names, one.values, strict=True)
        ]
        graph.add(one.word, [_value(value, words) for value, words in zip(one.values, said, strict=True)])
    return graph


def _value(value: float | None, words: str | None) -> dict[str, object] | None:
    return None if value is None else {"value": value, "label": words}


def _widest(labels: Sequence[str]) -> int:
    """In pixels, with the room between two of them."""
    return max((len(label) for label in labels), default=0) * 7 + 14


def _ticks(chart: Chart) -> list[float]:
    """Some round numbers from nothing to the highest."""
    if chart.top is not None:
        return [chart.top * part / 4 for part in range(5)]
    highest = _highest(chart) or 1
    steps: Sequence[float] = _SECONDS
    if chart.unit is not Unit.SECONDS or highest > 5 * _SECONDS[-1]:
        power = 10 ** int(log10(highest / 5) // 1)
        steps = [one * power for one in _STEPS]
    least = 1 if chart.unit is Unit.WHOLE else 0
    step = next(one for one in steps if one * 5 >= highest and one >= least and (not least or one == int(one)))
    return [step * part for part in range(int(-(-highest // step)) + 1)]


def _that_fit(ticks: list[float], chart: Chart, width: int) -> list[float]:
    """Where they stand beside one another, every second or third if need be, and always the last."""
    if chart.shape not in _LYING:
        return ticks
    fit = (width - _widest(chart.labels)) // _widest([chart.say(tick) for tick in ticks])
    last = len(ticks) - 1
    return ticks[
        :: next(step for step in range(1, last + 1) if last % step == 0 and (last // step < fit or step == last))
    ]


def _highest(chart: Chart) -> float:
    columns = zip(*(one.values for one in chart.series), strict=True)
    each = [[value for value in column if value is not None] for column in columns]
    measure = sum if chart.shape in _PILED else max
    return float(max((measure(column) for column in each if column), default=0))


def _plots(tree: Any) -> Iterator[Any]:
    """What is drawn, and the dots over it."""
    for group in tree.iter("g"):
        if group.get("class") in ("plot", "plot overlay"):
            yield group


def _copy(source: Any, target: Element, classes: Mapping[str, str]) -> None:
    name = _class(source.get("class") or "", classes)
    group = SubElement(target, "g", _kept(source, ("transform",)) | ({"class": name} if name else {}))
    words = next((one.text for one in source if one.tag == "desc" and one.get("class") == "label"), None)
    for child in source:
        if child.tag == "g":
            _copy(child, group, classes)
        elif child.tag in _SHAPES and child.get("class") != "background" and not _is_nothing(child):
            shape = SubElement(group, child.tag, _kept(child, _SHAPES[child.tag]))
            shape.text = child.text if child.tag == "text" else None
            if "axis" in (child.get("class") or ""):
                shape.set("class", "zero")
    if words is not None and len(group):
        SubElement(group[0], "title").text = words
    if not len(group):
        target.remove(group)


def _is_nothing(shape: Any) -> bool:
    return shape.tag == "rect" and min(float(shape.get(side) or 0) for side in ("height", "width")) < _VISIBLE_PX


def _class(name: str, classes: Mapping[str, str]) -> str:
    """Ours of a series or an axis."""
    words = name.split()
    if "series" in words:
        return next((ours for theirs, ours in classes.items() if theirs in words), "")
    return " ".join(words[:2]) if "axis" in words else ""


def _kept(shape: Any, names: Sequence[str]) -> dict[str, str]:
    return {name: _short(str(shape.get(name))) for name in names if shape.get(name) is not None}


def _short(text: str) -> str:
    """A tenth of a pixel is enough."""
    return " ".join(_rounded(part) for part in text.replace(",", " ").split(" ")) if "." in text else text


def _rounded(part: str) -> str:
    head = part.rstrip("0123456789.-")
    number = part[len(head) :]
    try:
        return f"{head}{float(number):.1f}".removesuffix(".0")
    except ValueError:
        return part
