"""The number in what a dialplan dialled: `0901…@trunk`, `trunk/0901…`, `PJSIP/trunk/sip:0901…@host`."""

from __future__ import annotations

import re

_NUMBER = re.compile(r"[wW]*(\+?[0-9*#]+)[wW]*")  # w: the pauses of DAHDI


def number_in(dial_string: str) -> str | None:
    """Return the part that reads like a number, None where there is none (`PJSIP/reception`)."""
    _, sip, address = dial_string.partition("sip:")
    parts = [address] if sip else reversed(dial_string.split("/"))
    for part in parts:
        if match := _NUMBER.fullmatch(re.split("[@;]", part, maxsplit=1)[0]):
            return match[1]
    return None
