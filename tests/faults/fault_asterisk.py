"""A real Asterisk is killed, restarted in order, or frozen for a while, with calls of SIPp on it.

Which customer called when, and was answered, SIPp's own count and Asterisk's console say. Which agent it was is read
from the store, and only judged by this: at one time nobody talks to two.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path

from daemon.ami.manager_conf import ManagerUser, stanza
from tests.faults.observed import Observed, observe
from tests.faults.oracle import Expecting, judge
from tests.faults.tally import Tally
from tests.faults.truth import Played, Talk
from tests.live.asterisk import Asterisk, LiveUnavailable, frozen
from tests.live.daemon_house import HOOK_PATH, POPUP_PATH, House, daemon_beside, load_desks, load_users
from tests.live.mass import Customer, call_in, load_agents
from tests.whole.house import until

_WAVE = 15
_AGENTS = 20
_TALK_S, _LONG_TALK_S = 3.0, 600.0
_THAW_S = 40.0

Harm = Callable[[Asterisk], Awaitable[None]]


async def killed(folder: Path, seed: int, *, times: int) -> Tally:
    return await _trial(folder, seed, partial(_down, crash=True), times)


async def restarted(folder: Path, seed: int, *, times: int) -> Tally:
    return await _trial(folder, seed, partial(_down, crash=False), times)


async def stopped(folder: Path, seed: int, *, times: int, seconds: float) -> Tally:
    return await _trial(folder, seed, partial(_freeze, seconds), times, talk=seconds + _THAW_S)


async def _trial(folder: Path, seed: int, harm: Harm, times: int, talk: float = _LONG_TALK_S) -> Tally:
    """Each time: calls that end before it, calls that are on the line, calls that come after it."""
    try:
        pbx = await asyncio.to_thread(started)
    except LiveUnavailable as unavailable:
        return Tally(skipped=unavailable.reason)
    waves: list[list[str]] = []
    try:
        async with daemon_beside(folder, pbx) as house:
            await load_desks(house, load_users(pbx))
            await house.api.put("call-settings", {"disconnect_timeout_seconds": 0})
            for turn in range(times):
                waves += await _turn(house, harm, seed * 1000 + turn * 100, talk)
            await house.quiet(sum(map(len, waves)), 90.0)
            observed = observe(folder / "callwarden.db", house.crm.requests)
    finally:
        await asyncio.to_thread(pbx.__exit__, None, None, None)
    tally = judge(*_truth(waves, observed), Expecting(hooks=(HOOK_PATH,), popup_path=POPUP_PATH))
    tally.runs, tally.seeds = times, [seed]
    return tally


def started() -> Asterisk:
    pbx = Asterisk(load_agents=_AGENTS, manager_stanza=lambda secret: stanza(ManagerUser(secret=secret)))
    pbx.start()
    return pbx


async def _turn(house: House, harm: Harm, first: int, talk: float) -> list[list[str]]:
    pbx = house.pbx
    numbers = [f"+8492{first + n:07}" for n in range(3 * _WAVE)]
    ended, on_the_line, later = numbers[:_WAVE], numbers[_WAVE : 2 * _WAVE], numbers[2 * _WAVE :]
    async with load_agents(pbx, ring=0.3):
        await all_answered(pbx, ended, _TALK_S)
        calling = asyncio.create_task(call_in(pbx, "1916", list(map(Customer, on_the_line)), talk=talk))
        await until(lambda: talking(pbx, _WAVE), deadline_s=60.0)
        await asyncio.sleep(1.0)
        await harm(pbx)
        if talk == _LONG_TALK_S:  # no BYE will ever come
            calling.cancel()
        with suppress(asyncio.CancelledError):
            await calling
    await until(house.is_ready, house.readiness, 90.0)
    async with load_agents(pbx, ring=0.3):
        await all_answered(pbx, later, _TALK_S)
    return [ended, on_the_line, later]


async def all_answered(pbx: Asterisk, numbers: Sequence[str], talk: float) -> None:
    done = await call_in(pbx, "1916", list(map(Customer, numbers)), talk=talk)
    assert (done.successful, done.failed) == (len(numbers), 0), done


async def talking(pbx: Asterisk, pairs: int) -> bool:
    """By Asterisk itself: each of a pair is in a bridge, which is the last field but one."""
    await asyncio.sleep(0.3)
    rows = (await asyncio.to_thread(pbx.cli, "core show channels concise")).splitlines()
    fields = [row.split("!") for row in rows if "!" in row]
    return sum(bool(one[-2]) for one in fields) == 2 * pairs


async def _down(pbx: Asterisk, *, crash: bool) -> None:
    await asyncio.to_thread(pbx.kill if crash else pbx.stop)
    await asyncio.sleep(1.0)
    await asyncio.to_thread(pbx.start)


async def _freeze(seconds: float, pbx: Asterisk) -> None:
    with frozen(pbx):
        await asyncio.sleep(seconds)


def _truth(waves: list[list[str]], observed: Observed) -> tuple[list[Played], Observed]:
    """Every customer was answered. The ids are Asterisk's own, so they are found by the customer's number."""
    played = []
    now = time.time()
    by_customer = {call.customer: (call_id, call) for call_id, call in observed.calls.items()}
    for wave in waves:
        taken: set[str] = set()
        for customer in wave:
            call_id, stored = by_customer.get(customer, (f"of {customer}", None))
            user = stored.users[0] if stored and stored.users and stored.users[0] not in taken else "somebody"
            taken.add(user)
            talk = (Talk(user, now, now),)
            played.append(Played(call_id, "incoming", customer, "1916", "load", now, now, talk))
    return played, observed
