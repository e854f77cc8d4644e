"""A configured URL with the call's parameters in it: placed where the operator says, appended where not."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import quote, quote_plus, urlsplit, urlunsplit

PARAMETERS = ("userId", "hotline", "customerNumber", "isCallOut", "timeAnswer", "callId")
"""The contract's names, in the order they are appended."""


def fill(template: str, values: Mapping[str, str]) -> str:
    """Fill `{name}` placeholders in place and append the parameters not placed to the query.

    An existing query and fragment stay; everything filled in is percent-encoded, so that a caller's name or number
    can never add a parameter or change the host (RFC 3986 §2). Non-ASCII of the template itself is encoded as UTF-8.
    """
    placed = [name for name in PARAMETERS if "{" + name + "}" in template]
    parts = urlsplit(template)
    appended = "&".join(f"{name}={quote_plus(values[name])}" for name in PARAMETERS if name not in placed)
    query = "&".join(piece for piece in (parts.query.rstrip("&"), appended) if piece)
    return urlunsplit(
        (
            parts.scheme,
            parts.netloc,
            _fill_part(parts.path or "/", values, "/"),
            _fill_part(query, values, "/?&=+:,;@!$'()*"),
            _fill_part(parts.fragment, values, "/?&=+:,;@!$'()*"),
        )
    )


def _fill_part(text: str, values: Mapping[str, str], safe: str) -> str:
    for name in PARAMETERS:
        text = text.replace("{" + name + "}", quote(values[name], safe=""))
    return quote(text, safe=safe + "%~-._:@!$&'()*+,;=")
