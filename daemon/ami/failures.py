"""How talking to a manager interface fails."""

from __future__ import annotations

from daemon.errors import NeverAgain, TryAgain


class LinkLost(TryAgain):
    """The connection to the PBX is gone; it is being made again."""


class NoConnection(LinkLost):
    """Nobody took the connection in time."""


class NoAnswer(LinkLost):
    """The PBX is connected and says nothing."""


class ClosedByPbx(LinkLost):
    """The PBX closed the connection."""


class LoggedInAgain(LinkLost):
    """We ended the connection ourselves to make it anew."""


class ActionTimeout(TryAgain):
    """The PBX did not answer in time; whether it acted is unknown."""


class ActionRefused(NeverAgain):
    """The PBX refused the action."""


class InjectionRefused(NeverAgain):
    """A value for the PBX holds a character that would make it another command."""


class LoginRefused(TryAgain):
    """The PBX refused the login: check username and secret, and permit= in manager.conf."""
