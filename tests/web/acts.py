"""What the web server asks of the PBX's hands, kept; each answers as a test said, `refusal` with words."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from daemon.acts import (
    Act,
    AgentState,
    Availability,
    CallOrder,
    CannotAct,
    Keys,
    Ordered,
    Part,
    PhoneState,
)


@dataclass
class Acts:
    orders: list[CallOrder] = field(default_factory=list)
    done: list[Act] = field(default_factory=list)
    phones: dict[str, PhoneState] = field(default_factory=dict)
    refusal: CannotAct | None = None
    keys: Keys = field(default_factory=Keys)
    part: Part = field(default_factory=Part)

    async def order(self, order: CallOrder) -> Ordered:
        if self.refusal:
            raise self.refusal
        self.orders.append(order)
        return Ordered(
            pbx="main", call_id=f"cw-1.{len(self.orders)}", endpoint=order.endpoints[0], number=order.numbers[0]
        )

    async def act(self, act: Act) -> None:
        if self.refusal:
            raise self.refusal
        self.done.append(act)

    def keys_of(self, user_id: str) -> Keys:
        return self.keys

    def part_of(self, pbx: str, call_id: str, user_id: str) -> Part:
        return self.part if user_id == "an" else Part()

    async def phone_states(self, endpoints: Collection[str]) -> Mapping[str, PhoneState]:
        return {endpoint: self.phones[endpoint] for endpoint in endpoints if endpoint in self.phones}


@dataclass
class States:
    known: dict[str, AgentState] = field(default_factory=dict)
    refusal: CannotAct | None = None

    def of(self, user_id: str) -> AgentState:
        return self.known.get(user_id, AgentState(state=Availability.AVAILABLE, queues=("support",)))

    async def pause(self, user_id: str, reason: str) -> AgentState:
        return self._set(user_id, AgentState(state=Availability.PAUSED, reason=reason, queues=("support",)))

    async def resume(self, user_id: str) -> AgentState:
        return self._set(user_id, AgentState(state=Availability.AVAILABLE, queues=("support",)))

    def _set(self, user_id: str, state: AgentState) -> AgentState:
        if self.refusal:
            raise self.refusal
        self.known[user_id] = state
        return state
