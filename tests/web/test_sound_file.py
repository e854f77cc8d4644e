"""Whatever is uploaded: telephone sound or a reason in plain words, soon, and the daemon is as it was."""

from __future__ import annotations

import asyncio
import os
import struct
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from daemon.store.built_in_ringtones import BUILT_IN, built_in_sound
from daemon.web import sound_decoder, sound_file
from daemon.web.sound_decoder import Refused, convert
from daemon.web.sound_file import FILE_LIMIT, SoundFiles, UnusableSound
from tests.drawn import LONG, examples
from tests.web.sounds import decibels, encoded, heard, pitch, tone

WAV = encoded(tone())
MP3 = encoded(tone(3), kind="MP3")
OGG = encoded(tone(3), kind="OGG")
DECODER = Path(sound_decoder.__file__).read_text()
NOISE = np.random.default_rng(1).standard_normal(8000 * 240) * 0.1


def with_header(channels: int = 1, rate: int = 44_100) -> bytes:
    return WAV[:22] + struct.pack("<HI", channels, rate) + WAV[28:]


def damaged(file: bytes, length: int = 3000) -> bytes:
    middle = len(file) // 2
    return file[:middle] + np.random.default_rng(2).bytes(length) + file[middle + length :]


GOOD = {
    "wav": WAV,
    "wav of 8 bit": encoded(tone(), coding="PCM_U8"),
    "wav of 24 bit": encoded(tone(), coding="PCM_24"),
    "wav of large numbers": encoded(tone() * 1e30, coding="DOUBLE"),
    "wav of the largest numbers there are": encoded(np.sign(np.stack([tone()] * 8, axis=1)) * 1.7e308, coding="DOUBLE"),
    "wav of a telephone": encoded(tone(rate=8000), 8000, coding="ULAW"),
    "wav of more channels": encoded(np.stack([tone(rate=48_000)] * 6, axis=1), 48_000),
    "wav whose header promises more": WAV[:40] + b"\xff\xff\xff\x7f" + WAV[44:],
    "mp3": encoded(tone(), kind="MP3"),
    "mp3 with a picture before it": b"ID3\x04\0\0\0\0\x07\x76" + bytes(1014) + encoded(tone(), kind="MP3"),
    "ogg": encoded(tone(), kind="OGG"),
    "ogg in stereo": encoded(np.stack([tone(), tone(loudness=0.1)], axis=1), kind="OGG"),
    "opus": encoded(tone(rate=48_000), 48_000, "OGG", "OPUS"),
}


@pytest.mark.parametrize("kind", GOOD)
async def test_what_people_have_becomes_telephone_sound(kind: str) -> None:
    sound = await SoundFiles().sound_of(GOOD[kind])
    assert [heard(file)[0] for file in (sound.wide, sound.narrow)] == [16_000, 8_000]
    for file in (sound.wide, sound.narrow):
        assert pitch(file) == pytest.approx(700, abs=5)
    assert 900 < sound.duration_ms < 1150


