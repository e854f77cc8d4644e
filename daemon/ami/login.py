"""Logging in to the manager interface. The secret itself goes over the wire only where nobody else can read it."""

from __future__ import annotations

import hashlib
import ssl
from ipaddress import ip_address

from daemon.ami.actions import Actions
from daemon.ami.failures import ActionRefused, ActionTimeout, LoginRefused
from daemon.ami.settings import AmiConfig


async def log_in(actions: Actions, config: AmiConfig) -> None:
    """Log in by MD5 challenge; plainly only where the PBX knows no challenge and the way to it is safe."""
    try:
        await actions.send("Login", {**await _proof(actions, config), "Events": config.events})
    except ActionRefused as refused:
        raise LoginRefused(f"login as {config.username!r} refused: {refused}") from refused


async def _proof(actions: Actions, config: AmiConfig) -> dict[str, str]:
    challenge = await _challenge(actions, config)
    if challenge is None:
        return {"Username": config.username, "Secret": config.secret}
    key = hashlib.md5((challenge + config.secret).encode(), usedforsecurity=False).hexdigest()
    return {"AuthType": "MD5", "Username": config.username, "Key": key}


async def _challenge(actions: Actions, config: AmiConfig) -> str | None:
    """What the PBX wants to be answered with; None where it wants nothing and the secret may go as it is."""
    try:
        answer = await actions.send("Challenge", {"AuthType": "MD5"}, limit=config.timings.challenge)
    except (ActionRefused, ActionTimeout):
        if not _private(config):
            raise
        return None
    challenge = answer.get("Challenge")
    if challenge is None and not _private(config):
        raise ActionRefused("no challenge came, and the way there is not safe for a plain secret")
    return challenge


def _private(config: AmiConfig) -> bool:
    if config.tls:
        return config.tls_verify
    try:
        return ip_address(config.host).is_loopback
    except ValueError:
        return config.host == "localhost"


def tls_context(config: AmiConfig) -> ssl.SSLContext | None:
    if not config.tls:
        return None
    context = ssl.create_default_context(cafile=config.ca_file)
    if not config.tls_verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context
