"""The wallboard over the web: who sees it, what a link opens, that no customer is on it, that revoking ends it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
import pytest_asyncio
from sqlalchemy import select

from daemon import wall_figures, wallboard
from daemon.bus import CallHappened
from daemon.call.events import AgentRinging, CallAnswered
from daemon.call.model import UserId
from daemon.call.signals import ChannelId, UnixMs
from daemon.policy.call_settings import CallSettings, Rulebook
from daemon.store import service_level
from daemon.store.queues import read_queues
from daemon.store.role import Role
from daemon.store.tables import wall_links
from daemon.store.wall_links import MOST_LINKS, add_wall_link, new_wall_secret
from daemon.wall_figures import WallFigures
from tests.factory import answered, ringing
from tests.web.conftest import NOW, House
from tests.web.test_events import Listener
from tests.web.test_sla import after, keep

LINKS = "/api/v1/wallboard/links"
EVENTS = "/api/v1/wallboard/events"
CUSTOMER = {"number": "0901701234", "customer_name": "Nguyễn Thị Lan", "hotline": "19001234"}


@pytest_asyncio.fixture(autouse=True)
async def board(house: House) -> AsyncIterator[None]:
    """The board is made for whoever looks."""
    running = asyncio.create_task(house.wall.run())
    yield
    running.cancel()


async def new_link(house: House, label: str = "Hall", role: Role = Role.SUPERVISOR) -> tuple[str, str]:
    """Its path and its id."""
    made = await house.ask("POST", LINKS, role, json={"label": label})
    assert made.status == 201
    return "/wall/" + made.body["url"].rpartition("/")[2], made.body["link_id"]


@asynccontextmanager
async def watching(house: House, path: str, role: Role | None = None) -> AsyncIterator[Listener]:
    async with house.client.get(path, headers=house.headers(role)) as response:
        assert response.status == 200
        yield Listener(response)


async def boards(listener: Listener) -> dict[str, Any]:
    """The next board; beats between are passed over."""
    while True:
        event, data = await listener.next()
        if event == "board":
            return data


async def ring(house: House) -> None:
    """A customer waits in the queue, and mai's phone rings."""
    await house.ask("PUT", "/api/v1/agents/an", json={"name": "Nguyễn Văn An"})
    await house.ask("PUT", "/api/v1/agents/mai", json={"name": "Mai"})
    queued = ringing(
        "1.1", queue="support", queued_at=UnixMs(NOW - 30_000), started_at=UnixMs(NOW - 40_000), **CUSTOMER
    )
    direct = ringing("1.2", started_at=UnixMs(NOW - 9_000), rung_at=UnixMs(NOW - 5_000), **CUSTOMER)
    in_menu = ringing("1.3", started_at=UnixMs(NOW - 90_000), **CUSTOMER)
    talk = answered("1.4", started_at=UnixMs(NOW - 60_000), **CUSTOMER)
    house.living = [queued, direct, in_menu, talk]
    house.bus.publish(CallHappened(AgentRinging(NOW, direct, UserId("mai"), ChannelId("c"))))
    house.bus.publish(CallHappened(CallAnswered(NOW, talk)))


async def test_the_board_counts_who_waits_for_an_agent_and_not_who_listens_to_a_menu(house: House) -> None:
    await ring(house)
    async with watching(house, EVENTS, Role.SUPERVISOR) as listener:
        found = await boards(listener)
    assert (found["waiting"], found["now"]) == (2, NOW)
    assert found["calls"] == [{"queue": "support", "since": NOW - 30_000}, {"queue": None, "since": NOW - 5_000}]
    agents = {one["name"]: (one["doing"], one["since"]) for one in found["agents"]}
    assert agents == {"Nguyễn Văn An": ("talking", NOW - 57_000), "Mai": ("available", None)}


async def test_todays_share_and_whom_nobody_called_back_come_from_the_store(house: House) -> None:
    await house.miss(1, queue="support")
    async with watching(house, EVENTS, Role.ADMIN) as listener:
        found = await boards(listener)
        assert (found["not_called_back"], found["sla"]["missed"], found["sla"]["percent"]) == (1, 1, None)
        await house.ask("PATCH", "/api/v1/tickets/1", json={"status": "closed"})
        house.wait(5_000)
        assert (await boards(listener))["not_called_back"] == 0
        house.wait(24 * 3_600_000)
        tomorrow = await boards(listener)
    assert tomorrow["sla"]["missed"] == 0, "a new day begins with nothing"
    assert tomorrow["day"] > found["day"]


async def test_each_queue_is_judged_by_its_own_target_and_limit_and_a_change_is_seen(house: House) -> None:
    now = UnixMs(NOW - 60_000)
    waits = (("vip", 8_000), ("vip", 15_000), (None, 15_000))
    await keep(house, [after(ms, started_at=now, queued_at=now, queue=queue) for queue, ms in waits])
    async with watching(house, EVENTS, Role.SUPERVISOR) as listener:
        found = await boards(listener)
        assert [(one["name"], one["met"]) for one in found["queues"]] == [("vip", True), (None, True)]
        assert (found["sla"]["in_time"], found["within_seconds"], found["several_limits"]) == (3, 20, False)
        house.wait(5_000)
        own = {"sla_target_percent": 60, "sla_answer_within_seconds": 10}
        await house.ask("PUT", "/api/v1/queues/vip", json=own)
        house.rules = Rulebook(queues=await read_queues(house.store.reader))
        async with asyncio.timeout(10):
            while not found["several_limits"] or found["sla"]["in_time"] == 3:
                found = await boards(listener)
    rows = [(one["name"], one["percent"], one["met"]) for one in found["queues"]]
    assert rows == [("vip", 50.0, False), (None, 100.0, True)]
    assert (found["sla"]["in_time"], found["sla"]["percent"], found["sla"]["met"]) == (2, 66.67, False)
    assert (found["target_percent"], found["within_seconds"]) == (80, 20)


