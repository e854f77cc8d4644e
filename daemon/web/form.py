"""A form as browsers send it, read once and doubted here."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final
from urllib.parse import parse_qsl

from aiohttp import web

from daemon.web.problem import Problem

_TYPE: Final = "application/x-www-form-urlencoded"
_FIELDS: Final = 50


async def read_form(request: web.Request) -> Mapping[str, str]:
    """The fields by name, each once. Callable again: aiohttp keeps the body."""
    if request.content_type != _TYPE:
        raise Problem(415, f"send {_TYPE}")
    try:
        text = (await request.read()).decode("ascii")  # everything else is percent-encoded (URL Standard §5.2)
        pairs = parse_qsl(text, keep_blank_values=True, errors="strict", max_num_fields=_FIELDS)
    except ValueError as error:
        raise Problem(400, "this is not a form as browsers send it") from error
    fields = dict(pairs)
    if len(fields) != len(pairs):
        raise Problem(400, "a field of the form comes twice")
    return fields
