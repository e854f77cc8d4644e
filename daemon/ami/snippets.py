"""Everything to paste into the files of one Asterisk, in order. Text only, and never the secret."""

from __future__ import annotations

import asyncio
import socket
from ipaddress import IPv6Address, ip_address

from daemon.ami import dialplan
from daemon.ami.failures import ActionRefused, ActionTimeout, LinkLost
from daemon.ami.link import AmiLink, LinkState
from daemon.ami.manager_conf import FILE, RELOAD, THE_LEAST, ManagerUser, Wishes, stanza_without_secret
from daemon.ami.settings import AmiConfig
from daemon.message import Message
from daemon.pbx import Snippet

_LOOKUP_S = 3.0


async def snippets(link: AmiLink, wishes: Wishes = THE_LEAST) -> tuple[Snippet, ...]:
    """The manager interface, then our user, then what belongs into the dialplan."""
    ours = link.local_address or await _route_to(link.config)
    kind = dialplan.Kind.FREEPBX if await _is_freepbx(link) else dialplan.Kind.ASTERISK
    return _general(link.config), _user(link.config, ours, wishes), *dialplan.snippets(kind)


async def _is_freepbx(link: AmiLink) -> bool:
    """By the context that FreePBX runs on every channel before it rings."""
    if link.state is not LinkState.CONNECTED:
        return False
    try:
        said = await link.actions.getvar(f"DIALPLAN_EXISTS({dialplan.FREEPBX_CONTEXT},s,1)")
    except (ActionRefused, ActionTimeout, LinkLost):
        return False
    return said == "1"


def _general(config: AmiConfig) -> Snippet:
    purpose = Message(
        "Opens the manager interface. In a file that has a [general] section already, change these lines there."
    )
    address = _bind_address(config.host)
    bind = [f"bindaddr = {address}", f"port = {config.port}"]
    tls = [
        "tlsenable = yes",
        f"tlsbindaddr = {address}:{config.port}",
        "; tlscertfile and tlsprivatekey: certificate and key",
    ]
    lines = ["[general]", "enabled = yes", *(tls if config.tls else bind), "timestampevents = yes"]
    return Snippet(FILE, purpose, "\n".join(lines) + "\n", RELOAD)


def _user(config: AmiConfig, ours: str | None, wishes: Wishes) -> Snippet:
    permit = f"{ours}/{_whole(ours)}" if ours else "127.0.0.1/255.255.255.255"
    text = stanza_without_secret(ManagerUser(config.username, permit=permit, wishes=wishes))
    purpose = (
        Message("Callwarden's own user with the least rights; {ours} is this machine as the PBX sees it.", ours=ours)
        if ours
        else Message("Callwarden's own user with the least rights. Write this machine's address behind permit.")
    )
    return Snippet(FILE, purpose, text, RELOAD)


def _whole(address: str) -> str:
    return "128" if isinstance(ip_address(address), IPv6Address) else "255.255.255.255"


def _bind_address(host: str) -> str:
    """The PBX listens where we look for it; a name says nothing of that, and the firewall must do."""
    if host == "localhost":
        return "127.0.0.1"
    try:
        address = ip_address(host)
    except ValueError:
        return "0.0.0.0"  # noqa: S104 - text for another machine's file; its ACL lets only us in
    return f"[{address}]" if address.version == 6 else str(address)


async def _route_to(config: AmiConfig) -> str | None:
    """The address this machine would come from. Connecting a datagram socket sends nothing."""
    loop = asyncio.get_running_loop()
    try:
        async with asyncio.timeout(_LOOKUP_S):
            found = await loop.getaddrinfo(config.host, config.port, type=socket.SOCK_DGRAM)
        family, kind, protocol, _, place = found[0]
        with socket.socket(family, kind, protocol) as probe:
            probe.connect(place)
            return str(probe.getsockname()[0]).partition("%")[0]
    except (OSError, TimeoutError, IndexError):
        return None
