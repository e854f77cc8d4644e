"""The ringtones: pleasant to fifty neighbours, carried by a phone's speaker, and exactly what their script makes."""

from __future__ import annotations

import math
import shutil
import subprocess
import sys
import wave
from array import array
from cmath import exp
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from itertools import accumulate, combinations, pairwise
from operator import mul
from pathlib import Path

import pytest

from sounds import make

FOLDER = Path(make.__file__).parent
NAMES = sorted(tone.name for tone in make.TONES)
FILES = [f"{name}.{rate}" for name in NAMES for rate in ("16k", "8k")]

TOP = 8000.0
STEP = 15.625  # Hz from one value of a spectrum to the next
THIRDS = list(pairwise(400 * 2 ** (n / 3) for n in range(11)))  # of an octave, 400 Hz to 4 kHz

each_file = pytest.mark.parametrize("file", FILES)
each_tone = pytest.mark.parametrize("name", NAMES)


@dataclass(frozen=True, slots=True)
class Heard:
    """One file as a phone reads it; full scale is 1."""

    rate: int
    samples: list[float]

    def milliseconds(self, first: float, last: float) -> list[float]:
        return self.samples[round(first * self.rate / 1000) : round(last * self.rate / 1000)]

    @property
    def seconds(self) -> float:
        return len(self.samples) / self.rate


@cache
def heard(file: str) -> Heard:
    with wave.open(str(FOLDER / f"{file}.wav")) as opened:
        assert (opened.getnchannels(), opened.getsampwidth(), opened.getcomptype()) == (1, 2, "NONE")
        frames = opened.readframes(opened.getnframes())
        return Heard(opened.getframerate(), [sample / 32768 for sample in array("h", frames)])


def decibels(ratio: float) -> float:
    return 20 * math.log10(max(ratio, 1e-9))


def rms(samples: Sequence[float]) -> float:
    return math.sqrt(math.fsum(sample * sample for sample in samples) / len(samples))


def swings(samples: Sequence[float]) -> list[float]:
    """The third difference: next to nothing for a smooth wave, a spike where it breaks."""
    return [
        abs(d - 3 * c + 3 * b - a) for a, b, c, d in zip(samples, samples[1:], samples[2:], samples[3:], strict=False)
    ]


def clicks(samples: Sequence[float]) -> list[int]:
    """Where the wave swings far more than in the 160 samples around; too softly to be heard does not count."""
    found = swings(samples)
    sums = [0.0, *accumulate(swing * swing for swing in found)]
    spots = ((at, max(0, at - 80), min(len(found), at + 80)) for at, swing in enumerate(found) if swing > 0.003)
    return [at for at, first, last in spots if found[at] > 4.7 * math.sqrt((sums[last] - sums[first]) / (last - first))]


