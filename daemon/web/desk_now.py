"""What is on an agent's desk this moment: phones that ring, calls that live. Values only; `app` says who keeps them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Protocol

from daemon.call.model import Call, CallId, PbxName
from daemon.call.rendering import call_json, iso_utc
from daemon.call.signals import ChannelId, UnixMs
from daemon.policy.customer_lookup import Customer

LONGEST_RING_MS: Final = 180_000
"""Asterisk's own longest Dial or Queue try is far shorter; a desk that was asleep must not ring on after it."""


def rings_until(since: UnixMs) -> UnixMs:
    return UnixMs(since + LONGEST_RING_MS)


@dataclass(frozen=True, slots=True)
class Ringing:
    """One phone of the agent rings for this call."""

    channel: ChannelId
    call: Call
    since: UnixMs

    def as_json(self, customer: Customer | None) -> dict[str, object]:
        return {
            "channel": self.channel,
            "since": iso_utc(self.since),
            "until": iso_utc(rings_until(self.since)),
            "call": desk_call(call_json(self.call, None), customer),
        }


@dataclass(frozen=True, slots=True)
class Held:
    """This phone of the agent holds the other side of this call."""

    channel: ChannelId
    pbx: PbxName
    call_id: CallId

    def as_json(self) -> dict[str, object]:
        return {"channel": self.channel, "pbx": self.pbx, "call_id": self.call_id}


@dataclass(frozen=True, slots=True)
class DeskNow:
    """`calls` are those the agent has now: a transferred one is on the next agent's desk."""

    ringing: tuple[Ringing, ...] = ()
    calls: tuple[Call, ...] = ()
    held: tuple[Held, ...] = ()


class Customers(Protocol):
    """Who the customers of living calls are, by what the company's own system said."""

    def known(self, pbx: str, call_id: str) -> Customer | None: ...


def desk_call(call: Mapping[str, object], customer: Customer | None) -> dict[str, object]:
    """A call as desks get it."""
    return {**call, "customer": customer.as_json() if customer is not None else None}


class Desks(Protocol):
    def of(self, user_id: str, now: UnixMs) -> DeskNow: ...