BAD = {
    "nothing": (b"", "this is not a WAV, MP3 or OGG file"),
    "text": (b"hello\n" * 100, "this is not a WAV, MP3 or OGG file"),
    "a page": (b"<!doctype html><script>alert(1)</script>", "this is not a WAV, MP3 or OGG file"),
    "a program": (Path(sys.executable).read_bytes()[:100_000], "this is not a WAV, MP3 or OGG file"),
    "another format": (encoded(tone(), kind="FLAC"), "this is not a WAV, MP3 or OGG file"),
    "another coding": (
        encoded(tone(), coding="IMA_ADPCM"),
        "the sound is coded as IMA ADPCM; save it as plain WAV, MP3 or OGG",
    ),
    "a page that begins like sound": (b"RIFF\x24\0\0\0WAVE<html><script>" * 9, "the file is broken after 0.0 s"),
    "a wav's head": (WAV[:36], "the file is broken after 0.0 s"),
    "an mp3's head": (MP3[:60], "the file is broken after 0.0 s"),
    "an ogg's head": (OGG[:60], "the file is broken after 0.0 s"),
    "half an mp3": (MP3[: len(MP3) // 2], "the file is broken after 1.4 s"),
    "an mp3 with garbage": (damaged(MP3), "the file is broken after 1.3 s"),
    "a jump": (b"\xff\xfb\x90\x00" + NOISE.tobytes()[:200_000], "the file is broken after 0.0 s"),
    "a tag of 256 MB": (b"ID3\x04\0\0\x7f\x7f\x7f\x7f" + bytes(9999), "the file is broken after 0.0 s"),
    "no channels": (with_header(channels=0), "the file is broken after 0.0 s"),
    "32 channels": (with_header(channels=32), "the file has 32 channels; 1 to 8 are possible"),
    "1 Hz": (with_header(rate=1), "the file has 1 samples a second; 4000 to 192000 are possible"),
    "384 kHz": (with_header(rate=384_000), "the file has 384000 samples a second; 4000 to 192000 are possible"),
    "no number": (
        encoded(np.where(np.arange(44_100) == 22_050, np.nan, tone()), coding="FLOAT"),
        "the file is broken after 0.5 s",
    ),
    "infinity": (encoded(tone() + np.inf, coding="FLOAT"), "the file is broken after 0.0 s"),
    "silence": (encoded(tone() * 0), "the file is silent"),
    "a constant": (encoded(tone() * 0 + 0.4), "the file is silent"),
    "bats": (encoded(tone(rate=96_000, hertz=30_000), 96_000), "the sound is higher than telephones carry"),
    "a click": (encoded(tone(0.05)), "there is less than a tenth of a second of sound in the file"),
    "no sound": (encoded(tone(0)), "there is less than a tenth of a second of sound in the file"),
    "31 seconds": (encoded(tone(31, 8000), 8000), "the sound is longer than 30 s; cut it first"),
    "four minutes": (encoded(NOISE, 8000, "MP3"), "the sound is longer than 30 s; cut it first"),
    "an hour": (encoded(np.zeros(8000 * 3600), 8000, "OGG"), "the sound is longer than 30 s; cut it first"),
}


@pytest.mark.parametrize("kind", BAD)
async def test_what_cannot_be_a_ringtone_is_refused_in_plain_words(kind: str) -> None:
    file, words = BAD[kind]
    began = time.monotonic()
    with pytest.raises(UnusableSound) as refused:
        await SoundFiles().sound_of(file)
    assert refused.value.message == words
    assert time.monotonic() - began < 8


async def test_a_damaged_ogg_ends_where_it_is_broken_or_is_refused() -> None:
    long = encoded(np.tile(tone(4), 4), kind="OGG")
    with pytest.raises(UnusableSound, match="broken after"):
        await SoundFiles().sound_of(damaged(long, 9000))


async def test_an_mp3_whose_length_is_not_known_is_not_cut_in_silence() -> None:
    varied = np.concatenate([tone(4), np.random.default_rng(3).standard_normal(44_100 * 4) * 0.3])
    file = encoded(varied, kind="MP3", bitrate_mode="VARIABLE", compression_level=0.3)
    assert (await SoundFiles().sound_of(file)).duration_ms == pytest.approx(8000, abs=100)
    headless = file[file.index(b"\xff\xfb", 417) :]
    with pytest.raises(UnusableSound, match="constant bit rate"):
        await SoundFiles().sound_of(headless)


async def test_thirty_seconds_fit_also_as_mp3_which_makes_them_longer() -> None:
    for kind in ("WAV", "MP3", "OGG"):
        sound = await SoundFiles().sound_of(encoded(tone(30, 8000), 8000, kind))
        assert 29_900 < sound.duration_ms <= 30_000


@pytest.mark.parametrize("loudness", [0.002, 0.3, 0.99])
async def test_soft_and_loud_files_come_out_as_loud_as_the_built_in_ones(loudness: float) -> None:
    sound = await SoundFiles().sound_of(encoded(tone(2, loudness=loudness)))
    for file in (sound.wide, sound.narrow):
        assert decibels(heard(file)[1]) == pytest.approx(-10, abs=0.2)  # a lasting sine of -13 dB RMS
    plucked = np.concatenate([np.zeros(4410), tone(2) * np.exp(-np.arange(88_200) / 4000)])
    assert decibels(heard((await SoundFiles().sound_of(encoded(plucked))).wide)[1]) == pytest.approx(-3, abs=0.2)


async def test_the_built_in_ones_would_stay_nearly_as_loud_as_they_are() -> None:
    for name in BUILT_IN:
        before = built_in_sound(name).wide
        after = (await SoundFiles().sound_of(before)).wide
        rms = [float(np.sqrt((heard(file)[1] ** 2).mean())) for file in (before, after)]
        assert abs(20 * np.log10(rms[1] / rms[0])) < 1.5


async def test_what_the_narrow_band_cannot_carry_does_not_fold_back_into_it() -> None:
    mixed = encoded(tone(hertz=700) + tone(hertz=6000))
    narrow = heard((await SoundFiles().sound_of(mixed)).narrow)[1]
    spectrum = np.abs(np.fft.rfft(narrow * np.hanning(len(narrow))))
    folded = spectrum[1900:2100].max()  # 8000 - 6000
    assert 20 * np.log10(folded / spectrum.max()) < -60


async def test_a_cut_wave_begins_and_ends_softly() -> None:
    samples = heard((await SoundFiles().sound_of(encoded(np.cos(tone(loudness=1))))).wide)[1]
    assert max(abs(samples[0]), abs(samples[-1])) < 0.01


def _decoder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, program: str) -> None:
    path = tmp_path / "decoder.py"
    path.write_text(program)
    monkeypatch.setattr(sound_file, "_DECODER", path)


OUTPUTS = [
    "print('[' * 99999)",
    "print('{\"wide\": 2.0, \"narrow\": 2.0}\\nabcd', end='')",
    "import os; os.abort()",
    "import ctypes; ctypes.string_at(0)",
    "print('{')",
    "print('[]')",
    "print('{}')",
    "print('{\"refused\": 1}')",
    'print(\'{"refused": "coding"}\')',
    'print(\'{"wide": 2, "narrow": 2}\')',
    'print(\'{"wide": "x", "narrow": 2}\')',
    "print('{\"wide\": -2, \"narrow\": 4}\\nab', end='')",
    "import sys\nwhile True: sys.stdout.write('x' * 65536)",
]


@pytest.mark.parametrize("program", OUTPUTS)
async def test_a_decoder_that_a_file_has_taken_over_is_not_believed(
    program: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _decoder(tmp_path, monkeypatch, program)
    with pytest.raises(UnusableSound, match="cannot be read"):
        await SoundFiles().sound_of(WAV)


async def test_a_server_without_a_decoder_says_so_and_why_in_its_log(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    _decoder(tmp_path, monkeypatch, "import no_such_library")
    with pytest.raises(UnusableSound, match="its log says why"):
        await SoundFiles().sound_of(WAV)
    assert "no_such_library" in capsys.readouterr().out


async def test_what_the_real_decoder_complains_of_under_its_limits_is_in_the_log(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The last of it, however much it is: its own code, with a fault in what follows the limits."""
    broken = 'raise ValueError("no_such_sample " * 900)'
    program = DECODER.replace(
        "    try:\n        wide, narrow = (_as_pcm", f"    {broken}\n    try:\n        wide, narrow = (_as_pcm"
    )
    assert broken in program
    _decoder(tmp_path, monkeypatch, program)
    with pytest.raises(UnusableSound, match="its log says why"):
        await SoundFiles().sound_of(WAV)
    assert "no_such_sample no_such_sample" in capsys.readouterr().out


async def test_a_decoder_that_does_not_end_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    note = tmp_path / "pid"
    program = f"import os, time; open({str(note)!r}, 'w').write(str(os.getpid())); time.sleep(60)"
    _decoder(tmp_path, monkeypatch, program)
    monkeypatch.setattr(sound_file, "_TIMEOUT_S", 1.0)
    with pytest.raises(UnusableSound, match="takes too long"):
        await SoundFiles().sound_of(WAV)
    _assert_gone(int(note.read_text()))


async def test_nobody_waiting_ends_the_decoder_and_lets_the_next_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    note, files = tmp_path / "pid", SoundFiles()
    program = f"import os, time; open({str(note)!r}, 'w').write(str(os.getpid())); time.sleep(60)"
    with monkeypatch.context() as patched:
        _decoder(tmp_path, patched, program)
        waiting = asyncio.create_task(files.sound_of(WAV))
        while not note.exists() or not note.read_text():  # noqa: ASYNC110 -- it is another process that writes
            await asyncio.sleep(0.01)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
    _assert_gone(int(note.read_text()))
    assert (await files.sound_of(WAV)).duration_ms == 1000


def _assert_gone(pid: int) -> None:
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


async def test_the_decoder_sees_no_secret_and_can_open_run_and_keep_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the limits of the real one, tried from inside."""
    monkeypatch.setenv("CALLWARDEN_PBX_SECRET", "hunter2")
    probe = (
        "import json, os, resource, sys\n"
        f"sys.path.insert(0, {str(Path(sound_decoder.__file__).parent)!r})\n"
        "import sound_decoder\n"
        "for kind, limit in sound_decoder._LIMITS: resource.setrlimit(kind, (limit, limit))\n"
        "found = [name for name in os.environ if 'CALLWARDEN' in name]\n"
        "def allowed(what):\n"
        "    try: what(); return True\n"
        "    except (OSError, MemoryError): return False\n"
        "found += [allowed(lambda: open('/etc/passwd')), allowed(lambda: bytearray(2 << 30))]\n"
        "found += [allowed(lambda: os.socketpair())] if hasattr(os, 'socketpair') else []\n"
        "print(json.dumps({'refused': 'coding', 'coding': repr(found)}))\n"
    )
    _decoder(tmp_path, monkeypatch, probe)
    with pytest.raises(UnusableSound, match=r"coded as \[False, False\];"):
        await SoundFiles().sound_of(WAV)


def _converted(content: bytes, path: Path) -> tuple[int, int] | str:
    path.write_bytes(content)
    with path.open("rb") as file:
        try:
            wide, narrow = convert(file.fileno())
        except Refused as refused:
            return refused.code
        return len(wide), len(narrow)


SAMPLES = [file[:20_000] for file in (encoded(tone(0.2)), MP3, OGG, GOOD["opus"], encoded(tone(0.1), coding="FLOAT"))]
_CHANGE = st.tuples(st.integers(0, 20_000), st.binary(max_size=8), st.integers(0, 8))


@settings(max_examples=examples(300), derandomize=not LONG, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.sampled_from(SAMPLES), st.lists(_CHANGE, max_size=6), st.integers(0, 20_000))
def test_a_file_changed_anywhere_is_sound_or_refused_and_soon(
    tmp_path_factory: pytest.TempPathFactory, file: bytes, changes: list[tuple[int, bytes, int]], end: int
) -> None:
    """The decoder in this very process: what breaks it, breaks the test."""
    content = file[: max(end, 12)]
    for at, put, cut in changes:
        content = content[:at] + put + content[at + cut :]
    began = time.monotonic()
    found = _converted(content, tmp_path_factory.getbasetemp() / "fuzzed")
    assert time.monotonic() - began < 5
    if not isinstance(found, str):
        wide, narrow = found
        assert 1000 < wide <= 30 * 16_000
        assert abs(wide - 2 * narrow) <= 4


def test_the_largest_file_that_is_taken_is_of_the_promised_size() -> None:
    assert FILE_LIMIT == 2 * 1024 * 1024
