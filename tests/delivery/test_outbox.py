from __future__ import annotations

import asyncio
import time
from dataclasses import replace
from pathlib import Path

import pytest

from daemon.call.signals import UnixMs
from daemon.delivery.limits import OutboxLimits
from daemon.policy.retry import RetryReason, Schedule
from daemon.store.outbox import Attempt, Settlement, record_settlements, replay, replay_failed
from daemon.store.values import DeliveryStatus
from tests.delivery.house import LIMITS, SECRET, event, house, now, popup
from tests.delivery.receiver import Misbehaviour, Receiver, Reply

NOWHERE = "http://127.0.0.1:1/hook"


async def test_a_delivery_is_signed_sent_once_and_recorded_with_status_and_latency(tmp_path: Path) -> None:
    async with Receiver() as crm, house(tmp_path) as h:
        crm.plan("/hook", Reply(201, body=b"thank you", delay_s=0.03))
        await h.give(event(1, f"{crm.url}/hook"))
        row = await h.until_status("dlv_00001", "delivered")
        (got,) = crm.requests
        got.verify(SECRET)
        assert got.webhook_id == "dlv_00001"
        assert (row["attempt_count"], row["next_attempt_at"], row["last_status_code"]) == (1, None, 201)
        (attempt,) = await h.attempts("dlv_00001")
        assert (attempt["number"], attempt["status_code"], attempt["answer"]) == (1, 201, "thank you")
        assert 25 <= attempt["latency_ms"] < 500
        assert h.outbox.counters.delivered == 1
        assert len(h.outbox.shelf) == 0


async def test_a_popup_is_a_get_with_the_url_as_it_is(tmp_path: Path) -> None:
    async with Receiver() as crm, house(tmp_path) as h:
        await h.give(popup(1, f"{crm.url}/pop?userId=an&customerNumber=%2B84901701234#frag"))
        await h.until_status("pop_00001", "delivered")
        (got,) = crm.requests
        got.verify(SECRET)
        assert (got.method, got.query) == ("GET", "userId=an&customerNumber=%2B84901701234")


async def test_a_failed_delivery_comes_again_under_the_same_id_and_every_attempt_is_kept(tmp_path: Path) -> None:
    async with Receiver() as crm, house(tmp_path, timeout_s=0.3) as h:
        crm.plan(
            "/hook",
            Reply(500, body=b"oops"),
            Reply(302, {"Location": "http://169.254.169.254/"}),
            Reply(404),
            Reply(misbehaviour=Misbehaviour.RESET),
            Reply(misbehaviour=Misbehaviour.HANG),
            Reply(misbehaviour=Misbehaviour.GARBAGE),
            Reply(200),
        )
        await h.give(event(1, f"{crm.url}/hook"))
        row = await h.until_status("dlv_00001", "delivered")
        attempts = await h.attempts("dlv_00001")
        assert [one["number"] for one in attempts] == [1, 2, 3, 4, 5, 6, 7]
        assert [one["status_code"] for one in attempts] == [500, 302, 404, None, None, None, 200]
        assert attempts[0]["answer"] == "oops"
        assert all(one["error"] for one in attempts[3:6])
        assert attempts[4]["latency_ms"] >= 290
        assert row["attempt_count"] == 7
        assert row["last_error"] is None
        assert {one.webhook_id for one in crm.requests} == {"dlv_00001"}
        for one in crm.requests:
            one.verify(SECRET)


async def test_retry_after_is_honoured_and_the_target_left_alone_meanwhile(tmp_path: Path) -> None:
    async with Receiver() as crm, house(tmp_path) as h:
        crm.plan("/hook", Reply(429, {"Retry-After": "1"}), Reply(200))
        await h.give(event(1, f"{crm.url}/hook"))
        await crm.wait_for(1)
        await h.until(lambda: h.outbox.counters.retried == 1)
        await h.give(event(2, f"{crm.url}/hook"))
        found = await crm.wait_for(3)
        assert found[1].at - found[0].at >= 0.95
        assert found[2].at - found[0].at >= 0.95
        assert h.outbox.counters.by_reason[RetryReason.RETRY_AFTER_HONOURED] == 1


