"""A call that nobody followed, understood from what the PBX wrote of it: the same fields, by the same words.

Records have whole seconds and no bridges, so less is known: README of tests/recordings/cdr says what.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from daemon.call.directory import Directory
from daemon.call.model import (
    Call,
    CallId,
    CallState,
    Direction,
    EndedBy,
    MissedReason,
    Outcome,
    PbxName,
    UserId,
)
from daemon.call.number import customer_number, hotline_number, is_telephone
from daemon.call.records import Attempt, Party, QueueNote, QueueStep
from daemon.call.signals import ChannelId, ChannelKind, DialStatus, UnixMs

_HANGUP = "hangup"
_ORIGINATED = "appdial2"  # the channel of a click-to-call whose phone was not taken
_REASONS = {
    DialStatus.BUSY: MissedReason.BUSY,
    DialStatus.NO_ANSWER: MissedReason.NO_ANSWER,
    DialStatus.CONGESTION: MissedReason.FAILED,
    DialStatus.UNAVAILABLE: MissedReason.UNREACHABLE,
}


@dataclass(frozen=True, slots=True)
class PastCall:
    """`ids` are all channels known to belong to it: the store may know the call by any of them."""

    call: Call
    ids: frozenset[ChannelId]


@dataclass(frozen=True, slots=True)
class _Talk:
    """An agent had the other side."""

    user_id: UserId
    at: UnixMs


def understand(
    pbx: PbxName, attempts: Iterable[Attempt], notes: Iterable[QueueNote], directory: Directory
) -> PastCall | None:
    """One call from all its records; None where no phone or trunk took part."""
    rows = sorted(
        (one for one in attempts if one.caller.kind is not ChannelKind.PSEUDO),
        key=lambda one: (one.started_at, one.order),
    )
    first = _first(rows)
    if first is None:
        return None
    story = _Story(pbx, first, rows, sorted(notes, key=lambda note: note.at), directory)
    if story.direction is Direction.INTERNAL and not any(row.callee is not None for row in rows):
        return None  # an agent dialled a service of the PBX
    return PastCall(story.call(), frozenset({first.group, *(row.channel for row in rows)}))


def completed(known: Call, past: Call) -> Call:
    """What was seen live of a call is truer than its records; its end is in them alone."""
    answered_at = known.answered_at if known.answered_at is not None else past.answered_at
    users = tuple(dict.fromkeys((*known.user_ids, *past.user_ids)))
    return replace(
        past,
        call_id=known.call_id,
        direction=known.direction,
        customer_number=known.customer_number,
        customer_number_raw=known.customer_number_raw,
        customer_name=known.customer_name or past.customer_name,
        hotline=known.hotline or past.hotline,
        queue=known.queue or past.queue,
        user_id=past.user_id or known.user_id,
        user_ids=users,
        outcome=Outcome.ANSWERED if answered_at is not None else past.outcome,
        missed_reason=None if answered_at is not None else past.missed_reason,
        started_at=known.started_at,
        queued_at=known.queued_at or past.queued_at,
        rung_at=known.rung_at or past.rung_at,
        answered_at=answered_at,
        customer_dialled=known.customer_dialled or past.customer_dialled,
        lost=known.lost,
        hangup_reason=known.hangup_reason,
    )


def _first(rows: Sequence[Attempt]) -> Attempt | None:
    """The record of the call's first channel; where that is a wire inside the PBX, of its first phone."""
    phones = [row for row in rows if row.caller.kind is ChannelKind.DEVICE]
    return next((row for row in phones if row.channel == row.group), phones[0] if phones else None)


