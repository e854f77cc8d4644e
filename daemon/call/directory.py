"""Who is an agent: endpoints and personal numbers to user ids. Replaced as a whole when an admin saves."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from daemon.call.model import UserId
from daemon.call.number import customer_number
from daemon.call.signals import Endpoint


@dataclass(frozen=True, slots=True)
class Directory:
    """`numbers` holds personal numbers in E.164; `country` reads numbers without a country code (ISO 3166)."""

    country: str = "VN"
    endpoints: Mapping[Endpoint, UserId] = field(default_factory=lambda: MappingProxyType({}))
    numbers: Mapping[str, UserId] = field(default_factory=lambda: MappingProxyType({}))

    def agent_at(self, endpoint: Endpoint) -> UserId | None:
        return self.endpoints.get(endpoint)

    def agent_with(self, number: str | None) -> UserId | None:
        """The agent whose personal number this is, however it is written."""
        e164 = customer_number(number, self.country)
        return self.numbers.get(e164) if e164 is not None else None
