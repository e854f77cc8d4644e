"""Where to go after signing in. It must never lead off this server, whatever the address says."""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import quote

HOME: Final = "/"
"""Leads everybody to the first page of his role."""

SIGN_IN: Final = "/sign-in"
_LONGEST: Final = 1000
# A path of this server: no // or \\ (another host), no dot segments, nothing that a browser drops before it looks.
_PATH: Final = re.compile(r"(?:/[A-Za-z0-9._~!$&'()*+,;=:@%-]+)*/?(?:\?[A-Za-z0-9._~!$&'()*+,;=:@%/?-]*)?")
_DOTS: Final = re.compile(r"/(?:\.|%2e){1,2}(?:/|\?|$)", re.IGNORECASE)


def safe_next(text: str | None) -> str:
    """The page if it is one of ours, else home."""
    if not text or len(text) > _LONGEST or not text.startswith("/"):
        return HOME
    path = text.partition("?")[0]
    if not _PATH.fullmatch(text) or _DOTS.search(path) or path in ("/", SIGN_IN, "/sign-out"):
        return HOME
    return text


def sign_in_address(wanted: str | None) -> str:
    back = safe_next(wanted)
    return SIGN_IN if back == HOME else f"{SIGN_IN}?next={quote(back, safe='')}"
