"""Charts: whatever is drawn, only shapes and texts of ours come out, each value says what it is, and axes hold it."""

from __future__ import annotations

from dataclasses import replace
from xml.etree.ElementTree import Element, fromstring

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from daemon.web.charts import Chart, Series, Shape, Unit, draw

SHAPES = {"svg", "g", "rect", "path", "circle", "text", "title", "desc"}
ATTRIBUTES = {"viewBox", "role", "aria-labelledby", "class", "id", "transform", "x", "y", "width", "height", "d"}
ATTRIBUTES |= {"cx", "cy", "r"}
HOSTILE = "<script>alert(1)</script>\" onload='x'"
VALUES = st.lists(st.none() | st.integers(0, 10**9) | st.floats(0, 10**6, allow_nan=False), min_size=1, max_size=12)


def chart(shape: Shape, values: list[float | None], unit: Unit = Unit.ANY, word: str = "Calls") -> Chart:
    names = [f"{place}" for place in range(len(values))]
    series = [Series("answered", word, values), Series("other", "Other", [0.0] * len(values))]
    return Chart(
        key="k",
        shape=shape,
        title=word,
        about=word,
        series=series,
        labels=names,
        names=names,
        say=lambda value: f"{value:g}",
        unit=unit,
    )


def drawn(one: Chart, width: int = 340) -> Element:
    return fromstring(str(draw(one, width, 200)))  # noqa: S314 - our own


@settings(max_examples=60, deadline=None)
@given(shape=st.sampled_from(list(Shape)), values=VALUES, unit=st.sampled_from(list(Unit)))
def test_only_shapes_of_ours_come_out_and_all_lie_in_the_picture(
    shape: Shape, values: list[float | None], unit: Unit
) -> None:
    svg = drawn(chart(shape, values, unit))
    for element in svg.iter():
        assert element.tag in SHAPES
        assert set(element.attrib) <= ATTRIBUTES
        if element.tag == "rect":
            assert -1 <= float(element.get("x", "")) <= 340
            assert -1 <= float(element.get("y", "")) <= 200
            assert float(element.get("height", "")) <= 200


@pytest.mark.parametrize("shape", [Shape.BARS, Shape.STACKED, Shape.LYING])
def test_each_bar_says_what_it_is(shape: Shape) -> None:
    titles = [title.text for title in drawn(chart(shape, [3, None, 0, 5])).iter("title")][1:]
    assert titles == ["0: Calls 3", "3: Calls 5"], "nothing is drawn of nothing"


def test_a_line_has_a_gap_where_there_is_no_value() -> None:
    svg = drawn(chart(Shape.LINES, [3, 4, None, 5, 6]))
    lines = [path.get("d", "") for path in svg.iter("path") if "s-answered" in _group_of(svg, path)]
    assert sum(line.count("M") for line in lines) == 2


def test_it_has_a_title_and_a_description_for_who_does_not_see_it() -> None:
    svg = drawn(chart(Shape.BARS, [1]))
    ids = (svg.get("aria-labelledby") or "").split()
    assert [element.text for element in svg if element.get("id") in ids] == ["Calls", "Calls"]
    assert svg.get("role") == "img"


@pytest.mark.parametrize("shape", list(Shape))
def test_hostile_words_stay_words(shape: Shape) -> None:
    text = str(draw(chart(shape, [1, 2], word=HOSTILE), 340, 200))
    assert "<script" not in text
    assert fromstring(text)[0].text == HOSTILE  # noqa: S314 - our own


@pytest.mark.parametrize(
    ("highest", "unit", "ticks"),
    [
        (0, Unit.WHOLE, ["0", "1"]),
        (3, Unit.WHOLE, ["0", "1", "2", "3"]),
        (43, Unit.WHOLE, ["0", "10", "20", "30", "40", "50"]),
        (100, Unit.SECONDS, ["0", "30", "60", "90", "120"]),
        (170 * 3600, Unit.SECONDS, [str(50 * 3600 * tick) for tick in range(5)]),
        (0.3, Unit.ANY, ["0", "0.1", "0.2", "0.3"]),
    ],
)
def test_numbers_at_the_axis_are_round(highest: float, unit: Unit, ticks: list[str]) -> None:
    svg = drawn(chart(Shape.BARS, [highest], unit))
    axis = next(group for group in svg.iter("g") if group.get("class") == "axis y")
    assert [text.text for text in axis.iter("text")] == ticks


@pytest.mark.parametrize(("width", "ticks"), [(340, ["0:00:00", "12:00:00"]), (1020, ["0", "4", "8", "12"])])
@pytest.mark.parametrize("shape", [Shape.LYING, Shape.LYING_STACKED])
def test_numbers_below_lying_bars_have_room_and_the_last_is_there(shape: Shape, width: int, ticks: list[str]) -> None:
    one = replace(chart(shape, [11 * 3600], Unit.SECONDS), labels=["Nguyễn Thị Minh H…"])
    one = replace(one, say=lambda value: f"{value / 3600:g}:00:00")
    axis = next(group for group in drawn(one, width).iter("g") if group.get("class") == "axis x")
    assert [text.text for text in axis.iter("text")] == [f"{tick.partition(':')[0]}:00:00" for tick in ticks]


def _group_of(svg: Element, shape: Element) -> str:
    return next((group.get("class") or "" for group in svg.iter("g") if shape in list(group)), "")
