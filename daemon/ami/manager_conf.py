"""The manager user for manager.conf, with the least that Callwarden needs to see and to do. Text only."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from typing import Final

from daemon.ami.settings import READ_CLASSES
from daemon.ami.signal_table import SIGNAL_TABLE

FILE: Final = "/etc/asterisk/manager.conf"
RELOAD: Final = "asterisk -rx 'manager reload'"

_BESIDE_CALLS = ("OriginateResponse",)


@dataclass(frozen=True, slots=True)
class Wishes:
    """What is wanted beyond the least: lines on phones' displays (class `message`), their keys (the wide `system`)."""

    phone_messages: bool = False
    phone_keys: bool = False


THE_LEAST: Final = Wishes()


@dataclass(frozen=True, slots=True)
class ManagerUser:
    """Whom to write the stanza for. `permit` is the address the daemon comes from."""

    name: str = "callwarden"
    secret: str | None = field(default=None, repr=False)
    permit: str = "127.0.0.1/255.255.255.255"
    wishes: Wishes = THE_LEAST


def stanza(user: ManagerUser | None = None) -> str:
    """Return the text of the user; a secret is made where none is given."""
    user = user or ManagerUser()
    lines = [
        f"; Callwarden's user: add this to {FILE}, then: {RELOAD}",
        "; In [general] set timestampevents = yes: times are then the PBX's own, exact to the millisecond.",
        *_user_lines(user, f"secret = {user.secret or secrets.token_urlsafe(24)}"),
    ]
    return "\n".join(lines) + "\n"


def stanza_without_secret(user: ManagerUser) -> str:
    """The same for a page: whoever pastes it without writing the secret has a user that nobody can log in as."""
    hint = "; secret = write here the secret of this PBX in Callwarden's configuration, and remove the semicolon"
    return "\n".join(_user_lines(user, hint)) + "\n"


def _user_lines(user: ManagerUser, secret: str) -> list[str]:
    return [
        f"[{user.name}]",
        secret,
        "deny = 0.0.0.0/0.0.0.0",
        "deny = ::/0",  # a line denies addresses of its own family only (Asterisk main/acl.c)
        f"permit = {user.permit}",
        f"read = {READ_CLASSES}",
        f"write = {write_classes(user.wishes)}",
        "writetimeout = 5000",
        f"eventfilter = ^Event: ({'|'.join(_events())})",
    ]


def write_classes(wishes: Wishes) -> str:
    """Hangup, Getvar, Setvar, PlayDTMF, BlindTransfer, Atxfer, CancelAtxfer and DeviceStateList are `call`.

    QueuePause is `agent`; CoreShowChannels and DBGetTree are `reporting` or `system`. Ping, QueueStatus and
    ListCommands need none.
    PJSIPShowEndpoints and MuteAudio would need `system` and are done without (muting is a function of Setvar's); to
    read `system` gives no right to do anything. MessageSend is `message`; PJSIPNotify is `system`.
    """
    wide = "system" if wishes.phone_keys else "reporting"
    return ",".join(["call", "originate", "agent", wide, *(["message"] if wishes.phone_messages else [])])


def _events() -> list[str]:
    """Return what to send; one expression, because Asterisk tries each line of filter on each event.

    The old form of `eventfilter` is the one that both 16 and 22 know. Rows of lists are answers, no filter sees them.
    """
    return sorted({*(name.decode() for name in SIGNAL_TABLE), *_BESIDE_CALLS})
