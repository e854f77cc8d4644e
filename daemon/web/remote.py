"""From which address a request comes, behind proxies too. Nobody but a trusted proxy is believed about it."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

from aiohttp import web

from daemon.web.services import services

_HOPS = 20


def remote_of(request: web.Request) -> str:
    """The nearest address in `X-Forwarded-For` that is no trusted proxy's; what stands before it, anybody may write."""
    nearest = _address(request.remote or "")
    if nearest is None:
        return ""
    parts = ",".join(request.headers.getall("X-Forwarded-For", [])).split(",")
    for part in reversed(parts[-_HOPS:]):
        further = _address(part.strip()) if _is_proxy(request, nearest) else None
        if further is None:
            break
        nearest = further
    return str(nearest)


def neighbourhood(remote: str) -> str:
    """What one person can choose freely: an IPv6 /64 (RFC 4291 §2.5.4) counts as one address."""
    address = _address(remote)
    if isinstance(address, IPv6Address):
        return str(ip_network((int(address), 64), strict=False))
    return remote


def _is_proxy(request: web.Request, address: IPv4Address | IPv6Address) -> bool:
    return any(address in network for network in services(request).trusted_proxies)


def _address(text: str) -> IPv4Address | IPv6Address | None:
    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    return (address.ipv4_mapped or address) if isinstance(address, IPv6Address) else address
