"""`/metrics` for Prometheus. Never open to the world by surprise: it tells how many calls a house has, and when."""

from __future__ import annotations

import re
from ipaddress import ip_address, ip_network
from typing import Final

from aiohttp import web

from daemon.message import Message
from daemon.store.role import Role
from daemon.web.caller import find_caller, nobody
from daemon.web.problem import Problem
from daemon.web.remote import remote_of
from daemon.web.services import services

_READERS: Final = frozenset({Role.ADMIN, Role.SUPERVISOR})
_THIS_MACHINE: Final = (ip_network("127.0.0.0/8"), ip_network("::1/128"))
_FORMAT: Final = "text/plain; version=0.0.4; charset=utf-8"
_LOCAL_HOST: Final = re.compile(r"(?:localhost|127\.[0-9.]+|\[::1\])(?::[0-9]+)?")
_FORWARDED: Final = ("Forwarded", "Via", "X-Forwarded-For", "X-Real-IP")


async def get_metrics(request: web.Request) -> web.Response:
    """With a token or session of an admin or supervisor; without one only for whom the configuration names."""
    if not _is_open_to(request):
        known = await find_caller(request, page=False)
        if known is None:
            raise nobody()
        if known.role not in _READERS:
            raise Problem(403, Message("the role {role} may not do this", role=known.role.value))
    return web.Response(body=await services(request).metrics(), headers={"Content-Type": _FORMAT})


def _is_open_to(request: web.Request) -> bool:
    """Only whom `http.metrics_from` names; without a word nobody: a proxy can make the world look like this machine.

    nginx as it comes forwards no address and even asks for 127.0.0.1 by name. Where this machine is named, the name
    asked for still keeps out a web page that resolves its own name to 127.0.0.1 (DNS rebinding).
    """
    remote = remote_of(request)
    if not remote or not any(ip_address(remote) in network for network in services(request).metrics_from):
        return False
    if not any(ip_address(remote) in network for network in _THIS_MACHINE):
        return True
    return _LOCAL_HOST.fullmatch(request.host) is not None and not any(name in request.headers for name in _FORWARDED)
