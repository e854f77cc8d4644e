"""A program of its own: gives one summary to apprise, and dies. `summary_sender` is the only one to start it.

apprise knows a hundred services and blocks while it speaks to them. Here it can hang, break or leak nothing of the
daemon: it has no environment, starts no program, opens no connection to an address that the guard refuses, and is
ended at a deadline. In: one JSON object. Out: `{"ok": true}`, or `{"ok": false, "why": …, "said": …}`.
"""

from __future__ import annotations

import io
import json
import logging
import sys
from ipaddress import ip_network
from typing import Any, Final

from daemon.delivery.target_guard import AddressRefused, TargetGuard

_PROGRAMS: Final = frozenset({"subprocess.Popen", "os.system", "os.exec", "os.posix_spawn", "os.fork", "os.startfile"})
_SOCKET_S: Final = 10.0


class Limits:
    """What this process may do; `refused` is the address that was not allowed."""

    def __init__(self, guard: TargetGuard) -> None:
        self._guard = guard
        self.refused: str | None = None

    def hook(self, event: str, arguments: tuple[Any, ...]) -> None:
        """For `sys.addaudithook`: the address is that to which the socket connects in the next moment."""
        if event in _PROGRAMS:
            raise PermissionError(event)
        if event in ("socket.connect", "socket.sendto"):
            address = arguments[1]
            if not isinstance(address, tuple):
                raise PermissionError("a socket of this machine")
            self._check(str(address[0]))

    def _check(self, host: str) -> None:
        try:
            self._guard.check_address(host)
        except AddressRefused:
            self.refused = host
            raise


def main() -> None:
    asked = json.load(sys.stdin)
    try:
        import apprise
    except ImportError:
        return _tell(ok=False, why="not_installed")
    limits = Limits(TargetGuard(_networks(asked["allow"]), _networks(asked["deny"])))
    said = io.StringIO()
    logging.getLogger("apprise").addHandler(logging.StreamHandler(said))
    logging.getLogger("apprise").setLevel(logging.WARNING)
    asset = apprise.AppriseAsset(plugin_paths=[], storage_mode="memory", **_modest(apprise.AppriseAsset))
    sys.addaudithook(limits.hook)
    target = apprise.Apprise.instantiate(asked["url"], asset=asset, suppress_exceptions=True)
    if target is None:
        return _tell(ok=False, why="not_usable", said=_last(said))
    target.socket_connect_timeout = target.socket_read_timeout = _SOCKET_S
    if asked["letter"] is None:
        return _tell(ok=True)
    letter, kind = asked["letter"], "html" if asked["mail"] else "text"
    taken = apprise.Apprise(asset=asset)
    taken.add(target)
    if taken.notify(title=letter["subject"], body=letter[kind], body_format=kind):
        return _tell(ok=True)
    return _tell(ok=False, why="not_allowed" if limits.refused else "refused", said=limits.refused or _last(said))


def _modest(asset: Any) -> dict[str, Any]:
    """What it must not do, as far as this version of apprise can be told so; the addresses are limited besides."""
    wanted: dict[str, Any] = {
        "secure_logging": True,
        "async_mode": False,
        "http_redirects": False,
        "allow_templates": False,
    }
    return {name: value for name, value in wanted.items() if hasattr(asset, name)}


def _networks(texts: list[str]) -> tuple[Any, ...]:
    return tuple(map(ip_network, texts))


def _last(said: io.StringIO) -> str:
    lines = [line.strip() for line in said.getvalue().splitlines() if line.strip()]
    return lines[-1] if lines else ""


def _tell(**answer: object) -> None:
    sys.stdout.write(json.dumps(answer))


if __name__ == "__main__":
    main()
