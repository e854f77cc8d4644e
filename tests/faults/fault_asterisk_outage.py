"""The daemon is killed and away while a real Asterisk goes on: what it wrote into `Master.csv` is all there is.

Which customer called when, and whether he was answered, SIPp's own count says; who the agent was is judged as in the
other rows with a real Asterisk.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from tests.faults.fault_asterisk import all_answered, started, talking
from tests.faults.observed import Observed, observe, unread
from tests.faults.oracle import Expecting, judge
from tests.faults.tally import Tally
from tests.faults.truth import Heard, Played, Talk
from tests.live.asterisk import Asterisk, LiveUnavailable
from tests.live.daemon_house import HOOK_PATH, POPUP_PATH, House, daemon_beside, load_desks, load_users
from tests.live.mass import Customer, call_in, load_agents
from tests.live.test_outages import back, killed
from tests.whole.house import until

_WAVE = 15
_TALK_S, _OUTLASTS_S = 3.0, 12.0
_MARGIN_S = 3.0


@dataclass(frozen=True, slots=True)
class Wave:
    """Customers who called in the same seconds and had the same luck."""

    customers: tuple[str, ...]
    began: float
    ended: float
    answered: bool = True
    queue: str = "load"
    hotline: str = "1916"


async def trial(folder: Path, seed: int, *, times: int) -> Tally:
    """Each time: calls before, on the line at the kill, in the gap (answered; given up, twice each), at the start."""
    try:
        pbx = await asyncio.to_thread(started)
    except LiveUnavailable as unavailable:
        return Tally(skipped=unavailable.reason)
    waves: list[Wave] = []
    gaps: list[tuple[float, float]] = []
    records = f'cdr = "{pbx.folder / "log/cdr-csv/Master.csv"}"\ncdr_time_zone = "UTC"\n'
    try:
        async with daemon_beside(folder, pbx, records) as house:
            await load_desks(house, load_users(pbx))
            settings = {"disconnect_timeout_seconds": 0, "missed_call_merge": "incoming"}
            await house.api.put("call-settings", settings)
            gaps += [await _turn(house, folder, seed * 1000 + turn * 100, waves) for turn in range(times)]
            await house.quiet(sum(len(wave.customers) for wave in waves), 90.0)
            observed = observe(folder / "callwarden.db", house.crm.requests)
    finally:
        await asyncio.to_thread(pbx.__exit__, None, None, None)
    heard = Heard(tuple(_between(gaps)), margin_s=_MARGIN_S)
    tally = judge(_truth(waves, observed), observed, Expecting("incoming", (HOOK_PATH,), POPUP_PATH, heard, True))
    tally.runs, tally.seeds = times, [seed]
    return tally


async def _turn(house: House, folder: Path, first: int, waves: list[Wave]) -> tuple[float, float]:
    """Returns when nobody followed."""
    pbx, numbers = house.pbx, [f"+8493{first + n:07}" for n in range(4 * _WAVE)]
    before, at_kill, inside, at_start = (tuple(numbers[n * _WAVE : (n + 1) * _WAVE]) for n in range(4))
    losers = tuple(number.replace("+8493", "+8494") for number in before)
    async with load_agents(pbx, ring=0.3):
        waves.append(await _answered(pbx, before, _TALK_S))
        calling = asyncio.create_task(_answered(pbx, at_kill, _OUTLASTS_S))
        await until(lambda: talking(pbx, _WAVE), deadline_s=60.0)
        await asyncio.sleep(_MARGIN_S + 1.0)
        gone = time.time()
        await killed(house)
        waves.append(await calling)
        waves.append(await _answered(pbx, inside, _TALK_S))
        waves += [await _given_up(pbx, losers) for _ in range(2)]
        calling = asyncio.create_task(_answered(pbx, at_start, 2 * _OUTLASTS_S))
        await until(lambda: talking(pbx, _WAVE), deadline_s=60.0)
        await back(house)
        again = time.time()
        waves.append(await calling)
    await until(lambda: _read(folder), deadline_s=60.0)
    return gone, again


async def _answered(pbx: Asterisk, customers: tuple[str, ...], talk: float) -> Wave:
    began = time.time()
    await all_answered(pbx, customers, talk)
    return Wave(customers, began, time.time())


async def _given_up(pbx: Asterisk, customers: tuple[str, ...]) -> Wave:
    began = time.time()
    done = await call_in(pbx, "1908", list(map(Customer, customers)), talk=1.5, abandon=True)
    assert (done.successful, done.failed) == (len(customers), 0), done
    return Wave(customers, began, time.time(), answered=False, queue="support", hotline="1908")


async def _read(folder: Path) -> bool:
    await asyncio.sleep(0.3)
    return not unread(folder / "callwarden.db")


def _between(gaps: Iterable[tuple[float, float]]) -> Iterable[tuple[float, float]]:
    since = 0.0
    for gone, again in gaps:
        yield since, gone
        since = again
    yield since, float("inf")


def _truth(waves: Iterable[Wave], observed: Observed) -> list[Played]:
    """The ids are Asterisk's own, so they are found by the customer's number, in the order of his calls."""
    ids: dict[str, list[str]] = {}
    for call_id, stored in sorted(observed.calls.items()):
        ids.setdefault(stored.customer or "", []).append(call_id)
    played = []
    for wave in waves:
        taken: set[str] = set()
        for number, customer in enumerate(wave.customers):
            mine = ids.get(customer) or [f"{number} of {customer} at {wave.began}"]
            call_id = mine.pop(0)
            call = Played(call_id, "incoming", customer, wave.hotline, wave.queue, wave.began, wave.ended)
            if wave.answered:
                users = observed.calls[call_id].users if call_id in observed.calls else ()
                user = users[0] if users and users[0] not in taken else "somebody"
                taken.add(user)
                call = replace(call, talks=(Talk(user, wave.began + 1.0, wave.ended),))
            played.append(call)
    return played
