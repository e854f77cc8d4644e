"""What agents did for how long, as the API, the files and the page tell it."""

from __future__ import annotations

import csv
import io
import re
import zipfile
from html import unescape

import pytest

from daemon.call.signals import UnixMs
from daemon.policy.agent_period import Doing, Seen, Sight
from daemon.store.agent_periods import note_seen
from daemon.store.role import Role
from tests.web.browser import has_no_inline_code, signed_in
from tests.web.conftest import NOW, House

PATH = "/api/v1/reports/agent-times"
HOSTILE = '=HYPERLINK("x")<script>'


async def keep(house: House) -> None:
    """In the last hour: available, twenty minutes of lunch, a pause of somebody's own words, then out of sight."""
    await house.ask("PUT", "/api/v1/agents/an", json={"name": "An"})

    def seen(minutes: int, what: Doing | Sight, reason: str = "") -> tuple[str, Seen]:
        return "an", Seen(at=UnixMs(NOW - minutes * 60_000), what=what, reason=reason)

    sightings = [
        seen(60, Doing.AVAILABLE),
        seen(50, Doing.PAUSED, "lunch"),
        seen(30, Doing.WRAP_UP, "wrap_up"),
        seen(29, Doing.PAUSED, HOSTILE),
        seen(19, Sight.AWAY),
    ]
    await house.store.writer.change(lambda: note_seen(sightings))


async def test_the_api_tells_seconds_by_reason_and_what_is_not_known(house: House) -> None:
    await keep(house)
    answer = await house.ask("GET", PATH + "?from=2026-11-22T00:00:00Z&to=2026-11-22T23:00:00Z", Role.SUPERVISOR)
    assert answer.status == 200
    (an,) = answer.body["items"]
    assert (an["user_id"], an["name"], an["available_seconds"], an["wrap_up_seconds"]) == ("an", "An", 600, 60)
    assert [(one["reason"], one["seconds"], one["estimated"]) for one in an["pauses"]] == [
        ("lunch", 1200, 0),
        (HOSTILE, 600, 1),
    ]
    assert an["paused_seconds"] == 1800
    known = an["available_seconds"] + an["wrap_up_seconds"] + an["paused_seconds"]
    whole = (NOW - 1_795_305_600_000) / 1000  # since the beginning of the span
    assert an["not_known_seconds"] == pytest.approx(whole - known)


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("from=2026-11-22T00:00:00Z&to=2026-11-21T00:00:00Z", "to"),
        ("from=2024-01-01T00:00:00Z", "from"),
        ("from=yesterday", "from"),
        ("user_id=an", "user_id"),
    ],
)
async def test_a_span_that_is_none_is_refused(house: House, query: str, field: str) -> None:
    for kind in ("", ".csv", ".xlsx"):
        assert (await house.ask("GET", f"{PATH}{kind}?{query}")).fields() == {field}


async def test_the_files_have_a_column_for_each_reason_and_no_formula_and_are_noted(house: House) -> None:
    await keep(house)
    span = "?from=2026-11-22T00:00:00Z&to=2026-11-22T23:00:00Z"
    text = (await house.ask("GET", PATH + ".csv" + span)).body
    head, an = csv.reader(io.StringIO(text.removeprefix("\ufeff")))
    assert an[head.index("paused_seconds: lunch")] == "1200.0"
    assert an[head.index(f"paused_seconds: {HOSTILE}")] == "600.0"
    async with house.client.get(PATH + ".xlsx" + span, headers=house.headers()) as response:
        book = zipfile.ZipFile(io.BytesIO(await response.read()))
    assert "<f>" not in book.read("xl/worksheets/sheet1.xml").decode()
    assert [one["action"] for one in await house.audit(action="agent_times.export")] == ["agent_times.export"] * 2


async def test_the_page_shows_each_agent_with_his_reasons_in_the_readers_words(house: House) -> None:
    await keep(house)
    browser = await signed_in(house, "lead", Role.SUPERVISOR)
    for language, words in (("en", ("Lunch 0:20:00", "≥ 0:30:00")), ("vi", ("Ăn trưa 0:20:00", "Đang tạm dừng"))):
        await house.ask("PATCH", "/api/v1/accounts/lead", json={"language": language})
        page = await browser.get("/reports/agents-time")
        content = page.text.partition("<main")[2]
        assert page.status == 200
        assert has_no_inline_code(content)
        said = " ".join(unescape(re.sub(r"<[^>]+>", " ", content)).split())
        for word in words:
            assert word in said, said
        assert "<script>" not in content
    assert (await browser.get("/reports/agents-time?span=nonsense")).status == 200


async def test_an_empty_report_says_what_will_stand_there(house: House) -> None:
    browser = await signed_in(house, "lead", Role.SUPERVISOR)
    assert "agent-times-title" in (await browser.get("/reports/agents-time?span=year")).text
