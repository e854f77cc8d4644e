"""The sound of a ringtone as phones take it: WAV, PCM, 16 bit, mono, in wideband and in the old telephone's band."""

from __future__ import annotations

import hashlib
import io
import wave
from dataclasses import dataclass, field
from typing import Final

WIDE_HZ: Final = 16_000
NARROW_HZ: Final = 8_000
_HEADER: Final = 44  # bytes before the samples, as `wave` writes it and sounds/make.py too


@dataclass(frozen=True, slots=True)
class Sound:
    """The same as two WAV files."""

    wide: bytes = field(repr=False)
    narrow: bytes = field(repr=False)

    @property
    def digest(self) -> str:
        return hashlib.sha256(self.wide + self.narrow).hexdigest()

    @property
    def duration_ms(self) -> int:
        return (len(self.wide) - _HEADER) * 500 // WIDE_HZ


def wav(samples: bytes, rate: int) -> bytes:
    """A file of these 16 bit samples."""
    out = io.BytesIO()
    with wave.open(out, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(samples)
    return out.getvalue()
