"""Which addresses a summary may be sent to: mail and messengers, by what apprise calls them, and nothing else.

apprise also knows services that run programs, write to this machine or send anything anywhere; and parameters that read
files. So both are allowed by list. An address holds a password or token: only `Place` may be shown.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

from daemon.message import Message

LONGEST: Final = 2000
KINDS: Final[Mapping[str, str]] = {
    **dict.fromkeys(("mailto", "mailtos"), "E-mail"),
    "tgram": "Telegram",
    "zalo": "Zalo",
    "slack": "Slack",
    "discord": "Discord",
    **dict.fromkeys(("workflow", "workflows"), "Microsoft Teams"),
    "gchat": "Google Chat",
    **dict.fromkeys(("mmost", "mmosts"), "Mattermost"),
    **dict.fromkeys(("rocket", "rockets"), "Rocket.Chat"),
    **dict.fromkeys(("matrix", "matrixs"), "Matrix"),
    **dict.fromkeys(("webex", "wxteams"), "Webex"),
    **dict.fromkeys(("signal", "signals"), "Signal"),
    "line": "LINE",
    "lark": "Lark",
    "viber": "Viber",
    "whatsapp": "WhatsApp",
}
MAILS: Final = ("mailto", "mailtos")
_NAMES_HOST: Final = frozenset({*MAILS, "mmost", "mmosts", "rocket", "rockets", "matrix", "matrixs"})
"""Of the others the first part of the address is a token."""
_PARAMETERS: Final = frozenset(
    {
        *("from", "to", "cc", "bcc", "reply", "name", "smtp", "mode", "user", "pass", "password", "port"),
        *("token", "secret", "channel", "channels", "team", "botname", "topic", "thread", "silent", "preview"),
        *("avatar", "footer", "ping", "route"),
    }
)


@dataclass(frozen=True, slots=True)
class Place:
    """What may be told of an address: which service, and whose server where that is no secret."""

    kind: str
    host: str | None = None


_SECRET: Final = ("pass", "password", "token", "secret", "user")


def place_of(url: str) -> Place:
    parts = _split(url)
    scheme = parts.scheme.lower() if parts else ""
    names_host = scheme in _NAMES_HOST and parts is not None and "@" not in unquote(parts.path)
    host = parts.hostname if parts is not None and names_host else None  # else: half of a token with a / in it
    return Place(KINDS.get(scheme, "?"), host)


def refusal(url: str) -> str | None:
    """Why no summary is sent there."""
    if len(url) > LONGEST:
        return Message("must be at most {limit} characters", limit=LONGEST)
    if any(char.isspace() or char == "\\" for char in url) or not _decoded(url).isprintable():
        return Message("must not hold spaces, backslashes or control characters")
    parts = _split(url)
    if parts is None or "://" not in url or not parts.netloc:
        return Message("must be an address of apprise, as mailtos://user:password@example.com?to=boss@example.com")
    if parts.scheme.lower() not in KINDS:
        known = ", ".join(sorted(set(KINDS.values()), key=str.casefold))
        return Message("is no mail or messenger that summaries are sent to; there are {known}", known=known)
    given = [name for name, _ in parse_qsl(parts.query, keep_blank_values=True)]
    unknown = [name for name in given if name.lower() not in _PARAMETERS]
    if unknown:
        return Message("has a parameter that is not allowed here: {name}", name=unknown[0][:40])
    if parts.fragment or ";" in parts.query:
        return Message("must write # and ; as %23 and %3B")
    return None


def secrets_of(url: str) -> list[str]:
    """All parts of an address that could be one, the longest first: to be taken out of what others say."""
    parts = _split(url)
    if parts is None:
        return [url]
    who, _, where = parts.netloc.rpartition("@")
    found = {url, parts.netloc, who, *who.split(":"), *parts.path.split("/")}
    if parts.scheme.lower() not in _NAMES_HOST or "@" in unquote(parts.path):
        found |= {where, *where.split(":"), *parts.path.replace("@", "/").split("/")}
    found |= {value for name, value in parse_qsl(parts.query) if name.lower() in _SECRET}
    found |= {unquote(one) for one in found}
    return sorted((one for one in found if len(one) > 2), key=len, reverse=True)


def _decoded(url: str) -> str:
    """As often as anybody may decode it on the way: a line that is broken in a header of a mail begins another one."""
    while (once_more := unquote(url)) != url:
        url = once_more
    return url


def _split(url: str) -> SplitResult | None:
    try:
        parts = urlsplit(url)
        _ = parts.hostname  # an address in brackets that is none
    except ValueError:
        return None
    return parts
