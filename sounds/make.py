"""Makes the ringtones beside this file: `python sounds/make.py` writes each as WAV in 16 kHz and 8 kHz, 16 bit mono.

Everything is computed from the tables below: no chance, no clock, no other file, so the same bytes come out everywhere.
"""

from __future__ import annotations

import io
import math
import wave
from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from operator import mul
from pathlib import Path

RATE = 16_000
HALF_RATE = RATE // 2
PEAK = 10 ** (-3 / 20)
"""-3 dBFS: room for the phone's own filters."""

_LEAD = 0.01
"""Seconds of silence before the first note and at least after the last, so that a loop has no seam."""
_TOP = 0.44 * RATE
"""No partial above this: nothing is near half the rate, so nothing folds back."""
_SEMITONES = {"C": -9, "D": -7, "E": -5, "F": -4, "G": -2, "A": 0, "B": 2}


@dataclass(frozen=True, slots=True)
class Partial:
    ratio: float
    loudness: float
    decay: float
    """Seconds until 1/e of it is left."""


@dataclass(frozen=True, slots=True)
class Voice:
    """How a note sounds, whatever its pitch. Attack and release are the seconds of its soft edges."""

    partials: tuple[Partial, ...]
    length: float
    attack: float = 0.003
    release: float = 0.03


@dataclass(frozen=True, slots=True)
class Note:
    at: float
    pitch: float
    """Hz."""
    glide: float = 1.0
    """Where the pitch has moved when the note ends, as a ratio."""
    loudness: float = 1.0


@dataclass(frozen=True, slots=True)
class Tone:
    """One ringtone: the notes ring, then it is quiet until `seconds` are over and it starts again."""

    name: str
    seconds: float
    voice: Voice
    notes: tuple[Note, ...]


def hertz(name: str) -> float:
    """`A4` is 440 Hz, twelve equal steps to the octave."""
    return 440 * math.pow(2, (_SEMITONES[name[0]] + 12 * (int(name[1:]) - 4)) / 12)


def played(score: str, step: float, start: float = 0.0, loudness: float = 1.0) -> tuple[Note, ...]:
    """The notes of a line such as `C5 . E5+G5`: each word lasts one step, a point is a rest, + joins a chord."""
    return tuple(
        Note(start + place * step, hertz(name), loudness=loudness)
        for place, word in enumerate(score.split())
        if word != "."
        for name in word.split("+")
    )


def whistled(start: float, *glides: tuple[float, float, float, float]) -> tuple[Note, ...]:
    """Gliding notes, each given as (seconds after start, Hz, Hz at its end, loudness)."""
    return tuple(Note(start + at, pitch, end / pitch, loudness) for at, pitch, end, loudness in glides)


# Two small gongs under one clapper; hardly a bell, so that fifty of them can be borne.
_GONG = Voice((Partial(1, 1, 0.1), Partial(2.01, 0.5, 0.08), Partial(3.02, 0.25, 0.05)), length=0.4)
_GONGS = "A5 C6 A5 C6 A5 C6 A5 C6 A5 C6"

# A tuned wooden bar sounds its octave's octave (4:1) besides its own note, shortly.
_BAR = Voice((Partial(1, 1, 0.22), Partial(3.98, 0.3, 0.05), Partial(9.5, 0.08, 0.012)), length=0.8)

# Each partial twice, a little apart: the slow beat of a tube that is not quite round.
_TUBE = Voice(
    (
        Partial(1, 0.6, 0.7), Partial(1.0025, 0.4, 0.9), Partial(2.0, 0.3, 0.45), Partial(2.006, 0.2, 0.5),
        Partial(3.01, 0.16, 0.25), Partial(4.17, 0.06, 0.12),
    ),
    length=2.4,
    attack=0.004,
    release=0.5,
)  # fmt: skip

_PIP = Voice((Partial(1, 1, 9), Partial(2, 0.4, 9), Partial(3, 0.2, 9)), length=0.1, attack=0.012, release=0.035)

# A bamboo tube answers a knock dry and hollow: little but its own note, and the knock.
_BAMBOO = Voice((Partial(1, 1, 0.06), Partial(2.74, 0.35, 0.022), Partial(5.1, 0.2, 0.009)), length=0.3, attack=0.002)
_ROLLS = "A5 A5 A5 C6 C6 C6 D6 D6 D6 G6 . G6 . . D6 D6 D6 C6 C6 C6 D6 D6 D6 A5 . A5"

_AIR = Voice(
    (Partial(1, 0.6, 1.4), Partial(1.004, 0.5, 1.4), Partial(2.0, 0.3, 0.9), Partial(3.0, 0.1, 0.6)),
    length=2.1,
    attack=0.16,
    release=1.2,
)

# The higher the harmonic of a plucked string, the softer and shorter.
_STRING = Voice(tuple(Partial(n, n**-1.1, 0.5 / n**0.8) for n in range(1, 8)), length=1.5, attack=0.002, release=0.4)

