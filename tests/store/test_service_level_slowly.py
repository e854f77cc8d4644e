"""Every figure of the service level, counted once more from raw calls by a slow way that shares no code with ours.

The calls are rows written by hand, the other way goes from call to call, and shares are fractions that nobody rounds.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from fractions import Fraction
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from daemon.call.signals import UnixMs
from daemon.policy.service_level import Tally
from daemon.store import schema
from daemon.store.reader import FileReader
from daemon.store.service_level import Asked, GroupBy, tally

ZONES = ("Europe/Berlin", "Asia/Ho_Chi_Minh", "America/St_Johns", "Asia/Kathmandu")
# Around both changes of the clock, in Berlin and in Newfoundland (half an hour beside the full hours of UTC).
MOMENTS = tuple(
    int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1000)
    for text in ("2026-10-25 01:00", "2026-03-29 01:00", "2026-11-01 04:30", "2026-03-08 05:30", "2026-11-22 05:00")
)
HOUR, DAY = 3_600_000, 86_400_000
LIMIT_S, SHORT_S = 20, 5
NAMES = ("vip", "night", "plain", "unset", None)
REASONS = (*("abandoned",) * 4, "timed_out", "left_in_ivr", None)
OUTCOMES = (*("answered",) * 4, *("missed",) * 3, None)
DIRECTIONS = (*("incoming",) * 8, "outgoing", "internal")
ASKED = st.sampled_from((None, None, None, "vip", "plain"))


@dataclass(frozen=True)
class Raw:
    """A row of `calls`, as far as the service level looks at it."""

    started_at: int
    queued_at: int | None
    rung_at: int | None
    answered_at: int | None
    ended_at: int | None
    direction: str
    outcome: str | None
    missed_reason: str | None
    queue: str | None
    hotline: str | None
    user_id: str | None


@dataclass(frozen=True)
class Own:
    """What was set for queues (seconds), and whether one limit is tried instead."""

    limits: dict[str, int | None]
    one_limit: bool


def waits(limits: tuple[int, ...] = (SHORT_S, 10, LIMIT_S, 45)) -> st.SearchStrategy[int]:
    """Often exactly at a limit or a millisecond beside it."""
    edges = [1000 * s + by for s in limits for by in (-1, 0, 1)]
    return st.sampled_from(edges) | st.sampled_from(edges) | st.integers(0, 90_000)


@st.composite
def raw_calls(draw: st.DrawFn) -> Raw:
    started = draw(st.sampled_from(MOMENTS)) + draw(st.integers(-26 * HOUR, 26 * HOUR))
    if draw(st.booleans()):
        started -= started % 900_000  # exactly on a quarter of an hour
    queued = draw(st.none() | st.integers(0, 60_000).map(lambda ms: started + ms))
    rung = draw(st.none() | st.integers(0, 60_000).map(lambda ms: started + ms))
    began = queued if queued is not None else rung if rung is not None else started
    at = began + draw(waits())
    outcome = draw(st.sampled_from(OUTCOMES))
    return Raw(
        started_at=started,
        queued_at=queued,
        rung_at=rung,
        answered_at=at if outcome == "answered" else None,
        ended_at=at if outcome == "missed" else at + 60_000,
        direction=draw(st.sampled_from(DIRECTIONS)),
        outcome=outcome,
        missed_reason=draw(st.sampled_from(REASONS)) if outcome == "missed" else None,
        queue=draw(st.sampled_from(NAMES)),
        hotline=draw(st.sampled_from(("1900", "1901", None))),
        user_id=draw(st.sampled_from(("an", "binh", None))),
    )


OWN = st.builds(
    Own,
    limits=st.fixed_dictionaries({name: st.none() | st.sampled_from((10, 45)) for name in ("vip", "night")}).map(
        lambda some: {**some, "plain": None}
    ),
    one_limit=st.booleans(),
)


class House:
    """A store, filled anew for each example."""

    def __init__(self, path: Path) -> None:
        schema.upgrade(str(path))
        self._rows = sqlite3.connect(path)
        self._loop = asyncio.Runner()
        self._reader = self._loop.run(FileReader.open(str(path)))

    def fill(self, calls: list[Raw], own: Own) -> None:
        self._rows.execute("DELETE FROM calls")
        self._rows.execute("DELETE FROM queues")
        for number, one in enumerate(calls):
            values = {"pbx": "main", "call_id": str(number), "user_ids": "[]", "state": "ended", "customer_dialled": 0}
            row = {**values, **one.__dict__}
            marks = ", ".join(f":{name}" for name in row)
            self._rows.execute(f"INSERT INTO calls ({', '.join(row)}) VALUES ({marks})", row)  # noqa: S608 - ours
        for item in own.limits.items():
            add = "INSERT INTO queues (name, create_tickets, sla_answer_within_seconds) VALUES (?, 1, ?)"
            self._rows.execute(add, item)
        self._rows.commit()

    def figures(self, asked: Asked, by: GroupBy | None, zone: str) -> dict[str | None, Tally]:
        return self._loop.run(tally(self._reader, asked, by, ZoneInfo(zone)))

    def close(self) -> None:
        self._loop.run(self._reader.close())
        self._loop.close()
        self._rows.close()


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with closing(House(tmp_path_factory.mktemp("slowly") / "callwarden.db")) as opened:
        yield opened


def slowly(calls: list[Raw], own: Own) -> Tally:
    """Call for call, in the words of the page's help."""
    answered = within = missed = short = waited = longest = 0
    for one in calls:
        began = next(at for at in (one.queued_at, one.rung_at, one.started_at) if at is not None)
        if one.outcome == "answered" and one.answered_at is not None:
            wait = one.answered_at - began
            limit = None if one.queue is None or own.one_limit else own.limits.get(one.queue)
            answered += 1
            within += Fraction(wait, 1000) <= (LIMIT_S if limit is None else limit)
            waited += wait
            longest = max(longest, wait)
        elif one.outcome == "missed" and one.missed_reason != "left_in_ivr":
            assert one.ended_at is not None
            missed += 1
            short += one.missed_reason == "abandoned" and one.ended_at - began < 1000 * SHORT_S
    return Tally(answered=answered, within=within, missed=missed, short=short, waited=waited, longest=longest)


