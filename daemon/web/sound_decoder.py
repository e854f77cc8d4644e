"""A program of its own: decodes the sound file on its standard input and writes telephone sound to its standard output.

It runs native decoders on whatever somebody uploaded, so it has no environment, no secrets, opens no file, and dies
alone. It must import nothing of ours: `sound_file` starts it by its path, and is the only one to do so.

Its output is one line of JSON, `{"wide": bytes, "narrow": bytes}` or `{"refused": code, …}`, then the samples as 16 bit
little-endian at 16 and at 8 kHz.
"""

from __future__ import annotations

import contextlib
import json
import os
import resource
import stat
import sys
from collections.abc import Iterator
from typing import Any, Final

import numpy as np
import soundfile
import soxr
from numpy.typing import NDArray

LONGEST_S: Final = 30
SHORTEST_S: Final = 0.1
RATES: Final = range(4_000, 192_001)
CHANNELS: Final = range(1, 9)
_SLACK_S: Final = 0.1  # MP3 pads the end to whole frames: what was cut at 30 s may take its place
_BLOCK: Final = 8192
_TAGS: Final = 4096  # what may stand behind the sound of an MP3
_LIMITS: Final = (
    (resource.RLIMIT_CPU, 10),
    (resource.RLIMIT_AS, 1 << 30),  # libraries take 300 MB of addresses, the longest sound 100 MB
    (resource.RLIMIT_FSIZE, 4096),  # it can open no file; its complaints go to one in memory, which `sound_file` reads
    (resource.RLIMIT_CORE, 0),
    (resource.RLIMIT_NOFILE, 0),
    (resource.RLIMIT_NPROC, 0),
)
# What people have; libsndfile knows thirty formats more, and each is code that a hostile file would reach.
_KINDS: Final = {
    "WAV": {"PCM_U8", "PCM_16", "PCM_24", "PCM_32", "FLOAT", "DOUBLE", "ULAW", "ALAW"},
    "WAVEX": {"PCM_U8", "PCM_16", "PCM_24", "PCM_32", "FLOAT", "DOUBLE", "ULAW", "ALAW"},
    "OGG": {"VORBIS", "OPUS"},
    "MP3": {"MPEG_LAYER_III"},
}

# Loudness: as the built-in ringtones, so that no agent jumps from his chair. They peak at -3 dBFS, and the loudest
# half second of each has an RMS of -12 to -15 dBFS; music that was compressed has far more at the same peak.
_PEAK: Final = 10 ** (-3 / 20)
_LOUDEST: Final = 10 ** (-13 / 20)
_SILENT: Final = 10 ** (-60 / 20)
_CARRIED: Final = 10 ** (-40 / 20)  # with less, made loud again, one would hear only what the filter left
_WINDOW_S: Final = 0.5
_FADE_S: Final = 0.005  # a file that is cut within a wave would click each time it starts again

Samples = NDArray[np.float64]


class Refused(Exception):
    """The file cannot be a ringtone; `sound_file` has the words."""

    def __init__(self, code: str, **values: object) -> None:
        super().__init__(code)
        self.code, self.values = code, values


def main() -> None:
    with contextlib.suppress(PermissionError):  # a sandbox may forbid it
        os.nice(10)  # calls come first
    for kind, limit in _LIMITS:
        resource.setrlimit(kind, (limit, limit))
    np.seterr(all="ignore")  # files hold any numbers; `_checked` says what is wrong with them
    try:
        wide, narrow = (_as_pcm(samples) for samples in convert(sys.stdin.fileno()))
        head: dict[str, object] = {"wide": len(wide), "narrow": len(narrow)}
    except Refused as refused:
        wide, narrow = b"", b""
        head = {"refused": refused.code, **refused.values}
    except MemoryError:
        wide, narrow, head = b"", b"", {"refused": "hostile"}
    sys.stdout.buffer.write(json.dumps(head).encode() + b"\n" + wide + narrow)


def convert(descriptor: int) -> tuple[Samples, Samples]:
    """At 16 and 8 kHz, mono, of a sane loudness. The file must be one that can be sought. Raises Refused."""
    rate, mono = _decoded(descriptor)
    mono = _checked(mono, rate)
    wide, narrow = (soxr.resample(mono, rate, wanted, "HQ") for wanted in (16_000, 8_000))
    if min(_rms(wide), _rms(narrow)) < _CARRIED * _rms(mono):
        raise Refused("high")
    return _loud(wide, 16_000), _loud(narrow, 8_000)


