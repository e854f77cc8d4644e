"""Turns one PBX's signals into call events: who calls whom, who answered, when it ended.

`feed` is the only door. It never looks at a clock, and a signal that makes no sense in the present state changes
nothing and is counted in `oddities`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from types import MappingProxyType

from daemon.call import lost_connection
from daemon.call.board import Board
from daemon.call.directory import Directory
from daemon.call.events import CallEvent
from daemon.call.handlers import HANDLERS
from daemon.call.live import restore
from daemon.call.model import Call, CallId, ConnectionLoss, PbxName, UserId
from daemon.call.parties import Parties, parties
from daemon.call.signals import ChannelId, Endpoint, Signal, SteadyMs, UnixMs


class Tracker:
    """All living calls of one PBX. Feed it from one task only."""

    def __init__(self, pbx: PbxName, directory: Directory) -> None:
        self._board = Board(pbx, directory)

    @property
    def oddities(self) -> Counter[str]:
        """Counts signals that did not fit, by state and signal."""
        return self._board.oddities

    @property
    def rung_strangers(self) -> Mapping[Endpoint, UnixMs]:
        """Endpoints of no agent that calls from outside made ring, and when last: a trunk, or a phone forgotten."""
        return MappingProxyType(self._board.rung_strangers)

    @property
    def directory(self) -> Directory:
        return self._board.directory

    @directory.setter
    def directory(self, directory: Directory) -> None:
        """New legs are judged by it; legs on the line keep what they are."""
        self._board.directory = directory

    def restore(self, calls: Iterable[Call], alive_until: UnixMs, ended: Iterable[CallId] = ()) -> None:
        """Take up the calls the store knew as living; the next snapshot confirms or closes each.

        `ended` are the calls that ended lately: a leg of theirs may still be on the line.
        """
        self._board.last_alive = alive_until
        self._board.ended_before = frozenset(ended)
        for call in calls:
            self._board.add_call(restore(call))

    def feed(self, signal: Signal) -> list[CallEvent]:
        """Take one signal in and return what it means, in order."""
        board = self._board
        HANDLERS[type(signal)](board, signal)
        events, board.events = board.events, []
        return events

    def call_of(self, signal: Signal) -> CallId | None:
        """The living call that a signal is about, as far as its channel tells."""
        leg = self._board.legs.get(getattr(signal, "channel", ChannelId("")))
        return leg.call.call_id if leg is not None else None

    def parties(self, call_id: CallId, user_id: UserId) -> Parties | None:
        """This agent's own channel in a living call, and whom he talks to; None: he has none in it."""
        call = self._board.calls.get(call_id)
        return parties(call, user_id, self._board) if call is not None else None

    def suspects(self, now: SteadyMs, *, anybody: bool) -> list[ChannelId]:
        """The channels whose packets should be counted now (`PacketsCounted`), none of them in a healthy call.

        `anybody` False: only those whose connection is known as lost.
        """
        return lost_connection.suspects(self._board, now, anybody=anybody)

    def loss_of(self, channel: ChannelId) -> ConnectionLoss | None:
        """What is known of this channel, if the connection of its call is lost there."""
        leg = self._board.legs.get(channel)
        return leg.media.loss if leg is not None else None

    @property
    def living(self) -> int:
        """How many calls live; counting costs nothing, showing them all does."""
        return len(self._board.calls)

    def calls(self) -> list[Call]:
        """All living calls, oldest first."""
        return sorted((call.snapshot() for call in self._board.calls.values()), key=lambda call: call.started_at)
