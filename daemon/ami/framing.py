"""AMI bytes cut into messages at the blank line, in time linear in the bytes whatever the chunks. Knows no header."""

from __future__ import annotations

from daemon.errors import TryAgain

END_OF_MESSAGE = b"\r\n\r\n"
MAX_MESSAGE_BYTES = 1 << 20
MAX_HEADERS = 10_000

_SMALL_BYTES = 3 * MAX_HEADERS
"""A header takes three bytes at least, so nothing shorter can hold too many: the usual message is never counted."""


class ProtocolError(TryAgain):
    """What came is no manager protocol: check host and port, then look for what damages the stream."""


class Framer:
    """Give it what the socket gave, take whole messages.

    Only CR LF ends a line, as Asterisk always writes it: taking a bare LF for an end would let a value that holds one
    forge headers.
    """

    __slots__ = ("_tail",)

    def __init__(self) -> None:
        self._tail = bytearray()

    def feed(self, data: bytes) -> list[bytes]:
        """Return the messages that `data` completes, without their blank line."""
        if self._tail:
            if END_OF_MESSAGE not in self._tail[-3:] + data:
                self._keep(data)
                return []
            data = bytes(self._tail) + data
            self._tail.clear()
        messages = data.split(END_OF_MESSAGE)
        self._keep(messages.pop())
        if len(data) > _SMALL_BYTES:
            _refuse_giants(messages)
        return messages

    def _keep(self, rest: bytes) -> None:
        self._tail += rest
        if len(self._tail) > MAX_MESSAGE_BYTES:
            raise ProtocolError(f"no end of message within {MAX_MESSAGE_BYTES} bytes")


def _refuse_giants(messages: list[bytes]) -> None:
    if max(map(len, messages), default=0) <= _SMALL_BYTES:
        return
    for message in messages:
        if len(message) > MAX_MESSAGE_BYTES:
            raise ProtocolError(f"a message of {len(message)} bytes, more than {MAX_MESSAGE_BYTES}")
        if message.count(b"\r\n") >= MAX_HEADERS:
            raise ProtocolError(f"a message of more than {MAX_HEADERS} headers")
