"""Runs the checks: all at once, each for itself and bounded in time. One that fails is a finding, never an error."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Final

import structlog

from daemon.diagnosis import Area, Finding, State, Story, in_order
from daemon.doctor.call_story import tell_stories
from daemon.doctor.patient import Patient
from daemon.errors import CallwardenError
from daemon.message import Message

CHECK_S: Final = 7.0
"""A PBX that hangs is asked for so long, twice (see `_BY_LINK`); with the command's time to connect that is 19 s."""
FRESH_S: Final = 2.0

_log = structlog.get_logger(__name__)

_BY_LINK: Final = frozenset({Area.DIALPLAN, Area.PHONES, Area.QUEUES})
"""They come after the look at the link, which may log in again for rights given meanwhile (ami/checkup.py)."""

Look = Callable[[Patient], Awaitable[Iterable[Finding]]]


@dataclass(frozen=True, slots=True)
class Check:
    """`name` is its group and what is looked at, in a word: `web.frames`."""

    name: str
    look: Look

    @property
    def area(self) -> Area:
        return Area(self.name.partition(".")[0])


class Examination:
    """The doctor of one installation. Close it: a look that nobody waits for any more ends with it."""

    def __init__(self, patient: Patient, checks: Sequence[Check]) -> None:
        self._patient = patient
        self._checks = checks
        self._looking: dict[Area, tuple[asyncio.Task[list[Finding]], float]] = {}

    async def examine(self, areas: Collection[Area] = tuple(Area)) -> Sequence[Finding]:
        """Areas are looked at together, and each at most once in two seconds, however many ask."""
        looks = [self._look(area) for area in dict.fromkeys(areas)]
        found = await asyncio.gather(*(asyncio.shield(look) for look in looks))
        return in_order(finding for findings in found for finding in findings)

    async def stories(self, call_id: str, pbx: str | None = None) -> Sequence[Story]:
        return await tell_stories(self._patient.reads, call_id, pbx)

    async def close(self) -> None:
        tasks = [task for task, _ in self._looking.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _look(self, area: Area) -> asyncio.Task[list[Finding]]:
        now = asyncio.get_running_loop().time()
        task, begun = self._looking.get(area, (None, 0.0))
        if task is None or (task.done() and now - begun > FRESH_S):
            task = asyncio.create_task(self._examine(area), name=f"check-up of {area}")
            self._looking[area] = task, now
        return task

    async def _examine(self, area: Area) -> list[Finding]:
        if area in _BY_LINK and Area.PBX in self._looking:
            await asyncio.wait([self._looking[Area.PBX][0]])
        mine = [check for check in self._checks if check.area is area]
        found = await asyncio.gather(*(examined(check, self._patient) for check in mine))
        return [finding for findings in found for finding in findings]


async def examined(check: Check, patient: Patient, limit_s: float | None = None) -> list[Finding]:
    """Its findings, or one that says why there are none."""
    limit = CHECK_S if limit_s is None else limit_s
    try:
        async with asyncio.timeout(limit):
            return list(await check.look(patient))
    except TimeoutError:
        said = Message("This could not be checked: it took longer than {seconds} s.", seconds=round(limit))
    except (CallwardenError, OSError) as error:
        said = Message("This could not be checked: {reason}", reason=str(error) or type(error).__name__)
    except Exception:  # noqa: BLE001 - our own bug: the other checks are worth no less
        _log.exception("check_broke", check=check.name)
        said = Message("This could not be checked: {reason}", reason=Message("a fault of Callwarden; see its log"))
    return [Finding(check=check.name, state=State.UNKNOWN, what=said)]
