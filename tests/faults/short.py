"""The short form of most rows: every fault once, one after the other, in one installation and one stream of calls."""

from __future__ import annotations

import asyncio
import os
import random
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from tests.delivery.receiver import Receiver
from tests.faults import fault_ami, fault_kill, fault_machine, fault_store, fault_targets
from tests.faults.child import NAME, Knobs, launcher
from tests.faults.stage import HOOK, POPUP, Plan, Stage, stage
from tests.faults.stream import Stream, calls
from tests.faults.tally import Tally

_STREAM = Stream(per_second=1.5, faster=0.7)
_FOR_S = 1.5
_TO_REST_S = 120.0


async def trial(folder: Path, seed: int) -> Tally:
    """Half-open connections have their short form in tests/ami/test_link.py: to notice one takes fifteen seconds."""
    chance, knobs = random.Random(seed), Knobs(folder)
    async with Receiver() as named:
        url = f"http://{NAME}:{named.port}"
        with _disk(folder) as disk:
            plan = Plan(
                merge="incoming_and_outgoing",
                targets=(*fault_targets.SICK, url + "/named", fault_targets.GONE),
                launcher=launcher(folder),
                popup_url=url + POPUP,
                store_folder=disk,
            )
            async with stage(folder, plan) as here:
                here.elsewhere.append(named)
                async with calls(here, _STREAM, chance):
                    await _everything(here, named, knobs, disk, chance)
                await here.settled(_TO_REST_S)
                await fault_targets.enable_again(here)
                await here.settled(_TO_REST_S)
                tally = here.tally(hooks=(HOOK, *fault_targets.SICK, "/named"))
                fault_targets.count_gone(here, tally)
    tally.runs, tally.seeds = 1, [seed]
    return tally


async def _everything(here: Stage, named: Receiver, knobs: Knobs, disk: Path | None, chance: random.Random) -> None:
    await fault_machine.step(knobs, 1, _FOR_S, here, chance)  # first: what waits to be sent again would expire
    await fault_targets.misbehave(here, named, _FOR_S)
    knobs.names(known=False)
    await fault_store.lock(_FOR_S, here, chance)
    knobs.names(known=True)
    if disk is not None:
        await fault_store.fill(disk, 1, _FOR_S, here, chance)
    for _ in range(4):
        await fault_ami.disturb_once(here, chance)
    await fault_ami.cut_once(here, chance)
    await here.followed()
    await fault_kill.killings(2, here, chance)
    await asyncio.sleep(1.0)


@contextmanager
def _disk(folder: Path) -> Iterator[Path | None]:
    """A small one where we may mount it."""
    with ExitStack() as stack:
        disk = None
        if os.geteuid() == 0:
            disk = folder / "disk"
            disk.mkdir()
            stack.enter_context(fault_store.small_disk(disk))
        yield disk
