"""How a number is dialled for an agent. Only telephone numbers: digits with perhaps a + before them.

Service codes (`*72…`) are refused: a caller may show one as his number, and a click would then forward the phone.
"""

from __future__ import annotations

import re

from daemon.call.number import NumberFormat, customer_number, write_number

_DECORATION = re.compile(r"[\s().\-/\u00a0]")
_NUMBER = re.compile(r"\+?[0-9]{2,20}", re.ASCII)
_DIGITS = re.compile(r"[0-9*#A-D]{1,32}", re.ASCII)


def dialable(text: str) -> str | None:
    """The number without what people write between its digits; None where it is none."""
    number = _DECORATION.sub("", text)
    return number if _NUMBER.fullmatch(number) else None


def ways_to_dial(number: str, country: str) -> tuple[str, ...]:
    """Best first: as people of the country dial it, then with +, then with 00. The PBX knows which it understands."""
    if not number.startswith("+"):
        return (number,)
    national = write_number(customer_number(number, country), number, NumberFormat.NATIONAL, country)
    return tuple(dict.fromkeys((national, number, "00" + number[1:])))


def is_digits(text: str) -> bool:
    """What the keys of a telephone send (RFC 4733 §3.2)."""
    return _DIGITS.fullmatch(text) is not None
