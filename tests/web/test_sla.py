"""`/api/v1/sla`: the figures against calls made by hand, and against a slow count of the same calls."""

from __future__ import annotations

import random
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from daemon.call.model import Call, CallId, CallState, Direction, MissedReason, Outcome, UserId
from daemon.call.signals import UnixMs
from daemon.policy.decision import OpenTicket, Reason, TicketKind
from daemon.store.values import Unit
from tests.factory import answered, missed, unix_ms
from tests.web.conftest import House

NOON = unix_ms("2026-11-22 12:00:00")
DAY = "from=2026-11-21T17:00:00Z&to=2026-11-22T17:00:00Z"  # in Hanoi


async def keep(house: House, calls: Iterable[Call], first: int = 1) -> None:
    for number, call in enumerate(calls, first):
        named = replace(call, call_id=CallId(f"1795332859.{number}"))
        kind = TicketKind.INCOMING if call.outcome is Outcome.ANSWERED else TicketKind.MISSED_INCOMING
        await house.record(Unit(call.started_at, named, (OpenTicket(named, kind, f"t{number}", Reason.CALL_ANSWERED),)))


def after(wait_ms: int, **changes: Any) -> Call:
    """Answered after this long in the queue, which it entered ten seconds after it began."""
    call = answered(**{"started_at": NOON, "queued_at": UnixMs(NOON + 10_000), **changes})
    begin = call.queued_at or call.started_at
    at = UnixMs(begin + wait_ms)
    return replace(call, answered_at=at, state=CallState.ENDED, ended_at=UnixMs(at + 60_000))


def gave_up(wait_ms: int, **changes: Any) -> Call:
    call = missed(**{"started_at": NOON, "queued_at": NOON, **changes})
    return replace(call, ended_at=UnixMs(call.started_at + wait_ms))


async def figures(house: House, query: str = DAY) -> dict[str, Any]:
    answer = await house.ask("GET", f"/api/v1/sla?{query}")
    assert answer.status == 200, answer.body
    return dict(answer.body)


async def test_four_within_twenty_seconds_and_one_after_are_80_percent_and_the_target_is_met(house: House) -> None:
    await keep(house, [after(ms) for ms in (1_000, 5_000, 19_999, 20_000, 20_001)])
    found = await figures(house)
    total = found["total"]
    assert (found["target_percent"], found["answer_within_seconds"]) == (80, 20)
    assert (total["answered"], total["answered_within"], total["percent"], total["target_met"]) == (5, 4, 80.0, True)
    assert (total["average_wait_seconds"], total["longest_wait_seconds"]) == (13.2, 20.001)


async def test_without_calls_there_is_no_figure_and_only_abandoned_ones_are_no_success(house: House) -> None:
    nothing = (await figures(house))["total"]
    assert (nothing["offered"], nothing["percent"], nothing["percent_of_offered"]) == (0, None, None)
    await keep(house, [gave_up(3_000), gave_up(5_000), gave_up(40_000)])
    await keep(house, [replace(gave_up(300, started_at=UnixMs(NOON + 1)), missed_reason=MissedReason.UNREACHABLE)], 4)
    total = (await figures(house))["total"]
    assert total["missed"] == 4, "nobody gave up where no phone could ring"
    assert (total["missed"] - 1, total["short_abandoned"], total["percent"], total["target_met"]) == (3, 1, None, None)
    assert (total["percent_of_offered"], total["percent_without_short_abandons"]) == (0.0, 0.0)


async def test_who_hung_up_in_the_ivr_was_offered_to_nobody_nor_were_outgoing_calls(house: House) -> None:
    left = replace(gave_up(60_000, queued_at=None), missed_reason=MissedReason.LEFT_IN_IVR)
    out = replace(after(50_000), direction=Direction.OUTGOING)
    await keep(house, [left, out, after(1_000)])
    assert (await figures(house))["total"]["offered"] == 1


async def test_waiting_begins_in_the_queue_else_with_the_first_ring_else_at_the_start(house: House) -> None:
    rung = replace(after(0, queued_at=None, rung_at=UnixMs(NOON + 30_000)), answered_at=UnixMs(NOON + 32_000))
    queued = after(2_000, started_at=UnixMs(NOON - 600_000), rung_at=UnixMs(NOON + 11_000))
    await keep(house, [queued, rung, after(2_000, queued_at=None)])
    total = (await figures(house))["total"]
    assert (total["answered_within"], total["average_wait_seconds"], total["longest_wait_seconds"]) == (3, 2.0, 2.0)


