"""How much property tests draw: few examples in CI, many times as many for `make fuzz`, and then others each time."""

from __future__ import annotations

import os
from typing import Final

TIMES: Final = max(1, int(os.environ.get("CALLWARDEN_FUZZ", "1")))
LONG: Final = TIMES > 1


def examples(count: int) -> int:
    """`count` is what CI can afford."""
    return count * TIMES
