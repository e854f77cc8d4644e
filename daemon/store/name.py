"""What names may look like: a key stands in addresses and is told from others at a glance; any name can be seen."""

from __future__ import annotations

import re
from typing import Final

from daemon.message import Message

_BIDI: Final = r"\u202a-\u202e\u2066-\u2069"  # UAX #9 §2.1, §2.2: they turn what stands beside a name around
_CONTROLS: Final = r"\x00-\x1f\x7f-\x9f\u2028\u2029"
# Unicode 16: the categories Cf and Zs, and what DerivedCoreProperties.txt calls Default_Ignorable_Code_Point; the blank
# of Braille besides. Those above U+FFFF stand here themselves: JSON Schema has no other way that Python shares.
_UNSEEN: Final = (
    r"\xa0\xad\u034f\u0600-\u0605\u061c\u06dd\u070f\u0890\u0891\u08e2\u115f\u1160\u1680\u17b4\u17b5\u180b-\u180f"
    r"\u2000-\u200f\u2028-\u202f\u205f-\u206f\u2800\u3000\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb"
    + "".join(
        f"{chr(first)}-{chr(last)}"
        for first, last in (
            (0x110BD, 0x110BD),
            (0x110CD, 0x110CD),
            (0x13430, 0x1343F),
            (0x1BCA0, 0x1BCA3),
            (0x1D173, 0x1D17A),
            (0xE0000, 0xE0FFF),
        )
    )
)
_NEVER: Final = f"[^{_CONTROLS}{_BIDI}]"
_SEEN: Final = rf"[^{_CONTROLS} {_UNSEEN}]"
_IN_KEY: Final = rf"[^{_CONTROLS}{_UNSEEN}]"

KEY: Final = rf"^(?!\.{{1,2}}$){_SEEN}(?:{_IN_KEY}*{_SEEN})?$"
"""What `key_error` asks of characters, for JSON Schema."""
NAME: Final = rf"^(?:{_NEVER}*{_SEEN}{_NEVER}*)?$"
"""What `name_error` asks of them."""


def key_error(text: str) -> Message | None:
    """Why nothing new can be kept under this; what is kept under such a name already is still found by it."""
    if not text:
        return Message("is missing")
    if text in (".", ".."):  # RFC 3986 §5.2.4: browsers take such parts out of a path
        return Message("cannot be a name")
    if text != text.strip():
        return Message("begins or ends with a space")
    return None if re.fullmatch(KEY, text) else Message("must not hold invisible characters")


def name_error(text: str) -> Message | None:
    """Why people cannot be shown this. Nothing at all is no name, but no wrong one; joiners belong to some scripts."""
    if re.search(f"[{_BIDI}]", text):
        return Message("must not hold characters that turn the direction of writing")
    return None if re.fullmatch(NAME, text) else Message("must hold a character that can be seen")
