"""Real calls, recorded on real Asterisks with the truth as the phones knew it."""

from __future__ import annotations

from typing import Any

import pytest

from daemon.call.events import AgentConnected
from daemon.call.model import Call, Direction, Outcome
from daemon.call.number import customer_number
from tests.call.readings import as_the_contract_reads
from tests.call.recorded import Recording, new_tracker, recordings, track

ANSWER_TOLERANCE_MS = 50


def facts(call: Call, expected: dict[str, Any]) -> dict[str, object]:
    """The facts of a call that the truth speaks of, in its words."""
    talked = list(call.user_ids) if call.outcome is Outcome.ANSWERED else []
    return {
        "direction": call.direction.value,
        "customer": call.customer_number,
        "hotline": call.hotline if "hotline" in expected else None,
        "queue": call.queue,
        "agents": talked,
        "outcome": call.outcome and call.outcome.value,
        "ended_by": (call.ended_by and call.ended_by.value) if expected.get("ended_by") else None,
    }


def truth(expected: dict[str, Any], country: str) -> dict[str, object]:
    """The same facts as seen from outside. A click-to-call never dialled has shown no hotline to anybody."""
    never_dialled = bool(expected.get("no_ticket")) and expected["direction"] == "outgoing"
    return {
        "direction": expected["direction"],
        "customer": customer_number(expected["customer"], country),
        "hotline": None if never_dialled else expected.get("hotline"),
        "queue": expected.get("queue"),
        "agents": list(dict.fromkeys(expected["agents"])) if expected["outcome"] == "answered" else [],
        "outcome": expected["outcome"],
        "ended_by": expected.get("ended_by"),
    }


@pytest.mark.parametrize("recording", recordings(), ids=lambda recording: recording.name)
def test_every_recorded_call_is_understood_as_the_people_on_the_phones_knew_it(recording: Recording) -> None:
    events, calls = track(new_tracker(recording), recording.signals())
    country = recording.directory.country
    truths = as_the_contract_reads(recording.truth["scenario"], recording.truth["calls"])
    for direction in ("incoming", "outgoing"):
        seen = [call for call in calls if call.direction.value == direction]
        expected = [call for call in truths if call["direction"] == direction]
        assert [facts(c, e) for c, e in zip(seen, expected, strict=False)] == [truth(e, country) for e in expected]
        assert len(seen) == len(expected)
        for call, people in zip(seen, expected, strict=True):
            check_answer_times(call, people, [e for e in events if isinstance(e, AgentConnected)])
    internal = [call.user_ids for call in calls if call.direction is Direction.INTERNAL]
    for people in truths:
        if people["direction"] == "internal" and people["outcome"] == "answered":
            assert tuple(people["agents"]) in {users[-len(people["agents"]) :] for users in internal}


def check_answer_times(call: Call, people: dict[str, Any], connected: list[AgentConnected]) -> None:
    answered = people.get("answered_at") or []
    if not answered or people["outcome"] != "answered":
        return
    assert call.answered_at is not None
    assert abs(call.answered_at - answered[0] * 1000) <= ANSWER_TOLERANCE_MS
    mine = [event.answered_at for event in connected if event.call.call_id == call.call_id]
    assert len(mine) == len(set(people["agents"]))
    first_times = dict(reversed(list(zip(people["agents"], answered, strict=False))))
    for at, expected in zip(mine, sorted(first_times.values()), strict=False):
        assert abs(at - expected * 1000) <= ANSWER_TOLERANCE_MS