_WHISTLE = Voice((Partial(1, 1, 9), Partial(2, 0.06, 9)), length=0.14, attack=0.06, release=0.07)
_CALL = ((0.0, 1250.0, 1800.0, 0.65), (0.15, 1800.0, 1450.0, 0.75), (0.3, 1450.0, 2200.0, 1.0))

TONES = (
    Tone("classic", 3.0, _GONG, played(_GONGS, 0.045) + played(_GONGS, 0.045, start=0.65)),
    Tone("marimba", 4.0, _BAR, played("A5 C6 . F6 . D6 C6 . G6 . F5+F6 . . A5 C6 . F6", 0.14)),
    Tone("chime", 5.0, _TUBE, played("A5 F6 C6", 0.5) + played("F5", 0.5, start=1.5, loudness=0.8)),
    Tone("pulse", 3.0, _PIP, played("G5+D6 G5+D6 G5+D6 . . C6+G6 C6+G6 C6+G6", 0.15)),
    Tone("bamboo", 3.5, _BAMBOO, played(_ROLLS, 0.075)),
    Tone("dawn", 6.0, _AIR, played("F5 C6 A5 F6", 0.3) + played("G5 D6 B5 G6", 0.3, start=1.6)),
    Tone("harp", 4.5, _STRING, played("C5 E5 G5 B5 D6 G6", 0.075) + played("G6 E6 C6 A5 F5 C5", 0.075, start=1.05)),
    Tone("bird", 4.0, _WHISTLE, whistled(0.0, *_CALL) + whistled(0.62, *_CALL) + whistled(1.24, *_CALL[:2])),
)


def main() -> None:
    for name, content in files():
        (Path(__file__).parent / name).write_bytes(content)


def files() -> Iterator[tuple[str, bytes]]:
    """Each file's name and content."""
    for tone in TONES:
        full = sound(tone)
        yield f"{tone.name}.16k.wav", wav(full, RATE)
        yield f"{tone.name}.8k.wav", wav(halved(full), HALF_RATE)


def sound(tone: Tone) -> array[float]:
    """All of the tone at RATE, not yet at its final loudness."""
    samples = array("d", bytes(8 * round(tone.seconds * RATE)))
    for note in tone.notes:
        assert _LEAD + note.at + tone.voice.length <= tone.seconds - _LEAD, f"{tone.name} rings into its next round"
        shape = _edges(tone.voice)
        for partial in tone.voice.partials:
            if note.pitch * partial.ratio * max(1.0, note.glide) < _TOP:
                _add(samples, note, partial, shape)
    return samples


def _edges(voice: Voice) -> list[float]:
    """0 to 1 and back along half waves of a cosine: an edge that cannot click."""
    last = round(voice.length * RATE)
    rise, fall = voice.attack * RATE, voice.release * RATE
    return [_half_wave(n / rise) * _half_wave((last - n) / fall) for n in range(last)]


def _half_wave(part: float) -> float:
    return 1.0 if part >= 1 else (1 - math.cos(math.pi * part)) / 2


def _add(samples: array[float], note: Note, partial: Partial, shape: Sequence[float]) -> None:
    """The phase is the integral of the pitch, which moves evenly from its start to its end."""
    turn = 2 * math.pi * note.pitch * partial.ratio / RATE
    bend = turn * (note.glide - 1) / (2 * len(shape))
    fade = math.exp(-1 / (partial.decay * RATE))
    loudness = note.loudness * partial.loudness
    first = round((_LEAD + note.at) * RATE)
    for n, edge in enumerate(shape):
        samples[first + n] += edge * loudness * math.sin((turn + bend * n) * n)
        loudness *= fade


def halved(samples: Sequence[float]) -> array[float]:
    """At half the rate, without what would fold back: a low-pass first, then every second sample."""
    taps = _low_pass()
    margin = array("d", bytes(8 * (len(taps) // 2)))
    padded = margin + array("d", samples) + margin
    return array("d", (sum(map(mul, taps, padded[at : at + len(taps)])) for at in range(0, len(samples), 2)))


def _low_pass() -> list[float]:
    """A sinc in a Blackman window, 147 taps: flat to 3.4 kHz, more than 70 dB down from 4 kHz on."""
    middle, edge = 73, 3700 / RATE
    taps = []
    for n in range(-middle, middle + 1):
        sinc = 2 * edge if n == 0 else math.sin(2 * math.pi * edge * n) / (math.pi * n)
        turn = math.pi * (n + middle + 1) / (middle + 1)
        taps.append(sinc * (0.42 - 0.5 * math.cos(turn) + 0.08 * math.cos(2 * turn)))
    whole = sum(taps)
    return [tap / whole for tap in taps]


def wav(samples: Sequence[float], rate: int) -> bytes:
    """PCM, 16 bit, mono, brought to PEAK."""
    scale = PEAK * 32767 / max(map(abs, samples))
    out = io.BytesIO()
    with wave.open(out, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(array("h", (round(sample * scale) for sample in samples)).tobytes())
    return out.getvalue()


if __name__ == "__main__":
    main()
