"""What an agent was for how long: never told twice, never told wrong, and whole where the PBX says that it was."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from daemon.call.signals import UnixMs
from daemon.policy.agent_period import Doing, Period, Seen, Sight, follow

STEP_MS = 10_000
T0 = 1_795_340_000_000
FOREVER = T0 * 2
_ACTS = (
    *("lunch", "training", "back", "link down", "link up", "crash", "stop", "start", "beat", "other queues"),
    *("joins", "committed", "cut off"),
)


def at(seconds: int) -> UnixMs:
    return UnixMs(T0 + seconds * 1000)


def see(seconds: int, what: Doing | Sight, reason: str = "", paused: int | None = None) -> Seen:
    return Seen(at=at(seconds), what=what, reason=reason, paused_at=None if paused is None else at(paused))


def after(*sightings: Seen) -> list[tuple[int, Doing, int | None, bool]]:
    """The periods after these sightings: begin, what, end, estimated; in seconds."""
    kept: dict[UnixMs, Period] = {}
    for seen in sightings:
        for period in follow(newest(kept), seen):
            kept[period.began_at] = period
    return [
        ((one.began_at - T0) // 1000, one.doing, one.ended_at and (one.ended_at - T0) // 1000, one.estimated)
        for one in sorted(kept.values(), key=lambda one: one.began_at)
    ]


def newest(kept: dict[UnixMs, Period]) -> Period | None:
    return kept[max(kept)] if kept else None


def test_a_pause_that_went_on_while_the_pbx_was_away_is_one_pause() -> None:
    found = after(
        see(0, Doing.AVAILABLE),
        see(10, Doing.PAUSED, "lunch", 10),
        see(20, Sight.AWAY),
        see(50, Doing.PAUSED, "lunch", 10),
        see(60, Doing.AVAILABLE),
    )
    assert found == [
        (0, Doing.AVAILABLE, 10, False),
        (10, Doing.PAUSED, 60, False),
        (60, Doing.AVAILABLE, None, False),
    ]


def test_a_pause_that_ended_while_nobody_looked_ends_when_it_was_last_seen_and_says_so() -> None:
    found = after(see(10, Doing.PAUSED, "lunch", 10), see(20, Sight.AWAY), see(50, Doing.AVAILABLE, "", 10))
    assert found == [(10, Doing.PAUSED, 20, True), (50, Doing.AVAILABLE, None, False)]


def test_a_pause_that_began_while_nobody_looked_begins_when_the_pbx_says() -> None:
    found = after(see(0, Doing.AVAILABLE), see(20, Sight.AWAY), see(50, Doing.PAUSED, "lunch", 40))
    assert found == [(0, Doing.AVAILABLE, 20, True), (40, Doing.PAUSED, None, False)]


def test_a_pause_that_came_and_went_unseen_leaves_a_hole_and_no_invention() -> None:
    found = after(see(0, Doing.AVAILABLE), see(20, Sight.AWAY), see(90, Doing.AVAILABLE, "", 40))
    assert found == [(0, Doing.AVAILABLE, 20, True), (90, Doing.AVAILABLE, None, False)]
    assert after(see(0, Doing.AVAILABLE), see(20, Sight.AWAY), see(90, Doing.AVAILABLE)) == [
        (0, Doing.AVAILABLE, None, False)
    ]


def test_a_pause_that_began_before_anybody_noticed_that_the_link_was_dead_begins_when_the_pbx_says() -> None:
    found = after(see(0, Doing.AVAILABLE), see(60, Sight.AWAY), see(90, Doing.PAUSED, "lunch", 40))
    assert found == [(0, Doing.AVAILABLE, 40, True), (40, Doing.PAUSED, None, False)]


def test_a_pause_that_was_asked_for_twice_is_one_and_seen_to_its_end() -> None:
    twice = (see(10, Doing.PAUSED, "lunch", 10), see(20, Doing.PAUSED, "lunch", 20), see(30, Sight.AWAY))
    assert after(*twice, see(50, Doing.PAUSED, "lunch", 20)) == [(10, Doing.PAUSED, None, False)]
    assert after(*twice, see(50, Doing.AVAILABLE, "", 20)) == [
        (10, Doing.PAUSED, 30, True),
        (50, Doing.AVAILABLE, None, False),
    ]


def test_who_leaves_every_queue_or_is_deleted_has_no_period_that_goes_on() -> None:
    assert after(see(0, Doing.PAUSED, "lunch", 0), see(30, Sight.NO_QUEUE)) == [(0, Doing.PAUSED, 30, False)]
    assert after(see(0, Doing.AVAILABLE), see(30, Sight.NO_QUEUE), see(40, Doing.AVAILABLE)) == [
        (0, Doing.AVAILABLE, 30, False),
        (40, Doing.AVAILABLE, None, False),
    ]


def test_a_pause_of_long_ago_is_not_given_to_who_gets_the_phone_now() -> None:
    found = after(see(0, Doing.AVAILABLE), see(7200, Doing.PAUSED, "night", 100))
    assert found == [(0, Doing.AVAILABLE, 7200, False), (7200, Doing.PAUSED, None, False)]


def test_a_clock_that_is_put_back_makes_no_period_shorter_than_nothing() -> None:
    found = after(see(100, Doing.AVAILABLE), see(50, Doing.PAUSED, "lunch", 50), see(40, Sight.AWAY))
    assert found == [(100, Doing.PAUSED, 100, True)]


class World:
    """One agent of one queue, his PBX that always knows, and a daemon that comes and goes."""

    def __init__(self) -> None:
        self.now = T0
        self.truth: list[tuple[int, tuple[str, str] | None]] = [(T0, ("available", ""))]
        self.paused_at: int | None = None
        self.link = self.runs = True
        self.alive = T0
        self.watched: list[tuple[int, int]] = []
        self.watching_since: int | None = T0
        self.kept: dict[UnixMs, Period] = {}
        self.batch: list[Seen] = []
        self.look()

    def state(self) -> tuple[str, str] | None:
        return self.truth[-1][1]

    def look(self) -> None:
        state, paused_at = self.state(), None if self.paused_at is None else UnixMs(self.paused_at)
        if state is None:
            self.note(Seen(at=UnixMs(self.now), what=Sight.NO_QUEUE))
        else:
            self.note(Seen(at=UnixMs(self.now), what=Doing(state[0]), reason=state[1], paused_at=paused_at))

    def note(self, seen: Seen) -> None:
        self.batch.append(seen)
        self.write(seen)

    def write(self, seen: Seen) -> None:
        for period in follow(newest(self.kept), seen):
            self.kept[period.began_at] = period

    def commit(self, *, again: bool) -> None:
        """Whoever is cut off after the commit does all of it `again`."""
        for seen in self.batch if again else ():
            self.write(seen)
        self.batch.clear()

    def leave(self, until: int) -> None:
        self.batch.clear()
        for key, one in self.kept.items():
            if one.ended_at is None:
                self.kept[key] = replace(one, ended_at=UnixMs(max(until, one.began_at)), estimated=True)

    def away(self, until: int) -> None:
        if self.watching_since is not None:
            self.watched.append((self.watching_since, until))
            self.watching_since = None

    def becomes(self, state: tuple[str, str] | None) -> None:
        if (self.state() is None) != (state is None) and state is not None:
            self.paused_at = None  # a new member
        if state is not None and state[0] == "paused":
            self.paused_at = self.now
        self.truth.append((self.now, state))
        if self.link and self.runs:
            self.look()

    def act(self, act: str) -> None:
        self.now += STEP_MS
        sees = self.link and self.runs
        match act:
            case "lunch" | "training" if self.state() is not None:
                self.becomes(("paused", act))
            case "back" if self.state() is not None:
                self.becomes(("available", ""))
            case "other queues" if self.state() is not None and sees:
                self.becomes(None)
            case "joins" if self.state() is None and sees:
                self.becomes(("available", ""))
            case "beat" if sees:
                self.alive = self.now
            case "committed" | "cut off":
                self.commit(again=act == "cut off")
            case "link down" if self.link:
                self.link = False
                if self.runs:
                    self.away(self.now)
                    self.note(Seen(at=UnixMs(self.now), what=Sight.AWAY))
            case "link up" if not self.link:
                self.link = True
                self.see_again()
            case "stop" if self.runs:
                self.runs = False
                self.away(self.now)
                self.leave(self.now)
            case "crash" if self.runs:
                self.runs = False
                self.away(min(self.now, max(self.alive, self.watching_since or 0)))
            case "start" if not self.runs:
                self.leave(self.alive)
                self.runs = True
                self.see_again()

    def see_again(self) -> None:
        if self.link and self.runs:
            self.watching_since = self.alive = self.now
            self.look()

    def truth_at(self, moment: int) -> tuple[str, str] | None:
        return next(state for since, state in reversed(self.truth) if since <= moment)

    def told_at(self, moment: int) -> tuple[str, str] | None:
        found = [one for one in self.kept.values() if one.began_at <= moment < (one.ended_at or FOREVER)]
        assert len(found) <= 1, found
        return (found[0].doing.value, found[0].reason) if found else None


@settings(max_examples=1000, deadline=None)
@given(st.lists(st.sampled_from(_ACTS), max_size=40))
def test_whatever_pauses_links_and_restarts_do_nothing_is_told_twice_or_wrong_and_all_that_was_watched_is_told(
    acts: list[str],
) -> None:
    world = World()
    for act in acts:
        world.act(act)
    world.act("start")  # who looks into the store, has started the daemon
    watched = [*world.watched, *([(world.watching_since, world.now)] if world.watching_since is not None else [])]
    for moment in range(T0, world.now, STEP_MS):
        told, truth = world.told_at(moment), world.truth_at(moment)
        assert told in (truth, None), (moment, told, truth)
        if any(since <= moment < until for since, until in watched):
            assert told == truth, (moment, told, truth)
    open_ones = [one for one in world.kept.values() if one.ended_at is None]
    assert len(open_ones) == (world.link and world.state() is not None)