async def test_another_limit_is_tried_without_changing_the_setting(house: House) -> None:
    await keep(house, [after(10_000), after(30_000)])
    assert (await figures(house, f"{DAY}&answer_within_seconds=30"))["total"]["percent"] == 100.0
    assert (await figures(house, f"{DAY}&short_abandon_seconds=0"))["short_abandon_seconds"] == 0
    assert (await figures(house))["total"]["percent"] == 50.0


async def own_goal(house: House, queue: str, **goal: int) -> None:
    assert (await house.ask("PUT", f"/api/v1/queues/{queue}", json=goal)).status in (200, 201)


async def test_each_call_is_judged_by_the_limit_of_its_queue_and_each_queue_by_its_own_target(house: House) -> None:
    await own_goal(house, "vip", sla_target_percent=95, sla_answer_within_seconds=10)
    await own_goal(house, "night", sla_target_percent=30)
    await own_goal(house, "plain")
    waits = {"vip": (9_000, 10_000, 10_001), "night": (20_000, 20_001, 50_000), "plain": (20_000,), None: (20_000,)}
    await keep(house, [after(ms, queue=queue) for queue, several in waits.items() for ms in several])
    found = await figures(house, f"{DAY}&by=queue")
    told = ("key", "target_percent", "answered_within", "answered", "target_met")
    assert [tuple(one[name] for name in told) for one in found["groups"]] == [
        ("night", 30, 1, 3, True),
        ("plain", 80, 1, 1, True),
        ("vip", 95, 2, 3, False),
        (None, 80, 1, 1, True),
    ]
    assert found["queues"] == [
        {"queue": "night", "target_percent": 30, "answer_within_seconds": 20},
        {"queue": "vip", "target_percent": 95, "answer_within_seconds": 10},
    ]
    assert (found["target_percent"], found["answer_within_seconds"]) == (80, 20)
    total = found["total"]
    assert (total["answered_within"], total["percent"], total["target_percent"]) == (5, 62.5, 80)
    for by in ("day", "hour", "half_hour", "hotline", "user_id"):
        (one,) = (await figures(house, f"{DAY}&by={by}"))["groups"]
        assert {**one, "key": None} == {**total, "key": None}, by


async def test_of_one_queue_everything_is_judged_by_its_own_goal(house: House) -> None:
    await own_goal(house, "vip", sla_target_percent=60, sla_answer_within_seconds=10)
    await keep(house, [after(ms, queue="vip") for ms in (1_000, 9_000, 15_000)] + [after(1_000)])
    found = await figures(house, f"{DAY}&queue=vip&by=hour")
    assert (found["target_percent"], found["answer_within_seconds"], found["queues"]) == (60, 10, [])
    (hour,) = found["groups"]
    assert (hour["percent"], hour["target_met"], hour["target_percent"]) == (66.67, True, 60)
    assert (await figures(house, f"{DAY}&queue=nobody"))["target_percent"] == 80


async def test_what_another_limit_would_give_is_one_limit_for_all_queues(house: House) -> None:
    await own_goal(house, "vip", sla_target_percent=95, sla_answer_within_seconds=10)
    await keep(house, [after(15_000, queue="vip"), after(25_000)])
    assert (await figures(house))["total"]["answered_within"] == 0
    tried = await figures(house, f"{DAY}&answer_within_seconds=20&by=queue")
    assert (tried["total"]["answered_within"], tried["answer_within_seconds"]) == (1, 20)
    assert tried["queues"] == [{"queue": "vip", "target_percent": 95, "answer_within_seconds": 20}]
    assert [one["target_met"] for one in tried["groups"]] == [True, False]


