"""Sound files as people have them, made when they are needed: no test needs ffmpeg, and no file of others is kept."""

from __future__ import annotations

import io
import wave
from typing import Any

import numpy as np
import soundfile
from numpy.typing import NDArray

Samples = NDArray[np.float64]
LISTENING_RATE = 16_000


def tone(seconds: float = 1.0, rate: int = 44_100, hertz: float = 700.0, loudness: float = 0.3) -> Samples:
    result: Samples = loudness * np.sin(2 * np.pi * hertz * np.arange(int(seconds * rate)) / rate)
    return result


def encoded(samples: Samples, rate: int = 44_100, kind: str = "WAV", coding: str | None = None, **more: Any) -> bytes:
    out = io.BytesIO()
    channels = samples.shape[1] if samples.ndim == 2 else 1
    with soundfile.SoundFile(out, "w", rate, channels, coding, format=kind, **more) as file:
        for at in range(0, len(samples), 65536):  # the encoder of OGG breaks down over minutes at once
            file.write(samples[at : at + 65536])
    return out.getvalue()


def heard(file: bytes) -> tuple[int, Samples]:
    """Rate and samples of what phones get; it must be plain PCM."""
    with wave.open(io.BytesIO(file)) as opened:
        assert (opened.getnchannels(), opened.getsampwidth(), opened.getcomptype()) == (1, 2, "NONE")
        frames = opened.readframes(opened.getnframes())
        return opened.getframerate(), np.frombuffer(frames, "<i2") / 32768


def pitch(file: bytes) -> float:
    """The loudest frequency, in Hz."""
    rate, samples = heard(file)
    return float(np.argmax(np.abs(np.fft.rfft(samples))) * rate / len(samples))


def decibels(samples: Samples) -> float:
    return float(20 * np.log10(np.abs(samples).max()))
