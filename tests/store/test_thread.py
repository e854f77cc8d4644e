"""One thread, one job after another."""

from __future__ import annotations

import asyncio
import threading
import time
from functools import partial

import pytest

from daemon.store.thread import JobThread


async def test_jobs_run_in_order_in_one_thread_that_is_not_the_loop() -> None:
    thread = JobThread("jobs")
    order: list[int] = []

    def job(number: int) -> int:
        order.append(number)
        return threading.get_ident()

    used = await asyncio.gather(*(thread.run(partial(job, number)) for number in range(50)))
    assert order == list(range(50))
    assert set(used).isdisjoint({threading.get_ident()})
    assert len(set(used)) == 1
    await thread.close()


async def test_what_a_job_raises_is_raised_where_it_is_awaited() -> None:
    thread = JobThread("jobs")
    with pytest.raises(ZeroDivisionError):
        await thread.run(lambda: 1 // 0)
    assert await thread.run(lambda: "still working") == "still working"
    await thread.close()


async def test_a_job_that_was_begun_is_finished_when_its_caller_leaves() -> None:
    thread = JobThread("jobs")
    done = threading.Event()

    def slow() -> None:
        time.sleep(0.1)
        done.set()

    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.02):
            await thread.run(slow)
    await thread.close()
    assert done.is_set()


def test_a_loop_that_closed_meanwhile_hurts_nobody() -> None:
    thread: list[JobThread] = []

    async def leave() -> None:
        thread.append(JobThread("jobs"))
        asyncio.get_running_loop().create_task(thread[0].run(lambda: time.sleep(0.05)))
        await asyncio.sleep(0.01)

    asyncio.run(leave())
    asyncio.run(thread[0].close())
    assert not thread[0]._thread.is_alive()
