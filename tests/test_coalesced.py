"""Many who want the same job done share its runs."""

from __future__ import annotations

import asyncio

import pytest

from daemon.coalesced import Coalesced


async def test_however_many_ask_while_it_runs_one_more_run_serves_them_all() -> None:
    runs, go_on = 0, asyncio.Event()

    async def job() -> None:
        nonlocal runs
        runs += 1
        await go_on.wait()

    shared = Coalesced(job)
    first = shared.ask()
    await asyncio.sleep(0)
    later = {shared.ask() for _ in range(45)}
    assert first not in later  # it may have looked before they changed anything
    assert len(later) == 1
    go_on.set()
    await asyncio.gather(first, *later)
    assert runs == 2
    await shared.ask()
    assert runs == 3


async def test_a_run_that_fails_tells_those_who_wait_and_harms_no_later_one() -> None:
    results: list[Exception | None] = [ValueError("broken"), None]

    async def job() -> None:
        if (error := results.pop(0)) is not None:
            raise error

    shared = Coalesced(job)
    with pytest.raises(ValueError, match="broken"):
        await shared.ask()
    await shared.ask()
    assert not results