@cache
def _turns(size: int) -> list[complex]:
    return [exp(-2j * math.pi * n / size) for n in range(size // 2)]


def fourier(samples: Sequence[complex]) -> list[complex]:
    if len(samples) == 1:
        return list(samples)
    even = fourier(samples[::2])
    odd = [value * turn for value, turn in zip(fourier(samples[1::2]), _turns(len(samples)), strict=True)]
    pairs = list(zip(even, odd, strict=True))
    return [one + other for one, other in pairs] + [one - other for one, other in pairs]


@cache
def spectra(file: str) -> list[list[float]]:
    """Power every 128 ms in steps of STEP, at either rate.

    Two frames share each transform as real and imaginary part; |Z[k]|² + |Z[-k]|² is twice the power of both.
    """
    size = round(heard(file).rate / STEP)
    hann = [(1 - math.cos(2 * math.pi * n / size)) / 2 for n in range(size)]
    samples, found = heard(file).samples, []
    for at in range(0, len(samples) - 2 * size + 1, 2 * size):
        pairs = zip(samples[at : at + size], samples[at + size : at + 2 * size], hann, strict=True)
        whole = fourier([complex(one, other) * weight for one, other, weight in pairs])
        found.append([abs(whole[n]) ** 2 + abs(whole[-n]) ** 2 for n in range(size // 2)])
    return found


def within(moment: Sequence[float], low: float, high: float) -> float:
    return math.fsum(moment[round(low / STEP) : round(high / STEP)])


def power(file: str, low: float = 0, high: float = TOP) -> float:
    return math.fsum(within(moment, low, high) for moment in spectra(file))


def centroid(file: str) -> float:
    """The middle of the spectrum in Hz: what one hears as its brightness."""
    weighted = math.fsum(n * STEP * value for moment in spectra(file) for n, value in enumerate(moment))
    return weighted / power(file)


def first_second(file: str) -> list[float]:
    """How loud each third of an octave is in each eighth of it, scaled to length 1."""
    cells = [math.sqrt(within(moment, low, high)) for moment in spectra(file)[:8] for low, high in THIRDS]
    length = math.hypot(*cells)
    return [cell / length for cell in cells]


def likeness(one: str, other: str) -> float:
    """1 when the first second is the same in pitch, colour and cadence, 0 when nothing is shared."""
    return math.fsum(map(mul, first_second(one), first_second(other)))


def sine(hertz: float) -> list[float]:
    return [math.sin(2 * math.pi * hertz * n / make.RATE) for n in range(make.RATE // 10)]


def test_at_least_six_ringtones_lie_ready_in_both_rates() -> None:
    assert len(NAMES) >= 6
    assert sorted(path.name for path in FOLDER.glob("*.wav")) == sorted(f"{file}.wav" for file in FILES)
    assert sum(path.stat().st_size for path in FOLDER.glob("*.wav")) < 2_500_000


def test_the_script_alone_makes_the_same_bytes_again(tmp_path: Path) -> None:
    script = shutil.copy(FOLDER / "make.py", tmp_path)
    subprocess.run([sys.executable, "-I", "-S", script], check=True, timeout=60)  # nothing but the standard library
    made = {path.name: path.read_bytes() for path in tmp_path.glob("*.wav")}
    assert sorted(made) == sorted(f"{file}.wav" for file in FILES)
    assert [name for name, content in made.items() if (FOLDER / name).read_bytes() != content] == []


@each_file
def test_a_ringtone_is_plain_pcm_of_three_to_six_seconds(file: str) -> None:
    tone = heard(file)
    assert tone.rate == {"16k": 16_000, "8k": 8_000}[file.split(".")[1]]
    assert 3 <= tone.seconds <= 6
    assert (FOLDER / f"{file}.wav").stat().st_size == 44 + 2 * len(tone.samples)  # no chunks that a phone may not know


@each_file
def test_no_ringtone_is_much_louder_than_another(file: str) -> None:
    tone = heard(file)
    assert decibels(max(map(abs, tone.samples))) == pytest.approx(-3, abs=0.1)
    assert -21 < decibels(rms(tone.samples)) < -15
    assert abs(math.fsum(tone.samples) / len(tone.samples)) < 0.0005


@each_file
def test_a_ringtone_is_heard_at_once_and_pauses_before_it_rings_again(file: str) -> None:
    tone = heard(file)
    assert decibels(rms(tone.milliseconds(0, 250))) > -30
    assert decibels(rms(tone.samples[-tone.rate :])) < -40


@each_file
def test_a_loop_has_no_seam(file: str) -> None:
    tone = heard(file)
    assert not any(tone.milliseconds(0, 5))
    assert not any(tone.samples[-tone.rate // 200 :])


@each_file
def test_no_ringtone_clicks(file: str) -> None:
    assert clicks(heard(file).samples) == []


@each_tone
def test_a_note_cut_short_would_be_found(name: str) -> None:
    samples = heard(f"{name}.16k").samples
    loudest = max(range(len(samples)), key=lambda at: abs(samples[at]))
    assert clicks(samples[: loudest + 1] + [0.0] * 1000) != []


@each_file
def test_a_phone_speaker_carries_a_ringtone_and_nothing_in_it_is_shrill(file: str) -> None:
    assert power(file, 300, 3400) > 0.95 * power(file)
    assert power(file, 500, 3000) > 0.9 * power(file)
    assert 600 < centroid(file) < 2000


@each_tone
def test_at_half_the_rate_a_ringtone_sounds_the_same(name: str) -> None:
    full, half = f"{name}.16k", f"{name}.8k"
    assert heard(full).seconds == heard(half).seconds
    for low, high in [(0.0, 400.0), *THIRDS[:-1]]:  # the last lies in the edge of the filter
        shares = [power(file, low, high) / power(file, 400, 3000) for file in (full, half)]
        assert shares[0] == pytest.approx(shares[1], rel=0.02, abs=1e-6), f"{low:.0f} Hz to {high:.0f} Hz"


@pytest.mark.parametrize("hertz", [300.0, 1000.0, 3000.0, 3400.0])
def test_halving_the_rate_keeps_the_telephone_band(hertz: float) -> None:
    assert decibels(rms(make.halved(sine(hertz))[100:-100]) / math.sqrt(0.5)) == pytest.approx(0, abs=0.1)


@pytest.mark.parametrize("hertz", [4000.0, 4600.0, 5000.0, 6300.0, 7700.0])
def test_halving_the_rate_folds_nothing_back(hertz: float) -> None:
    assert decibels(rms(make.halved(sine(hertz))[100:-100])) < -70


@pytest.mark.parametrize(("one", "other"), list(combinations(NAMES, 2)))
def test_one_second_tells_two_ringtones_apart(one: str, other: str) -> None:
    assert likeness(f"{one}.8k", f"{other}.8k") < 0.75
