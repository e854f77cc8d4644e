"""A WAV file as an answer: kept by caches, and in parts for players that ask so (Safari plays nothing else)."""

from __future__ import annotations

from typing import Final

from aiohttp import web

from daemon.web.problem import Problem

PRIVATE: Final = "private, no-cache"
"""Asked again each time whether it is still the same: another sound may come to have this address."""

FOREVER: Final = "public, max-age=31536000, immutable"
"""What is at this address never changes (RFC 8246)."""


def sound_response(request: web.Request, wav: bytes, tag: str, caching: str) -> web.Response:
    """200, 206 for one range (RFC 9110 §14), 304 for a cache that has it, 416 beyond its end."""
    headers = {"ETag": f'"{tag}"', "Cache-Control": caching, "Accept-Ranges": "bytes"}
    known = request.if_none_match or ()
    if any(each.value in (tag, "*") for each in known):
        return web.Response(status=304, headers=headers)
    part = _part(request, tag, len(wav))
    if part is None:
        return web.Response(body=wav, headers=headers, content_type="audio/wav")
    headers["Content-Range"] = f"bytes {part.start}-{part.stop - 1}/{len(wav)}"
    return web.Response(status=206, body=wav[part], headers=headers, content_type="audio/wav")


def _part(request: web.Request, tag: str, size: int) -> slice | None:
    """What was asked for; None: all of it. Several ranges at once, as anything we do not know, are all of it."""
    if request.headers.get("If-Range", f'"{tag}"') != f'"{tag}"':
        return None
    try:
        asked = request.http_range
    except ValueError:
        return None
    if asked.start is None and asked.stop is None:
        return None
    start, stop, _ = asked.indices(size)
    if start >= stop:
        raise Problem(416, "the file is shorter than that", headers={"Content-Range": f"bytes */{size}"})
    return slice(start, stop)
