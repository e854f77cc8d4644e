"""Large installations: nobody reads all of them for a page, and no page writes the same thing for every row."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from sqlalchemy import insert

from daemon.pbx import QueueSeen
from daemon.store.tables import agent_endpoints, agents, hotlines, queues
from daemon.store.work import Query, Work
from daemon.web.csv_file import ROW_LIMIT
from daemon.web.pages.paged import ROWS
from tests.web.conftest import House
from tests.web.pbxs import inventory
from tests.web.test_pages_agents import admin, read

MANY = ROWS + 20


def _many(count: int) -> Work[None]:
    ids = [f"a{n:05}" for n in range(count)]
    plain: Mapping[str, Any] = {"ringtone": None, "phone_brand": None, "personal_number": None}
    yield Query(insert(agents), [{"user_id": one, "name": one, **plain} for one in ids])
    yield Query(insert(agent_endpoints), [{"endpoint": f"SIP/{one}", "user_id": one, "position": 0} for one in ids])
    yield Query(insert(queues), [{"name": f"Q{n:05}", "create_tickets": True, "ringtone": None} for n in range(count)])
    yield Query(insert(hotlines), [{"number": f"1{n:05}", "label": f"L {n}", "ringtone": None} for n in range(count)])


@pytest.fixture
async def large(house: House) -> House:
    await house.store.writer.change(lambda: _many(MANY))
    return house


def rows_read(house: House, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many rows each later read of the store brings."""
    counts: list[int] = []
    fetch = house.store.reader.fetch

    async def counted(statement: Any, values: Any = {}) -> Any:  # noqa: B006 - read only
        found = await fetch(statement, values)
        counts.append(len(found))
        return found

    monkeypatch.setattr(house.store.reader, "fetch", counted)
    return counts


async def test_one_agent_of_many_costs_what_one_costs(large: House, monkeypatch: pytest.MonkeyPatch) -> None:
    counts = rows_read(large, monkeypatch)
    answer = await large.ask("GET", "/api/v1/agents?limit=1")
    assert answer.body["items"][0]["endpoints"] == ["SIP/a00000"]
    assert max(counts) <= 2


@pytest.mark.parametrize("path", ["/settings/audit", "/settings/accounts", "/settings/calls"])
async def test_pages_that_name_some_agents_do_not_read_all(
    large: House, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    await large.ask("PUT", "/api/v1/agents/a00001", json={"name": "Nguyễn An"})
    browser = await admin(large)
    counts = rows_read(large, monkeypatch)
    text = await read(browser, path)
    assert max(counts) < 100
    assert path != "/settings/audit" or "Nguyễn An" in text


@pytest.mark.parametrize(
    ("page", "row", "wanted"),
    [("queues", 'data-row="/api/v1/queues/Q', "Q00510"), ("hotlines", 'data-row="/api/v1/hotlines/1', "100510")],
)
async def test_queues_and_hotlines_come_in_pages_and_the_search_asks_the_server(
    large: House, page: str, row: str, wanted: str
) -> None:
    browser = await admin(large)
    text = await read(browser, f"/settings/{page}")
    assert text.count(row) == ROWS
    assert text.count('<option value="marimba">') == 1
    assert f"{wanted}" not in text
    following = text.partition('<p class="actions"><a class="button second" href="')[2].partition('"')[0]
    rest = await read(browser, following)
    assert rest.count(row) == MANY - ROWS
    assert wanted in rest
    found = await read(browser, f"/settings/{page}?q={wanted.lower()}")
    assert (found.count(row), wanted in found) == (1, True)
    assert f'data-found="/settings/found/{page}?q={wanted.lower()}' in found


async def test_queues_of_the_pbx_are_told_on_the_page_where_they_belong(large: House) -> None:
    large.pbxs.found = [inventory(queues=[QueueSeen(name) for name in ("Q00001", "Q00510", "aaa", "zzz")])]
    browser = await admin(large)
    first = await read(browser, "/settings/queues")
    second = first.partition('<p class="actions"><a class="button second" href="')[2].partition('"')[0]
    address = (await read(browser, second)).partition('data-found="')[2].partition('"')[0]
    begun, rest = await read(browser, "/settings/found/queues"), await read(browser, address)
    assert [name in begun for name in ("Q00001", "Q00510", "aaa", "zzz")] == [True, False, True, False]
    assert [name in rest for name in ("Q00001", "Q00510", "aaa", "zzz")] == [False, True, False, True]


async def test_an_import_writes_what_differs_in_few_statements(large: House, monkeypatch: pytest.MonkeyPatch) -> None:
    ran: list[tuple[str, int]] = []
    statements: list[Query] = []
    driver = large.store._driver
    execute = driver._execute

    def noted(connection: Any, query: Query) -> Any:
        if not isinstance(query.values, Mapping):  # those are of many at once
            ran.append((str(query.statement).partition(" ")[0], len(query.values)))
        statements.append(query)
        return execute(connection, query)

    monkeypatch.setattr(driver, "_execute", noted)
    rows = [f"a{n:05},{'new' if n < 300 else f'a{n:05}'},SIP/a{n:05}" for n in range(MANY)]
    file = "user_id,name,endpoints\n" + "\n".join(rows)
    path = "/api/v1/agents/import?preview=false"
    answer = await large.ask("POST", path, data=file.encode(), headers={"Content-Type": "text/csv"})
    assert answer.body["totals"]["update"] == 300
    assert len(statements) < 20
    assert [count for verb, count in ran if verb in ("UPDATE", "INSERT", "DELETE") and count] == [300, 300]
    assert len(await large.audit(action="agent.change")) == 100  # as many as it reads


async def test_the_export_says_when_it_is_more_than_an_import_takes(large: House) -> None:
    browser = await admin(large)
    assert "in several files" not in await read(browser, "/settings/queues")
    more = [{"name": f"R{n:05}", "create_tickets": True, "ringtone": None} for n in range(ROW_LIMIT - MANY + 1)]

    def add() -> Work[None]:
        yield Query(insert(queues), more)

    await large.store.writer.change(add)
    text = await read(browser, "/settings/queues")
    assert f"at most {ROW_LIMIT:,} lines" in text
    assert "in several files" in text


async def test_trying_again_asks_the_pbx_again(house: House) -> None:
    browser = await admin(house)
    assert "data-found-again" in await read(browser, "/settings/found/queues")  # its PBX has a problem
    await read(browser, "/settings/found/queues?again=1")
    await read(browser, "/settings/found/agents?again=1")
    assert house.pbxs.asked_again == [False, True, True]
