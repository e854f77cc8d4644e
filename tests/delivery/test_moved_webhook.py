"""A webhook that got another URL: what waits for it goes there, and the old address decides nothing any more."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from daemon.call.signals import UnixMs
from daemon.rules import SigningSecrets
from daemon.store.outbox import read_disabled_webhooks, replay, replay_failed
from daemon.store.webhooks import change_webhook
from tests.delivery.house import LIMITS, SECRET, House, event, house, now, popup
from tests.delivery.receiver import Misbehaviour, Receiver, Reply

HOUR_MS = 3_600_000


async def move(h: House, url: str, **values: object) -> None:
    """As a PATCH does it."""
    await h.store.writer.change(lambda: change_webhook("wh_1", {"url": url, **values}, now()))
    h.secrets.tell_moved("wh_1")


async def test_what_is_pending_goes_to_the_new_address_at_once(tmp_path: Path) -> None:
    async with Receiver() as crm, house(tmp_path, start=False) as h:
        await h.add_webhook("wh_1", f"{crm.url}/old")
        await h.add_webhook("wh_2", f"{crm.url}/other")
        late = replace(event(1, f"{crm.url}/old"), next_attempt_at=UnixMs(now() + HOUR_MS))
        await h.keep([late, event(2, f"{crm.url}/old"), event(3, f"{crm.url}/other", "wh_2"), popup(4, f"{crm.url}/p")])
        await h.outbox.start()
        await h.until_status("dlv_00002", "delivered")
        await move(h, f"{crm.url}/new")
        await h.until_status("dlv_00001", "delivered")
        assert {one.path: one.webhook_id for one in crm.requests} == {
            "/old": "dlv_00002",
            "/new": "dlv_00001",
            "/other": "dlv_00003",
            "/p": "pop_00004",
        }
        assert (await h.row("dlv_00001"))["url"] == f"{crm.url}/new"
        assert (await h.row("dlv_00002"))["url"] == f"{crm.url}/old"  # where it was delivered stays known


async def test_what_is_queued_for_a_hanging_address_does_not_wait_for_it(tmp_path: Path) -> None:
    async with Receiver() as crm, house(tmp_path, replace(LIMITS, per_target=1), timeout_s=30) as h:
        await h.add_webhook("wh_1", f"{crm.url}/old")
        crm.plan("/old", Reply(misbehaviour=Misbehaviour.HANG))
        await h.give(*(event(n, f"{crm.url}/old") for n in range(5)))
        await crm.wait_for(1)
        await move(h, f"{crm.url}/new")
        await crm.wait_for(4, "/new")
        assert len(crm.got("/old")) == 1


@pytest.mark.parametrize("status", [410, 500])
async def test_a_late_refusal_of_the_old_address_neither_disables_the_webhook_nor_ends_the_delivery(
    tmp_path: Path, status: int
) -> None:
    async with Receiver() as crm, house(tmp_path) as h:
        await h.add_webhook("wh_1", f"{crm.url}/old")
        crm.plan("/old", Reply(status, delay_s=0.2))
        await h.give(event(1, f"{crm.url}/old"))
        await crm.wait_for(1)
        await move(h, f"{crm.url}/new")
        await h.until_status("dlv_00001", "delivered")
        await h.give(event(2, f"{crm.url}/new"))
        await h.until_status("dlv_00002", "delivered")
        assert [one.webhook_id for one in crm.got("/new")] == ["dlv_00001", "dlv_00002"]
        assert await read_disabled_webhooks(h.store.reader) == frozenset()
        assert [one["status_code"] for one in await h.attempts("dlv_00001")] == [status, 200]
        assert h.outbox.shelf.paused == set()


async def test_a_late_410_does_not_wake_a_webhook_that_was_moved_and_switched_off(tmp_path: Path) -> None:
    async with Receiver() as crm, house(tmp_path) as h:
        await h.add_webhook("wh_1", f"{crm.url}/old")
        crm.plan("/old", Reply(410, delay_s=0.1))
        await h.give(event(1, f"{crm.url}/old"))
        await crm.wait_for(1)
        await move(h, f"{crm.url}/new", enabled=False)
        h.outbox.pause("wh_1")
        await h.until(lambda: len(h.settled) == 1)
        await asyncio.sleep(0.1)
        assert crm.got("/new") == []
        assert (await h.row("dlv_00001"))["status"] == "pending"
        assert h.outbox.shelf.paused == {"wh_1"}


async def test_the_first_410_of_the_new_address_disables_the_webhook(tmp_path: Path) -> None:
    async with Receiver() as crm, house(tmp_path) as h:
        await h.add_webhook("wh_1", f"{crm.url}/old")
        await move(h, f"{crm.url}/new")
        crm.plan("/new", Reply(410))
        await h.give(event(1, f"{crm.url}/new"))
        await h.until_status("dlv_00001", "failed")
        assert await read_disabled_webhooks(h.store.reader) == {"wh_1"}


async def test_replays_go_where_the_webhook_is_now(tmp_path: Path) -> None:
    async with Receiver() as crm, house(tmp_path) as h:
        await h.add_webhook("wh_1", f"{crm.url}/old")
        crm.plan("/old", Reply(200), Reply(410))
        await h.give(event(1, f"{crm.url}/old"))
        await h.until_status("dlv_00001", "delivered")
        await h.give(event(2, f"{crm.url}/old"))
        await h.until_status("dlv_00002", "failed")
        await move(h, f"{crm.url}/new", enabled=True)
        h.outbox.resume("wh_1")
        again = await h.store.writer.change(lambda: replay("dlv_00001", now()))
        assert again is not None
        h.outbox.offer([again])
        assert await h.store.writer.change(lambda: replay_failed("wh_1", now())) == 1
        h.outbox.look_again()
        await h.until_status("dlv_00002", "delivered")
        await h.until_status("dlv_00001", "delivered")
        assert {one.webhook_id for one in crm.got("/new")} == {"dlv_00001", "dlv_00002"}
        assert {(await h.row(name))["url"] for name in ("dlv_00001", "dlv_00002")} == {f"{crm.url}/new"}


async def test_a_replay_for_a_webhook_that_is_gone_and_of_a_popup_keeps_its_address(tmp_path: Path) -> None:
    async with house(tmp_path, start=False) as h:
        await h.keep([event(1, "http://crm.example/hook"), popup(2, "http://crm.example/pop?callId=1")])
        for name, url in (("dlv_00001", "http://crm.example/hook"), ("pop_00002", "http://crm.example/pop?callId=1")):
            again = await h.store.writer.change(lambda name=name: replay(name, now()))  # type: ignore[misc]
            assert again is not None
            assert again.url == url


async def test_who_signs_tells_which_webhooks_have_moved(tmp_path: Path) -> None:
    async with house(tmp_path, start=False) as h:
        await h.add_webhook("wh_1", "http://crm.example/old")
        await h.add_webhook("wh_2", "http://crm.example/stays")
        moved: list[str] = []
        secrets = SigningSecrets()
        secrets.on_moved(moved.append)
        await secrets.load(h.store, now())
        assert moved == []
        await h.store.writer.change(lambda: change_webhook("wh_1", {"url": "http://crm.example/new"}, now()))
        await h.add_webhook("wh_3", "http://crm.example/fresh")
        for _ in range(2):
            await secrets.load(h.store, now())
        assert moved == ["wh_1"]
        known = secrets.webhook_secret("wh_1")
        assert known is not None
        assert known.reveal() == SECRET
