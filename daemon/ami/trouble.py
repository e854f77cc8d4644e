"""Why there is no link to a PBX, in words for people: what is wrong and where to look. Never a secret in them."""

from __future__ import annotations

import errno
import re
import socket
import ssl

from daemon.ami.failures import ActionTimeout, ClosedByPbx, LoginRefused, NoAnswer, NoConnection
from daemon.ami.framing import ProtocolError
from daemon.ami.protocol import NotAsterisk
from daemon.ami.settings import AmiConfig
from daemon.message import Message

_CAUSES = (
    (
        LoginRefused,
        Message(
            "The PBX refused the login of {user}: the user name or the secret is wrong, or its permit lines do not let "
            "this machine in. Asterisk gives the same answer to all three."
        ),
    ),
    (
        NotAsterisk,
        Message("What answers at {where} is no Asterisk manager interface. Is the port right, and is it without TLS?"),
    ),
    (
        ProtocolError,
        Message("What came from {where} was damaged or no manager protocol, so the connection was dropped."),
    ),
    (NoConnection, Message("Nothing answered at {where}: the machine is off, or a firewall drops the packets.")),
    (
        NoAnswer,
        Message("The PBX at {where} took the connection and then said nothing: it hangs, or it expects TLS there."),
    ),
    (ActionTimeout, Message("The PBX at {where} did not answer in time: it hangs or is overloaded.")),
    (
        ClosedByPbx,
        Message(
            "The PBX at {where} closed the connection: it was stopped or restarted, or has too many manager sessions."
        ),
    ),
    (ssl.SSLCertVerificationError, Message("The TLS certificate of the PBX at {where} is not trusted: {reason}.")),
    (ssl.SSLError, Message("TLS with the PBX at {where} failed; does it speak TLS on this port?")),
    (socket.gaierror, Message("The host name {host} is not known to this machine.")),
)
_DROPPED = Message("Nothing answered at {where}: the machine is off, or a firewall drops the packets.")
_CUT = Message("The connection to {where} was cut by the other side.")
_ERRORS = {
    errno.ECONNREFUSED: Message(
        "Nobody listens at {where}: Asterisk is not running, or its manager interface is off or elsewhere."
    ),
    errno.EHOSTUNREACH: Message("There is no way to {where}: the machine is off or on another network."),
    errno.ENETUNREACH: Message("There is no way to {where}: the network is not reachable from here."),
    errno.ETIMEDOUT: _DROPPED,
    errno.ECONNRESET: _CUT,
    errno.EPIPE: _CUT,
}
_ELSE = Message("The connection to {where} failed: {reason}.")
# Of several addresses of a host none answered: asyncio tells only a text (`Multiple exceptions: [Errno 111] …`).
_ERRNO = re.compile(r"\[Errno (\d{1,3})\]")


def words(error: Exception, config: AmiConfig) -> Message:
    """One or two sentences that say what an operator can do about it."""
    return Message(
        _pattern(error),
        where=f"{config.host}:{config.port}",
        host=config.host,
        user=config.username,
        reason=_reason(error),
    )


def _pattern(error: Exception) -> Message:
    for kind, pattern in _CAUSES:
        if isinstance(error, kind):
            return pattern
    if isinstance(error, OSError):
        found = _ERRNO.search(str(error))
        number = error.errno if error.errno is not None else int(found[1]) if found else 0
        return _ERRORS.get(number, _ELSE)
    return _ELSE


def _reason(error: Exception) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return error.verify_message
    return str(error).rstrip(".") or type(error).__name__
