"""`/api/v1/reports`: spans and periods, what is refused, and files that no spreadsheet computes."""

from __future__ import annotations

import csv
import io
import zipfile
from dataclasses import replace
from typing import Any

import pytest

from daemon.call.rendering import iso_utc
from daemon.call.signals import UnixMs
from daemon.policy.service_level import Tally
from daemon.store.role import Role
from daemon.web.report_query import Report
from daemon.web.report_tables import Levels, level_table, measured
from tests.factory import unix_ms
from tests.web.conftest import NOW, House
from tests.web.test_pages_calls import raw
from tests.web.test_sla import after, gave_up, keep

FORMULA = '=HYPERLINK("http://evil.example","x")'


async def report(house: House, path: str) -> dict[str, Any]:
    answer = await house.ask("GET", f"/api/v1/reports/{path}")
    assert answer.status == 200, answer.body
    return dict(answer.body)


@pytest.mark.parametrize(
    ("span", "begin", "end", "by", "count"),
    [
        ("today", "2026-11-22T00:00", None, "hour", 17),
        ("yesterday", "2026-11-21T00:00", "2026-11-22T00:00", "hour", 24),
        ("week", "2026-11-16T00:00", None, "day", 7),
        ("month", "2026-10-24T00:00", None, "day", 30),
        ("this_month", "2026-11-01T00:00", None, "day", 22),
        ("last_month", "2026-10-01T00:00", "2026-11-01T00:00", "day", 31),
        ("year", "2025-11-23T00:00", None, "month", 13),
    ],
)
async def test_each_span_is_whole_days_of_the_wall_clock_in_periods_that_suit_it(
    house: House, span: str, begin: str, end: str | None, by: str, count: int
) -> None:
    house.now = unix_ms("2026-11-22 16:20:00")
    found = await report(house, f"calls?span={span}")
    assert found["from"] == _utc(begin)
    assert found["to"] == (_utc(end) if end else "2026-11-22T09:20:00.001Z")
    assert (found["by"], len(found["rows"])) == (by, count)


def _utc(hanoi: str) -> str | None:
    return iso_utc(unix_ms(f"{hanoi.replace('T', ' ')}:00"))


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("from=2026-11-22T00:00:00Z&to=2026-11-22T00:00:00Z", "to"),
        ("from=2024-11-22T00:00:00Z&to=2026-11-22T00:00:00Z", "from"),
        ("span=month&by=hour", None),
        ("span=last_month&by=hour", None),
        ("span=year&by=hour", "by"),
        ("span=century", "span"),
        ("by=quarter", "by"),
        ("direction=sideways", "direction"),
        ("within=5", "within"),
    ],
)
async def test_what_cannot_be_asked_is_refused_by_name(house: House, query: str, field: str | None) -> None:
    answer = await house.ask("GET", f"/api/v1/reports/calls?{query}")
    assert (None if answer.status == 200 else answer.fields()) == (None if field is None else {field})


async def test_a_report_that_is_none_is_not_found(house: House) -> None:
    assert (await house.ask("GET", "/api/v1/reports/mood")).status == 404
    assert (await house.ask("GET", "/api/v1/reports/mood.csv")).status == 404


async def test_only_an_end_is_the_week_before_it(house: House) -> None:
    found = await report(house, "calls?to=2026-11-10T17:00:00Z")
    assert (found["from"], len(found["rows"])) == ("2026-11-03T17:00:00.000Z", 7)


@pytest.mark.parametrize("name", list(Report))
async def test_a_file_has_the_rows_of_the_report(house: House, name: Report) -> None:
    now = UnixMs(NOW - 3_600_000)
    calls = [after(1_000, started_at=now, queued_at=now), gave_up(9_000, started_at=UnixMs(now + 1), queued_at=now)]
    await keep(house, calls)
    rows = (await report(house, f"{name}?span=today"))["rows"]
    answer = await raw(house, f"/api/v1/reports/{name}.csv?span=today")
    head, *lines = csv.reader(io.StringIO(answer.decode("utf-8-sig")))
    assert (head, len(lines)) == (list(rows[0]) if rows else head, len(rows))
    book = await raw(house, f"/api/v1/reports/{name}.xlsx?span=today")
    assert f'sheet name="{name}"' in zipfile.ZipFile(io.BytesIO(book)).read("xl/workbook.xml").decode()


async def test_a_customer_who_is_called_a_formula_is_text_in_a_file(house: House) -> None:
    now = UnixMs(NOW - 3_600_000)
    await keep(house, [replace(gave_up(9_000, started_at=now, queued_at=now), customer_number=FORMULA)])
    assert FORMULA in str((await report(house, "customers?span=today"))["rows"])
    text = (await raw(house, "/api/v1/reports/customers.csv?span=today")).decode("utf-8-sig")
    (cell, count, at) = list(csv.reader(io.StringIO(text)))[1]
    assert cell.startswith("'=")
    assert (count, at[:10]) == ("1", "2026-11-22")
    book = zipfile.ZipFile(io.BytesIO(await raw(house, "/api/v1/reports/customers.xlsx?span=today")))
    assert b"<f>" not in book.read("xl/worksheets/sheet1.xml")


async def test_who_took_customers_away_in_a_file_is_noted_and_how_far_it_is_can_be_asked(house: House) -> None:
    now = UnixMs(NOW - 3_600_000)
    await keep(house, [gave_up(9_000, started_at=now, queued_at=now)])
    await raw(house, "/api/v1/reports/customers.csv?span=today&export=mine")
    assert (await house.ask("GET", "/api/v1/exports/mine")).body == {"count": 1, "done": 1, "finished": True}
    (noted,) = await house.audit(action="reports.export")
    assert (noted["object"], noted["new"]["format"]) == ("customers", "csv")
    await raw(house, "/api/v1/reports/hours.csv?span=today")
    assert len(await house.audit(action="reports.export")) == 1, "nobody is named there"
    await raw(house, "/api/v1/reports/agents.xlsx?span=today")
    assert [one["object"] for one in await house.audit(action="reports.export")].count("agents") == 1


async def test_a_queue_with_a_target_and_limit_of_its_own_is_judged_by_them(house: House) -> None:
    goal = {"create_tickets": True, "sla_target_percent": 60, "sla_answer_within_seconds": 5}
    assert (await house.ask("PUT", "/api/v1/queues/vip", json=goal)).status == 201
    await keep(house, [after(ms, queue="vip") for ms in (1_000, 5_000, 6_000)])
    everything = (await report(house, "service-level?span=today"))["total"]
    assert (everything["answered_within"], everything["target_percent"], everything["target_met"]) == (2, 80, False)
    of_queue = (await report(house, "service-level?span=today&queue=vip"))["total"]
    assert (of_queue["answered_within"], of_queue["target_percent"], of_queue["target_met"]) == (2, 60, True)


def test_people_read_no_share_that_is_rounded_up_to_the_target_beside_it() -> None:
    almost, met = Tally(answered=2500, within=1999), Tally(answered=2500, within=2000)
    shown = measured(level_table(Levels({"2026-11-21": almost, "2026-11-22": met}, 80)))
    assert [row["percent"] for row in shown.rows] == [79.9, 80.0]
    assert shown.total["percent"] == 79.9
    assert [row["target_met"] for row in shown.rows] == [False, True]


async def test_agents_have_no_reports(house: House) -> None:
    assert (await house.ask("GET", "/api/v1/reports/agents", Role.AGENT)).status == 403
