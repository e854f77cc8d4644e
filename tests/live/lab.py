"""A manager connection with every right: it keeps the raw bytes, and sends actions for a scenario."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import time
from collections.abc import AsyncIterator, Iterator, Sequence

from tests.live.asterisk import Asterisk

ACTION_SECONDS = 10.0
MESSAGE_END = b"\r\n\r\n"

Message = dict[str, str]


class Lab:
    """One connection as user `lab`. `raw` is all that came, banner first, exactly as it came."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.raw = bytearray()
        self._reader, self._writer = reader, writer
        self._ids = itertools.count(1)
        self._changed = asyncio.Event()
        self._parsed: list[Message] = []
        self._parsed_bytes = 0

    @classmethod
    @contextlib.asynccontextmanager
    async def open(cls, pbx: Asterisk, user: str | None = None) -> AsyncIterator[Lab]:
        """As another user than `lab` it sees and may do what that user may."""
        reader, writer = await asyncio.wait_for(asyncio.open_connection(pbx.host, pbx.ami_port), ACTION_SECONDS)
        lab = cls(reader, writer)
        task = asyncio.create_task(lab._read())
        try:
            await lab.action("Login", Username=user or pbx.lab_user, Secret=pbx.secret)
            yield lab
        finally:
            lab.cut()
            await task

    def cut(self) -> None:
        """Close the connection without a word."""
        self._writer.close()

    async def action(self, name: str, *variables: str, **headers: str) -> Message:
        """Send an action and wait for its response; `variables` are `Variable:` headers."""
        key = f"lab-{next(self._ids)}"
        lines = [f"Action: {name}", f"ActionID: {key}"]
        lines += [f"{header}: {value}" for header, value in headers.items()]
        lines += [f"Variable: {variable}" for variable in variables]
        self._writer.write("\r\n".join(lines).encode() + MESSAGE_END)
        await asyncio.wait_for(self._writer.drain(), ACTION_SECONDS)
        return await self.message(ACTION_SECONDS, ActionID=key)

    async def list_action(self, name: str, **headers: str) -> Sequence[Message]:
        """Send an action which answers with a list of events; returns the events."""
        response = await self.action(name, **headers)
        key = response["ActionID"]
        await self.message(ACTION_SECONDS, ActionID=key, EventList="Complete")
        return [m for m in self.messages() if m.get("ActionID") == key and m is not response]

    async def ringtone_entry(self, key: str) -> str | None:
        """What stands in the PBX's database below callwarden/, None where nothing does."""
        answer = await self.action("DBGet", Family="callwarden", Key=key)
        if answer["Response"] == "Error":
            return None
        return (await self.message(ActionID=answer["ActionID"], Event="DBGetResponse"))["Val"]

    async def event(self, name: str, within: float = 10.0, **headers: str) -> Message:
        """The first event of this name, seen or yet to come, whose headers have these values."""
        return await self.message(within, Event=name, **headers)

    async def message(self, within: float = 10.0, **headers: str) -> Message:
        deadline = time.monotonic() + within
        while True:
            for message in self.messages():
                if all(message.get(header) == value for header, value in headers.items()):
                    return message
            left = deadline - time.monotonic()
            if left <= 0:
                raise TimeoutError(f"no manager message with {headers} within {within} s")
            self._changed.clear()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._changed.wait(), left)

    def messages(self) -> list[Message]:
        """Every whole message so far. Of a header that comes twice the last one is kept."""
        end = self.raw.rfind(MESSAGE_END)
        if end >= self._parsed_bytes:
            text = self.raw[self._parsed_bytes : end].decode(errors="replace")
            self._parsed += [dict(_headers(block)) for block in text.split("\r\n\r\n") if block.strip()]
            self._parsed_bytes = end + len(MESSAGE_END)
        return self._parsed

    async def _read(self) -> None:
        with contextlib.suppress(ConnectionError):
            while chunk := await self._reader.read(65536):
                self.raw += chunk
                self._changed.set()
        self._changed.set()


def _headers(block: str) -> Iterator[tuple[str, str]]:
    for line in block.split("\r\n"):
        name, colon, value = line.partition(":")
        if colon:
            yield name, value.strip()
