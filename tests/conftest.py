"""For every test: machines are noisy, so no example has a deadline; what must be quick is measured in `bench/`."""

from __future__ import annotations

from hypothesis import settings

settings.register_profile("house", deadline=None)
settings.load_profile("house")
