"""What agents were for how long is kept: through pauses, a link that is lost, a stop, a kill and a deletion."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from daemon.ami.simulator import SimulatedPbx
from daemon.app import Daemon
from daemon.clock import now_ms
from daemon.config import load_config
from daemon.policy.agent_period import Doing, Period
from daemon.store.agent_periods import read_periods
from daemon.store.agents import Agent, put_agent
from daemon.store.role import Role
from daemon.store.tokens import add_token, new_token
from tests.whole.house import Api, api_client, config_text, simulated_pbx, until

LONGER_THAN_A_BEAT_OF_THE_PBX_S = 2.2
"""A pause's beginning comes in whole seconds after a reconnect, and two of them are taken for one moment."""


@asynccontextmanager
async def running(folder: Path, pbx: SimulatedPbx) -> AsyncIterator[Daemon]:
    path = folder / "callwarden.toml"
    path.write_text(config_text(folder, pbx))
    async with Daemon(load_config(path)) as daemon:
        await daemon.store.writer.change(lambda: put_agent(Agent(user_id="an", name="An", endpoints=("PJSIP/1001",))))
        await daemon.rules_changed()
        yield daemon


@asynccontextmanager
async def api_of(daemon: Daemon) -> AsyncIterator[Api]:
    token = new_token()
    await daemon.store.writer.change(lambda: add_token(token, Role.ADMIN, "test", now_ms()))
    async with api_client(daemon.web.port, token) as api:
        yield api


def pause(pbx: SimulatedPbx, reason: str | None) -> None:
    for event in pbx.house.pause("PJSIP/1001", paused=reason is not None, reason=reason or ""):
        pbx.emit(event)


async def becomes(daemon: Daemon, *doing: tuple[Doing, str]) -> list[Period]:
    """Waits until these are the kinds of the periods, the last of which goes on."""

    async def so() -> bool:
        found = await read_periods(daemon.store.reader, "an")
        kinds = [(one.doing, one.reason) for one in found]
        return kinds == list(doing) and found[-1].ended_at is None

    await until(so, lambda: read_periods(daemon.store.reader, "an"))
    found = await read_periods(daemon.store.reader, "an")
    for one, following in itertools.pairwise(found):
        assert (one.ended_at or following.began_at + 1) <= following.began_at, found
    return found


AVAILABLE, LUNCH, TRAINING = (Doing.AVAILABLE, ""), (Doing.PAUSED, "lunch"), (Doing.PAUSED, "training")


async def test_each_pause_is_kept_with_its_reason_and_told_by_the_api(tmp_path: Path) -> None:
    async with simulated_pbx() as pbx, running(tmp_path, pbx) as daemon, api_of(daemon) as api:
        await becomes(daemon, AVAILABLE)
        pause(pbx, "lunch")
        await becomes(daemon, AVAILABLE, LUNCH)
        await asyncio.sleep(0.5)
        pause(pbx, "training")
        await becomes(daemon, AVAILABLE, LUNCH, TRAINING)
        pause(pbx, None)
        periods = await becomes(daemon, AVAILABLE, LUNCH, TRAINING, AVAILABLE)
        (told,) = (await api.get("reports/agent-times?span=today"))["rows"]
        assert (told["user_id"], told["name"]) == ("an", "An")
        assert periods[1].ended_at is not None
        assert told["paused_seconds: lunch"] * 1000 == periods[1].ended_at - periods[1].began_at >= 400
        assert (told["pauses: lunch"], told["pauses: training"]) == (1, 1)
        assert told["estimated"] == 0
        await api.delete("agents/an")
        await until(lambda: ended(daemon))


async def ended(daemon: Daemon) -> bool:
    """Whoever is no agent any more has no period that goes on."""
    last = (await read_periods(daemon.store.reader, "an"))[-1]
    return last.ended_at is not None and not last.estimated


async def test_a_pause_that_goes_on_through_a_lost_link_and_a_restart_is_one(tmp_path: Path) -> None:
    async with simulated_pbx() as pbx:
        async with running(tmp_path, pbx) as daemon:
            await becomes(daemon, AVAILABLE)
            pause(pbx, "lunch")
            (_, lunch) = await becomes(daemon, AVAILABLE, LUNCH)
            for client in list(pbx.clients):
                client.writer.transport.abort()
            await until(lambda: left(daemon))
            await becomes(daemon, AVAILABLE, LUNCH)
        async with running(tmp_path, pbx) as daemon:
            (_, again) = await becomes(daemon, AVAILABLE, LUNCH)
            assert again == lunch
            pause(pbx, None)
            await becomes(daemon, AVAILABLE, LUNCH, AVAILABLE)


async def test_a_pause_that_ended_while_callwarden_was_stopped_ends_there_and_says_that_it_is_estimated(
    tmp_path: Path,
) -> None:
    async with simulated_pbx() as pbx:
        async with running(tmp_path, pbx) as daemon:
            pause(pbx, "lunch")
            await until(lambda: paused(daemon))
            before = len(await read_periods(daemon.store.reader, "an"))
        stopped = now_ms()
        pause(pbx, None)
        await asyncio.sleep(LONGER_THAN_A_BEAT_OF_THE_PBX_S)
        async with running(tmp_path, pbx) as daemon, api_of(daemon) as api:

            async def is_back() -> bool:
                return (await read_periods(daemon.store.reader, "an"))[-1].doing is Doing.AVAILABLE

            await until(is_back)
            periods = await read_periods(daemon.store.reader, "an")
            assert len(periods) == before + 1
            lunch, back = periods[-2:]
            assert lunch.estimated
            assert lunch.ended_at is not None
            assert lunch.ended_at <= stopped
            assert back.began_at >= stopped + 1000 * LONGER_THAN_A_BEAT_OF_THE_PBX_S
            (told,) = (await api.get("reports/agent-times?span=today"))["rows"]
            assert told["estimated"] == 1
            assert told["not_known_seconds"] >= LONGER_THAN_A_BEAT_OF_THE_PBX_S


async def left(daemon: Daemon) -> bool:
    """The link was lost, and that is written."""
    return (await read_periods(daemon.store.reader, "an"))[-1].estimated


async def paused(daemon: Daemon) -> bool:
    found = await read_periods(daemon.store.reader, "an")
    return bool(found) and found[-1].doing is Doing.PAUSED
