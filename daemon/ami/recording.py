"""What the socket gives, written as JSON Lines while it comes. Never writes what was sent to the PBX: no secret."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Callable
from typing import TextIO

from daemon.ami.framing import END_OF_MESSAGE, Framer, ProtocolError
from daemon.ami.masking import Masker
from daemon.ami.signal_reader import BANNER
from daemon.call.signals import UnixMs


class Recorder:
    """Give `write` to `AmiLink` as its tap. With a masker only whole messages are written."""

    def __init__(self, stream: TextIO, masker: Masker | None = None, clock: Callable[[], float] = time.time) -> None:
        self._stream = stream
        self._masker = masker
        self._clock = clock
        self._framer = Framer()

    def write(self, data: bytes, _arrival: UnixMs) -> None:
        """Write what came, with a time of its own, exact to the microsecond."""
        at = round(self._clock(), 6)
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
