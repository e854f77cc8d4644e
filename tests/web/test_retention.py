"""How long what is kept, through the API and on its page: looking ahead deletes nothing."""

from __future__ import annotations

import pytest

from daemon.store.settings import read_settings
from tests.web.conftest import House

PATH = "/api/v1/retention"


async def test_looking_ahead_counts_and_deletes_nothing(house: House) -> None:
    await house.miss(1)
    assert (await house.ask("GET", PATH)).body == {"items": []}
    (found,) = (await house.ask("GET", f"{PATH}?retention_days_calls=1")).body["items"]
    assert (found["kind"], found["days"]) == ("calls", 1)
    assert (await read_settings(house.store.reader)).settings.retention_days_calls is None


async def test_with_nothing_asked_the_settings_count_and_empty_is_for_ever(house: House) -> None:
    await house.ask("PUT", "/api/v1/call-settings", json={"retention_days_tickets": 30, "retention_days_notes": 7})
    assert [one["kind"] for one in (await house.ask("GET", PATH)).body["items"]] == ["notes", "tickets"]
    assert (await house.ask("GET", f"{PATH}?retention_days_notes=")).body == {"items": []}


@pytest.mark.parametrize("days", ["0", "-1", "x", "36501", "1.5", "%EF%BC%91", "9" * 30])
async def test_a_period_that_is_none_is_refused(house: House, days: str) -> None:
    answer = await house.ask("GET", f"{PATH}?retention_days_calls={days}")
    assert (answer.status, answer.fields()) == (422, {"retention_days_calls"})
