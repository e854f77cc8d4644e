"""What the socket gives, written as JSON Lines while it comes. Never writes what was sent to the PBX: no secret."""

from __future__ import annotations

import base64
import json
from typing import TextIO

from daemon.ami.framing import END_OF_MESSAGE, Framer
from daemon.ami.masking import Masker


class Recorder:
    """Give `write` to `AmiLink` as its tap. With a masker only whole messages are written."""

    def __init__(self, stream: TextIO, masker: Masker | None = None) -> None:
        self._stream = stream
        self._masker = masker
        self._framer = Framer()

    def write(self, data: bytes, at_seconds: float) -> None:
        """Write what came at `at_seconds` (Unix time)."""
        for block in self._masked(data) if self._masker else [data]:
            self._stream.write(_line(block, at_seconds))
        self._stream.flush()

    def _masked(self, data: bytes) -> list[bytes]:
        assert self._masker is not None
        messages = map(self._masker.message, self._framer.feed(data))
        return [message + END_OF_MESSAGE for message in messages if message]


def _line(block: bytes, at_seconds: float) -> str:
    at = round(at_seconds, 6)
    try:
        return json.dumps({"at": at, "raw": block.decode()}, ensure_ascii=False) + "\n"
    except UnicodeDecodeError:
        return json.dumps({"at": at, "base64": base64.b64encode(block).decode("ascii")}) + "\n"
