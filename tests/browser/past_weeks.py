"""Four weeks of calls before the Monday of the pictures: as busy as a small call centre is, the same every time."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import asdict, replace
from datetime import UTC, datetime, timedelta
from typing import Final

from sqlalchemy import insert

from daemon.call.model import Call, CallId, CallState, Direction, EndedBy, MissedReason, Outcome, PbxName, UserId
from daemon.call.signals import UnixMs
from daemon.call.timeline import Moment, What
from daemon.policy.agent_period import Doing, Period, Seen, Sight, follow
from daemon.policy.decision import CloseMissed, Decision, OpenTicket, Reason, TicketKind
from daemon.store.tables import agent_periods
from daemon.store.values import Unit
from daemon.store.work import Query, Work

DAYS: Final = 30
_BY_WEEKDAY: Final = (46, 42, 40, 41, 44, 18, 5)
_BY_HOUR: Final = (0, 0, 0, 0, 0, 0, 0, 1, 8, 10, 9, 7, 3, 6, 9, 9, 7, 4, 1, 1, 1, 0, 0, 0)
_AGENTS: Final = {"support": ("an", "binh", "chau"), "sales": ("dung", "giang"), "vip": ("an",)}
_ROTA: Final = ("an", "binh", "chau", "dung", "giang")
_SATURDAY: Final = 5
_OTHERS: Final = ("khanh", "dung", "an")
_HOTLINES: Final = {"support": "19001234", "sales": "19001235", "vip": "19001234"}
_HANOI: Final = timedelta(hours=7)
_REASONS: Final = (MissedReason.ABANDONED, MissedReason.QUEUE_TIMEOUT, MissedReason.LEFT_IN_IVR, MissedReason.BUSY)


def units_of_past_weeks(opening: datetime, seed: int = 11) -> Iterator[Unit]:
    """In the order of time; most missed customers are talked to later."""
    chance, waiting, number = random.Random(seed), list[Call](), 0
    for day in range(DAYS, 0, -1):
        midnight = (opening + _HANOI).replace(hour=0, minute=0) - timedelta(days=day) - _HANOI
        count = round(_BY_WEEKDAY[(midnight + _HANOI).weekday()] * chance.uniform(0.8, 1.2))
        moments = sorted(_moment(chance, midnight.astimezone(UTC)) for _ in range(count))
        for at in moments:
            number += 1
            yield from _call(chance, number, at, waiting)


def periods_of_past_weeks(opening: datetime) -> Work[None]:
    """What agents were, also those who are something else by now."""
    last: dict[str, Period] = {}
    rows: dict[tuple[str, int], dict[str, object]] = {}
    for user_id, seen in _sightings(opening):
        for period in follow(last.get(user_id), seen):
            last[user_id] = period
            rows[user_id, period.began_at] = {"user_id": user_id, **asdict(period)}
    yield Query(insert(agent_periods), list(rows.values()))


def _sightings(opening: datetime, seed: int = 12) -> Iterator[tuple[str, Seen]]:
    """On working days from eight to five, with lunch, breaks, and some time after calls."""
    chance = random.Random(seed)
    for day in range(DAYS, 0, -1):
        eight = opening - timedelta(days=day)
        if eight.weekday() < _SATURDAY:
            for user_id in _ROTA:
                yield from _shift(chance, user_id, int(eight.timestamp() * 1000))


def _shift(chance: random.Random, user_id: str, eight: int) -> Iterator[tuple[str, Seen]]:
    away = [(240 + chance.randrange(45), 55 + chance.randrange(12), Doing.PAUSED, "lunch")]
    away += [(at + chance.randrange(50), 5 + chance.randrange(15), Doing.PAUSED, "break") for at in (60, 400)]
    away += [
        (at + chance.randrange(20), 2 + chance.randrange(4), Doing.WRAP_UP, "wrap_up") for at in (20, 140, 210, 370)
    ]
    if chance.random() < 0.3:
        away.append((460, 45, Doing.PAUSED, chance.choice(("training", "back_office", "back_office", "Họp giao ban"))))
    yield user_id, Seen(at=UnixMs(eight + chance.randrange(900_000)), what=Doing.AVAILABLE)
    for minute, length, what, reason in sorted(away, key=lambda one: one[0]):
        begin = eight + minute * 60_000 + chance.randrange(60_000)
        yield user_id, Seen(at=UnixMs(begin), what=what, reason=reason, paused_at=UnixMs(begin))
        yield user_id, Seen(at=UnixMs(begin + length * 60_000), what=Doing.AVAILABLE)
    yield user_id, Seen(at=UnixMs(eight + 9 * 3_600_000 + chance.randrange(600_000)), what=Sight.NO_QUEUE)


def _moment(chance: random.Random, midnight: datetime) -> UnixMs:
    hour = chance.choices(range(24), _BY_HOUR)[0]
    return UnixMs(int((midnight.timestamp() + hour * 3600 + chance.random() * 3600) * 1000))


def _call(chance: random.Random, number: int, at: UnixMs, waiting: list[Call]) -> Iterator[Unit]:
    if waiting and chance.random() < 0.5:  # somebody is called back, or tries again
        before = waiting.pop(0)
        by_us = chance.random() < 0.7
        yield _talk(chance, number, at, before.customer_number, Direction.OUTGOING if by_us else Direction.INCOMING)
        return
    if chance.random() < 0.2:
        yield _talk(chance, number, at, _customer(chance), Direction.OUTGOING)
    elif chance.random() < 0.84:
        yield _talk(chance, number, at, _customer(chance), Direction.INCOMING)
    else:
        unit = _missed(chance, number, at)
        if unit.call.customer_number is not None and chance.random() < 0.97:
            waiting.append(unit.call)
        yield unit


def _customer(chance: random.Random) -> str:
    return (
        f"+84{chance.choice(('90', '91', '93', '97', '98'))}{chance.randrange(400):03}{chance.randrange(10) * 1111:04}"
    )


def _base(chance: random.Random, number: int, at: UnixMs, customer: str | None, direction: Direction) -> Call:
    incoming = direction is Direction.INCOMING
    queue = chance.choices(("support", "sales", "vip"), (6, 3, 1))[0] if incoming else None
    return Call(
        call_id=CallId(f"{at // 1000}.{number}"),
        pbx=PbxName("main"),
        direction=direction,
        customer_number=customer,
        customer_number_raw=customer,
        customer_name=None,
        hotline=_HOTLINES[queue or "support"],
        queue=queue,
        user_id=None,
        user_ids=(),
        state=CallState.ENDED,
        outcome=Outcome.MISSED,
        missed_reason=None,
        started_at=at,
        queued_at=UnixMs(at + 2000) if incoming else None,
        answered_at=None,
        ended_at=None,
        ended_by=EndedBy.CUSTOMER,
        hangup_cause=16,
        customer_dialled=not incoming,
        rung_at=UnixMs(at + 3000) if incoming else None,
    )


def _talk(chance: random.Random, number: int, at: UnixMs, customer: str | None, direction: Direction) -> Unit:
    call = _base(chance, number, at, customer, direction)
    agent = UserId(chance.choice(_AGENTS[call.queue] if call.queue else _OTHERS))
    waited = min(int(chance.expovariate(1 / 11_000)), 150_000)
    answered = UnixMs(at + 3000 + waited)
    ended = UnixMs(answered + int(chance.lognormvariate(11.8, 0.7)))
    call = replace(
        call, outcome=Outcome.ANSWERED, user_id=agent, user_ids=(agent,), answered_at=answered, ended_at=ended
    )
    reason = Reason.CUSTOMER_GOT_THROUGH if direction is Direction.INCOMING else Reason.CALLED_BACK
    decisions: tuple[Decision, ...] = () if customer is None else (CloseMissed(call, reason, every_queue=True),)
    rings = _rings(chance, call, waited // 15_000)
    rings += [
        Moment(UnixMs(answered - 2000), What.RANG, agent, "PJSIP", answered),
        Moment(answered, What.CONNECTED, agent),
    ]
    return Unit(answered, call, decisions, tuple(rings))


def _missed(chance: random.Random, number: int, at: UnixMs) -> Unit:
    customer = None if chance.random() < 0.06 else _customer(chance)
    call = _base(chance, number, at, customer, Direction.INCOMING)
    reason = chance.choices(_REASONS, (60, 22, 12, 6))[0]
    ended = UnixMs(at + 3000 + min(int(chance.expovariate(1 / 30_000)), 240_000))
    call = replace(call, missed_reason=reason, ended_at=ended)
    opened = OpenTicket(call, TicketKind.MISSED_INCOMING, f"past:{number}", Reason.MISSED_NOT_MERGED_BY_MODE)
    return Unit(ended, call, (opened,), tuple(_rings(chance, call, (ended - at) // 20_000)))


def _rings(chance: random.Random, call: Call, count: int) -> list[Moment]:
    """In vain, one after the other."""
    agents = _AGENTS.get(call.queue or "", ())
    return [
        Moment(UnixMs(call.started_at + 3000 + 15_000 * turn), What.RANG, UserId(chance.choice(agents)), "PJSIP")
        for turn in range(min(count, 6) if agents else 0)
    ]
