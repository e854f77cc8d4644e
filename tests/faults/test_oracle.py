"""The oracle finds what it is there to find: an effect too few, one too many, one that is not so."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import replace

import pytest

from tests.faults.observed import POPUP, Observed, StoredCall, StoredTicket
from tests.faults.oracle import Expecting, judge
from tests.faults.tally import Tally
from tests.faults.truth import Heard, Played, Talk

ANSWERED = Played("1.1", "incoming", "+84901", "1900", "support", 10.0, 20.0, (Talk("an", 12.0, 19.0),))
MISSED = (
    Played("1.5", "incoming", "+84902", "1900", "support", 10.0, 14.0),
    Played("1.7", "incoming", "+84902", "1900", "support", 15.0, 19.0),
)
CALLS = (ANSWERED, *MISSED)
EXPECTING = Expecting("incoming", ("/hook",))


def as_it_should_be() -> Observed:
    kinds = {"1.1": ("call.answered", "call.ended"), "1.5": ("call.ended", "call.missed")}
    kinds["1.7"] = kinds["1.5"]
    events = [(kind, call_id, "") for call_id, told in kinds.items() for kind in (*told, "call.ringing")]
    events += [("ticket.created", "1", ""), ("ticket.created", "2", ""), ("ticket.merged", "2", "1.7")]
    return Observed(
        calls={
            "1.1": StoredCall("incoming", "answered", "+84901", "1900", "support", ("an",), "ended"),
            "1.5": StoredCall("incoming", "missed", "+84902", "1900", "support", (), "ended"),
            "1.7": StoredCall("incoming", "missed", "+84902", "1900", "support", (), "ended"),
        },
        tickets={1: StoredTicket("incoming", 0), 2: StoredTicket("missed_incoming", 2)},
        ticket_of={"1.1": 1, "1.5": 2, "1.7": 2},
        popups=Counter({("1.1", "an"): 1}),
        arrivals={
            "/pop": {(POPUP, "1.1", "an"): Counter({"msg_pop": 1})},
            "/hook": {event: Counter({f"msg_{n}": 1}) for n, event in enumerate(events)},
        },
    )


def counts(tally: Tally) -> tuple[int, int, int]:
    return tally.lost, tally.doubled, tally.wrong


def test_what_is_as_it_should_be_counts_as_such() -> None:
    tally = judge(CALLS, as_it_should_be(), EXPECTING)
    assert counts(tally) == (0, 0, 0)
    assert (tally.calls, tally.effects) == (3, 3 + 3 + 1 + 9 + 3)


def forget_a_call(found: Observed) -> None:
    del found.calls["1.5"]


def forget_a_ticket(found: Observed) -> None:
    del found.ticket_of["1.1"], found.tickets[1]


def forget_a_popup(found: Observed) -> None:
    found.arrivals["/pop"].clear()


def forget_an_event(found: Observed) -> None:
    del found.arrivals["/hook"]["call.missed", "1.7", ""]


def split_a_ticket(found: Observed) -> None:
    found.ticket_of["1.7"], found.tickets[3] = 3, StoredTicket("missed_incoming", 1)
    found.arrivals["/hook"]["ticket.created", "3", ""] = Counter({"msg_x": 1})


def pop_again(found: Observed) -> None:
    found.arrivals["/pop"][POPUP, "1.1", "an"]["msg_other"] = 1


def pop_for_another(found: Observed) -> None:
    found.arrivals["/pop"][POPUP, "1.1", "binh"] = Counter({"msg_b": 1})


def take_it_for_missed(found: Observed) -> None:
    found.calls["1.1"] = replace(found.calls["1.1"], outcome="missed")


def leave_it_open(found: Observed) -> None:
    found.calls["1.5"] = replace(found.calls["1.5"], state="ringing", outcome=None)


def join_strangers(found: Observed) -> None:
    found.ticket_of["1.1"] = 2
    del found.tickets[1]


def invent_a_call(found: Observed) -> None:
    found.calls["9.9"] = found.calls["1.1"]


@pytest.mark.parametrize(
    ("damage", "lost", "doubled", "wrong"),
    [
        (forget_a_call, True, False, False),
        (forget_a_ticket, True, False, False),
        (forget_a_popup, True, False, False),
        (forget_an_event, True, False, False),
        (split_a_ticket, False, True, False),
        (pop_again, False, True, False),
        (pop_for_another, False, False, True),
        (take_it_for_missed, False, False, True),
        (leave_it_open, False, False, True),
        (join_strangers, True, False, True),
        (invent_a_call, False, False, True),
    ],
)
def test_each_damage_is_counted_as_what_it_is(
    damage: Callable[[Observed], None], lost: bool, doubled: bool, wrong: bool
) -> None:
    found = as_it_should_be()
    damage(found)
    assert tuple(map(bool, counts(judge(CALLS, found, EXPECTING)))) == (lost, doubled, wrong)


def test_a_message_that_comes_again_under_its_id_is_a_repeat_and_not_doubled() -> None:
    found = as_it_should_be()
    found.arrivals["/pop"][POPUP, "1.1", "an"]["msg_pop"] = 3
    tally = judge(CALLS, found, EXPECTING)
    assert (tally.repeats, counts(tally)) == (2, (0, 0, 0))


def test_what_fell_into_a_gap_is_not_held_against_anybody_and_what_did_not_is() -> None:
    gap = replace(EXPECTING, heard=Heard(((0.0, 5.0), (14.5, 99.0)), margin_s=1.0))
    found = as_it_should_be()
    del found.calls["1.5"], found.ticket_of["1.5"]
    found.tickets[2] = StoredTicket("missed_incoming", 1)
    for kind, about in (("call.ended", "1.5"), ("call.missed", "1.5"), ("call.ringing", "1.5")):
        del found.arrivals["/hook"][kind, about, ""]
    del found.arrivals["/hook"]["ticket.merged", "2", "1.7"]
    tally = judge(CALLS, found, gap)
    assert (tally.unseen + tally.cut, counts(tally)) == (1, (0, 0, 0))
    forget_a_popup(found)
    assert judge(CALLS, found, gap).lost == 1


GAP = Heard(((0.0, 5.0), (30.0, 99.0)), margin_s=1.0)
"""All three calls fell into it."""
READ = replace(EXPECTING, heard=GAP, records=True)


def as_read_afterwards() -> Observed:
    """What is for its moment was not told."""
    found = as_it_should_be()
    found.arrivals["/pop"].clear()
    for event in [one for one in found.arrivals["/hook"] if one[0] in ("call.ringing", "call.answered")]:
        del found.arrivals["/hook"][event]
    return found


def test_where_the_pbx_keeps_records_a_gap_excuses_nothing_and_its_moments_are_not_due() -> None:
    tally = judge(CALLS, as_read_afterwards(), READ)
    assert (tally.unseen, tally.cut, counts(tally)) == (3, 0, (0, 0, 0))


@pytest.mark.parametrize(
    ("damage", "lost", "wrong"),
    [
        (forget_a_call, True, False),
        (forget_a_ticket, True, False),
        (forget_an_event, True, False),
        (take_it_for_missed, False, True),
        (lambda found: found.arrivals["/pop"].update({(POPUP, "1.1", "an"): Counter({"msg_pop": 1})}), False, True),
        (lambda found: found.arrivals["/hook"].update({("call.answered", "1.1", ""): Counter("a")}), False, True),
        (lambda found: found.arrivals["/hook"].update({("call.ringing", "1.5", ""): Counter("a")}), False, True),
    ],
)
def test_what_was_not_read_or_was_told_as_if_it_happened_now_is_counted(
    damage: Callable[[Observed], None], lost: bool, wrong: bool
) -> None:
    found = as_read_afterwards()
    damage(found)
    tally = judge(CALLS, found, READ)
    assert (bool(tally.lost), bool(tally.wrong)) == (lost, wrong)
