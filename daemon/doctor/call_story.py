"""Why a call had a popup or none: its decisions with their reasons in order, and what became of them.

Decisions not to act are not kept. They are made again here, by the policies themselves, of the call as it is kept and
the rules as the audit log says they were at that moment; what was done (popups, messages) is read, not guessed.
Whose phones rang without an answer is not kept, so what depends on that alone is not told.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from daemon.call.events import AgentConnected, CallAnswered, CallEnded, CallEvent
from daemon.call.model import Call, CallState, Direction, Outcome, UserId
from daemon.call.signals import UnixMs
from daemon.diagnosis import Finding, State, Step, Story
from daemon.doctor.call_words import decided, reason_words
from daemon.message import Message
from daemon.policy import announcement, called_back, catch_up, screen_pop, ticket
from daemon.policy.call_settings import Rulebook
from daemon.policy.decision import Decision, PopScreen, SkipPop
from daemon.store.call_pages import CallEntry, find_call
from daemon.store.delivery_pages import DeliveryFilter, read_deliveries
from daemon.store.outbox import POPUP
from daemon.store.past_rules import read_rules_at
from daemon.store.pops import Pop, read_call_pops
from daemon.store.reader import Reader
from daemon.store.values import DeliveryStatus
from daemon.store.work import Row
from daemon.web.ticket_words import MISSED_WHY
from daemon.web.vocabulary import REASONS, STATUSES

_MOST_DELIVERIES: Final = 200
_POLICIES: Final = (ticket.decide, called_back.decide, screen_pop.decide, announcement.decide)
"""Those that decide by events of which the store keeps enough."""
_READ: Final = Message("Nobody followed the call; it was read afterwards from what the PBX wrote.")


@dataclass(frozen=True, slots=True)
class _Kept:
    """All that is known of one call. `pops` with whether a desk was to open them."""

    call: Call
    pops: Sequence[tuple[Pop, bool]]
    deliveries: Sequence[Row]
    rules: Rulebook


async def tell_stories(reads: Reader, call_id: str, pbx: str | None) -> list[Story]:
    found = await find_call(reads, call_id)
    return [await _tell(reads, entry) for entry in found if pbx is None or entry.call.pbx == pbx]


async def _tell(reads: Reader, entry: CallEntry) -> Story:
    call = entry.call
    rows = await read_deliveries(reads, DeliveryFilter(call_id=call.call_id), _MOST_DELIVERIES, None)
    kept = _Kept(
        call,
        await read_call_pops(reads, call.pbx, call.call_id),
        [row for row in reversed(rows) if row["pbx"] == call.pbx],
        await read_rules_at(reads, call.answered_at or call.ended_at or call.started_at, call.queue),
    )
    made = list(_made(kept))
    steps = sorted([*(decided(at, one) for at, one in made), *_done(kept)], key=lambda step: step.at or 0)
    begun = [Step(at=call.started_at, what=_beginning(call), decision="call_started", user_id=None)]
    if call.caught_up:
        begun.append(Step(at=call.started_at, what=_READ, decision="caught_up", user_id=None))
    return Story(
        pbx=call.pbx,
        call_id=call.call_id,
        verdicts=tuple(_verdicts(kept, [decision for _, decision in made])),
        steps=(*begun, *steps),
    )


def _beginning(call: Call) -> Message:
    words = {
        Direction.INCOMING: Message("An incoming call began."),
        Direction.OUTGOING: Message("An outgoing call began."),
        Direction.INTERNAL: Message("A call between agents began."),
    }
    return words[call.direction]


def _made(kept: _Kept) -> Iterable[tuple[UnixMs, Decision]]:
    """What was decided when it happened, or when it was read afterwards: then less, as it was over."""
    call = kept.call
    if call.caught_up and call.ended_at is not None:
        return [(one.at, made) for one in catch_up.happened(call) for made in catch_up.decide(one, kept.rules, one.at)]
    return [(event.at, decision) for event in _events(kept) for decision in _judged(event, kept.rules)]


def _judged(event: CallEvent, rules: Rulebook) -> Iterable[Decision]:
    return (decision for policy in _POLICIES for decision in policy(event, rules, event.at))


def _events(kept: _Kept) -> list[CallEvent]:
    """What happened, as far as it is kept: who talked, when it was answered, when it ended."""
    call, events = kept.call, list[CallEvent]()
    if call.answered_at is not None:
        events.append(CallAnswered(call.answered_at, call))
        came = {pop.user_id: pop for pop, _ in kept.pops}
        for user_id in call.user_ids:
            pop = came.get(user_id)
            at = pop.at if pop else call.answered_at
            events.append(AgentConnected(at, call, user_id, pop.time_answer if pop else call.answered_at))
    if call.ended_at is not None:
        events.append(CallEnded(call.ended_at, call))
    return events


def _done(kept: _Kept) -> Iterable[Step]:
    """What the store says was done, and what became of it."""
    for pop, _ in kept.pops:
        user_id = pop.user_id
        yield Step(at=pop.at, what=Message("The popup was made."), decision="popup_made", user_id=user_id)
        if pop.opened_at is not None:
            opened = Message("A desk opened it.")
            yield Step(at=pop.opened_at, what=opened, decision="popup_opened", user_id=user_id)
        if pop.blocked_at is not None:
            blocked = Message("A browser did not let the window open.")
            yield Step(at=pop.blocked_at, what=blocked, decision="popup_blocked", user_id=user_id)
    for row in kept.deliveries:
        word, _ = STATUSES[row["status"]]
        what = Message("{event}: {state}. {error}", event=row["event_type"], state=word, error=_error(row))
        at = row["finished_at"] or row["created_at"]
        yield Step(at=at, what=what, decision="delivery", reason=row["status"], user_id=row["user_id"])


def _error(row: Row) -> Message | str:
    return REASONS.get(row["last_error"] or "", row["last_error"] or "")


# -- why there was a popup, or none ---------------------------------------------------------------------------------


def _verdicts(kept: _Kept, made: Sequence[Decision]) -> Iterable[Finding]:
    call = kept.call
    if not call.user_ids or call.answered_at is None:
        return [_nobody(call)]
    return [verdict for user_id in call.user_ids for verdict in _of_agent(kept, user_id, made)]


def _nobody(call: Call) -> Finding:
    check = "web.popup"
    if call.state is not CallState.ENDED and call.answered_at is None:
        return Finding(check=check, state=State.OK, what=Message("No popup yet: nobody has answered."))
    if call.outcome is Outcome.MISSED:
        why = MISSED_WHY.get(call.missed_reason or "", Message("no answer"))
        what = Message("No popup: no agent talked with the customer ({why}).", why=why)
        fix = Message(
            "If somebody did answer: whose phone was it? One that belongs to no agent counts as outside. Give it to "
            "its agent on the page Settings, Agents."
        )
        return Finding(check=check, state=State.OK, what=what, fix=fix)
    return Finding(check=check, state=State.OK, what=Message("No popup: no agent talked with the customer."))


def _of_agent(kept: _Kept, user_id: UserId, made: Sequence[Decision]) -> Iterable[Finding]:
    pops = [(pop, to_desk) for pop, to_desk in kept.pops if pop.user_id == user_id]
    if not pops:
        return [_of_the_past(user_id) if kept.call.caught_up else _no_pop(user_id, made)]
    return [
        *(_on_desk(pop) for pop, to_desk in pops if to_desk),
        *(_sent(row) for row in kept.deliveries if row["event_type"] == POPUP and row["user_id"] == user_id),
    ]


def _of_the_past(user_id: UserId) -> Finding:
    what = Message("No popup for {user}: nobody followed the talk; no page is opened for the past.", user=user_id)
    why = Message("Callwarden was down or not connected then, and read the call afterwards from the PBX's records.")
    return Finding(check="web.popup", state=State.OK, what=what, why=why, about=user_id)


def _no_pop(user_id: UserId, made: Sequence[Decision]) -> Finding:
    mine = [one for one in made if isinstance(one, SkipPop | PopScreen) and one.user_id == user_id]
    skipped = next((one for one in mine if isinstance(one, SkipPop)), None)
    if skipped is not None:
        what = Message("No popup for {user}: {why}", user=user_id, why=reason_words(skipped.reason))
        return Finding(check="web.popup", state=State.OK, what=what, about=user_id)
    what = Message("By the settings of that moment a popup was due for {user}, and none was made.", user=user_id)
    why = Message(
        "Callwarden was probably not connected when the agent answered: calls that are found going on open no page. Or "
        "the settings were changed in that very second."
    )
    fix = Message("The log at that time says whether it was restarted or had lost the PBX.")
    return Finding(check="web.popup", state=State.WARNING, what=what, why=why, fix=fix, about=user_id)


def _on_desk(pop: Pop) -> Finding:
    check, user = "web.popup", pop.user_id
    if pop.opened_at is not None:
        what = Message("A desk of {user} opened the popup.", user=user)
        return Finding(check=check, state=State.OK, what=what, about=user)
    if pop.blocked_at is not None:
        what = Message("The browser of {user} did not let the popup open.", user=user)
        fix = Message("In that browser, allow popups for this address; the desk's check of popups shows how.")
        return Finding(check=check, state=State.PROBLEM, what=what, fix=fix, about=user)
    what = Message("The popup of {user} was ready, and no desk took it.", user=user)
    why = Message(
        "No tab with the desk was open and signed in as this agent within ten minutes. Where agents work in another "
        "system alone, that is as it should be."
    )
    fix = Message("Open the desk, signed in with an account that belongs to this agent, and leave it open.")
    return Finding(check=check, state=State.WARNING, what=what, why=why, fix=fix, about=user)


def _sent(row: Row) -> Finding:
    check, user, state = "web.popup", row["user_id"], DeliveryStatus(row["status"])
    if state is DeliveryStatus.DELIVERED:
        what = Message("The popup of {user} was sent to the configured system, which took it.", user=user)
        return Finding(check=check, state=State.OK, what=what, about=user)
    if state is DeliveryStatus.PENDING:
        what = Message("The popup of {user} is still to be sent. {error}", user=user, error=_error(row))
        return Finding(check=check, state=State.WARNING, what=what, about=user)
    what = Message("The popup of {user} was not taken by the configured system: {error}", user=user, error=_error(row))
    fix = Message("The page Settings, Deliveries, shows every attempt and its answer.")
    return Finding(check=check, state=State.PROBLEM, what=what, fix=fix, about=user)
