"""A mail server on loopback (RFC 5321, as much as mail programs need) that keeps what it is given."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage


@dataclass
class Mailbox:
    """`refuses` is what is said to each message instead of taking it; `silent` never says anything."""

    port: int = 0
    messages: list[EmailMessage] = field(default_factory=list)
    recipients: list[str] = field(default_factory=list)
    refuses: str | None = None
    silent: bool = False
    visits: int = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.visits += 1
        try:
            if self.silent:
                await reader.read()
                return
            await _say(writer, "220 mail.test ready")
            while line := (await reader.readline()).decode(errors="replace").strip():
                if not await self._obey(line, reader, writer):
                    return
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    async def _obey(self, line: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        match line.partition(" ")[0].upper():
            case "EHLO" | "HELO":
                await _say(writer, "250 mail.test")
            case "RCPT":
                self.recipients.append(line.partition("<")[2].rstrip(">"))
                await _say(writer, "250 fine")
            case "DATA":
                await _say(writer, "354 go on")
                raw = (await reader.readuntil(b"\r\n.\r\n")).removesuffix(b".\r\n")
                if self.refuses is None:
                    found = message_from_bytes(raw.replace(b"\r\n..", b"\r\n."), policy=policy.default)
                    assert isinstance(found, EmailMessage)
                    self.messages.append(found)
                await _say(writer, self.refuses or "250 taken")
            case "QUIT":
                await _say(writer, "221 bye")
                return False
            case _:
                await _say(writer, "250 fine")
        return True


async def _say(writer: asyncio.StreamWriter, line: str) -> None:
    writer.write(line.encode() + b"\r\n")
    await writer.drain()


@asynccontextmanager
async def mailbox() -> AsyncIterator[Mailbox]:
    box = Mailbox()
    server = await asyncio.start_server(box.serve, "127.0.0.1", 0)
    box.port = server.sockets[0].getsockname()[1]
    try:
        yield box
    finally:
        server.close()