class _Story:
    """What the records of one call say, question by question."""

    def __init__(
        self,
        pbx: PbxName,
        first: Attempt,
        rows: Sequence[Attempt],
        notes: Sequence[QueueNote],
        directory: Directory,
    ) -> None:
        self.pbx = pbx
        self.first = first
        self.rows = rows
        self.notes = notes
        self.directory = directory
        self.own = [row for row in rows if row.channel == first.channel]
        self.user_id = directory.agent_at(first.caller.endpoint)
        self.reached_out = self._reached_out()
        self.direction = self._direction()

    def call(self) -> Call:
        talks = self._talks()
        outcome = self._outcome(talks)
        raw, queued = self._customer(), self._entered()
        answered_at = talks[0].at if talks else None
        users = tuple(dict.fromkeys(talk.user_id for talk in talks)) or self._caller()
        return Call(
            call_id=CallId(self.first.group),
            pbx=self.pbx,
            direction=self.direction,
            customer_number=customer_number(raw, self.directory.country) if raw else None,
            customer_number_raw=raw,
            customer_name=self.first.name if self.direction is Direction.INCOMING else None,
            hotline=self._hotline(),
            queue=self._queue(),
            user_id=users[-1] if users else None,
            user_ids=users,
            state=CallState.ENDED,
            outcome=outcome,
            missed_reason=self._missed_reason() if outcome is Outcome.MISSED else None,
            started_at=self.first.started_at,
            queued_at=queued.at if queued else None,
            answered_at=answered_at,
            ended_at=max([*(row.ended_at for row in self.rows), answered_at or UnixMs(0)]),
            ended_by=self._ended_by(outcome),
            hangup_cause=None,
            customer_dialled=bool(self.reached_out),
            caught_up=True,
        )

    # -- who calls whom ------------------------------------------------------------------------------------------

    def _reached_out(self) -> list[Attempt]:
        """Attempts of an agent's call to reach somebody outside."""
        if self.user_id is None:
            return []
        return [row for row in self.rows if row.callee is not None and self._is_outside(row, row.callee)]

    def _is_outside(self, row: Attempt, callee: Party) -> bool:
        return callee.kind is ChannelKind.DEVICE and self._agent(row, callee) is None

    def _agent(self, row: Attempt, callee: Party) -> UserId | None:
        """Whose phone was called: his endpoint, or his own number through a trunk."""
        if callee.kind is not ChannelKind.DEVICE:
            return None
        at_phone = self.directory.agent_at(callee.endpoint)
        if at_phone is not None or not self.directory.numbers:
            return at_phone
        return self.directory.agent_with(row.dialled)

    def _direction(self) -> Direction:
        if self.user_id is None:
            return Direction.INCOMING
        if self.reached_out or self._was_ordered() or self._had_no_line():
            return Direction.OUTGOING
        return Direction.INTERNAL

    def _was_ordered(self) -> bool:
        """A click-to-call that ended at the agent's own phone: it shows him whom it would have called."""
        return self.first.application == _ORIGINATED and is_telephone(self.first.number)

    def _had_no_line(self) -> bool:
        """An agent dialled a telephone number and the PBX had no line to dial it on."""
        called = any(row.callee is not None for row in self.rows)
        return not called and self.first.answered_at is None and is_telephone(self.first.dialled)

    def _customer(self) -> str | None:
        if self.direction is Direction.INCOMING:
            return self.first.number
        if self.direction is Direction.INTERNAL:
            return None
        if self.reached_out:
            return next((row for row in self.reached_out if row.connected), self.reached_out[-1]).dialled
        return self.first.number if self._was_ordered() else self.first.dialled

    def _caller(self) -> tuple[UserId, ...]:
        return () if self.user_id is None else (self.user_id,)

    def _hotline(self) -> str | None:
        if self.direction is Direction.INCOMING:
            return hotline_number(self.first.hotline or self.first.dialled)
        if self.direction is Direction.INTERNAL or self._was_ordered():
            return None
        return hotline_number((self.reached_out or [self.first])[0].number)

    # -- who answered --------------------------------------------------------------------------------------------

    def _talks(self) -> list[_Talk]:
        """Who talked to the customer (of an internal call: who answered), and since when.

        Of an outgoing call the first is who called, since the customer's answer.
        """
        found = [
            _Talk(user, self._answered_at(row))
            for row in self._answers()
            if row.callee is not None and (user := self._agent(row, row.callee))
        ]
        if self.direction is Direction.OUTGOING:
            reached = next((row for row in self.reached_out if row.connected), None)
            if reached is None or self.user_id is None:
                return []
            found.insert(0, _Talk(self.user_id, self._answered_at(reached)))
        elif self.direction is Direction.INTERNAL and found and self.user_id is not None:
            found.insert(0, _Talk(self.user_id, found[0].at))
        return sorted(found, key=lambda talk: talk.at)

    def _answers(self) -> list[Attempt]:
        rows = self._with_the_other_side()
        return [row for row in rows if not self._is_passing(row, rows)]

    def _with_the_other_side(self) -> list[Attempt]:
        """Connected ones on the wire of who the call is about, and on Local wires that lead on from it.

        An agent who asks a colleague is on another.
        """
        wires, found = {self.first.caller.wire}, list[Attempt]()
        for _ in self.rows:
            new = [row for row in self.rows if row.connected and row.caller.wire in wires and row not in found]
            if not new:
                break
            found += new
            wires |= {row.callee.wire for row in new if row.callee and self._leads_on(row, row.callee)}
        return found

    def _leads_on(self, row: Attempt, callee: Party) -> bool:
        return callee.kind is ChannelKind.LOCAL or (self.user_id is not None and self._is_outside(row, callee))

    def _is_passing(self, row: Attempt, rows: Iterable[Attempt]) -> bool:
        """Whether nobody talked in it: the next record of its channel begins where it ended, within the second.

        A channel that takes another's place leaves such a one: a pickup, a Local wire optimised away.
        """
        if row.ended_at - self._answered_at(row) >= 1000:
            return False
        return any(
            other is not row
            and other.channel == row.channel
            and other.started_at >= row.ended_at
            and other.started_at - row.ended_at <= 1000
            and other.order > row.order
            for other in rows
        )

    def _answered_at(self, row: Attempt) -> UnixMs:
        """The queue knows when it connected; else the PBX's answer, which is its own where it took the call first."""
        known = row.answered_at if row.answered_at is not None else row.started_at
        if row.queue is None:
            return known
        steps = [note.at for note in self.notes if note.step is QueueStep.CONNECTED and note.channel == row.channel]
        return next((at for at in steps if row.started_at - 1000 <= at <= row.ended_at + 1000), known)

    def _outcome(self, talks: Sequence[_Talk]) -> Outcome | None:
        if talks:
            return Outcome.ANSWERED
        if self.direction is Direction.OUTGOING and self._was_ordered():
            return None  # the customer was never dialled
        return Outcome.MISSED

    # -- the queue, and the end ----------------------------------------------------------------------------------

    def _entered(self) -> QueueNote | None:
        """Where it first waited. An agent's call into a queue is not a customer's."""
        if self.direction is not Direction.INCOMING:
            return None
        return next((note for note in self.notes if note.step is QueueStep.ENTERED), None)

    def _queue(self) -> str | None:
        """The one it waited in before the answer: a later transfer does not rename it."""
        if self.direction is not Direction.INCOMING:
            return None
        answer = next((note.at for note in self.notes if note.step is QueueStep.CONNECTED), None)
        entered = [
            note.queue
            for note in self.notes
            if note.step is QueueStep.ENTERED and (answer is None or note.at <= answer)
        ]
        if entered:
            return entered[-1]
        return next((row.queue for row in self.own if row.queue is not None), None)

    def _gave_up(self) -> bool:
        """The dialplan went on after the last attempt, so it was not the caller who ended it."""
        called = [row for row in self.own if row.callee is not None]
        last = self.own[-1]
        return bool(called) and last.callee is None and last.application != called[-1].application

    def _missed_reason(self) -> MissedReason:
        called = [row for row in self.rows if row.callee is not None]
        status = called[-1].status if called else self.own[-1].status
        if self.direction is not Direction.INCOMING:
            if not self._gave_up() and called and status is DialStatus.NO_ANSWER:
                return MissedReason.CANCELLED
            return _REASONS.get(status, MissedReason.FAILED)
        if any(row.connected for row in called):
            return MissedReason.FORWARDED
        steps = {note.step for note in self.notes}
        if QueueStep.ABANDONED in steps:
            return MissedReason.ABANDONED
        if self._queue() is not None:
            return MissedReason.QUEUE_TIMEOUT if self._gave_up() or steps else MissedReason.ABANDONED
        if called and not self._gave_up():
            return MissedReason.ABANDONED
        if self.own[-1].status is DialStatus.UNAVAILABLE:
            return MissedReason.UNREACHABLE
        return _REASONS.get(status, MissedReason.NO_ANSWER) if called else MissedReason.LEFT_IN_IVR

    def _ended_by(self, outcome: Outcome | None) -> EndedBy | None:
        steps = {note.step for note in self.notes}
        if outcome is Outcome.MISSED and self.direction is Direction.INCOMING:
            if QueueStep.ABANDONED in steps:
                return EndedBy.CUSTOMER
            return EndedBy.SYSTEM if self.own[-1].application == _HANGUP else None
        if outcome is Outcome.ANSWERED and len(self._answers()) == 1:  # after a transfer the queue knows nothing
            if QueueStep.ENDED_BY_CUSTOMER in steps:
                return EndedBy.CUSTOMER
            return EndedBy.AGENT if QueueStep.ENDED_BY_AGENT in steps else None
        return None
