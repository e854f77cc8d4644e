"""The rows of one list that an action asked for, as they come. Bounded: a PBX cannot fill our memory with a list."""

from __future__ import annotations

import asyncio
from typing import Final

from daemon.ami.failures import ActionRefused
from daemon.ami.message import Message

MAX_ROWS: Final = 100_000

ROWS: Final = tuple(
    name.encode()
    for name in (
        *("EndpointList", "EndpointListComplete", "DeviceStateChange", "DeviceStateListComplete"),
        *("QueueParams", "QueueMember", "QueueStatusComplete", "PeerEntry", "PeerlistComplete"),
        *("DBGetTreeResponse", "DBGetTreeComplete"),
    )
)
"""Rows and ends of the lists we ask for. DeviceStateChange without an ActionID is an event, and none of ours."""


class ListRows:
    """`whole` is done with the rows when the list's last event has come."""

    def __init__(self, last: str) -> None:
        self.whole: asyncio.Future[list[Message]] = asyncio.get_running_loop().create_future()
        self._last = last
        self._rows: list[Message] = []

    def add(self, message: Message) -> None:
        if self.whole.done():
            return
        if message.get("Event") == self._last:
            self.whole.set_result(self._rows)
        elif len(self._rows) >= MAX_ROWS:
            self.whole.set_exception(ActionRefused(f"a list of more than {MAX_ROWS} rows"))
        else:
            self._rows.append(message)
