"""The wallboard: one picture of the floor for all screens, made at most about once a second and only while one looks.

It stands beside the flow: what happens only leaves a mark, and the picture is made by a task of its own.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator, Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Final, Protocol

import structlog

from daemon.acts import AgentStates
from daemon.ami.link import AmiLink, LinkState
from daemon.bus import AgentToNotify, Bus, CallHappened, News, Topic
from daemon.call.model import Call, CallState, Direction, PbxName
from daemon.call.signals import UnixMs
from daemon.errors import TryAgain
from daemon.policy.call_settings import CallSettings, Rulebook
from daemon.policy.service_level import goals_of
from daemon.store.store import Store
from daemon.wall_agents import WallAgents
from daemon.wall_figures import WallFigures
from daemon.web.assets import version
from daemon.web.desk_now import Desks
from daemon.web.wall_now import Waiting, WallNow, Wanted, compact

EVERY_S: Final = 0.8  # what happens is on the wall within a second
BEAT_S: Final = 2.0  # a screen that hears nothing for three of them says that it is frozen
_MOST_LISTENERS: Final = 300
_MOST_OF_ONE: Final = 50  # whoever has one link cannot take the board from the others

_log = structlog.get_logger(__name__)


class Flow(Protocol):
    """The owner of the calls; it is only asked."""

    @property
    def rules(self) -> Rulebook: ...

    def calls(self) -> Iterable[Call]:
        """All living ones."""


@dataclass(frozen=True, slots=True)
class Floor:
    """What the board looks at. `is_connected` is whether every PBX is followed."""

    flow: Callable[[], Flow]
    agents: WallAgents
    figures: WallFigures
    is_connected: Callable[[], bool]


class House(Protocol):
    """The daemon, as far as the board looks at it."""

    @property
    def bus(self) -> Bus: ...

    @property
    def desks(self) -> Desks: ...

    @property
    def states(self) -> AgentStates: ...

    @property
    def links(self) -> Mapping[PbxName, AmiLink]: ...

    @property
    def dispatcher(self) -> Flow: ...

    @property
    def store(self) -> Store: ...


def wallboard_of(house: House, clock: Callable[[], UnixMs]) -> Wallboard:
    """The board of a house that may still be being built."""

    def is_connected() -> bool:
        return all(link.state is LinkState.CONNECTED for link in house.links.values())

    agents = WallAgents(house.desks, house.states)
    figures = WallFigures(lambda: house.store, agents.know)
    return Wallboard(house.bus, Floor(lambda: house.dispatcher, agents, figures, is_connected), clock)


class Wallboard:
    """Give `run` a task. `note` is for what no bus tells: an agent's pause."""

    def __init__(self, bus: Bus, floor: Floor, clock: Callable[[], UnixMs]) -> None:
        self._floor = floor
        self._agents = floor.agents
        self._figures = floor.figures
        self._clock = clock
        self._listeners: Counter[str] = Counter()
        self._wanted = asyncio.Event()
        self._changed = asyncio.Event()
        self._news = asyncio.Event()
        self._board: dict[str, object] | None = None
        self._frame = ""
        self._number = 0
        self._closed = False
        bus.subscribe(Topic.CALL, self._happened)
        bus.subscribe(Topic.NOTIFICATION, self._notified)
        bus.subscribe(Topic.COMMITTED, lambda _: self._changed.set())

    # -- what happens --------------------------------------------------------------------------------------------

    def note(self, user_id: str) -> None:
        self._agents.note((user_id,), self._clock())
        self._changed.set()

    def _happened(self, news: News) -> None:
        if not isinstance(news, CallHappened):
            return
        event = news.event
        about = getattr(event, "user_id", None)
        self._agents.note((*event.call.user_ids, *((about,) if about is not None else ())), event.at)
        self._changed.set()

    def _notified(self, news: News) -> None:
        if isinstance(news, AgentToNotify):
            self._agents.note((news.decision.user_id,), news.at)
            self._changed.set()

    # -- who looks -----------------------------------------------------------------------------------------------

    def is_full(self, key: str) -> bool:
        return self._listeners.total() >= _MOST_LISTENERS or self._listeners[key] >= _MOST_OF_ONE

    async def listen(self, key: str) -> AsyncGenerator[tuple[str, str]]:
        """A slow listener misses pictures and gets the newest; nothing is kept for it."""
        self._listeners[key] += 1
        self._wanted.set()
        self._changed.set()
        seen = 0
        try:
            while not self._closed:
                news = self._news
                if self._board is not None:
                    is_new, seen = seen != self._number, self._number
                    now = f'{{"now":{self._clock()}'
                    yield ("board", f"{now},{self._frame[1:]}") if is_new else ("beat", now + "}")
                await news.wait()
        finally:
            self._listeners -= Counter((key,))
            if not self._listeners:
                self._wanted.clear()
                self._board = None  # whoever comes later must not see an old one

    def close(self) -> None:
        self._closed = True
        self._tell()

    # -- the picture ---------------------------------------------------------------------------------------------

    async def run(self) -> None:
        """For ever. What goes wrong is logged, and the screens see that nothing comes."""
        while True:
            await self._wanted.wait()
            self._changed.clear()
            try:
                await self._show()
            except TryAgain as error:
                _log.warning("wallboard_not_read", error=str(error))
            except Exception:  # noqa: BLE001 - a board on the wall may never stop the daemon
                _log.exception("wallboard_broke")
            await asyncio.sleep(EVERY_S)
            with suppress(TimeoutError):
                async with asyncio.timeout(BEAT_S - EVERY_S):
                    await self._changed.wait()

    async def _show(self) -> None:
        rules = self._floor.flow().rules
        today = await self._figures.today(rules.settings, self._clock())
        board = WallNow(
            waiting=[_waiting(call) for call in self._floor.flow().calls() if _waits(call)],
            tiles=self._agents.tiles(self._clock()),
            queue_names=frozenset(rules.queues),
            today=today,
            wanted=_wanted(rules.settings),
            goals=goals_of(rules.settings, rules.queues),
            connected=self._floor.is_connected(),
            figures_late=self._figures.late,
        ).as_json()
        if board != self._board and self._listeners:
            self._board, self._number = board, self._number + 1
            self._frame = compact({"version": version(), **board})
        self._tell()

    def _tell(self) -> None:
        """Everybody who waits now is woken."""
        self._news.set()
        self._news = asyncio.Event()


def _waits(call: Call) -> bool:
    """In a queue, or it has made somebody's phone ring; who listens to a menu waits for nobody."""
    came = call.queued_at is not None or call.rung_at is not None
    return call.direction is Direction.INCOMING and call.state is CallState.RINGING and came


def _waiting(call: Call) -> Waiting:
    """Since when the service level counts too."""
    since = (call.queued_at, call.rung_at, call.started_at)
    return Waiting(call.queue, next(at for at in since if at is not None))


def _wanted(settings: CallSettings) -> Wanted:
    return Wanted(
        time_zone=settings.time_zone,
        waiting_alarm=settings.wallboard_waiting_alarm,
        wait_alarm_seconds=settings.wallboard_wait_alarm_seconds,
    )
