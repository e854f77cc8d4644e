"""The Alert-Info header (RFC 3261 §20.4) that makes a phone of one brand play one ringtone.

Never a form that some phone takes as the order to answer by itself, and nothing that a dialplan could read as more.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

LIMIT: Final = 255

# No space, comma, quote, backslash, $ or brace: it passes through a manager's header and a dialplan's Set as it is.
_PLAIN: Final = re.compile(rf"[A-Za-z0-9<>:/?=&;._~%@\[\]+*-]{{1,{LIMIT}}}")
# Yealink and its like answer at once where one of these stands anywhere; FreePBX pages with the last ones.
_ANSWERS: Final = re.compile(
    r"auto[\W_]*answer|answer[\W_]*(?:after|mode)|intercom|ring[\W_]*answer|alert[\W_]*auto", re.IGNORECASE
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Brand:
    """How phones of one make are told. In the forms stand {url}, {name} and {number}; None: it knows no such form.

    `numbers` are those of its built-in rings that `{number}` may be. `user_agents` are beginnings of what it calls
    itself. `needs` is what must be set on the phone; `is_confirmed`: its maker's own papers say so.
    """

    key: str
    label: str
    user_agents: tuple[str, ...] = ()
    sound: str | None = None
    named: str | None = None
    rate: int = 8000
    numbers: tuple[int, ...] = (1,)
    needs: str = ""
    is_confirmed: bool = False
    source: str = ""


@dataclass(frozen=True, slots=True)
class Tone:
    """A ringtone: its name, its place among all, and where phones fetch it by the rate (empty: nowhere)."""

    name: str
    place: int
    urls: Mapping[int, str] = field(default_factory=dict)


def alert_info(brand: Brand, tone: Tone) -> str | None:
    """The sound itself where the phone can fetch it, else the name; None where neither can be said safely."""
    url = tone.urls.get(brand.rate)
    number = brand.numbers[tone.place % len(brand.numbers)]
    sound = brand.sound.replace("{url}", url) if brand.sound is not None and url is not None else None
    named = brand.named.replace("{name}", tone.name).replace("{number}", str(number)) if brand.named else None
    return next((text for text in (sound, named) if text is not None and is_safe(text)), None)


def is_safe(text: str) -> bool:
    return _PLAIN.fullmatch(text) is not None and _ANSWERS.search(text) is None


def brand_of(user_agent: str | None, brands: Mapping[str, Brand]) -> str | None:
    """The brand of a phone by what it calls itself; None where it does not say, or nobody knows it."""
    said = (user_agent or "").lower()
    return next((key for key, brand in brands.items() if any(said.startswith(one) for one in brand.user_agents)), None)
