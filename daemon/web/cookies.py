"""The two cookies: of a session, and of a form that is filled in before there is one. No script can read them.

Behind https their names begin with `__Host-`: a browser then takes them from this very host only, never from a
neighbour's or over http (RFC 6265bis §4.1.3.2).
"""

from __future__ import annotations

import re
from typing import Final

from aiohttp import web

from daemon.store.sessions import LIFE_MS
from daemon.web.services import services

_NAME: Final = "callwarden"
_FORM_NAME: Final = "callwarden-form"
_FORM_LIFE_S: Final = 24 * 3600
_SECRET: Final = re.compile(r"[A-Za-z0-9_-]{43}")


def is_https(request: web.Request) -> bool:
    """By the configured address: what the request itself says, a proxy may have changed."""
    return (services(request).public_url or "").startswith("https://")


def session_cookie(request: web.Request) -> str | None:
    return _read(request, _NAME)


def session_cookie_name(request: web.Request) -> str:
    return _whole_name(request, _NAME)


def form_cookie(request: web.Request) -> str | None:
    return _read(request, _FORM_NAME)


def set_session(request: web.Request, response: web.Response, session_id: str) -> None:
    """The session as well ends on the server; the form's cookie has served."""
    _set(request, response, _NAME, session_id, LIFE_MS // 1000)
    _set(request, response, _FORM_NAME, "", 0)


def clear_session(request: web.Request, response: web.Response) -> None:
    _set(request, response, _NAME, "", 0)


def set_form(request: web.Request, response: web.Response, secret: str) -> None:
    _set(request, response, _FORM_NAME, secret, _FORM_LIFE_S)


def _set(request: web.Request, response: web.Response, name: str, value: str, max_age: int) -> None:
    # Not del_cookie(): a __Host- cookie is taken away only by one that is Secure and of the path / itself.
    response.set_cookie(
        _whole_name(request, name),
        value,
        max_age=max_age,
        path="/",
        secure=is_https(request),
        httponly=True,
        samesite="Lax",
    )


def _read(request: web.Request, name: str) -> str | None:
    value = request.cookies.get(_whole_name(request, name), "")
    return value if _SECRET.fullmatch(value) else None


def _whole_name(request: web.Request, name: str) -> str:
    return f"__Host-{name}" if is_https(request) else name
