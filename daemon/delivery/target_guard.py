"""Which URLs and addresses may be called. The address checked is the very one the socket then connects to.

Link-local (where clouds keep their metadata), multicast, unspecified, broadcast and reserved addresses are refused
whatever the config says; loopback and private networks are allowed, since the CRM is usually on the LAN.
"""

from __future__ import annotations

import asyncio
import re
import socket
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Any

from aiohttp.abc import AbstractResolver, ResolveResult
from yarl import URL

from daemon.errors import ConfigError, NeverAgain
from daemon.message import Message

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

_HOST_NAME = re.compile(r"[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*\.?")
_ENDS_IN_NUMBER = re.compile(r"(^|\.)([0-9]+|0[xX][0-9A-Fa-f]*)\.?$")

LONGEST_URL = 8_000  # RFC 9110 §4.1 asks everybody to support that much; few support more


class BadUrl(NeverAgain):
    """The URL is no absolute http or https URL without user name and password."""


class AddressRefused(NeverAgain, OSError):
    """The address may not be called. An OSError, so that aiohttp treats it as a failed connection."""


ALWAYS_REFUSED: tuple[Network, ...] = (
    ip_network("0.0.0.0/8"),  # RFC 1122 §3.2.1.3 "this host": Linux connects to loopback
    ip_network("169.254.0.0/16"),  # RFC 3927 link-local, the metadata of most clouds
    ip_network("224.0.0.0/4"),  # RFC 5771 multicast
    ip_network("240.0.0.0/4"),  # RFC 1112 §4 reserved, 255.255.255.255 broadcast (RFC 919)
    ip_network("::/128"),  # RFC 4291 §2.5.2 unspecified
    ip_network("fe80::/10"),  # RFC 4291 §2.5.6 link-local
    ip_network("ff00::/8"),  # RFC 4291 §2.7 multicast
)

METADATA: tuple[Network, ...] = (  # cloud metadata outside link-local; an `allow` network makes an exception
    ip_network("fd00:ec2::254/128"),
    ip_network("100.100.100.200/32"),
    ip_network("192.0.0.192/32"),
    ip_network("168.63.129.16/32"),
)


@dataclass(frozen=True, slots=True)
class TargetGuard:
    """`deny` adds refused networks; `allow` makes exceptions from `deny`. Deny 0.0.0.0/0 and ::/0 to allow by list."""

    allow: tuple[Network, ...] = ()
    deny: tuple[Network, ...] = ()

    def check_url(self, url: str) -> URL:
        """The URL as it will be requested. Raises BadUrl, or AddressRefused for a refused literal address."""
        parsed = _parse(url)
        host = parsed.raw_host or ""
        if _looks_numeric(host):
            self.check_address(str(_literal(host)))
        elif not _HOST_NAME.fullmatch(host):
            raise BadUrl(Message("{host} is no host name", host=repr(host)))
        return parsed

    def check_address(self, address: str) -> None:
        """Raises AddressRefused. What is no plain address is refused too: it would be resolved once more."""
        refusal = _refusal(address, self)
        if refusal is not None:
            raise AddressRefused(refusal)

    def open_socket(self, addr_info: tuple[Any, ...]) -> socket.socket:
        """For aiohttp's `socket_factory`: called with the address right before the connection is made."""
        family, kind, protocol, _, address = addr_info
        self.check_address(str(address[0]))
        return socket.socket(family, kind, protocol)


def guard_from_config(allow: Iterable[str], deny: Iterable[str]) -> TargetGuard:
    """Networks as `192.168.0.0/16`. Raises ConfigError naming the wrong one."""
    return TargetGuard(tuple(map(_network, allow)), tuple(map(_network, deny)))


