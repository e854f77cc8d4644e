"""How many events a second a PBX sends, from samples of a counter: nothing is done for an event."""

from __future__ import annotations

from collections import deque
from typing import Final

SAMPLE_EVERY_S: Final = 2.0
SHORT_S: Final = 10.0
LONG_S: Final = 60.0


class EventRate:
    """Give it the counter every `SAMPLE_EVERY_S`; times are seconds of a clock that never goes back."""

    def __init__(self) -> None:
        self._samples: deque[tuple[float, int]] = deque(maxlen=int(LONG_S / SAMPLE_EVERY_S) + 1)

    def sample(self, now: float, count: int) -> None:
        self._samples.append((now, count))

    def per_second(self, window: float) -> float | None:
        """Over the newest samples that span about `window` seconds, or all there are; None before there are two."""
        if len(self._samples) < 2:
            return None
        now, count = self._samples[-1]
        since, before = next(sample for sample in self._samples if sample[0] >= now - window - SAMPLE_EVERY_S / 2)
        return round((count - before) / (now - since), 1) if now > since else None
