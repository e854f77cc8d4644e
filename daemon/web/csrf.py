"""That a change was asked for by our own page, not by another site in the same browser.

The token is derived from the cookie's secret, so it is bound to the session, and there is nothing to keep: for forms
before the sign-in the same rule makes a double submit. Besides, a browser's own word about where a request comes from
is believed when it is a refusal.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from typing import Final
from urllib.parse import urlsplit

from aiohttp import web

from daemon.message import Message
from daemon.web.form import read_form
from daemon.web.problem import Problem
from daemon.web.services import services

HEADER: Final = "X-CSRF-Token"
FIELD: Final = "csrf"
SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS"})


def csrf_token(secret: str) -> str:
    """What only a page of ours can send back to whoever has this cookie."""
    digest = hmac.digest(secret.encode(), b"callwarden csrf", hashlib.sha256)
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")


async def require_token(request: web.Request, secret: str | None, *, form: bool) -> None:
    """Refuses (403) a change without the token of this cookie; a page's form may bring it as a field."""
    _refuse_other_sites(request)
    given = request.headers.get(HEADER)
    if given is None and form:
        given = (await read_form(request)).get(FIELD)
    if secret is None or given is None or not _same(given, csrf_token(secret)):
        raise Problem(403, _FORM_OLD if form else f"send the token of your session: {HEADER}: … (GET /api/v1/session)")


_FORM_OLD: Final = Message("this form is too old, or your browser keeps no cookies; open the page again and repeat")


def _refuse_other_sites(request: web.Request) -> None:
    site = request.headers.get("Sec-Fetch-Site")  # https://www.w3.org/TR/fetch-metadata: no script can forge it
    known = site in ("same-origin", "none") if site else _is_ours(request, request.headers.get("Origin"))
    if not known:
        raise Problem(403, Message("this was asked for by another site's page; use the page of this server"))


def _same(one: str, other: str) -> bool:
    return hmac.compare_digest(one.encode("utf-8", "replace"), other.encode("utf-8", "replace"))


def _is_ours(request: web.Request, origin: str | None) -> bool:
    """Old browsers send neither; then the token decides alone."""
    if origin is None:
        return True
    public = urlsplit(services(request).public_url or "")
    if origin == f"{public.scheme}://{public.netloc}":
        return True
    return origin in (f"http://{request.host}", f"https://{request.host}")
