"""`/api/v1/reports/agent-times`: how long each agent was available, paused and why, and what he did with his calls."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Final
from zoneinfo import ZoneInfo

from aiohttp import web

from daemon.call.rendering import iso_utc
from daemon.call.signals import UnixMs
from daemon.message import Message
from daemon.store.agent_times import AgentTime, read_agent_times
from daemon.store.settings import read_settings
from daemon.web.agent_state import REASON_WORDS
from daemon.web.listing import json_response
from daemon.web.problem import FieldError, invalid
from daemon.web.query import Query
from daemon.web.services import services
from daemon.web.sla import LONGEST_DAYS, day_began
from daemon.web.words import Translate

_DAY_MS: Final = 86_400_000
NO_REASON: Final = Message("Without a reason")


@dataclass(frozen=True, slots=True, kw_only=True)
class Pause:
    """`reason` as the PBX has it, null where none was given. Of `estimated` of them the end was not seen."""

    reason: str | None
    count: int
    seconds: float
    estimated: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentTimes:
    """`pauses` are by reason, the longest first."""

    user_id: str
    name: str
    available_seconds: float
    wrap_up_seconds: float
    paused_seconds: float
    not_known_seconds: float
    estimated: int
    pauses: tuple[Pause, ...]
    ring_attempts: int
    answers: int
    talk_seconds: float


@dataclass(frozen=True, slots=True)
class Span:
    begin: UnixMs
    end: UnixMs
    zone: str


async def get_agent_times(request: web.Request) -> web.Response:
    """Today so far, where nothing else is asked for."""
    span, found = await asked_times(request, Query(request, ("from", "to")))
    return json_response(
        {
            "from": iso_utc(span.begin),
            "to": iso_utc(span.end),
            "time_zone": span.zone,
            "items": [asdict(_times(one)) for one in found],
        }
    )


async def asked_times(request: web.Request, query: Query) -> tuple[Span, list[AgentTime]]:
    """Of the span in the query. Raises 422 for one that is none, or longer than a year."""
    parts = services(request)
    zone, now = (await read_settings(parts.reads)).settings.time_zone, parts.clock()
    begin, end = query.time("from"), query.time("to")
    begin = day_began(now, ZoneInfo(zone)) if begin is None else begin
    end = UnixMs(now + 1) if end is None else end
    if end <= begin:
        raise invalid([FieldError("to", Message("must be later than from"))])
    if end - begin > (LONGEST_DAYS + 1) * _DAY_MS:
        raise invalid([FieldError("from", Message("must be at most {days} days before to", days=LONGEST_DAYS))])
    return Span(begin, end, zone), await read_agent_times(parts.reads, begin, end, now)


def reason_word(reason: str, _: Translate) -> str:
    """Ours in the reader's language, others' as they wrote it."""
    if not reason:
        return _(NO_REASON)
    ours = {kind.value: word for kind, word in REASON_WORDS.items()}
    return _(ours[reason]) if reason in ours else reason


def _times(one: AgentTime) -> AgentTimes:
    longest = sorted(one.pauses.items(), key=lambda pair: (-pair[1].ms, pair[0]))
    return AgentTimes(
        user_id=one.user_id,
        name=one.name,
        available_seconds=one.available.ms / 1000,
        wrap_up_seconds=one.wrap_up.ms / 1000,
        paused_seconds=one.paused.ms / 1000,
        not_known_seconds=one.not_known / 1000,
        estimated=one.estimated,
        pauses=tuple(
            Pause(reason=reason or None, count=spent.count, seconds=spent.ms / 1000, estimated=spent.estimated)
            for reason, spent in longest
        ),
        ring_attempts=one.rings,
        answers=one.answers,
        talk_seconds=one.talk / 1000,
    )
