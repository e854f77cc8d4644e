"""What the socket gives, written as JSON Lines while it comes. Never writes what was sent to the PBX: no secret."""

from __future__ import annotations

import base64
import json
from typing import TextIO

from daemon.ami.framing import END_OF_MESSAGE, Framer, ProtocolError
from daemon.ami.masking import Masker
from daemon.ami.signal_reader import BANNER


class Recorder:
    """Give it every read of the socket (`AmiLink`'s tap). With a masker only whole messages are written."""

    def __init__(self, stream: TextIO, masker: Masker | None = None) -> None:
        self._stream = stream
        self._masker = masker
        self._framer = Framer()

    def write(self, data: bytes, at_seconds: float) -> None:
        """Write what came at `at_seconds` (Unix time)."""
        at = round(at_seconds, 6)
        for block in self._masked(data, self._masker) if self._masker else [data]:
            self._stream.write(_line(block, at))
        self._stream.flush()

    def _masked(self, data: bytes, masker: Masker) -> list[bytes]:
        if data.startswith(BANNER):
            self._framer = Framer()
        try:
            messages = [masker.message(message) for message in self._framer.feed(data)]
        except ProtocolError:  # what cannot be cut cannot be masked; the link ends over it too
            self._framer = Framer()
            return []
        return [message + END_OF_MESSAGE for message in messages if message]


def _line(block: bytes, at: float) -> str:
    try:
        return json.dumps({"at": at, "raw": block.decode()}, ensure_ascii=False) + "\n"
    except UnicodeDecodeError:
        return json.dumps({"at": at, "base64": base64.b64encode(block).decode("ascii")}) + "\n"
