"""The customers' side of the trunk: one phone for single calls, SIPp for many at once."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator

from tests.live.asterisk import Asterisk
from tests.live.phone import Phone, PhoneCall

__all__ = ["Trunk"]


class Trunk:
    """The peer behind the trunk: calls in as any customer, answers what the agents dial; four calls at once."""

    def __init__(self, pbx: Asterisk, phone: Phone) -> None:
        self.pbx, self.phone = pbx, phone
        self.on_call = phone.on_call
        self.next_call = phone.next_call

    @classmethod
    @contextlib.asynccontextmanager
    async def open(cls, pbx: Asterisk) -> AsyncIterator[Trunk]:
        identity = f"<sip:trunk@{pbx.trunk_host}:{pbx.trunk_port}>"
        phone = Phone(pbx, "trunk", host=pbx.trunk_host, port=pbx.trunk_port, identity=identity)
        async with phone:
            yield cls(pbx, phone)

    async def call(
        self,
        hotline: str,
        customer: str | None,
        *,
        name: str | None = None,
        headers: dict[str, str] | None = None,
    ) -> PhoneCall:
        """A customer dials a hotline; `customer` None withholds the number (RFC 3323)."""
        if customer is None:
            identity = '"Anonymous" <sip:anonymous@anonymous.invalid>'
            headers = {"Privacy": "id", **(headers or {})}
        else:
            shown = f'"{name}" ' if name is not None else ""
            identity = f"{shown}<sip:{customer}@{self.pbx.trunk_host}:{self.pbx.trunk_port}>"
        return await self.phone.call(hotline, identity=identity, headers=headers)
