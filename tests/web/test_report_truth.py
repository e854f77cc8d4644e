"""All reports and the service level against a slow count of the same calls, which shares no code with them."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

import pytest

from daemon.call.model import Call, CallId, CallState, Direction, MissedReason, Outcome, UserId
from daemon.call.rendering import iso_utc
from daemon.call.signals import UnixMs
from daemon.call.timeline import Moment, What
from daemon.policy.decision import CloseMissed, Decision, OpenTicket, Reason, TicketKind
from daemon.policy.report_span import day_stretch
from daemon.store.settings import read_settings
from daemon.store.summary_figures import read_figures
from daemon.store.values import Unit
from tests.factory import ringing, unix_ms
from tests.web import slow_reports as slow
from tests.web.conftest import House
from tests.web.slow_reports import Question, Told

WITHIN, TARGET = 20, 80
HOUR = 3_600_000
AGENTS = ("an", "bình", "chi")
WAITS = (0, 1, 19_999, 20_000, 20_001, 4_000, 61_000, 900_000)
OTHER_REASONS = [reason for reason in MissedReason if reason is not MissedReason.ABANDONED]


@dataclass(frozen=True)
class Day:
    """A stretch in a zone."""

    zone: str
    begin: str
    end: str
    calls: int = 160

    def question(self, **more: Any) -> Question:
        begin, end = unix_ms(self.begin, self.zone), unix_ms(self.end, self.zone)
        return Question(begin, end, ZoneInfo(self.zone), **more)


DAYS = (
    Day("Asia/Ho_Chi_Minh", "2026-11-10 00:00:00", "2026-11-12 00:00:00"),
    Day("Europe/Berlin", "2026-03-28 00:00:00", "2026-03-30 00:00:00"),  # 02:00 is not there on the 29th
    Day("Europe/Berlin", "2026-10-24 00:00:00", "2026-10-26 00:00:00"),  # 02:00 comes twice on the 25th
    Day("Asia/Kathmandu", "2026-09-30 00:00:00", "2026-10-02 00:00:00"),
)
FILTERS: Sequence[dict[str, str]] = (
    {},
    {"direction": "outgoing"},
    {"direction": "internal"},
    {"direction": "all", "queue": "sales"},
    {"hotline": "19001235"},
    {"user_id": "an"},
)


def invented(day: Day, seed: int) -> list[Told]:
    """Calls of all kinds, some before and after the stretch."""
    dice, asked = random.Random(seed), day.question()
    found = []
    for number in range(day.calls):
        start = UnixMs(dice.randrange(asked.begin - 2 * HOUR, asked.end + 2 * HOUR))
        edge = {0: asked.begin, 1: asked.end, 2: asked.end - 1, 3: asked.begin - 1}.get(number)
        found.append(_told(dice, number, UnixMs(edge) if edge is not None else start))
    return found


def _told(dice: random.Random, number: int, start: UnixMs) -> Told:
    direction = dice.choice((Direction.INCOMING, Direction.INCOMING, Direction.OUTGOING, Direction.INTERNAL))
    incoming = direction is Direction.INCOMING
    customer = None if direction is Direction.INTERNAL or dice.random() < 0.1 else f"090170123{dice.randrange(9)}"
    queued = UnixMs(start + dice.randrange(9000)) if incoming and dice.random() < 0.6 else None
    call = ringing(
        f"{start // 1000}.{number}",
        number=customer,
        direction=direction,
        started_at=start,
        queue=dice.choice(("sales", "support")) if queued else None,
        hotline=dice.choice(("19001234", "19001235", None)),
        queued_at=queued,
        rung_at=UnixMs((queued or start) + dice.randrange(3000)) if incoming and dice.random() < 0.5 else None,
    )
    over, rang = _ended(dice, call), [("rang", dice.choice(AGENTS)) for _ in range(dice.randrange(4))]
    return Told(over, (*rang, *(("connected", one) for one in over.user_ids), ("held", "an"), ("queued", "")))


def _ended(dice: random.Random, call: Call) -> Call:
    """Answered by one or handed on to several, missed for any reason, or still alive."""
    since = call.queued_at or call.rung_at or call.started_at
    at = UnixMs(since + dice.choice(WAITS))
    kind = dice.random()
    if kind < 0.05:
        return call  # still rings
    if kind < 0.6:
        agents = tuple(UserId(one) for one in dice.sample(AGENTS, dice.choice((1, 1, 1, 2, 3))))
        talking = replace(call, outcome=Outcome.ANSWERED, user_ids=agents, user_id=agents[-1], answered_at=at)
        if kind < 0.1:
            return replace(talking, state=CallState.ANSWERED)
        return replace(talking, state=CallState.ENDED, ended_at=UnixMs(at + dice.randrange(600_000)))
    reason = dice.choice((MissedReason.ABANDONED, dice.choice(OTHER_REASONS)))
    ended = UnixMs(max(at, call.rung_at or 0, call.queued_at or 0))
    return replace(call, state=CallState.ENDED, outcome=Outcome.MISSED, missed_reason=reason, ended_at=ended)


async def keep(house: House, told: Sequence[Told]) -> None:
    """As the daemon would: in the order of time, a ticket for each missed call, closed by the next talk."""
    await house.record(*sorted((_unit(one) for one in told), key=lambda unit: unit.at))


def _unit(one: Told) -> Unit:
    call = one.call
    at = next(at for at in (call.answered_at, call.ended_at, call.started_at) if at is not None)
    moments = tuple(
        Moment(UnixMs(call.started_at + place), What(what), UserId(user_id) if user_id else None, "x")
        for place, (what, user_id) in enumerate(one.moments)
    )
    return Unit(at, call, tuple(_decisions(call)), moments)


def _decisions(call: Call) -> Iterator[Decision]:
    if call.outcome is Outcome.MISSED and call.direction is Direction.INCOMING:
        key = f"missed:{call.call_id}"
        yield OpenTicket(call, TicketKind.MISSED_INCOMING, key, Reason.MISSED_NOT_MERGED_BY_MODE)
    if call.outcome is Outcome.ANSWERED and call.customer_number is not None:
        outgoing = call.direction is Direction.OUTGOING
        yield CloseMissed(call, Reason.CALLED_BACK if outgoing else Reason.CUSTOMER_GOT_THROUGH, every_queue=True)


async def report(house: House, name: str, asked: Question, **more: str) -> dict[str, Any]:
    span = {"from": iso_utc(UnixMs(asked.begin)), "to": iso_utc(UnixMs(asked.end)), "by": asked.by, **more}
    answer = await house.ask("GET", f"/api/v1/reports/{name}?{urlencode(span)}")
    assert answer.status == 200, answer.body
    return {"rows": answer.body["rows"], "total": answer.body["total"]}


async def in_zone(house: House, zone: str) -> None:
    changed = {"time_zone": zone, "sla_answer_within_seconds": WITHIN, "sla_target_percent": TARGET}
    assert (await house.ask("PATCH", "/api/v1/call-settings", json=changed)).status == 200


@pytest.mark.parametrize("day", DAYS, ids=lambda day: f"{day.zone} {day.begin[:10]}")
@pytest.mark.parametrize("by", ["hour", "day", "week", "month"])
async def test_figures_over_time_are_those_of_the_calls(house: House, day: Day, by: str) -> None:
    await in_zone(house, day.zone)
    told = invented(day, seed=len(day.zone) + len(by))
    await keep(house, told)
    for chosen in FILTERS:
        asked = day.question(by=by, **chosen)
        assert await report(house, "calls", asked, **chosen) == slow.calls(told, asked), chosen
        assert await report(house, "waiting", asked, **chosen) == slow.waiting(told, asked), chosen
        expected = slow.service_level(told, asked, WITHIN, TARGET)
        assert await report(house, "service-level", asked, **chosen) == expected, chosen


@pytest.mark.parametrize("day", DAYS, ids=lambda day: f"{day.zone} {day.begin[:10]}")
async def test_figures_of_hours_customers_agents_and_call_backs_are_those_of_the_calls(house: House, day: Day) -> None:
    await in_zone(house, day.zone)
    told = invented(day, seed=5)
    await keep(house, told)
    for chosen in FILTERS:
        asked = day.question(**chosen)
        assert await report(house, "hours", asked, **chosen) == slow.hours(told, asked), chosen
        found = await report(house, "customers", asked, **chosen)
        expected = slow.customers(told, asked)
        assert found["total"] == expected["total"], chosen
        assert found["rows"] == [
            {**{k: v for k, v in row.items() if k != "last"}, "last_missed_at": iso_utc(UnixMs(row["last"]))}
            for row in expected["rows"]
        ], chosen
        rows = (await report(house, "agents", asked, **chosen))["rows"]
        assert {row["user_id"]: {k: v for k, v in row.items() if k not in ("user_id", "name")} for row in rows} == (
            slow.agents(told, asked)
        ), chosen
        assert await report(house, "call-backs", asked, **chosen) == slow.call_backs(told, asked), chosen


async def test_the_service_level_page_and_the_report_say_the_same(house: House) -> None:
    day = DAYS[0]
    await in_zone(house, day.zone)
    await keep(house, invented(day, seed=9))
    asked = day.question(by="day")
    span = urlencode({"from": iso_utc(UnixMs(asked.begin)), "to": iso_utc(UnixMs(asked.end)), "by": "day"})
    sla = (await house.ask("GET", f"/api/v1/sla?{span}")).body
    found = await report(house, "service-level", asked)
    names = ("answered", "answered_within", "percent", "target_met", "offered", "percent_of_offered")
    assert {name: found["total"][name] for name in names} == {name: sla["total"][name] for name in names}
    assert [row["answered"] for row in found["rows"]] == [group["answered"] for group in sla["groups"]]
    waits = await report(house, "waiting", asked)
    assert waits["total"]["average_wait_seconds"] == sla["total"]["average_wait_seconds"]
    assert waits["total"]["longest_wait_seconds"] == sla["total"]["longest_wait_seconds"]


@pytest.mark.parametrize("day", DAYS, ids=lambda day: f"{day.zone} {day.begin[:10]}")
async def test_the_summary_of_a_day_the_reports_and_the_service_level_say_the_same(house: House, day: Day) -> None:
    await in_zone(house, day.zone)
    await keep(house, invented(day, seed=12))
    date_, settings = date.fromisoformat(day.begin[:10]), (await read_settings(house.store.reader)).settings
    found = await read_figures(house.store.reader, date_, settings)
    stretch = day_stretch(date_, ZoneInfo(day.zone))
    asked = replace(day.question(by="hour"), begin=stretch.begin, end=stretch.end)

    async def total(name: str, **more: str) -> dict[str, Any]:
        return dict((await report(house, name, asked, **more))["total"])

    for counts, way in ((found.incoming.total, "incoming"), (found.outgoing, "outgoing"), (found.internal, "internal")):
        outcomes = await total("calls", direction=way)
        assert (counts.answered, counts.missed) == (outcomes["answered"], outcomes["missed"]) > (0, 0)
    waits, level, missed = await total("waiting"), await total("service-level"), await total("customers")
    assert round(found.incoming.total.average_wait_seconds or 0, 3) == waits["average_wait_seconds"]
    assert found.incoming.total.longest == 1000 * waits["longest_wait_seconds"]
    assert (found.level.within, found.level.answered) == (level["answered_within"], level["answered"])
    assert found.level.offered == found.incoming.total.offered == level["offered"] == waits["offered"]
    assert found.level.missed + found.left_in_ivr == found.incoming.total.missed
    assert (found.missed.not_served, found.missed.customers) == (missed["not_served"], missed["customers"])
    agents = {row["user_id"]: row for row in (await report(house, "agents", asked))["rows"]}
    span = urlencode({"from": iso_utc(stretch.begin), "to": iso_utc(stretch.end), "by": "user_id"})
    by_agent = {one["key"]: one for one in (await house.ask("GET", f"/api/v1/sla?{span}")).body["groups"]}
    assert found.agents
    for one in found.agents:
        assert one.answered == agents[one.name]["incoming"] == by_agent[one.name]["answered"]
        assert one.talk / 1000 == agents[one.name]["talk_seconds"]
    text = (await house.ask("GET", f"/api/v1/summary?day={date_}&language=en")).body["text"]
    assert f"Incoming: {level['answered']} answered, {found.level.missed} missed" in text


async def test_the_report_of_a_queue_is_held_to_its_own_target(house: House) -> None:
    settings = {"sla_target_percent": 100, "sla_answer_within_seconds": 20}
    assert (await house.ask("PATCH", "/api/v1/call-settings", json=settings)).status == 200
    own = {"sla_target_percent": 50, "sla_answer_within_seconds": 30}
    assert (await house.ask("PUT", "/api/v1/queues/support", json=own)).status in (200, 201)
    start = unix_ms("2026-11-10 08:00:00")
    kept = [
        Told(
            replace(
                _answered(f"w.{number}", UnixMs(start + 1000 * number), wait_s=40 if not number else 1), queue=queue
            )
        )
        for number, queue in enumerate(["support", "support", "sales", "sales", "sales"])
    ]
    await keep(house, kept)
    asked = DAYS[0].question(by="day")
    for queue in ("support", "sales", None):
        chosen = {} if queue is None else {"queue": queue}
        span = {"from": "2026-11-10T00:00:00Z", "to": "2026-11-11T00:00:00Z", **chosen}
        sla = (await house.ask("GET", f"/api/v1/sla?{urlencode(span)}")).body
        found = (await house.ask("GET", f"/api/v1/reports/service-level?{urlencode({**span, 'by': asked.by})}")).body
        names = ("answered", "answered_within", "percent", "target_met", "target_percent")
        assert {name: found["total"][name] for name in names} == {name: sla["total"][name] for name in names}, queue
    assert found["total"]["target_percent"] == 100


def _answered(name: str, start: UnixMs, wait_s: int) -> Call:
    call = replace(ringing(name, started_at=start), rung_at=start, queued_at=start)
    answered_at = UnixMs(start + 1000 * wait_s)
    return replace(
        call,
        call_id=CallId(name),
        state=CallState.ENDED,
        outcome=Outcome.ANSWERED,
        answered_at=answered_at,
        ended_at=UnixMs(answered_at + 1000),
    )


@pytest.mark.parametrize("only", ["no calls", "abandoned", "running"])
async def test_without_an_answered_call_there_are_no_shares_but_every_period(house: House, only: str) -> None:
    day = replace(DAYS[0], calls=0)
    told = [] if only == "no calls" else [Told(_only(only, number)) for number in range(5)]
    await keep(house, told)
    asked = day.question(by="hour")
    for name, count in (("calls", slow.calls), ("waiting", slow.waiting), ("hours", slow.hours)):
        assert await report(house, name, asked) == count(told, asked)
    assert await report(house, "call-backs", asked) == slow.call_backs(told, asked)
    level = await report(house, "service-level", asked)
    assert level == slow.service_level(told, asked, WITHIN, TARGET)
    assert level["total"]["percent"] is None
    assert len(level["rows"]) == 48


def _only(kind: str, number: int) -> Call:
    start = unix_ms(f"2026-11-10 08:0{number}:00")
    call = ringing(f"x.{number}", started_at=start)
    if kind == "running":
        return call
    over = replace(call, call_id=CallId(f"x.{number}"), state=CallState.ENDED, ended_at=UnixMs(start + 9000))
    return replace(over, outcome=Outcome.MISSED, missed_reason=MissedReason.ABANDONED)
