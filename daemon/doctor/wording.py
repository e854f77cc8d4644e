"""How names and addresses are said in a finding: few of many, on one line, and never with what may be a secret."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from yarl import URL

SHOWN: Final = 10
_LONGEST: Final = 80


def one_line(text: str, longest: int = _LONGEST) -> str:
    """What a phone, a caller or an admin wrote: nothing that moves a terminal's cursor or turns text around."""
    line = "".join(char if char.isprintable() else "\ufffd" for char in text)
    return line if len(line) <= longest else line[: longest - 1] + "…"


def names(found: Collection[str]) -> str:
    """The first ten of them, sorted."""
    shown = ", ".join(one_line(name) for name in sorted(found)[:SHOWN])
    return shown if len(found) <= SHOWN else f"{shown}, …"


def origin(url: str) -> str:
    """`https://crm.example.com`: what follows the host may be a token that opens something."""
    try:
        parsed = URL(url)
        port = f":{parsed.explicit_port}" if parsed.explicit_port else ""
        host = parsed.raw_host or ""
    except ValueError:
        return "?"
    return one_line(f"{parsed.scheme}://{f'[{host}]' if ':' in host else host}{port}", 255)
