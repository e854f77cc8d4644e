"""Every figure of the reports once more, call for call, by plain Python: slow, obvious, with no code of the daemon.

What it knows of a call are the fields of the contract (design.md §3) and the moments on its way.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from fractions import Fraction
from typing import Any
from zoneinfo import ZoneInfo

MINUTE = 60_000
NAMES: Mapping[str, Callable[[datetime], str]] = {
    "hour": lambda at: f"{at:%Y-%m-%dT%H}:00{_offset(at)}",
    "day": lambda at: f"{at:%Y-%m-%d}",
    "week": lambda at: f"{at:%G-W%V}",
    "month": lambda at: f"{at:%Y-%m}",
}
REASONS = (
    *("abandoned", "queue_timeout", "no_answer", "busy", "rejected", "unreachable", "left_in_ivr", "forwarded"),
    *("cancelled", "failed", "unobserved"),
)


@dataclass(frozen=True)
class Told:
    """A call, and what happened on its way: (what, user_id)."""

    call: Any
    moments: Sequence[tuple[str, str]] = ()


@dataclass(frozen=True)
class Question:
    begin: int
    end: int
    zone: ZoneInfo
    by: str = "hour"
    direction: str = "incoming"
    queue: str | None = None
    hotline: str | None = None
    user_id: str | None = None


def wall(ms: int, zone: ZoneInfo) -> datetime:
    return datetime(1970, 1, 1, tzinfo=ZoneInfo("UTC")).__add__(timedelta(milliseconds=ms)).astimezone(zone)


def calls(told: Iterable[Told], asked: Question) -> dict[str, Any]:
    found = list(_in(told, asked, asked.direction))
    rows = [{"period": name, **_outcomes(some)} for name, some in _periods(found, asked)]
    return {"rows": rows, "total": _outcomes(found)}


def hours(told: Iterable[Told], asked: Question) -> dict[str, Any]:
    found = [one for one in _in(told, asked, asked.direction) if _is_answered(one) or one.outcome == "missed"]
    cells: dict[tuple[int, int], list[Any]] = defaultdict(list)
    for one in found:
        at = wall(one.started_at, asked.zone)
        cells[at.isoweekday(), at.hour].append(one)
    rows = [
        {"weekday": day, "hour": hour, "calls": len(cells[day, hour]), "missed": _missed(cells[day, hour])}
        for day in range(1, 8)
        for hour in range(24)
    ]
    return {"rows": rows, "total": {"calls": len(found), "missed": _missed(found)}}


def waiting(told: Iterable[Told], asked: Question) -> dict[str, Any]:
    found = list(_in(told, asked, "incoming"))
    return {
        "rows": [{"period": name, **_waits(some)} for name, some in _periods(found, asked)],
        "total": _waits(found),
    }


def service_level(told: Iterable[Told], asked: Question, within_s: int, target: int) -> dict[str, Any]:
    found = list(_in(told, asked, "incoming"))
    rows = [{"period": name, **_level(some, within_s, target)} for name, some in _periods(found, asked)]
    return {"rows": rows, "total": {**_level(found, within_s, target), "target_percent": target}}


def customers(told: Sequence[Told], asked: Question) -> dict[str, Any]:
    """Of whatever agent: who was missed was nobody's."""
    asked = replace(asked, user_id=None)
    missed = [one for one in _in(told, asked, "incoming") if one.outcome == "missed"]
    by_customer: dict[str, list[Any]] = defaultdict(list)
    for one in missed:
        if one.customer_number is not None:
            by_customer[one.customer_number].append(one)
    rows = []
    for number, some in by_customer.items():
        last = max(one.started_at for one in some)
        if not any(
            one.call.customer_number == number and one.call.started_at > last and one.call.outcome == "answered"
            for one in told
        ):
            rows.append((-last, number, {"customer_number": number, "missed_calls": len(some), "last": last}))
    total = {
        "customers": len(by_customer),
        "not_served": len(rows),
        "not_served_percent": percent(len(rows), len(by_customer)),
        "anonymous_calls": sum(one.customer_number is None for one in missed),
    }
    return {"rows": [row for _, _, row in sorted(rows, key=lambda row: row[:2])], "total": total}


def agents(told: Sequence[Told], asked: Question) -> dict[str, dict[str, Any]]:
    """By user id."""
    found: dict[str, dict[str, Any]] = defaultdict(
        lambda: {"rings": 0, "answers": 0, "incoming": 0, "outgoing": 0, "talk": 0, "ended": 0}
    )
    for one in told:
        call = one.call
        if not asked.begin <= call.started_at < asked.end or _other_place(call, asked):
            continue
        for what, user_id in one.moments:
            if call.direction == "incoming" and user_id and asked.user_id in (None, user_id):
                if what == "rang":
                    found[user_id]["rings"] += 1
                if what == "connected":
                    found[user_id]["answers"] += 1
        mine = call.user_id is not None and asked.user_id in (None, call.user_id)
        if mine and _is_answered(call) and call.direction != "internal":
            found[call.user_id][call.direction] += 1
            if call.ended_at is not None:
                found[call.user_id]["talk"] += call.ended_at - call.answered_at
                found[call.user_id]["ended"] += 1
    return {
        user_id: {
            **{name: value for name, value in one.items() if name not in ("talk", "ended")},
            "talk_seconds": one["talk"] / 1000,
            "average_talk_seconds": round(one["talk"] / one["ended"] / 1000, 3) if one["ended"] else None,
        }
        for user_id, one in found.items()
    }


