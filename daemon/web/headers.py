"""What stands on every answer, streams and refusals too. A page that needs another policy sets its own before."""

from __future__ import annotations

from typing import Final

from aiohttp import web

_HEADERS: Final = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}


def put_headers(response: web.StreamResponse) -> None:
    response.headers["Server"] = "callwarden"  # aiohttp would tell which versions of what
    for name, value in _HEADERS.items():
        response.headers.setdefault(name, value)
