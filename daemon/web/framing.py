"""Whether a site lets itself be shown in a frame of ours, as browsers decide it from the headers of its answer.

The site is asked as for a caller without a number: no customer is ever told to it by asking.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from aiohttp import web

from daemon.call.signals import UnixMs
from daemon.policy.popup_url import PARAMETERS, fill
from daemon.web.services import PageHead, Services

_KNOWN_FOR_MS: Final = 10 * 60_000
_UNKNOWN_FOR_MS: Final = 60_000
_MOST_KEPT: Final = 32
_PORTS: Final = {"http": 80, "https": 443}
_NOBODY: Final[Mapping[str, str]] = dict.fromkeys(PARAMETERS, "")


@dataclass(frozen=True, slots=True)
class Origin:
    """Scheme, host and port of an address (RFC 6454 §4)."""

    scheme: str
    host: str
    port: int

    @classmethod
    def of(cls, url: str) -> Origin:
        parts = urlsplit(url)
        return cls(parts.scheme, (parts.hostname or "").lower(), parts.port or _PORTS.get(parts.scheme, 0))


@dataclass(slots=True)
class _Known:
    refuses: bool
    until: UnixMs


class Framings:
    """What is known of the sites that the settings name. An old answer counts while a new one is asked for."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, Origin], _Known] = {}
        self._asking: dict[tuple[str, Origin], asyncio.Task[bool]] = {}

    async def refuses(self, template: str, ours: Origin, parts: Services) -> bool:
        """Waits only for the first answer of a site; one that says nothing is believed to allow it."""
        key = (template, ours)
        known = self._known.get(key)
        if known is not None and known.until > parts.clock():
            return known.refuses
        asking = self._asking.get(key) or self._begin(key, parts)
        return known.refuses if known is not None else await asyncio.shield(asking)

    async def close(self) -> None:
        tasks = list(self._asking.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _begin(self, key: tuple[str, Origin], parts: Services) -> asyncio.Task[bool]:
        task = self._asking[key] = asyncio.create_task(self._ask(key, parts))
        task.add_done_callback(lambda _: self._asking.pop(key, None))
        return task

    async def _ask(self, key: tuple[str, Origin], parts: Services) -> bool:
        template, ours = key
        head = await parts.page_head(for_nobody(template))
        refuses = head is not None and refuses_framing(head, ours)
        if len(self._known) >= _MOST_KEPT:
            self._known.clear()
        lasts = _UNKNOWN_FOR_MS if head is None else _KNOWN_FOR_MS
        self._known[key] = _Known(refuses, UnixMs(parts.clock() + lasts))
        return refuses


FRAMINGS: Final = web.AppKey("framings", Framings)


def for_nobody(template: str) -> str:
    """The page's address for a caller without a number."""
    return fill(template, _NOBODY)


def refuses_framing(head: PageHead, ours: Origin) -> bool:
    """`frame-ancestors` of every policy must allow us; without any, `X-Frame-Options` counts (CSP3 §6.4.2)."""
    theirs = Origin.of(head.url)
    policies = list(_ancestors(_values(head, "content-security-policy")))
    if policies:
        return not all(any(_allows(source, ours, theirs) for source in policy) for policy in policies)
    options = {part.strip().lower() for value in _values(head, "x-frame-options") for part in value.split(",")}
    return "deny" in options or ("sameorigin" in options and ours != theirs)


def _values(head: PageHead, name: str) -> list[str]:
    return [value for header, value in head.headers if header.lower() == name]


def _ancestors(headers: Iterable[str]) -> Iterable[Sequence[str]]:
    """The sources of the first `frame-ancestors` of each policy; policies of one header are separated by commas."""
    for policy in (one for header in headers for one in header.split(",")):
        for directive in policy.split(";"):
            name, *sources = directive.lower().split() or [""]
            if name == "frame-ancestors":
                yield sources
                break


def _allows(source: str, ours: Origin, theirs: Origin) -> bool:
    if source == "*":
        return ours.scheme in _PORTS
    if source == "'self'":
        return ours == theirs
    if source.endswith(":") and "/" not in source:
        return _same_scheme(source[:-1], ours.scheme)
    scheme, _, rest = source.rpartition("://")
    host, _, port = rest.partition("/")[0].rpartition(":") if _has_port(rest) else (rest.partition("/")[0], "", "")
    if not _same_scheme(scheme or theirs.scheme, ours.scheme):
        return False
    right_host = ours.host.endswith(host[1:]) if host.startswith("*.") else ours.host == host.strip("[]")
    return right_host and _right_port(port, ours)


def _has_port(rest: str) -> bool:
    return ":" in rest.partition("/")[0].rpartition("]")[2]


def _same_scheme(wanted: str, ours: str) -> bool:
    return wanted == ours or (wanted == "http" and ours == "https")


def _right_port(wanted: str, ours: Origin) -> bool:
    return wanted == "*" or ours.port == (int(wanted) if wanted.isascii() and wanted.isdigit() else _PORTS[ours.scheme])
