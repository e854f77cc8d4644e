"""A line of text on a SIP phone's display, by an Asterisk (SIP MESSAGE, RFC 3428). Seen on 16 and 22.

`Success` means that it was sent; what the phone says to it is not told. The action needs the class `message`.
"""

from __future__ import annotations

import re
from base64 import b64encode
from typing import Final

from daemon.ami.actions import Actions
from daemon.ami.failures import InjectionRefused

ACTION: Final = "MessageSend"
SENT_WITHIN_S: Final = 3.0
_SENDER: Final = "Callwarden"  # without it a phone shows itself as the sender
_PJSIP: Final = re.compile(r"PJSIP/([A-Za-z0-9_.+-]{1,80})")


def is_reachable(endpoint: str) -> bool:
    """Only endpoints of PJSIP, by names that can be no address (`user@host`, `endpoint/sip:uri` are other forms)."""
    return _PJSIP.fullmatch(endpoint) is not None


async def send_message(actions: Actions, endpoint: str, text: str) -> None:
    """To every contact of the endpoint. `pjsip:PJSIP/1001` is refused by 22; the text goes in Base64, so no line of
    it can become a header."""
    found = _PJSIP.fullmatch(endpoint)
    if found is None:
        raise InjectionRefused("not the name of a PJSIP endpoint")
    body = b64encode(text.encode()).decode()
    fields = {"To": f"pjsip:{found[1]}", "From": _SENDER, "Base64Body": body}
    await actions.send(ACTION, fields, limit=SENT_WITHIN_S)
