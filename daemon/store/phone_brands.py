"""The table of phone brands, `phone_brands.toml`, read once: which Alert-Info each understands, how it names itself."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Final

from pydantic import TypeAdapter

from daemon.policy.alert_info import Brand

GENERIC: Final = "generic"
_FILE: Final = Path(__file__).with_suffix(".toml")
_BRAND: Final = TypeAdapter(Brand)


@cache
def phone_brands() -> Mapping[str, Brand]:
    """By key, in the file's order; the last is GENERIC."""
    rows = tomllib.loads(_FILE.read_text(encoding="utf-8"))
    return MappingProxyType({key: _brand(key, row) for key, row in rows.items()})


def _brand(key: str, row: dict[str, object]) -> Brand:
    confirmed = row.pop("confirmed")
    return _BRAND.validate_python({**row, "key": key, "is_confirmed": confirmed})


def brand_key(chosen: str | None) -> str | None:
    """What an admin wrote for a phone: a key of the table, None where he did not, GENERIC for a make nobody knows."""
    if chosen is None:
        return None
    key = chosen.strip().lower()
    return key if key in phone_brands() else GENERIC