def wall_clock(one: Raw, zone: str) -> datetime:
    return datetime.fromtimestamp(one.started_at // 1000, ZoneInfo(zone))


def offset(at: datetime) -> str:
    text = at.strftime("%z")
    return f"{text[:3]}:{text[3:]}"


KEYS: dict[GroupBy | None, Callable[[Raw, str], Any]] = {
    None: lambda _, __: None,
    GroupBy.QUEUE: lambda one, _: one.queue,
    GroupBy.HOTLINE: lambda one, _: one.hotline,
    GroupBy.USER_ID: lambda one, _: one.user_id,
    GroupBy.DAY: lambda one, zone: wall_clock(one, zone).strftime("%Y-%m-%d"),
    GroupBy.HOUR: lambda one, zone: wall_clock(one, zone).strftime("%Y-%m-%dT%H:00") + offset(wall_clock(one, zone)),
    GroupBy.HALF_HOUR: lambda one, zone: (
        wall_clock(one, zone).strftime("%Y-%m-%dT%H:")
        + ("30" if wall_clock(one, zone).minute >= 30 else "00")
        + offset(wall_clock(one, zone))
    ),
}


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(
    calls=st.lists(raw_calls(), min_size=10, max_size=25) | st.lists(raw_calls(), max_size=3),
    own=OWN,
    zone=st.sampled_from(ZONES),
    queue=ASKED,
    begin=st.sampled_from((0, 0, 0, *MOMENTS)),
)
def test_every_figure_is_that_of_a_slow_count(
    house: House, calls: list[Raw], own: Own, zone: str, queue: str | None, begin: int
) -> None:
    house.fill(calls, own)
    end = begin + 2 * DAY if begin else max(MOMENTS) + 3 * DAY
    asked = Asked(
        begin=UnixMs(begin),
        end=UnixMs(end),
        within_ms=1000 * LIMIT_S,
        short_ms=1000 * SHORT_S,
        one_limit=own.one_limit,
        queue=queue,
    )
    wanted = [
        one
        for one in calls
        if one.direction == "incoming" and begin <= one.started_at < end and queue in (None, one.queue)
    ]
    for by, key in KEYS.items():
        keys = {key(one, zone) for one in wanted}
        expected = {name: slowly([one for one in wanted if key(one, zone) == name], own) for name in keys}
        found = house.figures(asked, by, zone)
        assert {name: one for name, one in found.items() if name in keys or one != Tally()} == expected, by
        assert sum(found.values(), Tally()) == slowly(wanted, own), by


@given(st.integers(0, 40), st.integers(0, 40), st.integers(0, 40), st.integers(0, 40), st.integers(0, 100))
def test_every_share_is_its_fraction_and_the_target_is_judged_exactly(
    within: int, late: int, missed: int, short: int, target: int
) -> None:
    found = Tally(answered=within + late, within=within, missed=missed + short, short=short)
    for share, whole in (
        (found.percent, within + late),
        (found.percent_of_offered, within + late + missed + short),
        (found.percent_without_short, within + late + missed),
    ):
        assert share == (pytest.approx(100 * within / whole) if whole else None)
    if within + late:
        exact = Fraction(100 * within, within + late)
        assert found.meets(target) is (exact >= target)
        shown = found.shown_percent(target, 1)
        assert shown is not None
        assert (shown >= target) is (exact >= target), "what is shown and the verdict beside it agree"
        assert abs(Fraction(shown) - exact) < Fraction(11, 100)