async def test_410_disables_the_endpoint_and_what_waits_for_it_stays_pending_until_it_is_enabled(
    tmp_path: Path,
) -> None:
    limits = replace(LIMITS, per_target=1)
    async with Receiver() as crm, house(tmp_path, limits) as h:
        await h.add_webhook("wh_1", f"{crm.url}/hook")
        crm.plan("/hook", Reply(410, delay_s=0.05), Reply(200))
        await h.give(*(event(n, f"{crm.url}/hook") for n in range(3)))
        await h.until(lambda: h.outbox.counters.disabled == 1)
        await asyncio.sleep(0.05)
        sent = len(crm.requests)
        assert (await h.row("dlv_00000"))["status"] == "failed"
        assert (await h.row("dlv_00002"))["status"] == "pending"
        assert [one.disable for one in h.settled if one.disable] == ["endpoint_gone"]
        await h.give(event(9, f"{crm.url}/hook"))
        await asyncio.sleep(0.1)
        assert len(crm.requests) == sent
        h.outbox.resume("wh_1")
        await h.until_status("dlv_00009", "delivered")
        assert await h.statuses() == {"failed": 1, "delivered": 3}


async def test_410_of_a_popup_fails_that_popup_alone(tmp_path: Path) -> None:
    async with Receiver() as crm, house(tmp_path) as h:
        crm.plan("/pop", Reply(410), Reply(200))
        await h.give(popup(1, f"{crm.url}/pop"))
        await h.until_status("pop_00001", "failed")
        await h.give(popup(2, f"{crm.url}/pop"))
        await h.until_status("pop_00002", "delivered")


async def test_a_slow_target_delays_no_other(tmp_path: Path) -> None:
    async with Receiver() as slow, Receiver() as quick, house(tmp_path) as h:
        slow.plan("/hook", Reply(delay_s=0.5))
        await h.give(*(event(n, f"{slow.url}/hook", "wh_slow") for n in range(50)))
        await slow.wait_for(4)
        began = time.perf_counter()
        await h.give(*(event(100 + n, f"{quick.url}/hook", "wh_quick") for n in range(50)))
        await quick.wait_for(50)
        assert time.perf_counter() - began < 0.4
        assert slow.most_at_once == 4


async def test_the_limit_of_all_lets_every_target_have_its_turn(tmp_path: Path) -> None:
    limits = replace(LIMITS, in_all=3)
    async with Receiver() as crm, house(tmp_path, limits) as h:
        for path in ("/a", "/b", "/c", "/d"):
            crm.plan(path, Reply(delay_s=0.01))
        await h.give(*(event(n, f"{crm.url}/{'abcd'[n % 4]}", f"wh_{n % 4}") for n in range(80)))
        await crm.wait_for(80)
        assert crm.most_at_once <= 3
        first_half = [one.path for one in crm.requests[:40]]
        assert all(first_half.count(path) >= 4 for path in ("/a", "/b", "/c", "/d"))


async def test_a_popup_is_tried_quickly_and_expires_when_its_time_is_over(tmp_path: Path) -> None:
    async with house(tmp_path) as h:
        await h.give(popup(1, "http://127.0.0.1:1/pop", lifetime_ms=600))
        row = await h.until_status("pop_00001", "expired")
        assert row["attempt_count"] >= 3
        assert row["last_error"] == "connection_failed"
        assert row["finished_at"] < row["expires_at"]


async def test_a_popup_whose_turn_comes_too_late_is_expired_and_not_sent(tmp_path: Path) -> None:
    async with Receiver() as crm, house(tmp_path, start=False) as h:
        await h.keep([popup(1, f"{crm.url}/pop", UnixMs(now() - 130_000)), popup(2, f"{crm.url}/pop")])
        await h.outbox.start()
        await h.until_status("pop_00002", "delivered")
        row = await h.row("pop_00001")
        assert (row["status"], row["last_error"], row["attempt_count"]) == ("expired", "out_of_time", 0)
        assert [one.webhook_id for one in crm.requests] == ["pop_00002"]


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("http://169.254.169.254/", "address_refused"),
        ("http://user:pw@127.0.0.1/", "bad_url"),
        ("http://2130706433/", "bad_url"),
        ("ftp://crm.example/", "bad_url"),
    ],
)
async def test_a_refused_target_fails_at_once_and_for_good(tmp_path: Path, url: str, reason: str) -> None:
    async with house(tmp_path) as h:
        await h.give(event(1, url))
        row = await h.until_status("dlv_00001", "failed")
        assert (row["last_error"], row["attempt_count"]) == (reason, 1)


async def test_without_a_secret_nothing_is_sent(tmp_path: Path) -> None:
    async with Receiver() as crm, house(tmp_path) as h:
        h.secrets.secret = None
        await h.give(event(1, crm.url))
        assert (await h.until_status("dlv_00001", "failed"))["last_error"] == "no_secret"
        assert crm.requests == []


