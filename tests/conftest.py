"""For every test: machines are noisy, so no example has a deadline; what must be quick is measured in `bench/`."""

from __future__ import annotations

from hypothesis import settings

from tests.drawn import examples

settings.register_profile("house", deadline=None, max_examples=examples(100))
settings.load_profile("house")
