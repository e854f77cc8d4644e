"""A phone's endpoint as an operator writes it, turned into the PBX's spelling: any other would never match."""

from __future__ import annotations

import re
from typing import Final

from daemon.message import Message

LIMIT: Final = 128

# Technology and resource (`PJSIP/1001`, `sofia/internal/1001`): nothing that a dialplan reads as more (, & |).
PATTERN: Final = r"^([A-Za-z][A-Za-z0-9_]{0,31})/[^/\s,&|;\x00-\x1f\x7f-\x9f][^\s,&|;\x00-\x1f\x7f-\x9f]*$"
_FORM: Final = re.compile(PATTERN)

# `.type` of the drivers' `struct ast_channel_tech`. A technology that is not here stays as it was written: whoever has
# a driver of another house (or FreeSWITCH) knows its spelling better.
_TECHNOLOGIES: Final = {
    name.lower(): name
    for name in (
        *("PJSIP", "SIP", "IAX2", "DAHDI", "SCCP", "MGCP", "USTM", "H323", "OOH323", "ALSA"),
        *("Console", "Dongle", "Khomp", "Mobile", "Motif", "Phone", "Quectel", "Skinny", "WebSocket", "mISDN"),
    )
}


def endpoint_name(text: str) -> str:
    """The endpoint with its technology as Asterisk spells it; the resource is case-sensitive there and stays.

    Raises ValueError for what no phone's channel is called.
    """
    form = _FORM.fullmatch(text)
    if form is None or len(text) > LIMIT:
        raise ValueError(
            Message("must be a phone as the PBX names it, as PJSIP/1001, in at most {limit} characters", limit=LIMIT)
        )
    technology = form[1]
    if technology.lower() == "local":
        raise ValueError(Message("must be the phone itself, as PJSIP/1001: a Local channel is only a way to it"))
    return _TECHNOLOGIES.get(technology.lower(), technology) + text[len(technology) :]