async def test_an_endpoint_made_a_moment_ago_gets_its_first_event_once_its_secret_is_known(tmp_path: Path) -> None:
    async with Receiver() as crm, house(tmp_path) as h:
        secret, h.secrets.secret = h.secrets.secret, None
        await h.give(event(1, crm.url))
        await h.until(lambda: h.outbox.counters.retried == 1)
        h.secrets.secret = secret
        await h.until_status("dlv_00001", "delivered")


async def test_replay_sends_a_finished_delivery_again_under_its_id_with_fresh_attempts(tmp_path: Path) -> None:
    async with Receiver() as crm, house(tmp_path) as h:
        await h.give(popup(1, f"{crm.url}/pop", lifetime_ms=50_000))
        first = await h.until_status("pop_00001", "delivered")
        again = await h.store.writer.change(lambda: replay("pop_00001", UnixMs(now() + 0)))
        assert again is not None
        assert (again.delivery_id, again.attempt_count) == ("pop_00001", 0)
        assert again.expires_at > first["expires_at"]
        h.outbox.offer([again])
        await crm.wait_for(2)
        await h.until_status("pop_00001", "delivered")
        assert [one.webhook_id for one in crm.requests] == ["pop_00001", "pop_00001"]
        assert [one["number"] for one in await h.attempts("pop_00001")] == [1, 2]
        assert await h.store.writer.change(lambda: replay("dlv_unknown", now())) is None


async def test_all_failed_deliveries_of_a_webhook_are_replayed_and_no_other(tmp_path: Path) -> None:
    async with Receiver() as crm, house(tmp_path) as h:
        await h.give(*(event(n, "http://169.254.1.1/", f"wh_{n % 2}") for n in range(10)))
        await h.until(lambda: h.outbox.counters.failed == 10)
        await h.until(lambda: len(h.settled) == 10)
        assert await h.store.writer.change(lambda: replay_failed("wh_1", now())) == 5
        h.outbox.look_again()
        await h.until(lambda: len(h.settled) == 15)
        assert {one.webhook_id for one in h.settled[10:]} == {"wh_1"}
        assert crm.requests == []


async def test_a_late_result_never_overwrites_a_finished_delivery(tmp_path: Path) -> None:
    async with Receiver() as crm, house(tmp_path) as h:
        await h.give(event(1, crm.url))
        await h.until_status("dlv_00001", "delivered")
        late = Settlement(
            delivery_id="dlv_00001",
            webhook_id="wh_1",
            url=NOWHERE,
            at=now(),
            status=DeliveryStatus.PENDING,
            next_attempt_at=now(),
            error="timeout",
            attempt=Attempt(at=now(), status_code=None, latency_ms=10_000, error="late", answer=None),
        )
        unknown = replace(late, delivery_id="dlv_cleaned_away")
        await h.store.writer.change(lambda: record_settlements([late, unknown]))
        row = await h.row("dlv_00001")
        assert (row["status"], row["next_attempt_at"], row["last_error"]) == ("delivered", None, None)
        assert [one["error"] for one in await h.attempts("dlv_00001")] == [None, "late"]


async def test_a_crash_between_answer_and_record_sends_the_same_id_again_after_the_restart(tmp_path: Path) -> None:
    async with Receiver() as crm:
        async with house(tmp_path, replace(LIMITS, record_within_ms=60_000)) as h:
            await h.give(*(event(n, f"{crm.url}/hook") for n in range(20)))
            await crm.wait_for(20)
            await h.outbox.stop(0.05)
            assert (await h.statuses()) == {"pending": 20}
        async with house(tmp_path) as h:
            await h.until(lambda: len(h.settled) == 20)
            assert (await h.statuses()) == {"delivered": 20}
        ids = [one.webhook_id for one in crm.requests]
        assert len(ids) == 40
        assert sorted(ids[:20]) == sorted(ids[20:])


async def test_a_stop_lets_requests_end_and_leaves_the_others_pending(tmp_path: Path) -> None:
    async with Receiver() as crm, house(tmp_path, replace(LIMITS, per_target=2)) as h:
        crm.plan("/hook", Reply(delay_s=0.1), Reply(delay_s=0.1), Reply(misbehaviour=Misbehaviour.HANG))
        await h.give(
            *(event(n, f"{crm.url}/hook") for n in range(2)), *(event(n, NOWHERE, "wh_2") for n in range(5, 6))
        )
        await crm.wait_for(2)
        await h.give(*(event(n, f"{crm.url}/hook") for n in range(10, 15)))
        await h.outbox.stop(1.0)
        assert len(crm.requests) == 2
        assert await h.statuses() == {"delivered": 2, "pending": 6}


