"""The manager user for manager.conf, with the least that Callwarden needs to see and to do. Text only."""

from __future__ import annotations

import secrets
from dataclasses import dataclass

from daemon.ami.settings import READ_CLASSES
from daemon.ami.signal_table import SIGNAL_TABLE

_BESIDE_CALLS = ("OriginateResponse",)


@dataclass(frozen=True, slots=True)
class ManagerUser:
    """Whom to write the stanza for. `permit` is the address the daemon comes from."""

    name: str = "callwarden"
    secret: str | None = None
    permit: str = "127.0.0.1/255.255.255.255"
    set_ringtones: bool = False
    """Ringtones are written to Asterisk's database, and DBPut needs the wide class `system`."""


def stanza(user: ManagerUser | None = None) -> str:
    """Return the text of the user; a secret is made where none is given."""
    user = user or ManagerUser()
    lines = [
        "; Callwarden's user: add this to /etc/asterisk/manager.conf, then: asterisk -rx 'manager reload'",
        "; In [general] set timestampevents = yes: times are then the PBX's own, exact to the millisecond.",
        f"[{user.name}]",
        f"secret = {user.secret or secrets.token_urlsafe(24)}",
        "deny = 0.0.0.0/0.0.0.0",
        f"permit = {user.permit}",
        f"read = {READ_CLASSES}",
        f"write = {','.join(_write_classes(user))}",
        "writetimeout = 5000",
        f"eventfilter = ^Event: ({'|'.join(_events())})",
    ]
    return "\n".join(lines) + "\n"


def _write_classes(user: ManagerUser) -> tuple[str, ...]:
    """Hangup, Getvar and Setvar are `call`; CoreShowChannels is `reporting` or `system`; Ping needs none."""
    return ("call", "originate", "system" if user.set_ringtones else "reporting")


def _events() -> list[str]:
    """Return what to send; one expression, because Asterisk tries each line of filter on each event.

    The old form of `eventfilter` is the one that both 16 and 22 know. Rows of lists are answers, no filter sees them.
    """
    return sorted({*(name.decode() for name in SIGNAL_TABLE), *_BESIDE_CALLS})
