"""The dialplan that an operator includes: files of `dialplan/` in a checkout, of `daemon/dialplan/` once installed."""

from __future__ import annotations

from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Final

from daemon.message import Message
from daemon.pbx import Snippet

FREEPBX_CONTEXT: Final = "func-apply-sipheaders"
RELOAD: Final = "asterisk -rx 'dialplan reload'"
_ETC: Final = "/etc/asterisk/"
_OWN: Final = "asterisk/extensions_callwarden.conf"
_OVERRIDE: Final = "freepbx/extensions_override_freepbx.conf"
_DAEMON: Final = Path(__file__).parents[1]
_FOLDERS: Final = (_DAEMON / "dialplan", _DAEMON.parent / "dialplan")

INCLUDE: Final = """\
#include extensions_callwarden.conf

; Then add to the options of every Dial that rings agents' phones:   b(callwarden-ringtone^s^1)
; and of every Queue, with the queue's name:                         b(callwarden-ringtone^s^1(NAME))
; as in: same => n,Dial(PJSIP/${EXTEN},20,tb(callwarden-ringtone^s^1))
;        same => n,Queue(support,tb(callwarden-ringtone^s^1(support)),,,60)
"""


class Kind(StrEnum):
    ASTERISK = "asterisk"
    FREEPBX = "freepbx"


@cache
def text(file: str) -> str:
    folder = next((folder for folder in _FOLDERS if folder.is_dir()), _FOLDERS[0])
    return (folder / file).read_text(encoding="utf-8")


def snippets(kind: Kind) -> tuple[Snippet, Snippet]:
    """Our own file as a whole, and the lines that bring it in. Nothing of it comes from outside."""
    own = Snippet(
        f"{_ETC}extensions_callwarden.conf",
        Message("The whole of a new file: ringtones are chosen here, in Asterisk itself, without asking Callwarden."),
        text(_OWN),
        RELOAD,
    )
    if kind is Kind.FREEPBX:
        bring = Message("FreePBX never writes this file: these lines bring the new file in and use it for all phones.")
        return own, Snippet(f"{_ETC}extensions_override_freepbx.conf", bring, text(_OVERRIDE), RELOAD)
    bring = Message("Brings the new file in; then change the lines that ring phones, as the comment shows.")
    return own, Snippet(f"{_ETC}extensions.conf", bring, INCLUDE, RELOAD)


def printed(kind: Kind) -> str:
    """All of it for a terminal, each file under its name."""
    return "\n".join(f"; ---- {snippet.file} ----\n{snippet.text}" for snippet in snippets(kind))