async def test_a_hanging_request_does_not_hold_up_the_stop(tmp_path: Path) -> None:
    async with Receiver() as crm, house(tmp_path, timeout_s=10) as h:
        crm.plan("/hook", Reply(misbehaviour=Misbehaviour.HANG))
        await h.give(event(1, f"{crm.url}/hook"))
        await crm.wait_for(1)
        began = time.perf_counter()
        await h.outbox.stop(0.1)
        assert time.perf_counter() - began < 1
        assert (await h.row("dlv_00001"))["status"] == "pending"


async def test_ten_thousand_deliveries_to_a_dead_target_stay_bounded_in_memory(tmp_path: Path) -> None:
    patient = Schedule(shortest_ms=60_000, first_ms=60_000, longest_ms=60_000, last_chance_ms=0)
    limits = replace(LIMITS, event_schedule=patient, held_per_target=200)
    async with house(tmp_path, limits) as h:
        made = [event(n, NOWHERE) for n in range(10_000)]
        await h.keep(made)
        h.outbox.offer(made)
        assert len(h.outbox.shelf) == 200
        most = 0
        async with asyncio.timeout(60):
            while h.outbox.counters.attempts < 10_000:
                most = max(most, len(h.outbox.shelf))
                await asyncio.sleep(0.01)
        assert most <= 200
        await h.until(lambda: len(h.settled) == 10_000)
        assert h.outbox.counters.attempts == 10_000
        assert await h.statuses() == {"pending": 10_000}
        assert len(h.outbox.shelf) == 0


async def test_a_backlog_larger_than_memory_is_delivered_completely_and_once(tmp_path: Path) -> None:
    limits = replace(LIMITS, held_per_target=20, held_in_all=50, page=7)
    async with Receiver() as crm, house(tmp_path, limits, start=False) as h:
        await h.keep([event(n, f"{crm.url}/hook", f"wh_{n % 5}") for n in range(600)])
        await h.outbox.start()
        await h.give(*(event(n, f"{crm.url}/hook", f"wh_{n % 5}") for n in range(600, 800)))
        await h.until(lambda: len(h.settled) == 800, 20)
        assert await h.statuses() == {"delivered": 800}
        ids = [one.webhook_id for one in crm.requests]
        assert len(ids) == len(set(ids)) == 800


async def test_a_dead_target_with_a_backlog_does_not_hide_the_retries_of_another(tmp_path: Path) -> None:
    limits = replace(LIMITS, held_per_target=10, page=10)
    async with Receiver() as hung, Receiver() as crm, house(tmp_path, limits, timeout_s=5) as h:
        hung.plan("/hook", Reply(misbehaviour=Misbehaviour.HANG))
        crm.plan("/hook", Reply(500), Reply(500), Reply(200))
        await h.give(*(event(n, f"{hung.url}/hook", "wh_hung") for n in range(500)))
        await h.give(event(900, f"{crm.url}/hook", "wh_good"))
        await h.until_status("dlv_00900", "delivered", 2)


async def test_no_delivery_is_sent_twice_while_scans_and_records_cross(tmp_path: Path) -> None:
    """`look_again` at every turn: pages read before a record was written still show what is delivered."""
    async with Receiver() as crm, house(tmp_path, replace(LIMITS, between_scans_ms=0, record_within_ms=0)) as h:
        for n in range(300):
            await h.give(event(n, f"{crm.url}/hook"))
            h.outbox.look_again()
        await h.until(lambda: len(h.settled) == 300)
        await asyncio.sleep(0.1)
        assert len(crm.requests) == 300


async def test_a_paused_webhook_is_known_at_the_start(tmp_path: Path) -> None:
    async with Receiver() as crm, house(tmp_path, start=False) as h:
        await h.add_webhook("wh_1", crm.url, enabled=False)
        await h.keep([event(1, crm.url)])
        await h.outbox.start()
        await asyncio.sleep(0.1)
        assert crm.requests == []
        assert (await h.row("dlv_00001"))["status"] == "pending"


async def test_what_expires_while_its_webhook_is_paused_says_so(tmp_path: Path) -> None:
    limits = replace(LIMITS, between_sweeps_ms=50, sweep_grace_ms=0)
    async with house(tmp_path, limits, start=False) as h:
        await h.add_webhook("wh_1", NOWHERE, enabled=False)
        await h.keep([replace(event(1, NOWHERE), expires_at=UnixMs(now() + 150))])
        await h.outbox.start()
        assert (await h.until_status("dlv_00001", "expired"))["last_error"] == "out_of_time"


def test_the_default_limits_are_those_of_the_contract() -> None:
    assert (OutboxLimits().per_target, OutboxLimits().in_all) == (4, 256)
