"""Who does what since when, for the wallboard. Only agents about whom something happened are looked at again."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import islice
from typing import Final

from daemon.acts import AgentState, AgentStates, Availability
from daemon.call.model import CallState
from daemon.call.signals import UnixMs
from daemon.web.desk_now import DeskNow, Desks
from daemon.web.wall_now import Doing, Tile

_MOST_AT_ONCE: Final = 500  # of thousands the rest comes with the next pictures
_IDLE: Final = {
    Availability.AVAILABLE: Doing.AVAILABLE,
    Availability.PAUSED: Doing.PAUSED,
    Availability.WRAP_UP: Doing.WRAP_UP,
    Availability.NO_QUEUE: Doing.NO_QUEUE,
    Availability.UNKNOWN: Doing.UNKNOWN,
}


class WallAgents:
    """Tell it whom something happened to by `note`, and who there is by `know`."""

    def __init__(self, desks: Desks, states: AgentStates) -> None:
        self._desks = desks
        self._states = states
        self._names: Mapping[str, str] = {}
        self._tiles: dict[str, Tile] = {}
        self._noted: dict[str, UnixMs | None] = {}

    def know(self, names: Mapping[str, str]) -> None:
        """All agents, by user id."""
        order = sorted(names.items(), key=lambda one: ((one[1] or one[0]).casefold(), one[0]))
        self._names = {user_id: name or user_id for user_id, name in order}
        self._tiles = {user_id: tile for user_id, tile in self._tiles.items() if user_id in names}
        self._noted = {user_id: self._noted.get(user_id) for user_id in self._names}

    def note(self, user_ids: Iterable[str], at: UnixMs) -> None:
        """Something happened to them then; costs next to nothing."""
        for user_id in user_ids:
            if user_id in self._names:
                self._noted[user_id] = at

    def tiles(self, now: UnixMs) -> list[Tile]:
        """In the order of names. Who rings is looked at each time: a ring that nobody ends runs out."""
        for user_id in list(islice(self._noted, _MOST_AT_ONCE)):
            at = self._noted.pop(user_id)
            tile = self._tiles[user_id] = self._look(user_id, at, now)
            if tile.doing is Doing.RINGING:
                self._noted[user_id] = None
        return [self._tiles[user_id] for user_id in self._names if user_id in self._tiles]

    def _look(self, user_id: str, at: UnixMs | None, now: UnixMs) -> Tile:
        desk, state, before = self._desks.of(user_id, now), self._states.of(user_id), self._tiles.get(user_id)
        doing = _doing(desk, state)
        since = _known_since(doing, desk, state)
        if since is None and before is not None:
            since = before.since if before.doing is doing else (at or now)
        elif since is None and doing in (Doing.TALKING, Doing.HOLD):
            since = min((call.answered_at for call in desk.calls if call.answered_at is not None), default=None)
        return Tile(self._names[user_id], doing, since)


def _doing(desk: DeskNow, state: AgentState) -> Doing:
    if any(call.state is CallState.ANSWERED for call in desk.calls):
        return Doing.HOLD if desk.held else Doing.TALKING
    if desk.calls:
        return Doing.CALLING
    return Doing.RINGING if desk.ringing else _IDLE[state.state]


def _known_since(doing: Doing, desk: DeskNow, state: AgentState) -> UnixMs | None:
    """Where it is told, and need not be seen."""
    match doing:
        case Doing.RINGING:
            return min(one.since for one in desk.ringing)
        case Doing.PAUSED | Doing.WRAP_UP:
            return state.since
        case _:
            return None
