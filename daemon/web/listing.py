"""Answers: an object, or a list with the cursor of its next page."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

from aiohttp import web

from daemon.web.query import pack

T = TypeVar("T")


def json_response(
    document: Mapping[str, object], status: int = 200, headers: Mapping[str, str] | None = None
) -> web.Response:
    """ASCII: whatever was stored, nothing in the answer can be taken for HTML or a line end."""
    return web.Response(text=json.dumps(document), status=status, headers=headers, content_type="application/json")


def page_response(
    found: Sequence[T], limit: int, show: Callable[[T], Mapping[str, object]], place: Callable[[T], list[int | str]]
) -> web.Response:
    """`found` was read with a limit one higher than asked for: the surplus one says that there is a next page."""
    shown = found[:limit]
    following = pack(place(shown[-1])) if len(found) > limit else None
    return json_response({"items": [show(item) for item in shown], "next": following})