async def test_a_change_of_settings_changes_the_figures_of_the_past(house: House) -> None:
    await keep(house, [after(15_000, queue="vip"), gave_up(8_000)])
    before = (await figures(house))["total"]
    assert (before["percent"], before["short_abandoned"], before["target_met"]) == (100.0, 0, True)
    changed = {"sla_answer_within_seconds": 10, "sla_target_percent": 50, "sla_short_abandon_seconds": 9}
    assert (await house.ask("PATCH", "/api/v1/call-settings", json=changed)).status == 200
    found = await figures(house)
    total = found["total"]
    assert (total["percent"], total["short_abandoned"], total["target_met"]) == (0.0, 1, False)
    assert (total["target_percent"], found["short_abandon_seconds"]) == (50, 9)
    assert (await figures(house, f"{DAY}&short_abandon_seconds=8"))["total"]["short_abandoned"] == 0
    await own_goal(house, "vip", sla_answer_within_seconds=15)
    assert (await figures(house))["total"]["percent"] == 100.0
    await house.ask("DELETE", "/api/v1/queues/vip")
    assert (await figures(house))["total"]["percent"] == 0.0


async def test_a_call_given_on_is_that_of_who_answered_last_and_waited_until_the_first_answer(house: House) -> None:
    given_on = after(5_000, queue="support")
    given_on = replace(given_on, user_id=UserId("binh"), user_ids=(UserId("an"), UserId("binh")))
    await keep(house, [given_on])
    (one,) = (await figures(house, f"{DAY}&by=user_id"))["groups"]
    assert (one["key"], one["answered"], one["average_wait_seconds"]) == ("binh", 1, 5.0)
    assert (await figures(house, f"{DAY}&user_id=an"))["total"]["answered"] == 0
    assert [one["key"] for one in (await figures(house, f"{DAY}&by=queue"))["groups"]] == ["support"]


async def test_a_call_read_afterwards_from_the_records_counts_as_any_other(house: House) -> None:
    await keep(house, [after(20_000, caught_up=True), after(20_001, caught_up=True), gave_up(3_000, caught_up=True)])
    total = (await figures(house))["total"]
    assert (total["answered"], total["answered_within"], total["missed"], total["short_abandoned"]) == (2, 1, 1, 1)


async def test_each_queue_hotline_and_agent_has_its_own_and_they_add_up(house: House) -> None:
    await keep(
        house,
        [
            after(1_000, queue="sales"),
            after(30_000, queue="sales"),
            after(1_000, queue="support", hotline="1900"),
            gave_up(9_000, queue="support"),
            after(1_000),
        ],
    )
    queues = (await figures(house, f"{DAY}&by=queue"))["groups"]
    assert [(one["key"], one["percent"], one["offered"]) for one in queues] == [
        ("sales", 50.0, 2),
        ("support", 100.0, 2),
        (None, 100.0, 1),
    ]
    hotlines = await figures(house, f"{DAY}&by=hotline&queue=support")
    assert [(one["key"], one["offered"]) for one in hotlines["groups"]] == [("1900", 1), ("19001234", 1)]
    agents = (await figures(house, f"{DAY}&by=user_id"))["groups"]
    assert [(one["key"], one["answered"], one["missed"]) for one in agents] == [("an", 4, 0), (None, 0, 1)]
    assert (await figures(house, f"{DAY}&user_id=an"))["total"]["missed"] == 0


async def test_days_are_those_of_the_wall_clock_and_an_autumn_hour_that_comes_twice_is_two(house: House) -> None:
    await house.ask("PATCH", "/api/v1/call-settings", json={"time_zone": "Europe/Berlin"})
    times = ("2026-10-24 23:59:59", "2026-10-25 00:00:00", "2026-10-25 01:59:59")
    began = [unix_ms(text, "Europe/Berlin") for text in times]
    began.append(UnixMs(unix_ms("2026-10-25 02:30:00", "Europe/Berlin")))  # the first of the two
    began.append(UnixMs(began[-1] + 3_600_000))
    await keep(house, [after(1_000, started_at=at, queued_at=None) for at in began])
    span = "from=2026-10-24T00:00:00Z&to=2026-10-26T00:00:00Z"
    days = (await figures(house, f"{span}&by=day"))["groups"]
    assert [(one["key"], one["answered"]) for one in days] == [("2026-10-24", 1), ("2026-10-25", 4)]
    hours = [one["key"] for one in (await figures(house, f"{span}&by=hour"))["groups"]]
    assert hours[-2:] == ["2026-10-25T02:00+02:00", "2026-10-25T02:00+01:00"]
    halves = [one["key"] for one in (await figures(house, f"{span}&by=half_hour"))["groups"]]
    assert halves[0] == "2026-10-24T23:30+02:00"


