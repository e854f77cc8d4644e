"""An invented day with names from this installation, judged by the real policies: what the settings page shows.

Nothing here is kept or sent; it answers "what would happen" for settings that are not saved yet.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Final

import phonenumbers
from phonenumbers import PhoneNumberFormat, PhoneNumberType

from daemon.call.events import CallEnded
from daemon.call.model import Call, CallId, CallState, Direction, EndedBy, MissedReason, Outcome, PbxName, UserId
from daemon.call.signals import UnixMs
from daemon.policy import customer_lookup, screen_pop, ticket
from daemon.policy.call_settings import CallSettings, MissedCallMerge, Rulebook
from daemon.policy.decision import OpenTicket
from daemon.policy.popup_url import LOOKUP_PARAMETERS, fill
from daemon.store.agents import read_agents
from daemon.store.hotlines import read_hotlines
from daemon.store.queues import read_queue_page
from daemon.store.reader import Reader

_MISSED_FIRST_QUEUE: Final = 3
_MISSED_SECOND_QUEUE: Final = 1
_MISSED_OUTGOING: Final = 2
_RING_MS: Final = 12_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """Who is in the invented day. `now` is its moment of answer."""

    user_id: str
    agent_name: str
    hotline: str
    queues: tuple[str, str]
    now: UnixMs


async def read_sample(reads: Reader, queue_words: tuple[str, str], now: UnixMs) -> Sample:
    """The first agent, hotline and two queues of this installation; usual names where there are none."""
    agents = await read_agents(reads, "", 1)
    hotlines = await read_hotlines(reads, "", 1)
    queues = [name for name, _ in await read_queue_page(reads, "", 2)]
    first, second = [*queues, *(word for word in queue_words if word not in queues)][:2]
    return Sample(
        user_id=agents[0].user_id if agents else "an",
        agent_name=agents[0].name if agents else "An",
        hotline=hotlines[0].number if hotlines else "19001234",
        queues=(first, second),
        now=now,
    )


def customer(country: str) -> str:
    """A mobile number of this country that belongs to nobody, in E.164."""
    number = phonenumbers.example_number_for_type(country, PhoneNumberType.MOBILE) or phonenumbers.example_number(
        country
    )
    return phonenumbers.format_number(number, PhoneNumberFormat.E164) if number else "+84901701234"


def spoken_number(number: str, country: str) -> str:
    """In groups, as people of this country write it."""
    parsed = phonenumbers.parse(number, country)
    return phonenumbers.format_number(parsed, PhoneNumberFormat.NATIONAL)


def answered_call(sample: Sample, settings: CallSettings, direction: Direction = Direction.INCOMING) -> Call:
    number, agent = customer(settings.country), UserId(sample.user_id)
    return Call(
        call_id=CallId(f"{sample.now // 1000}.42"),
        pbx=PbxName("main"),
        direction=direction,
        customer_number=number,
        customer_number_raw=spoken_number(number, settings.country).replace(" ", ""),
        customer_name=None,
        hotline=sample.hotline,
        queue=sample.queues[0] if direction is Direction.INCOMING else None,
        user_id=agent,
        user_ids=(agent,),
        state=CallState.ANSWERED,
        outcome=Outcome.ANSWERED,
        missed_reason=None,
        started_at=UnixMs(sample.now - _RING_MS),
        queued_at=None,
        answered_at=sample.now,
        ended_at=None,
        ended_by=None,
        hangup_cause=None,
        customer_dialled=True,
    )


def sample_url(url: str, sample: Sample, settings: CallSettings, direction: Direction = Direction.INCOMING) -> str:
    """The address that would be opened for this agent's call."""
    call = answered_call(sample, settings, direction)
    return fill(url, screen_pop.parameters(call, UserId(sample.user_id), sample.now, settings))


def sample_lookup_url(url: str, sample: Sample, settings: CallSettings) -> str:
    """The address that would be asked who calls."""
    return fill(url, customer_lookup.parameters(answered_call(sample, settings), settings), LOOKUP_PARAMETERS)


def missed_day(sample: Sample, settings: CallSettings) -> tuple[Call, ...]:
    """One customer misses us in two queues, and we miss him."""
    first, second = sample.queues
    calls = [
        *(_missed(sample, settings, Direction.INCOMING, first) for _ in range(_MISSED_FIRST_QUEUE)),
        *(_missed(sample, settings, Direction.INCOMING, second) for _ in range(_MISSED_SECOND_QUEUE)),
        *(_missed(sample, settings, Direction.OUTGOING, None) for _ in range(_MISSED_OUTGOING)),
    ]
    return tuple(replace(call, call_id=CallId(f"{call.call_id}{number}")) for number, call in enumerate(calls))


def ticket_groups(calls: Sequence[Call], rules: Rulebook) -> tuple[tuple[Call, ...], ...]:
    """The calls by the ticket they would share; a call that gets none is left out."""
    keyed = [(decision.merge_key, call) for call in calls for decision in _tickets(call, rules)]
    return tuple(tuple(call for _, call in group) for _, group in groupby(keyed, key=lambda pair: pair[0]))


def _tickets(call: Call, rules: Rulebook) -> Iterator[OpenTicket]:
    decisions = ticket.decide(CallEnded(call.ended_at or call.started_at, call), rules, call.started_at)
    return (decision for decision in decisions if isinstance(decision, OpenTicket))


def _missed(sample: Sample, settings: CallSettings, direction: Direction, queue: str | None) -> Call:
    return replace(
        answered_call(sample, settings, direction),
        queue=queue,
        user_id=None,
        user_ids=(),
        state=CallState.ENDED,
        outcome=Outcome.MISSED,
        missed_reason=MissedReason.ABANDONED,
        answered_at=None,
        ended_at=sample.now,
        ended_by=EndedBy.CUSTOMER,
    )


# -- the small picture of a merge mode: one mark a call, one frame a ticket -----------------------------------------

_MARK: Final = 12
_GAP: Final = 4
_FRAME: Final = 5
_APART: Final = 4


@dataclass(frozen=True, slots=True)
class Mark:
    """`kind` is `in` (first queue), `second` (second queue) or `out`; `x` in the picture's units."""

    x: int
    kind: str


@dataclass(frozen=True, slots=True)
class Frame:
    """One ticket."""

    x: int
    width: int
    marks: tuple[Mark, ...]


def picture(mode: MissedCallMerge, sample: Sample) -> tuple[Frame, ...]:
    """Drawn from what the policy decides, so it cannot tell anything else than what happens."""
    settings = CallSettings(missed_call_merge=mode)
    frames: list[Frame] = []
    x = 1
    for group in ticket_groups(missed_day(sample, settings), Rulebook(settings)):
        marks = tuple(Mark(x + _FRAME + i * (_MARK + _GAP), _kind(call, sample)) for i, call in enumerate(group))
        width = 2 * _FRAME + len(group) * (_MARK + _GAP) - _GAP
        frames.append(Frame(x, width, marks))
        x += width + _APART
    return tuple(frames)


def _kind(call: Call, sample: Sample) -> str:
    if call.direction is Direction.OUTGOING:
        return "out"
    return "in" if call.queue == sample.queues[0] else "second"
