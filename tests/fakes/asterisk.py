"""A manager interface that misbehaves on demand, on a real loopback socket. It keeps every action it got."""

from __future__ import annotations

import asyncio

from daemon.ami.scenario import Event
from daemon.ami.simulator import Client, Headers, SimulatedPbx, encoded


class FakeAsterisk(SimulatedPbx):
    """The knobs may be turned at any time.

    `frozen`: takes everything and says nothing, like a stopped process. `mute`: actions never answered.
    `no_challenge`: knows only plain logins. `greeting`: what it says instead of the banner.
    """

    def __init__(self) -> None:
        super().__init__()
        self.frozen = False
        self.mute: set[str] = set()
        self.no_challenge = False
        self.greeting: bytes | None = None
        self.answers: dict[str, bytes] = {}

    @property
    def asked(self) -> list[str]:
        return [action.get("Action", "") for action in self.actions]

    def drop(self) -> None:
        """Cut every connection as a crash does."""
        for client in list(self.clients):
            client.writer.transport.abort()

    def send_raw(self, data: bytes) -> None:
        for client in self.clients:
            client.writer.write(data)

    async def drip(self, data: bytes, size: int = 1) -> None:
        """Send the data a few bytes at a time, each as a packet of its own."""
        for start in range(0, len(data), size):
            self.send_raw(data[start : start + size])
            await asyncio.sleep(0)

    async def half_message_then_close(self) -> None:
        self.send_raw(b"Event: Hangup\r\nUniqueid: 1.1")
        await asyncio.sleep(0.01)
        for client in list(self.clients):
            client.writer.close()

    def emit(self, event: Event) -> None:
        if not self.frozen:
            super().emit(event)

    async def serve(self, client: Client) -> None:
        if self.greeting is None:
            await super().serve(client)
        else:
            client.writer.write(self.greeting)
            await client.reader.read()

    def answer(self, client: Client, action: Headers) -> None:
        name = action.get("Action", "")
        if self.frozen or name in self.mute:
            return
        if name in self.answers:
            client.writer.write(self.answers[name].replace(b"{id}", action["ActionID"].encode()))
        elif name == "Challenge" and self.no_challenge:
            self._refuse(client, action, "Must specify AuthType")
        else:
            super().answer(client, action)


def event(kind: str, **headers: str) -> bytes:
    return encoded((("Event", kind), *headers.items()))