def _decoded(descriptor: int) -> tuple[int, Samples]:
    kind = _kind(descriptor)
    try:
        with soundfile.SoundFile(descriptor, closefd=False) as file:
            _refuse_form(file, kind)
            mono = np.concatenate(list(_blocks(file)))
            if kind == "MP3":
                _refuse_uneven(descriptor)
            return file.samplerate, mono
    except soundfile.LibsndfileError as error:
        raise Refused("broken", seconds=0.0) from error


def _kind(descriptor: int) -> str:
    """By the first bytes: the decoders of other formats are not even asked."""
    assert stat.S_ISREG(os.fstat(descriptor).st_mode)
    head = os.pread(descriptor, 12, 0)
    if head[:4] == b"RIFF" and head[8:] == b"WAVE":
        return "WAV"
    if head[:4] == b"OggS":
        return "OGG"
    if head[:3] == b"ID3" or (len(head) > 3 and head[0] == 0xFF and head[1] & 0xE6 == 0xE2):  # sync, layer III
        return "MP3"
    raise Refused("unknown")


def _refuse_form(file: Any, kind: str) -> None:
    if not file.format.startswith(kind) or file.subtype not in _KINDS.get(file.format, ()):
        raise Refused("coding", coding=file.subtype_info[:40])
    if file.samplerate not in RATES:
        raise Refused("rate", rate=file.samplerate)
    if file.channels not in CHANNELS:
        raise Refused("channels", channels=file.channels)


def _blocks(file: Any) -> Iterator[Samples]:
    """Mono. What the header says about the length is not believed: reading stops at the limit or at the end."""
    read = 0
    while True:
        try:
            block = file.read(_BLOCK, dtype="float64", always_2d=True)
        except soundfile.LibsndfileError as error:
            raise Refused("broken", seconds=round(read / file.samplerate, 1)) from error
        if not len(block):
            break
        read += len(block)
        if read > (LONGEST_S + _SLACK_S) * file.samplerate:
            raise Refused("long")
        yield (block / file.channels).sum(axis=1)  # a mean would add up numbers as large as there are
    if file.frames - read > file.samplerate / 4:
        raise Refused("broken", seconds=round(read / file.samplerate, 1))
    if read < SHORTEST_S * file.samplerate:
        raise Refused("short")


def _refuse_uneven(descriptor: int) -> None:
    """libsndfile takes an MP3 of varying bit rate without a Xing header for shorter than it is, and stops there."""
    size = os.fstat(descriptor).st_size
    if size - os.lseek(descriptor, 0, os.SEEK_CUR) > size // 10 + _TAGS:
        raise Refused("uneven")


def _checked(mono: Samples, rate: int) -> Samples:
    if not np.isfinite(mono).all():
        where = int(np.argmin(np.isfinite(mono)))
        raise Refused("broken", seconds=round(where / rate, 1))
    largest = float(np.abs(mono).max())
    scaled = mono / max(largest, 1.0)  # floating point files may hold any number
    scaled -= scaled.mean()  # a constant is no sound
    if float(np.abs(scaled).max()) < _SILENT:
        raise Refused("silent")
    result: Samples = scaled[: LONGEST_S * rate]
    return result


def _loud(samples: Samples, rate: int) -> Samples:
    """By its highest peak or its loudest half second, whichever is reached first; with soft edges."""
    peak = float(np.abs(samples).max())
    window = min(len(samples), int(_WINDOW_S * rate))
    energy = np.concatenate(([0.0], np.cumsum(samples * samples)))
    loudest = float(np.sqrt((energy[window:] - energy[:-window]).max() / window))
    edge = np.linspace(0.0, 1.0, int(_FADE_S * rate))
    result: Samples = samples * min(_PEAK / peak, _LOUDEST / loudest)
    result[: len(edge)] *= edge
    result[-len(edge) :] *= edge[::-1]
    return result


def _rms(samples: Samples) -> float:
    return float(np.sqrt((samples * samples).mean()))


def _as_pcm(samples: Samples) -> bytes:
    return np.round(np.clip(samples, -1.0, 1.0) * 32767).astype("<i2").tobytes()


if __name__ == "__main__":
    main()
