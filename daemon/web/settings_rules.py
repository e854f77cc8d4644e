"""What a call setting must be beyond its type: URLs, zone, country, timeout. One finding a field, in plain words."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from ipaddress import ip_address
from typing import Final
from urllib.parse import urlsplit
from zoneinfo import available_timezones

from phonenumbers import SUPPORTED_REGIONS

from daemon.message import Message
from daemon.policy.call_settings import CallSettings
from daemon.policy.popup_url import LOOKUP_PARAMETERS, PARAMETERS, RECORDING_PARAMETERS
from daemon.web.problem import FieldError

PLACEHOLDERS: Final = {
    "popup_answer_url": PARAMETERS,
    "incoming_iframe_url": PARAMETERS,
    "outgoing_iframe_url": PARAMETERS,
    "webphone_embed_url": PARAMETERS,
    "customer_lookup_url": LOOKUP_PARAMETERS,
    "recording_url": RECORDING_PARAMETERS,
}
URL_FIELDS: Final = tuple(PLACEHOLDERS)
URL_LIMIT: Final = 2048
RINGTONE: Final = r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$"
TIME_OF_DAY: Final = r"^([01][0-9]|2[0-3]):[0-5][0-9]$"
_HOST_NAME: Final = re.compile(r"[\w-]+(\.[\w-]+)*\.?")
_LIKE_ADDRESS: Final = re.compile(r"(^|\.)([0-9]+|0x[0-9a-f]*)\.?$")  # WHATWG URL §3.5 "ends in a number"
_PLACEHOLDER: Final = re.compile(r"\{([^{}]*)\}")


def settings_errors(settings: CallSettings) -> list[FieldError]:
    """Every field that cannot be obeyed."""
    return [FieldError(field, message) for field, message in _findings(settings) if message is not None]


def _findings(settings: CallSettings) -> Iterator[tuple[str, str | None]]:
    for field in URL_FIELDS:
        url: str | None = getattr(settings, field)
        yield field, None if url is None else (url_error(url) or _placeholder_error(url, PLACEHOLDERS[field]))
    yield "disconnect_timeout_seconds", _timeout_error(settings.disconnect_timeout_seconds)
    yield "ringtone", None if settings.ringtone is None else ringtone_error(settings.ringtone)
    yield (
        "time_zone",
        None if settings.time_zone in _zones() else Message("must be an IANA time zone, as Asia/Ho_Chi_Minh"),
    )
    is_time = re.fullmatch(TIME_OF_DAY, settings.summary_time)
    yield "summary_time", None if is_time else Message("must be a time of day as 07:00")
    known = settings.country in SUPPORTED_REGIONS
    yield "country", None if known else Message("must be an ISO 3166 country of two capital letters, as VN")


def url_error(url: str) -> str | None:
    """Why this is no absolute http(s) URL that a browser and our own sender understand alike."""
    if len(url) > URL_LIMIT:
        return Message("must be at most {limit} characters", limit=URL_LIMIT)
    # A browser drops tabs and line ends and reads \ as / (WHATWG URL §4.4): what is checked must be what is opened.
    if any(char.isspace() or not char.isprintable() or char == "\\" for char in url):
        return Message("must not hold spaces, backslashes or control characters")
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        return Message("must be an absolute URL, as https://crm.example.com/popup")
    if parts.scheme not in ("http", "https") or not host or not url.lower().startswith(f"{parts.scheme}://"):
        return Message("must be an absolute URL that begins with http:// or https:// and names a host")
    if "@" in parts.netloc:
        return Message("must not hold a user name or password")
    return Message("must not name the port 0") if port == 0 else _host_error(host)


def _host_error(host: str) -> str | None:
    if ":" in host or _LIKE_ADDRESS.search(host):
        return None if _is_address(host) else Message("must spell an address plainly, as 192.168.0.5 or [fd00::5]")
    return (
        None
        if _HOST_NAME.fullmatch(host)
        else Message("must name a host, without placeholders and without empty parts")
    )


def _is_address(host: str) -> bool:
    try:
        return "%" not in host and bool(ip_address(host))
    except ValueError:
        return False


def _placeholder_error(url: str, names: tuple[str, ...]) -> str | None:
    unknown = [name for name in _PLACEHOLDER.findall(url) if name not in names]
    if unknown:
        known = ", ".join(names)
        return Message("{name} is no placeholder; there are {known}", name=f"{{{unknown[0][:40]}}}", known=known)
    rest = _PLACEHOLDER.sub("", url)
    return (
        Message("holds a brace that belongs to no placeholder; write %7B or %7D")
        if "{" in rest or "}" in rest
        else None
    )


def _timeout_error(seconds: int) -> str | None:
    return None if seconds == 0 or 5 <= seconds <= 3600 else Message("must be 0 (off) or from 5 to 3600")


def ringtone_error(name: str) -> str | None:
    """Names go into SIP headers (Alert-Info), so they are plain."""
    good = re.fullmatch(RINGTONE, name)
    return None if good else Message("must be a ringtone's name: letters, digits, dots, dashes, underscores")


@cache
def _zones() -> frozenset[str]:
    """Without what some systems keep beside the zones: `localtime` means another time on another machine."""
    return frozenset(available_timezones()) - {"localtime", "Factory"}
