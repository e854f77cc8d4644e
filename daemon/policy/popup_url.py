"""A configured URL with the call's parameters in it: placed where the operator says, appended where not."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import lru_cache, partial
from urllib.parse import quote, quote_plus, urlsplit

PARAMETERS = ("userId", "hotline", "customerNumber", "isCallOut", "timeAnswer", "callId")
"""The contract's names, in the order they are appended."""

LOOKUP_PARAMETERS = ("customerNumber", "hotline", "isCallOut", "callId")
"""The same for the customer look-up: nobody has the call yet."""

RECORDING_PARAMETERS = ("callId", "pbx", "userId", "hotline", "customerNumber", "startedAt")
"""What a link to a recording may name; what it does not name is not appended."""

_IN_PATH = "/%~-._:@!$&'()*+,;="
_IN_QUERY = _IN_PATH + "?"  # also of a fragment (RFC 3986 §3.4, §3.5)

_quote_all = partial(quote, safe="")

Piece = str | tuple[str, Callable[[str], str]]
"""Text that is ready, or a parameter's name and how its value is written there."""


def fill(template: str, values: Mapping[str, str], names: tuple[str, ...] = PARAMETERS) -> str:
    """Fill `{name}` placeholders in place and append the parameters not placed to the query, in the order of `names`.

    An existing query and fragment stay; everything filled in is percent-encoded, so that a caller's name or number
    can never add a parameter or change the host (RFC 3986 §2). Non-ASCII of the template itself is encoded as UTF-8.
    """
    return "".join(one if isinstance(one, str) else one[1](values[one[0]]) for one in _pieces(template, names))


@lru_cache(maxsize=64)
def _pieces(template: str, names: tuple[str, ...]) -> tuple[Piece, ...]:
    placeholder = re.compile("{(" + "|".join(names) + ")}")
    parts = urlsplit(template)
    query = parts.query.rstrip("&")
    appended = [name for name in names if "{" + name + "}" not in template]
    pieces: list[Piece] = [f"{parts.scheme}://{parts.netloc}", *_placed(placeholder, parts.path or "/", _IN_PATH)]
    if query or appended:
        pieces += ["?", *_placed(placeholder, query, _IN_QUERY)]
    for number, name in enumerate(appended):
        pieces += ["&" if query or number else "", f"{name}=", (name, quote_plus)]
    if parts.fragment:
        pieces += ["#", *_placed(placeholder, parts.fragment, _IN_QUERY)]
    return tuple(pieces)


def _placed(placeholder: re.Pattern[str], text: str, safe: str) -> list[Piece]:
    """Split at the placeholders: names stand at the odd places."""
    found = placeholder.split(text)
    return [(part, _quote_all) if place % 2 else quote(part, safe=safe) for place, part in enumerate(found)]
