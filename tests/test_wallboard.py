"""The wallboard's picture: who does what since when, what is left out, and what it costs when many look."""

from __future__ import annotations

import asyncio
from collections import deque
from contextlib import aclosing
from dataclasses import replace

import pytest

from daemon.acts import AgentState, Availability
from daemon.bus import AgentToNotify, Bus, CallHappened
from daemon.call.events import CallAnswered, CallEnded, CallHeld
from daemon.call.model import Call, CallState, Direction, UserId
from daemon.call.signals import ChannelId, UnixMs
from daemon.desk_board import DeskBoard
from daemon.errors import TryAgain
from daemon.policy.call_settings import CallSettings, Rulebook
from daemon.policy.decision import NotifyAgent, Reason, StopNotifying
from daemon.policy.service_level import Goal, Goals, Tally
from daemon.wall_agents import WallAgents
from daemon.wall_figures import WallFigures
from daemon.wallboard import Floor, Wallboard
from daemon.web.desk_now import LONGEST_RING_MS
from daemon.web.wall_now import MOST_AGENTS, MOST_QUEUES, Doing, Tile, Today, Waiting, WallNow, Wanted
from tests.factory import NOON, answered, ringing
from tests.web.acts import States

AN, PHONE = UserId("an"), ChannelId("PJSIP/1001-1")
WANTED = Wanted(time_zone="Asia/Ho_Chi_Minh", waiting_alarm=None, wait_alarm_seconds=None)
NOTHING = Today(began=NOON, queues={}, not_called_back=0)


class Figures(WallFigures):
    """No store: counts how often it is asked, and breaks as often as a test says."""

    def __init__(self) -> None:
        self.asked = 0
        self.failures: deque[Exception] = deque()
        self.late = False

    async def today(self, settings: CallSettings, now: UnixMs) -> Today:
        self.asked += 1
        if self.failures:
            raise self.failures.popleft()
        return NOTHING


class Flow:
    rules = Rulebook()

    def calls(self) -> list[Call]:
        return []


def floor_of_an() -> tuple[Bus, States, WallAgents]:
    bus, states = Bus(), States()
    agents = WallAgents(DeskBoard(bus), states)
    agents.know({"an": "An", "binh": ""})
    return bus, states, agents


def an(agents: WallAgents, now: UnixMs) -> tuple[Doing, UnixMs | None]:
    (tile,) = (tile for tile in agents.tiles(now) if tile.name == "An")
    return tile.doing, tile.since


def test_an_agent_is_what_he_does_since_it_began() -> None:
    bus, states, agents = floor_of_an()
    assert an(agents, NOON) == (Doing.AVAILABLE, None), "nobody saw since when"
    bus.publish(AgentToNotify(NotifyAgent(ringing(), AN, PHONE, Reason.PHONE_RINGS), UnixMs(NOON + 1_000)))
    agents.note(["an"], UnixMs(NOON + 1_000))
    assert an(agents, UnixMs(NOON + 3_000)) == (Doing.RINGING, NOON + 1_000)
    talk = answered()
    bus.publish(CallHappened(CallAnswered(UnixMs(NOON + 5_000), talk)))
    agents.note(["an"], UnixMs(NOON + 5_000))
    assert an(agents, UnixMs(NOON + 9_000)) == (Doing.TALKING, NOON + 5_000)
    bus.publish(AgentToNotify(StopNotifying(ringing(), AN, PHONE, Reason.PHONE_RINGS), UnixMs(NOON + 5_000)))
    bus.publish(CallHappened(CallHeld(UnixMs(NOON + 10_000), talk, AN, PHONE)))
    agents.note(["an"], UnixMs(NOON + 10_000))
    assert an(agents, UnixMs(NOON + 11_000)) == (Doing.HOLD, NOON + 10_000)
    bus.publish(CallHappened(CallEnded(UnixMs(NOON + 20_000), replace(talk, state=CallState.ENDED))))
    states.known["an"] = AgentState(state=Availability.PAUSED, reason="lunch", since=UnixMs(NOON + 21_000))
    agents.note(["an"], UnixMs(NOON + 25_000))
    assert an(agents, UnixMs(NOON + 26_000)) == (Doing.PAUSED, NOON + 21_000)


