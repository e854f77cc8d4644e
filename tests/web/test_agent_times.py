"""Pauses and states of agents as the API, the files and the page of reports tell them."""

from __future__ import annotations

import csv
import io
import re
import zipfile
from html import unescape
from typing import Any

import pytest

from daemon.call.signals import UnixMs
from daemon.policy.agent_period import Doing, Seen, Sight
from daemon.store.agent_periods import note_seen
from daemon.store.report_agent_times import AgentTime, Spent
from daemon.store.role import Role
from daemon.web.report_agent_times import agent_times_table
from tests.web.browser import has_no_inline_code, signed_in
from tests.web.conftest import NOW, House
from tests.web.test_pages_calls import raw

PATH = "/api/v1/reports/agent-times"
DAY = "?from=2026-11-22T00:00:00Z&to=2026-11-22T23:00:00Z"
HOSTILE = '=HYPERLINK("x")<script>'


async def keep(house: House) -> None:
    """In the last hour: available, twenty minutes of lunch, a pause of somebody's own words, then out of sight."""
    await house.ask("PUT", "/api/v1/agents/an", json={"name": "An"})

    def seen(minutes: int, what: Doing | Sight, reason: str = "", who: str = "an") -> tuple[str, Seen]:
        return who, Seen(at=UnixMs(NOW - minutes * 60_000), what=what, reason=reason)

    sightings = [
        seen(60, Doing.AVAILABLE),
        seen(50, Doing.PAUSED, "lunch"),
        seen(30, Doing.WRAP_UP, "wrap_up"),
        seen(29, Doing.PAUSED, HOSTILE),
        seen(19, Sight.AWAY),
        seen(9, Doing.PAUSED, who="binh"),
        seen(4, Sight.NO_QUEUE, who="binh"),
    ]
    await house.store.writer.change(lambda: note_seen(sightings))


async def told(house: House, query: str = DAY) -> dict[str, Any]:
    answer = await house.ask("GET", PATH + query, Role.SUPERVISOR)
    assert answer.status == 200, answer.body
    return dict(answer.body)


async def test_the_api_tells_seconds_by_reason_and_what_is_not_known(house: House) -> None:
    await keep(house)
    found = await told(house)
    an, binh = found["rows"]
    assert (an["user_id"], an["name"], an["available_seconds"], an["wrap_up_seconds"]) == ("an", "An", 600, 60)
    assert (an["paused_seconds"], an["pauses"], an["estimated"]) == (1800, 2, 1)
    assert (an["paused_seconds: lunch"], an["pauses: lunch"]) == (1200, 1)
    assert an[f"paused_seconds: {HOSTILE}"] == 600
    known = an["available_seconds"] + an["wrap_up_seconds"] + an["paused_seconds"]
    whole = (NOW - 1_795_305_600_000) / 1000  # since the beginning of the span
    assert an["not_known_seconds"] == pytest.approx(whole - known)
    assert (binh["paused_seconds_no_reason"], binh["pauses_no_reason"], binh["paused_seconds: lunch"]) == (300, 1, 0)
    assert {one["name"] for one in found["columns"]} == set(an) == set(binh)
    assert found["total"] == {name: an[name] + binh[name] for name in an if name not in ("user_id", "name")}


async def test_one_agent_can_be_asked_for_and_queues_make_no_difference(house: House) -> None:
    await keep(house)
    everybody = await told(house)
    assert [row["user_id"] for row in (await told(house, f"{DAY}&user_id=binh"))["rows"]] == ["binh"]
    assert (await told(house, f"{DAY}&queue=sales&direction=outgoing"))["rows"] == everybody["rows"]


async def test_the_files_have_columns_for_each_reason_and_no_formula_and_are_noted(house: House) -> None:
    await keep(house)
    head, an, _ = csv.reader(io.StringIO((await raw(house, f"{PATH}.csv{DAY}")).decode("utf-8-sig")))
    assert an[head.index("paused_seconds: lunch")] == "1200.0"
    assert an[head.index(f"paused_seconds: {HOSTILE}")] == "600.0"
    book = zipfile.ZipFile(io.BytesIO(await raw(house, f"{PATH}.xlsx{DAY}")))
    assert "<f>" not in book.read("xl/worksheets/sheet1.xml").decode()
    assert [one["object"] for one in await house.audit(action="reports.export")] == ["agent-times"] * 2


def test_reasons_that_are_too_many_are_one_column_and_nothing_is_lost() -> None:
    pauses = {f"reason {number}": Spent(1, 1000 * number) for number in range(1, 6)}
    table = agent_times_table([AgentTime("an", pauses=pauses)], {}, most=2)
    (row,) = table.rows
    assert [name for name in row if name.startswith("paused_seconds")] == [
        *("paused_seconds", "paused_seconds: reason 5", "paused_seconds: reason 4", "paused_seconds_others")
    ]
    assert (row["paused_seconds"], row["paused_seconds_others"], row["pauses_others"]) == (15, 6, 3)


async def test_the_page_shows_each_agent_with_his_reasons_in_the_readers_words(house: House) -> None:
    await keep(house)
    browser = await signed_in(house, "lead", Role.SUPERVISOR)
    for language, words in (
        ("en", ("Lunch", "≥ 30:00 · 2\N{MULTIPLICATION SIGN}", "Without a reason")),
        ("vi", ("Ăn trưa", "Đang tạm dừng")),
    ):
        await house.ask("PATCH", "/api/v1/accounts/lead", json={"language": language})
        page = await browser.get("/reports?span=today&part=agent-times")
        content = page.text.partition("<main")[2]
        assert page.status == 200
        assert has_no_inline_code(content)
        said = " ".join(unescape(re.sub(r"<[^>]+>", " ", content)).split())
        for word in (*words, HOSTILE):
            assert word in said, said
        assert "<script>" not in content