def call_backs(told: Sequence[Told], asked: Question) -> dict[str, Any]:
    """Where each missed call has a ticket of its own."""
    waits: list[tuple[int, int | None, bool]] = []
    for one in told:
        call = one.call
        if call.direction != "incoming" or call.outcome != "missed" or _other_place(call, asked):
            continue
        talks = [
            other.call
            for other in told
            if call.customer_number is not None
            and other.call.customer_number == call.customer_number
            and _is_answered(other.call)
            and other.call.answered_at > call.ended_at
        ]
        first = min(talks, key=lambda talk: talk.answered_at, default=None)
        if first is None:
            waits.append((call.ended_at, None, False))
        else:
            seconds = (first.answered_at - call.ended_at) // 1000
            waits.append((first.answered_at - 1000 * seconds, first.answered_at, first.direction == "outgoing"))
    return _soon([one for one in waits if asked.begin <= one[0] < asked.end], asked.zone)


def percent(part: int, whole: int) -> float | None:
    return round(100 * part / whole, 2) if whole else None


def _soon(waits: Sequence[tuple[int, int | None, bool]], zone: ZoneInfo) -> dict[str, Any]:
    counts = dict.fromkeys(("quarter", "hour", "same_day", "later", "never"), 0)
    seconds = sorted((reached - since) // 1000 for since, reached, _ in waits if reached is not None)
    for since, reached, _ in waits:
        if reached is None:
            counts["never"] += 1
        elif reached - since <= 15 * MINUTE:
            counts["quarter"] += 1
        elif reached - since <= 60 * MINUTE:
            counts["hour"] += 1
        else:
            same = wall(since, zone).date() == wall(reached, zone).date()
            counts["same_day" if same else "later"] += 1
    reached = len(waits) - counts["never"]
    by_us = sum(ours for _, _, ours in waits)
    total = {
        "callers": len(waits),
        "reached": reached,
        "reached_percent": percent(reached, len(waits)),
        "called_back": by_us,
        "got_through": reached - by_us,
        "median_seconds": seconds[math.ceil(Fraction(len(seconds), 2)) - 1] if seconds else None,
        "ninety_percent_seconds": seconds[math.ceil(Fraction(9 * len(seconds), 10)) - 1] if seconds else None,
    }
    rows = [
        {"reached": name, "callers": count, "percent": percent(count, len(waits))} for name, count in counts.items()
    ]
    return {"rows": rows, "total": total}


def _in(told: Iterable[Told], asked: Question, direction: str) -> Iterator[Any]:
    for one in told:
        call = one.call
        if not asked.begin <= call.started_at < asked.end or _other_place(call, asked):
            continue
        if direction in ("all", call.direction) and asked.user_id in (None, call.user_id):
            yield call


def _other_place(call: Any, asked: Question) -> bool:
    return asked.queue not in (None, call.queue) or asked.hotline not in (None, call.hotline)


def _periods(found: Sequence[Any], asked: Question) -> Iterator[tuple[str, list[Any]]]:
    """Minute for minute over the wall clock, so that no rule about days is needed."""
    names = list(dict.fromkeys(NAMES[asked.by](wall(at, asked.zone)) for at in range(asked.begin, asked.end, MINUTE)))
    for name in names:
        yield name, [one for one in found if NAMES[asked.by](wall(one.started_at, asked.zone)) == name]


def _offset(at: datetime) -> str:
    return f"{at:%z}"[:3] + ":" + f"{at:%z}"[3:]


def _is_answered(call: Any) -> bool:
    return call.outcome == "answered" and call.answered_at is not None


def _missed(found: Iterable[Any]) -> int:
    return sum(one.outcome == "missed" for one in found)


def _outcomes(found: Sequence[Any]) -> dict[str, Any]:
    answered, missed = sum(map(_is_answered, found)), _missed(found)
    reasons = {name: sum(one.outcome == "missed" and one.missed_reason == name for one in found) for name in REASONS}
    return {"calls": answered + missed, "answered": answered, "missed": missed, **reasons}


def _wait(call: Any, until: int) -> int:
    begin = next(at for at in (call.queued_at, call.rung_at, call.started_at) if at is not None)
    return max(0, int(until - begin))


def _offered(found: Sequence[Any]) -> list[Any]:
    return [
        one for one in found if _is_answered(one) or (one.outcome == "missed" and one.missed_reason != "left_in_ivr")
    ]


def _waits(found: Sequence[Any]) -> dict[str, Any]:
    answered = [_wait(one, one.answered_at) for one in found if _is_answered(one)]
    vain = [_wait(one, one.ended_at) for one in _offered(found) if one.outcome == "missed"]
    abandoned = sum(one.outcome == "missed" and one.missed_reason == "abandoned" for one in found)
    return {
        "offered": len(_offered(found)),
        "answered": len(answered),
        "average_wait_seconds": round(sum(answered) / len(answered) / 1000, 3) if answered else None,
        "longest_wait_seconds": max(answered, default=0) / 1000,
        "longest_missed_wait_seconds": max(vain, default=0) / 1000,
        "abandoned": abandoned,
        "abandoned_percent": percent(abandoned, len(_offered(found))),
    }


def _level(found: Sequence[Any], within_s: int, target: int) -> dict[str, Any]:
    answered = [one for one in found if _is_answered(one)]
    within = sum(_wait(one, one.answered_at) <= 1000 * within_s for one in answered)
    return {
        "answered": len(answered),
        "answered_within": within,
        "percent": percent(within, len(answered)),
        "target_met": None if not answered else Fraction(within, len(answered)) >= Fraction(target, 100),
        "offered": len(_offered(found)),
        "percent_of_offered": percent(within, len(_offered(found))),
    }
