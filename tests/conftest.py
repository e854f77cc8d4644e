"""For every test: machines are noisy, so no example has a deadline; what must be quick is measured in `bench/`."""

from __future__ import annotations

import pytest
from hypothesis import settings

from tests.drawn import examples

settings.register_profile("house", deadline=None, max_examples=examples(100))
settings.load_profile("house")

_LONG = ("packaging", "whole", "faults")
# The same lines again in another order, thousands of times: watching each of them would take three times as long.
_NO_COVER = frozenset(
    f"test_{name}.py"
    for name in (
        "restart",
        "robustness",
        "recording_properties",
        "merging",
        "fuzz",
        "roles",
        "csrf",
        "attacks",
        "hostile",
    )
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What waits for whole processes begins first: at the end one worker would do it while the others stand idle."""
    items.sort(key=lambda item: item.path.parent.name not in _LONG)
    for item in items:
        if item.path.name in _NO_COVER:
            item.add_marker(pytest.mark.no_cover)
