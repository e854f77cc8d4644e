"""Webhook targets that are down, slow, reset connections, answer 500, 410 or a body without end, all at once."""

from __future__ import annotations

import asyncio
import random
from pathlib import Path

from tests.delivery.receiver import Misbehaviour, Receiver, Reply
from tests.faults.observed import outbox_of
from tests.faults.stage import HOOK, POPUP, Plan, Stage, stage
from tests.faults.stream import Stream, calls
from tests.faults.tally import Tally

SICK = {
    "/slow": Reply(delay_s=3.0),
    "/hanging": Reply(misbehaviour=Misbehaviour.HANG),
    "/resetting": Reply(misbehaviour=Misbehaviour.RESET),
    "/failing": Reply(status=500),
    "/endless": Reply(misbehaviour=Misbehaviour.ENDLESS_BODY),
    "/dripping": Reply(misbehaviour=Misbehaviour.SLOW_BODY),
}
_POPUP_SICK = Reply(status=500)
GONE = "/gone"
_TO_REST_S = 180.0


async def trial(folder: Path, seed: int, *, seconds: float, per_second: float = 3.0) -> Tally:
    """All misbehave for a while and then work again: the healthy one and each of them in the end gets everything once.

    Popups are only tried for two minutes, so `seconds` must be less.
    """
    chance = random.Random(seed)
    async with Receiver() as down:
        plan = Plan(merge="incoming_and_outgoing", targets=(*SICK, down.url + "/down", GONE))
        async with stage(folder, plan) as here:
            here.elsewhere.append(down)
            async with calls(here, Stream(per_second), chance):
                await misbehave(here, down, seconds)
            await here.settled(_TO_REST_S)
            await enable_again(here)
            await here.settled(_TO_REST_S)
            tally = here.tally(hooks=(HOOK, *SICK, "/down"))
            count_gone(here, tally)
    tally.runs, tally.seeds = len(SICK) + 2, [seed]
    return tally


async def misbehave(here: Stage, down: Receiver, seconds: float) -> None:
    await asyncio.sleep(1.0)
    for path, reply in SICK.items():
        here.crm.plan(path, reply)
    here.crm.plan(GONE, Reply(status=410))
    for crm in (here.crm, down):
        crm.plan(POPUP, _POPUP_SICK)
    await down.close()
    await asyncio.sleep(seconds)
    for path in (*SICK, GONE, POPUP):
        here.crm.plan(path, Reply())
    down.plan(POPUP, Reply())
    await down.open()
    await asyncio.sleep(1.0)


async def enable_again(here: Stage) -> None:
    """What the operator does about a webhook that was switched off because it answered 410."""
    webhook = here.webhooks[GONE]
    await here.api.patch(f"webhooks/{webhook}", {"enabled": True})
    await here.api.post(f"webhooks/{webhook}/replay-failed")


def count_gone(here: Stage, tally: Tally) -> None:
    """Switched off, it is told nothing new; what was due before arrives once it is switched on again."""
    arrived = [request.webhook_id for request in here.crm.got(GONE)]
    for delivery_id in outbox_of(here.store, here.webhooks[GONE]):
        tally.due(delivery_id not in arrived, f"{delivery_id} at {GONE}")
    tally.repeats += len(arrived) - len(set(arrived))
