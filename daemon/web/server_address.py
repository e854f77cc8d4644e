"""The address under which others reach this server: the configured one, or the one that was asked for."""

from __future__ import annotations

import re
from typing import Final

from aiohttp import web

from daemon.message import Message
from daemon.web.problem import Problem
from daemon.web.services import services

_HOST: Final = re.compile(r"(?:[A-Za-z0-9._-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\])(?::([0-9]{1,5}))?")


def server_address(request: web.Request) -> str:
    """Without a slash at its end. Where nothing is configured, a Host header that is none is 400 (RFC 9112 §3.2)."""
    if (configured := services(request).public_url) is not None:
        return configured.rstrip("/")
    found = _HOST.fullmatch(request.host)
    if found is None or int(found[1] or 0) > 65535:
        raise Problem(400, Message("the Host header of the request is no name of a server"))
    return f"{request.scheme}://{request.host}"
