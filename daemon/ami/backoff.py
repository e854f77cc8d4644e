"""How long to wait before the next attempt: twice as long each time, with full jitter, never for ever."""

from __future__ import annotations

import random


def delay(failures: int, first: float, most: float) -> float:
    """Return seconds for the `failures`th failure in a row (1, 2, …)."""
    longest = min(most, first * 2 ** min(failures, 30))
    return random.uniform(min(first, most), longest)  # noqa: S311 - it spreads attempts, it keeps no secret
