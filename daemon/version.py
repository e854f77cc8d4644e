"""Which version of Callwarden this is, as it was installed."""

from __future__ import annotations

from functools import cache
from importlib.metadata import PackageNotFoundError, version


@cache
def program_version() -> str:
    try:
        return version("callwarden")
    except PackageNotFoundError:
        return "0"
