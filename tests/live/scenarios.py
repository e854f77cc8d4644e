"""What a scenario is: one situation played with real phones, and the truth about it known outside the PBX.

A scenario must take its times and its facts from the phones only, never from what the PBX reports.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from tests.live.asterisk import Asterisk
from tests.live.lab import Lab
from tests.live.phone import Phone, PhoneCall, PhoneError
from tests.live.trunk import Trunk

Direction = Literal["incoming", "outgoing", "internal"]
EndedBy = Literal["customer", "agent", "system"]
Play = Callable[["Stage"], Awaitable[None]]

TALK_SECONDS = 1.2
QUIET_SECONDS = 20.0

SCENARIOS: dict[str, Scenario] = {}


@dataclass(frozen=True, slots=True)
class Scenario:
    """`agents` are registered, in the state `only rings`, before the first byte is recorded."""

    name: str
    play: Play
    agents: tuple[str, ...]


@dataclass(slots=True)
class CallTruth:
    """One call as a human would tell it.

    `agents` and `answered_at` go together: who talked and since when. In an outgoing call the first pair is the
    agent who dialled and the moment the *customer* answered.
    `ended_by` is who hung up. A refusal by the called side (486, 603, 404, 503) is no hangup: the PBX ends the call.
    """

    direction: Direction
    customer: str | None
    hotline: str | None
    queue: str | None
    agents: list[str]
    outcome: Literal["answered", "missed"] | None
    answered_at: list[float]
    ended_by: EndedBy
    no_ticket: bool = False
    note: str = ""


def scenario(*agents: str) -> Callable[[Play], Play]:
    """Register a scenario under its function's name."""

    def register(play: Play) -> Play:
        name = play.__name__
        SCENARIOS[name] = Scenario(name, play, agents)
        return play

    return register


@dataclass
class Stage:
    """Where a scenario plays: the PBX, the customers' side, the agents' phones, and the manager connection."""

    pbx: Asterisk
    trunk: Trunk
    customer: str
    phones: dict[str, Phone] = field(default_factory=dict)
    calls: list[CallTruth] = field(default_factory=list)
    log: list[dict[str, Any]] = field(default_factory=list)
    parts: list[bytes] = field(default_factory=list)
    started_at: float = field(default_factory=time.time)
    talk_seconds: float = TALK_SECONDS
    _exits: contextlib.AsyncExitStack = field(default_factory=contextlib.AsyncExitStack)
    _lab: Lab | None = None

    @property
    def lab(self) -> Lab:
        if self._lab is None:
            raise RuntimeError("the manager connection is cut")
        return self._lab

    def another_customer(self, which: int) -> str:
        """More customers of the same scenario; every number is a valid one."""
        return self.customer.replace("+84901", f"+8490{1 + which}")

    @property
    def personal(self) -> dict[str, str]:
        """Agents with a mobile, reached through the trunk."""
        return {"1001": self.pbx.mobile}

    async def connect_manager(self) -> Lab:
        self._lab = await self._exits.enter_async_context(Lab.open(self.pbx))
        return self._lab

    async def cut_manager(self) -> None:
        """End this part of the recording in the middle of whatever goes on."""
        lab, self._lab = self.lab, None
        await self._exits.aclose()
        self.parts.append(bytes(lab.raw))

    async def phone(self, user: str) -> Phone:
        """The agent's phone; one that was not there from the start is started, not registered."""
        if user not in self.phones:
            self.phones[user] = Phone(self.pbx, user)
            await self.phones[user].start()
        return self.phones[user]

    def note(self, what: str) -> None:
        self.log.append({"t": round(time.time() - self.started_at, 3), "what": what})

    async def talk(self, seconds: float | None = None) -> None:
        await asyncio.sleep(self.talk_seconds if seconds is None else seconds)

    async def customer_dials(self, hotline: str, customer: str | None = "", name: str | None = None) -> PhoneCall:
        """`customer` None is anonymous, empty the scenario's own number."""
        number = self.customer if customer == "" else customer
        self.note(f"customer {number} dials {hotline}")
        return await self.trunk.call(hotline, number, name=name)

    async def agent_answers(self, user: str, after: float = 0.6) -> PhoneCall:
        """Let the agent's phone ring for a while, answer it, and wait until it is connected."""
        call = await self.phones[user].next_call()
        await asyncio.sleep(after)
        await call.answer()
        await call.confirmed()
        self.note(f"{user} answered")
        return call

    async def hangs_up(self, call: PhoneCall, who: str) -> None:
        self.note(f"{who} hangs up")
        await call.hangup()
        await call.disconnected()

    def incoming(
        self,
        hotline: str,
        ended_by: EndedBy,
        *answered: tuple[str, PhoneCall],
        queue: str | None = None,
        customer: str | None = "",
        note: str = "",
    ) -> None:
        """A customer's call; `answered`: each agent who talked, with the phone call that shows when."""
        number = self.customer if customer == "" else customer
        self._add("incoming", number, hotline, queue, answered, ended_by, note=note)

    def outgoing(
        self,
        customer: str,
        ended_by: EndedBy,
        *answered: tuple[str, PhoneCall],
        no_ticket: bool = False,
        note: str = "",
    ) -> None:
        """A call to a customer: first the dialling agent with the *customer's* phone call, then who took over."""
        self._add("outgoing", customer, "1900", None, answered, ended_by, no_ticket=no_ticket, note=note)

    def internal(self, ended_by: EndedBy, *answered: tuple[str, PhoneCall], note: str = "") -> None:
        """A call between agents: the one who answered, with the phone call that shows when."""
        self._add("internal", None, None, None, answered, ended_by, note=note)

    async def quiet(self) -> None:
        """Wait until the PBX has no channel left and its last events are out."""
        deadline = time.monotonic() + QUIET_SECONDS
        while "0 active channels" not in await asyncio.to_thread(self.pbx.cli, "core show channels count"):
            if time.monotonic() > deadline:
                raise TimeoutError("channels are left after the scenario")
            await asyncio.sleep(0.2)
        await asyncio.sleep(0.3)

    async def close(self) -> None:
        if self._lab is not None:
            await self.cut_manager()
        for phone in self.phones.values():
            if phone.is_running:
                with contextlib.suppress(TimeoutError, PhoneError):
                    await phone.unregister()
            await phone.close()

    def truth(self) -> list[dict[str, Any]]:
        return [_without_defaults(asdict(call)) for call in self.calls]

    def _add(
        self,
        direction: Direction,
        customer: str | None,
        hotline: str | None,
        queue: str | None,
        answered: Sequence[tuple[str, PhoneCall]],
        ended_by: EndedBy,
        *,
        no_ticket: bool = False,
        note: str = "",
    ) -> None:
        outcome: Literal["answered", "missed"] | None = "answered" if answered else "missed"
        self.calls.append(
            CallTruth(
                direction,
                customer,
                hotline,
                queue,
                [user for user, _ in answered],
                None if no_ticket else outcome,
                [round(call.confirmed_at or 0.0, 3) for _, call in answered],
                ended_by,
                no_ticket,
                note,
            )
        )


def _without_defaults(call: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in call.items() if value or key not in {"no_ticket", "note"}}
