"""All agents' desks lose the daemon at once and come back at once; each has a call on the line."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from dataclasses import dataclass, field
from math import inf
from pathlib import Path
from typing import Any

import aiohttp

from daemon.clock import now_ms
from daemon.store.accounts import Account, add_account
from daemon.store.agents import Agent, put_agent
from daemon.store.audit import By
from daemon.store.role import Role
from daemon.store.sessions import Opening, new_session_id, open_session
from daemon.store.store import Store
from tests.faults.stage import Plan, Stage, stage
from tests.faults.stream import played
from tests.faults.tally import Tally
from tests.whole.house import until
from tests.whole.test_desks import Desk

_FIRST_PHONE = 5000
_PER_SECOND = 100.0
_RETRY_S = 0.2


@dataclass
class Browser:
    """A desk that comes back by itself, as browsers do: what it is shown first, and what it is told then."""

    desk: Desk
    url: str
    shown: list[dict[str, Any]] = field(default_factory=list)

    async def stay(self, session: aiohttp.ClientSession) -> None:
        cookie = {"Cookie": f"callwarden={self.desk.cookie}"}
        while True:
            try:
                async with session.get(f"{self.url}/api/v1/desk", headers=cookie) as answer:
                    self.shown.append(await answer.json())
                await self.desk.listen(session, self.url, after=self.shown[-1]["event_id"])
            except (aiohttp.ClientError, OSError):
                await asyncio.sleep(_RETRY_S)


async def trial(folder: Path, seed: int, *, desks: int) -> Tally:
    """kill -9 with a call at every desk; back, each is shown its call and popup, and hears of its next call once."""
    del seed  # nothing here is left to chance
    people = [Desk(f"d{n}", f"PJSIP/{_FIRST_PHONE + n}", new_session_id()) for n in range(desks)]
    plan = Plan(hook=False, popup_delivery="desk", furnish=lambda store: _furnish(store, people))
    async with stage(folder, plan) as here:
        no_limit = aiohttp.TCPConnector(limit=0)
        async with aiohttp.ClientSession(connector=no_limit, timeout=aiohttp.ClientTimeout(total=None)) as session:
            browsers = [Browser(desk, f"http://127.0.0.1:{here.port}") for desk in people]
            staying = [asyncio.create_task(browser.stay(session)) for browser in browsers]
            try:
                tally = await _crash(here, browsers)
            finally:
                for task in staying:
                    task.cancel()
                await asyncio.gather(*staying, return_exceptions=True)
    tally.runs = 1
    return tally


async def _crash(here: Stage, browsers: list[Browser]) -> Tally:
    await _shown(browsers, 1)
    before = await _call_each(here, browsers)
    await _told(browsers)
    await here.kill()
    await here.start()
    await _shown(browsers, 2)
    for browser in browsers:
        browser.desk.heard.clear()
    after = await _call_each(here, browsers)
    await _told(browsers)
    await asyncio.sleep(2.0)  # what would be told twice would have been by now
    tally = here.tally(hooks=(), popups=None)
    for browser in browsers:
        _count(browser, before[browser.desk.user_id], after[browser.desk.user_id], tally)
    return tally


def _count(browser: Browser, before: str, after: str, tally: Tally) -> None:
    who, shown = browser.desk.user_id, browser.shown[-1]
    living = Counter(one["call"]["call_id"] if "call" in one else one["call_id"] for one in shown["calls"])
    popups = Counter(one["call_id"] if "call_id" in one else one["call"]["call_id"] for one in shown["pops"])
    for what, found in (("call", living), ("popup", popups)):
        tally.due(before not in found, f"{what} {before} on the desk of {who} after the crash")
        if sum(found.values()) > 1:
            tally.mistake(f"{what} {before} on the desk of {who}: {found}")
    told = Counter(data["call"]["call_id"] for _, data in browser.desk.heard["popup"])
    tally.due(after not in told, f"popup of {after} on the desk of {who}")
    if told[after] > 1:
        tally.double(f"popup of {after} on the desk of {who}", told[after] - 1)
    if told.keys() - {after}:
        tally.mistake(f"{who} was told of popups not his own: {told}")


async def _call_each(here: Stage, browsers: list[Browser]) -> dict[str, str]:
    """A customer calls each agent and stays on the line; returns the call of each."""
    found, begun = {}, []
    for browser in browsers:
        agents = {"1001": browser.desk.phone.removeprefix("PJSIP/")}
        begun.append((time.time(), *here.pbx.begin("queue_answered", agents=agents, speed=4.0, stays=True)))
        found[browser.desk.user_id] = begun[-1][1].call_id
        await asyncio.sleep(1 / _PER_SECOND)
    await asyncio.gather(*(task for _, _, task in begun))
    users = {browser.desk.phone: browser.desk.user_id for browser in browsers}
    here.played += [played(here.pbx, truth, at, inf, user_of=users.__getitem__) for at, truth, _ in begun]
    return found


async def _furnish(store: Store, people: list[Desk]) -> None:
    for desk in people:
        agent = Agent(user_id=desk.user_id, name=desk.user_id, endpoints=(desk.phone,))
        account = Account(name=desk.user_id, role=Role.AGENT, user_id=desk.user_id, language="vi", created_at=now_ms())
        opening, by = Opening(desk.cookie, "browser"), By(desk.user_id, now_ms(), "127.0.0.1")
        await store.writer.change(lambda agent=agent: put_agent(agent))  # type: ignore[misc]
        await store.writer.change(lambda account=account: add_account(account, "no password"))  # type: ignore[misc]
        await store.writer.change(lambda name=desk.user_id, opening=opening, by=by: open_session(name, opening, by))  # type: ignore[misc]


async def _shown(browsers: list[Browser], times: int) -> None:
    async def all_are() -> bool:
        await asyncio.sleep(0.2)
        return all(len(browser.shown) >= times for browser in browsers)

    await until(all_are, deadline_s=60.0 + len(browsers) / 5)


async def _told(browsers: list[Browser]) -> None:
    """Wait for the popups; those that do not come are counted, not waited for."""
    end = time.monotonic() + 20.0 + len(browsers) / 10

    async def all_are() -> bool:
        await asyncio.sleep(0.1)
        return time.monotonic() > end or all(browser.desk.heard["popup"] for browser in browsers)

    await until(all_are, deadline_s=3600.0)
