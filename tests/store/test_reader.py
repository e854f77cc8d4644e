"""However many reports are asked for at once, whoever reads a page or what is to be sent finds a place."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from pathlib import Path

import pytest
from sqlalchemy import literal, select, text

from daemon.policy.report_span import DAY_MS, Grain, Stretch
from daemon.store.reader import FileReader, Reader
from daemon.store.report_agent_times import read_agent_times
from daemon.store.report_agents import read_agents_report
from daemon.store.report_call_backs import read_call_backs
from daemon.store.report_calls import Asked, read_calls_report
from daemon.store.report_customers import read_missed, read_not_served
from daemon.store.service_level import Asked as AskedLevel
from daemon.store.service_level import GroupBy, tally
from daemon.store.store import Store
from daemon.store.work import Row
from tests.database import database_in
from tests.factory import HANOI, NOON

ASKED_AT_ONCE = 12
_LONG = text(
    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 300000) SELECT max(i) AS most FROM n"
)
_SHORT = select(literal(1).label("one"))


async def test_who_asks_for_little_does_not_wait_for_those_who_ask_for_much(tmp_path: Path) -> None:
    store = await Store.open(database_in(tmp_path))
    assert isinstance(store.reader, FileReader)
    much = [asyncio.create_task(store.reader.fetch_slowly(_LONG)) for _ in range(ASKED_AT_ONCE)]
    await asyncio.sleep(0)
    assert await store.reader.fetch(_SHORT) == [{"one": 1}]
    assert sum(one.done() for one in much) < ASKED_AT_ONCE // 2
    assert [(await one)[0]["most"] for one in much] == [300_000] * ASKED_AT_ONCE
    await store.close()


class Patient:
    """Knows only what may wait."""

    async def fetch(self, *_: object) -> list[Row]:
        raise AssertionError("asked as if it were little")

    async def fetch_slowly(self, *_: object) -> list[Row]:
        raise Asking

    async def close(self) -> None: ...


class Asking(Exception):
    """It was asked as much."""


async def test_everything_that_sums_a_stretch_of_time_waits_for_its_turn() -> None:
    asked = Asked(stretch=Stretch(NOON, type(NOON)(NOON + 30 * DAY_MS)))
    level = AskedLevel(begin=NOON, end=type(NOON)(NOON + 30 * DAY_MS), within_ms=1, short_ms=0)
    reads: Reader = Patient()
    everything: tuple[Coroutine[object, object, object], ...] = (
        read_calls_report(reads, asked, Grain.DAY, HANOI),
        read_agents_report(reads, asked),
        read_missed(reads, asked),
        read_not_served(reads, asked, 10),
        read_call_backs(reads, asked),
        tally(reads, level, GroupBy.DAY, HANOI),
        tally(reads, level, None, HANOI),
        read_agent_times(reads, asked, NOON),
    )
    for asking in everything:
        with pytest.raises(Asking):
            await asking