def test_who_dials_out_is_no_longer_free_and_a_ring_that_nobody_ends_runs_out() -> None:
    bus, _, agents = floor_of_an()
    out = ringing(direction=Direction.OUTGOING, user_id=AN, user_ids=(AN,))
    bus.publish(CallHappened(CallAnswered(NOON, out)))
    assert an(agents, NOON)[0] is Doing.CALLING
    bus.publish(CallHappened(CallEnded(NOON, replace(out, state=CallState.ENDED))))
    bus.publish(AgentToNotify(NotifyAgent(ringing(), AN, PHONE, Reason.PHONE_RINGS), NOON))
    agents.note(["an"], NOON)
    assert an(agents, UnixMs(NOON + 1))[0] is Doing.RINGING
    assert an(agents, UnixMs(NOON + LONGEST_RING_MS + 1))[0] is Doing.AVAILABLE


def test_agents_keep_their_places_by_name_and_one_who_is_removed_is_gone() -> None:
    _, _, agents = floor_of_an()
    assert [tile.name for tile in agents.tiles(NOON)] == ["An", "binh"]
    agents.know({"binh": "Bình"})
    agents.note(["an"], NOON)
    assert [tile.name for tile in agents.tiles(NOON)] == ["Bình"]


def test_where_there_are_too_many_who_takes_no_calls_is_left_out_first_and_the_rest_is_told() -> None:
    tiles = [Tile(f"idle {n}", Doing.NO_QUEUE, None) for n in range(MOST_AGENTS)] + [Tile("z", Doing.TALKING, NOON)]
    queues: dict[str | None, Tally] = {f"q{n:02}": Tally(answered=n) for n in range(MOST_QUEUES + 3)}
    found = WallNow(
        waiting=[Waiting("q00", NOON)],
        tiles=tiles,
        queue_names=frozenset({"unused"}),
        today=Today(began=NOON, queues=queues, not_called_back=0),
        wanted=WANTED,
        goals=Goals(Goal(80, 20)),
        connected=True,
        figures_late=False,
    ).as_json()
    assert found["agents"] == [{"name": "z", "doing": "talking", "since": NOON}]
    assert (found["more_agents"], found["more_queues"]) == (MOST_AGENTS, 4)
    rows = found["queues"]
    assert isinstance(rows, list)
    assert [rows[0]["name"], rows[0]["waiting"], rows[0]["since"]] == ["q00", 1, NOON], "somebody waits there"


def test_no_share_is_sent_that_would_be_read_as_a_target_met_where_it_is_not() -> None:
    queues: dict[str | None, Tally] = {"busy": Tally(answered=30_000, within=23_999)}  # 79.997 %
    found = WallNow(
        waiting=[],
        tiles=[],
        queue_names=frozenset(),
        today=Today(began=NOON, queues=queues, not_called_back=0),
        wanted=WANTED,
        goals=Goals(Goal(80, 20)),
        connected=True,
        figures_late=False,
    ).as_json()
    assert found["sla"] == {"percent": 79.99, "met": False, "answered": 30_000, "in_time": 23_999, "missed": 0}


async def test_fifty_screens_share_one_picture_which_is_made_only_while_one_looks() -> None:
    figures = Figures()
    board = wallboard(figures)
    running = asyncio.create_task(board.run())
    await asyncio.sleep(0.05)
    assert figures.asked == 0
    screens = [board.listen(f"screen {n}") for n in range(50)]
    frames = await asyncio.wait_for(asyncio.gather(*(anext(screen) for screen in screens)), 2)
    assert {event for event, _ in frames} == {"board"}
    assert figures.asked == 1
    for screen in screens:
        await screen.aclose()
    assert not board.is_full("screen 0")
    running.cancel()


async def test_a_board_that_breaks_sends_nothing_and_goes_on_afterwards(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("daemon.wallboard.EVERY_S", 0.01)
    monkeypatch.setattr("daemon.wallboard.BEAT_S", 0.02)
    figures = Figures()
    figures.failures.extend([TryAgain("the disk is away"), ZeroDivisionError()])
    board = wallboard(figures)
    running = asyncio.create_task(board.run())
    async with aclosing(board.listen("screen")) as screen:
        assert (await asyncio.wait_for(anext(screen), 6))[0] == "board"
    assert figures.asked == 3
    assert not running.done()
    running.cancel()


def wallboard(figures: Figures) -> Wallboard:
    bus = Bus()
    agents = WallAgents(DeskBoard(bus), States())
    return Wallboard(bus, Floor(Flow, agents, figures, lambda: True), lambda: NOON)