async def test_what_happens_is_sent_within_a_second_and_a_beat_where_nothing_does(house: House) -> None:
    async with watching(house, EVENTS, Role.SUPERVISOR) as listener:
        assert (await boards(listener))["waiting"] == 0
        began = asyncio.get_running_loop().time()
        await ring(house)
        while (await boards(listener))["waiting"] == 0:
            pass
        assert asyncio.get_running_loop().time() - began < 1 + wallboard.EVERY_S
        assert (await listener.next())[0] in ("beat", "board")


async def test_a_screen_with_a_link_sees_the_board_and_no_customer(house: House) -> None:
    await ring(house)
    path, _ = await new_link(house)
    page = await house.ask("GET", path, None)
    assert page.status == 200
    assert page.headers["Referrer-Policy"] == "no-referrer"
    assert "noindex" in page.headers["X-Robots-Tag"]
    assert page.headers["Cache-Control"] == "no-store"
    async with watching(house, f"{path}/events") as listener:
        found = await boards(listener)
    assert found["waiting"] == 2
    text = json.dumps(found, ensure_ascii=False) + str(page.body)
    assert not [secret for secret in ("701234", "19001234", "Lan", "1.1") if secret in text]


async def test_a_link_opens_nothing_else(house: House) -> None:
    secret = (await new_link(house))[0].rpartition("/")[2]
    for path in ("/api/v1/calls", EVENTS, LINKS, "/api/v1/session"):
        assert (await house.ask("GET", path, None, headers={"Authorization": f"Bearer {secret}"})).status == 401
    assert (await house.ask("POST", f"/wall/{secret}", None)).status in (403, 405)
    assert (await house.ask("GET", f"/wall/{house.tokens[Role.ADMIN]}", None)).status == 404


async def test_only_the_digest_of_a_link_is_kept_and_the_log_of_changes_has_no_secret(house: House) -> None:
    secret = (await new_link(house, "Hall"))[0].rpartition("/")[2]
    listed = await house.ask("GET", LINKS)
    assert [one["label"] for one in listed.body["items"]] == ["Hall"]
    kept = await house.store.reader.fetch(select(wall_links), {})
    entries = await house.audit(action="wall_link.create")
    assert len(entries) == 1
    assert secret not in f"{kept} {entries} {listed.body}"


async def test_revoking_a_link_ends_its_streams_and_its_page(house: House) -> None:
    path, link_id = await new_link(house)
    other, _ = await new_link(house, "Other")
    async with watching(house, f"{path}/events") as listener, watching(house, f"{other}/events") as still:
        await boards(listener)
        assert (await house.ask("DELETE", f"{LINKS}/{link_id}", Role.SUPERVISOR)).status == 204
        async with asyncio.timeout(2):
            await listener.response.content.read()
        await still.next()
        await still.next()
    assert (await house.ask("GET", path, None)).status == 404
    assert (await house.ask("GET", f"{path}/events", None)).status == 404
    assert (await house.ask("DELETE", f"{LINKS}/{link_id}")).status == 404


async def test_there_are_only_so_many_links_and_so_many_screens_of_one(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(MOST_LINKS):
        await house.store.writer.change(lambda: add_wall_link(new_wall_secret(), "", house.now, "test"))
    assert (await house.ask("POST", LINKS, json={})).status == 409
    first = (await house.ask("GET", LINKS)).body["items"][0]["link_id"]
    await house.ask("DELETE", f"{LINKS}/{first}")
    monkeypatch.setattr(wallboard, "_MOST_OF_ONE", 1)
    path, _ = await new_link(house)
    async with watching(house, f"{path}/events") as listener:
        await boards(listener)
        assert (await house.ask("GET", f"{path}/events", None)).status == 503
        async with watching(house, EVENTS, Role.SUPERVISOR) as another:
            await boards(another)


async def test_the_end_of_the_server_ends_the_streams(house: House) -> None:
    async with watching(house, EVENTS, Role.SUPERVISOR) as listener:
        await boards(listener)
        house.wall.close()
        async with asyncio.timeout(2):
            await listener.response.content.read()


async def test_the_store_is_read_again_only_after_a_write_and_every_three_seconds_at_most(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    reads: list[UnixMs] = []

    async def counted(*asked: Any) -> Any:
        reads.append(house.now)
        return await service_level.tally(*asked)

    monkeypatch.setattr(wall_figures, "tally", counted)
    figures = WallFigures(lambda: house.store, lambda _: None)
    for wait, writes, expected in ((0, False, 1), (9_000, False, 1), (0, True, 2), (1_000, True, 2), (2_000, False, 3)):
        house.wait(wait)
        if writes:
            await house.miss(len(reads) + wait)
        assert (await figures.today(CallSettings(), house.now)).began <= house.now
        assert len(reads) == expected, (wait, writes)