class GuardedResolver(AbstractResolver):
    """Leaves out refused addresses, so that a name with a good and a refused one still works over the good one.

    Names are looked up in threads of their own: a dead name server must not hold up anything else of the process.
    """

    def __init__(self, guard: TargetGuard, inner: AbstractResolver | None = None, threads: int = 16) -> None:
        self._guard = guard
        self._inner = inner
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="names") if inner is None else None

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        found = await self._look_up(host, port, family)
        allowed, refusal = [], AddressRefused(f"{host} has no address")
        for one in found:
            try:
                self._guard.check_address(one["host"])
                allowed.append(one)
            except AddressRefused as error:
                refusal = error
        if found and not allowed:
            raise refusal
        return allowed

    async def _look_up(self, host: str, port: int, family: socket.AddressFamily) -> list[ResolveResult]:
        if self._inner is not None:
            return await self._inner.resolve(host, port, family)
        loop = asyncio.get_running_loop()
        found = await loop.run_in_executor(
            self._pool, lambda: socket.getaddrinfo(host, port, family=family, type=socket.SOCK_STREAM)
        )
        return [
            ResolveResult(hostname=host, host=str(address[0]), port=port, family=kind, proto=protocol, flags=0)
            for kind, _, protocol, _, address in found
        ]

    async def close(self) -> None:
        if self._inner is not None:
            await self._inner.close()
        if self._pool is not None:
            self._pool.shutdown(wait=False, cancel_futures=True)


@lru_cache(maxsize=4096)
def _refusal(address: str, guard: TargetGuard) -> str | None:
    try:
        parsed = ip_address(address)
    except ValueError:
        return Message("{address} is no address", address=repr(address))
    for face in _faces(parsed):
        if _within(face, ALWAYS_REFUSED):
            return Message(
                "{address} may never be called (link-local, multicast, unspecified or reserved)", address=address
            )
        if _within(face, guard.deny + METADATA) and not _within(face, guard.allow):
            return Message("{address} is in a network that is denied", address=address)
    return None


def _parse(url: str) -> URL:
    if len(url) > LONGEST_URL or "\\" in url or any(char <= " " or char == "\x7f" for char in url):
        raise BadUrl(Message("the URL is too long or has blanks, backslashes or control characters"))
    try:
        parsed = URL(url, encoded=url.isascii())  # what is encoded already goes out byte for byte
        port = parsed.port
    except (ValueError, UnicodeError):
        raise BadUrl from None
    if parsed.scheme not in ("http", "https") or not parsed.raw_host or not port:
        raise BadUrl(Message("the URL must begin with http:// or https:// and name a host"))
    if parsed.raw_user is not None or parsed.raw_password is not None:
        raise BadUrl(Message("the URL must not hold a user name or password"))
    return parsed


def _looks_numeric(host: str) -> bool:
    """Spelled as an address in any of the ways `inet_aton` understands: WHATWG URL §3.5 "ends in a number"."""
    return ":" in host or _ENDS_IN_NUMBER.search(host) is not None


def _literal(host: str) -> Address:
    """Only the plain spelling is taken; 0x7f.1, 2130706433 and 0177.0.0.1 serve nobody but an attacker."""
    try:
        return ip_address(host)
    except ValueError:
        raise BadUrl(Message("{host} is an odd spelling of an address", host=repr(host))) from None


def _network(text: str) -> Network:
    try:
        return ip_network(text)
    except ValueError:
        raise ConfigError(f"{text!r} is no network; write it as 192.168.0.0/16") from None


def _within(address: Address, networks: tuple[Network, ...]) -> bool:
    return any(address.version == network.version and address in network for network in networks)


def _faces(address: Address) -> Iterator[Address]:
    """The address, and every IPv4 address that a translator or tunnel on the way would make of it."""
    if isinstance(address, IPv4Address):
        yield address
        return
    if address.ipv4_mapped is not None:  # RFC 4291 §2.5.5.2: the kernel connects to the IPv4 address
        yield address.ipv4_mapped
        return
    yield address
    if address.sixtofour is not None:  # RFC 3056
        yield address.sixtofour
    if address.teredo is not None:  # RFC 4380
        yield from address.teredo
    if _embeds_ipv4_last(address):
        yield IPv4Address(int(address) & 0xFFFFFFFF)


_IPV4_LAST = (
    ip_network("::/96"),  # RFC 4291 §2.5.5.1 IPv4-compatible
    ip_network("64:ff9b::/96"),  # RFC 6052 NAT64
    ip_network("64:ff9b:1::/48"),  # RFC 8215 local NAT64
    ip_network("::ffff:0:0:0/96"),  # RFC 2765 IPv4-translated
)


def _embeds_ipv4_last(address: IPv6Address) -> bool:
    return address > IPv6Address("::1") and _within(address, _IPV4_LAST)