async def test_the_day_of_spring_has_23_hours_and_the_hour_that_is_left_out_is_none(house: House) -> None:
    await house.ask("PATCH", "/api/v1/call-settings", json={"time_zone": "Europe/Berlin"})
    midnight = unix_ms("2026-03-29 00:00:00", "Europe/Berlin")
    hours = [after(1_000, started_at=UnixMs(midnight + h * 3_600_000 + 1), queued_at=None) for h in (0, 1, 2, 22, 23)]
    await keep(house, hours)
    span = "from=2026-03-28T00:00:00Z&to=2026-03-31T00:00:00Z"
    days = (await figures(house, f"{span}&by=day"))["groups"]
    assert [(one["key"], one["answered"]) for one in days] == [("2026-03-29", 4), ("2026-03-30", 1)]
    keys = [one["key"] for one in (await figures(house, f"{span}&by=hour"))["groups"]]
    assert keys[:3] == ["2026-03-29T00:00+01:00", "2026-03-29T01:00+01:00", "2026-03-29T03:00+02:00"]


async def test_today_begins_at_midnight_of_the_operator(house: House) -> None:
    found = await figures(house, "")
    begin = datetime.fromisoformat(found["from"]).astimezone(ZoneInfo("Asia/Ho_Chi_Minh"))
    assert (begin.hour, begin.minute, found["time_zone"]) == (0, 0, "Asia/Ho_Chi_Minh")


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("from=2026-11-22T00:00:00Z&to=2026-11-22T00:00:00Z", "to"),
        ("from=2024-11-22T00:00:00Z&to=2026-11-22T00:00:00Z", "from"),
        ("from=2026-08-22T00:00:00Z&to=2026-11-22T00:00:00Z&by=hour", "from"),
        ("by=week", "by"),
        ("answer_within_seconds=0", "answer_within_seconds"),
        ("answer_within_seconds=+5", "answer_within_seconds"),
        ("short_abandon_seconds=3601", "short_abandon_seconds"),
        ("within=5", "within"),
    ],
)
async def test_what_cannot_be_asked_is_refused_by_name(house: House, query: str, field: str) -> None:
    assert (await house.ask("GET", f"/api/v1/sla?{query}")).fields() == {field}


def slowly(calls: Iterable[Call], within_s: float, short_s: float) -> tuple[int, int, int, int]:
    """The same by another way: call for call, from what a call says of itself."""
    counts = [0, 0, 0, 0]
    for call in calls:
        wait = call.wait_seconds or 0
        if call.outcome is Outcome.ANSWERED:
            counts[0] += 1
            counts[1] += wait <= within_s
        elif call.missed_reason is not MissedReason.LEFT_IN_IVR:
            counts[2] += 1
            counts[3] += call.missed_reason is MissedReason.ABANDONED and wait < short_s
    return counts[0], counts[1], counts[2], counts[3]


async def test_every_figure_is_that_of_a_slow_count_of_the_calls_themselves(house: House) -> None:
    dice = random.Random(7)
    calls = []
    for _ in range(300):
        make = dice.choice((after, gave_up))
        start = UnixMs(NOON + dice.randrange(-3 * 86_400_000, 86_400_000))
        queued = dice.choice((None, UnixMs(start + dice.randrange(30_000))))
        wait = dice.randrange(40_000) if queued is None or make is after else 30_000 + dice.randrange(9_000)
        facts = {"queue": dice.choice(("a", "b", None)), "user_id": UserId("an") if make is after else None}
        calls.append(make(wait, started_at=start, queued_at=queued, **facts))
    await keep(house, calls)
    span = "from=2026-11-18T17:00:00Z&to=2026-11-24T17:00:00Z"
    for by, key in (
        ("queue", lambda call: call.queue),
        ("day", lambda call: datetime.fromtimestamp(call.started_at / 1000, ZoneInfo("Asia/Ho_Chi_Minh")).date()),
    ):
        groups = (await figures(house, f"{span}&by={by}"))["groups"]
        counted = ("answered", "answered_within", "missed", "short_abandoned")
        found = {one["key"]: tuple(one[name] for name in counted) for one in groups}
        keys = {key(call) for call in calls}
        assert found == {k if k is None else str(k): slowly((c for c in calls if key(c) == k), 20, 5) for k in keys}
