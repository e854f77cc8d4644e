"""What a stream of calls must have led to, judged from the truth about it and never from the daemon's own view.

The merge rule stands here a second time, in its plainest form: an oracle shares no code with what it judges.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import inf

from tests.faults.observed import POPUP, Key, Observed
from tests.faults.tally import Tally
from tests.faults.truth import ALWAYS, Heard, Played

_MERGED = {
    "none": (),
    "incoming": ("incoming",),
    "incoming_and_outgoing": ("incoming", "outgoing"),
    "incoming_per_queue_and_outgoing": ("incoming", "outgoing"),
}
_END = {"answered": ("call.answered", "call.ended"), "missed": ("call.ended", "call.missed")}


@dataclass(frozen=True, slots=True)
class Expecting:
    """The settings of a trial. At `hooks` and `popup_path` everything must arrive; None: no popups by webhook.

    With `records` the PBX's CDR is read, so nothing is excused: each call, ticket and event of its end is due, and only
    what is for its moment (popups, `call.ringing`, `call.answered`) is due where it was followed and refused elsewhere.
    """

    merge: str = "none"
    hooks: Sequence[str] = ()
    popup_path: str | None = "/pop"
    heard: Heard = ALWAYS
    records: bool = False


def judge(played: Iterable[Played], observed: Observed, expecting: Expecting) -> Tally:
    """Count what is lost, doubled or wrong."""
    tally, known = Tally(), dict[str, Played]()
    everything = {call.call_id: call for call in played}
    for call in everything.values():
        tally.calls += 1
        if expecting.records or expecting.heard.surely(call.began, call.ended):
            known[call.call_id] = call
        elif expecting.heard.perhaps(call.began, call.ended):
            tally.cut += 1
        else:
            tally.unseen += 1
        if expecting.records and not expecting.heard.perhaps(call.began, call.ended):
            tally.unseen += 1
    outcomes = {call_id: _call(call, observed, expecting, tally) for call_id, call in known.items()}
    _strangers(everything, observed, tally)
    _tickets(everything, outcomes, observed, expecting, tally)
    if expecting.popup_path is not None:
        _popups(everything, known, observed, expecting, tally)
    for path in expecting.hooks:
        _events(known, outcomes, observed.arrivals.get(path, {}), expecting, path, tally)
        _ticket_events(observed, observed.arrivals.get(path, {}), path, tally)
    return tally


def _call(call: Played, observed: Observed, expecting: Expecting, tally: Tally) -> str:
    """Judge the stored row; return the outcome by which its other effects are judged."""
    heard = expecting.heard
    outcomes = (call.outcome,) if expecting.records else _outcomes(call, heard)
    stored = observed.calls.get(call.call_id)
    tally.due(stored is None, f"call {call.call_id}")
    if stored is None:
        return outcomes[0]
    if len(outcomes) > 1:
        tally.cut += 1
    # A list of channels does not tell what was dialled once the call was transferred.
    dialled = call.talks[0].until if len(call.talks) > 1 else call.ended
    hotline = call.hotline if heard.surely(call.began, dialled) else stored.hotline
    read = expecting.records and not heard.perhaps(call.ended, call.ended)
    surely = {talk.user_id for talk in call.talks if read or heard.surely(talk.since, talk.until)}
    right = (
        (stored.state == "ended") == (call.ended < inf)
        and stored.outcome in outcomes
        and (stored.direction, stored.customer, stored.hotline, stored.queue)
        == (call.direction, call.customer, hotline, call.queue)
        and surely <= set(stored.users) <= {*(talk.user_id for talk in call.talks), call.caller}
    )
    if not right:
        tally.mistake(f"{stored} is {call}")
    return stored.outcome if stored.outcome in outcomes else outcomes[0]


def _outcomes(call: Played, heard: Heard) -> tuple[str, ...]:
    if not call.talks:
        return ("missed",)
    if _followed(call, heard):
        return ("answered",)
    return "answered", "missed"  # answered and ended where nobody listened


def _strangers(everything: dict[str, Played], observed: Observed, tally: Tally) -> None:
    for call_id in observed.calls.keys() - everything.keys():
        tally.mistake(f"nobody made call {call_id}: {observed.calls[call_id]}")


def _tickets(
    everything: dict[str, Played],
    outcomes: dict[str, str],
    observed: Observed,
    expecting: Expecting,
    tally: Tally,
) -> None:
    groups: dict[tuple[str, ...], list[str]] = defaultdict(list)
    for call_id, call in everything.items():
        stored = observed.calls.get(call_id)
        outcome = outcomes.get(call_id) or (stored.outcome if stored else None)
        if outcome is None:
            continue  # not followed, and nothing is known of it
        groups[_merge_key(call, outcome, expecting.merge)].append(call_id)
    owner: dict[int, tuple[str, ...]] = {}
    for key, members in groups.items():
        for call_id in members:
            if call_id in outcomes:
                tally.due(call_id not in observed.ticket_of, f"ticket of {call_id}")
        mine = {observed.ticket_of[call_id] for call_id in members if call_id in observed.ticket_of}
        if len(mine) > 1:
            tally.double(f"tickets {sorted(mine)} of {key}", len(mine) - 1)
        for ticket_id in mine:
            kind, count = observed.tickets[ticket_id].kind, observed.tickets[ticket_id].missed_count
            if owner.setdefault(ticket_id, key) != key:
                tally.mistake(f"ticket {ticket_id} holds {key} and {owner[ticket_id]}")
            if kind != key[0] or (kind.startswith("missed") and len(mine) == 1 and count != len(members)):
                tally.mistake(f"ticket {ticket_id} of {key}, {members}: {kind}, {count} missed")
    for ticket_id in observed.tickets.keys() - owner.keys():
        tally.mistake(f"ticket {ticket_id} is nobody's")


def _merge_key(call: Played, outcome: str, merge: str) -> tuple[str, ...]:
    if outcome == "answered":
        return call.direction, call.call_id
    kind = f"missed_{call.direction}"
    if call.direction not in _MERGED[merge]:
        return kind, call.call_id
    if merge == "incoming_per_queue_and_outgoing" and call.direction == "incoming":
        return kind, call.customer, str(call.queue)
    return kind, call.customer


def _popups(
    everything: dict[str, Played],
    known: dict[str, Played],
    observed: Observed,
    expecting: Expecting,
    tally: Tally,
) -> None:
    arrived = observed.arrivals.get(expecting.popup_path or "", {})
    for call in known.values():
        for user in {t.user_id for t in call.talks if expecting.heard.surely(t.since, t.until)}:
            tally.due((POPUP, call.call_id, user) not in arrived, f"popup of {call.call_id} for {user}")
    for (call_id, user), rows in observed.popups.items():
        if rows > 1:
            tally.double(f"{rows} rows of the popup of {call_id} for {user}", rows - 1)
    for key in arrived:
        talks = [talk for talk in (everything[key[1]].talks if key[1] in everything else ()) if talk.user_id == key[2]]
        if not any(expecting.heard.perhaps(talk.since, talk.until) for talk in talks):
            tally.mistake(f"a popup that nobody asked for, or of the past: {key}")
    _count_ids(arrived, tally)


def _events(
    known: dict[str, Played],
    outcomes: dict[str, str],
    arrived: dict[Key, Counter[str]],
    expecting: Expecting,
    path: str,
    tally: Tally,
) -> None:
    heard = expecting.heard
    kinds: dict[str, set[str]] = defaultdict(set)
    for kind, about, _ in arrived:
        kinds[about].add(kind)
    for call_id, call in known.items():
        due = set(_END[outcomes[call_id]]) if call.ended < inf else {"call.answered"}
        due |= {"call.ringing"} if heard.wholly(call.began, call.ended) else set()
        if expecting.records and not _followed(call, heard):
            due.discard("call.answered")
        for kind in due:
            tally.due(kind not in kinds[call_id], f"{kind} of {call_id} at {path}")
        if unasked := kinds[call_id] - due - _allowed(call, heard):
            tally.mistake(f"{sorted(unasked)} of {call_id} at {path}, which was {outcomes[call_id]}")
    _count_ids(arrived, tally)


def _allowed(call: Played, heard: Heard) -> set[str]:
    """What was for its moment may have been told where that moment may have been seen."""
    ringing = {"call.ringing"} if heard.perhaps(call.began, call.ended) else set[str]()
    talked = any(heard.perhaps(talk.since, talk.until) for talk in call.talks)
    return ringing | ({"call.answered"} if talked else set())


def _followed(call: Played, heard: Heard) -> bool:
    return any(heard.surely(talk.since, talk.until) for talk in call.talks)


def _ticket_events(observed: Observed, arrived: dict[Key, Counter[str]], path: str, tally: Tally) -> None:
    """One `ticket.created` a ticket, one `ticket.merged` for each call after its first."""
    members = Counter(observed.ticket_of.values())
    merged = Counter(int(about) for kind, about, _ in arrived if kind == "ticket.merged")
    for ticket_id, calls in members.items():
        tally.due(("ticket.created", str(ticket_id), "") not in arrived, f"ticket.created of {ticket_id} at {path}")
        tally.effects += calls - 1
        if (missing := calls - 1 - merged[ticket_id]) > 0:
            tally.lose(f"{missing} ticket.merged of {ticket_id} at {path}")
        elif missing < 0:
            tally.double(f"ticket.merged of {ticket_id} at {path}", -missing)


def _count_ids(arrived: dict[Key, Counter[str]], tally: Tally) -> None:
    for key, ids in arrived.items():
        if len(ids) > 1:
            tally.double(f"{key} under {len(ids)} ids", len(ids) - 1)
        tally.repeats += sum(ids.values()) - len(ids)
