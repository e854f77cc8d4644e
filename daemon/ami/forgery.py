"""What a caller can do to the stream with his number, and the undoing of it.

Asterisk 16 and 22 decode `%0D%0A` in a SIP user part and write the number into events as it is: 79 bytes in which a
caller can add headers, end an event or begin one (recordings `in_number_forged_header`, `in_number_forged_event`).
"""

from __future__ import annotations

import re

from daemon.ami.framing import END_OF_MESSAGE

MAX_PIECES = 16
"""One event holds a caller's number four times at most, and each can end it a few times."""

# What Asterisk writes after the names of a channel. No number is long enough to hold all of it in one piece.
_END = (
    r"\r\n{0}Language: [^\r\n]*\r\n{0}AccountCode: [^\r\n]*\r\n{0}Context: [^\r\n]*\r\n{0}Exten: [^\r\n]*"
    r"\r\n{0}Priority: [^\r\n]*\r\n{0}Uniqueid: [^\r\n]*\r\n{0}Linkedid: "
)
_ENDS = tuple(re.compile(_END.format(prefix).encode()) for prefix in ("", "Dest"))
_FORGED = tuple(
    re.compile(rf"(\r\n{prefix}CallerIDNum: [^\r\n]*)(?s:.*?)({_END.format(prefix)})".encode())
    for prefix in ("", "Dest")
)
_GENUINE = re.compile(rb"Event: \w+\r\nPrivilege: \w+,all\r\n")


def is_genuine(raw: bytes) -> bool:
    """Tell whether it begins as Asterisk begins an event. A forged event has no room for that and a channel too."""
    return _GENUINE.match(raw) is not None


def is_cut(raw: bytes) -> bool:
    """Tell whether a number ended the event: a channel is begun and not finished as Asterisk finishes it.

    One header of the end is not enough: a number has room for `Uniqueid` and `Linkedid` of somebody else's channel.
    """
    return (b"\r\nChannelState: " in raw and _ENDS[0].search(raw) is None) or (
        b"\r\nDestChannelState: " in raw and _ENDS[1].search(raw) is None
    )


def seems_cut(raw: bytes) -> bool:
    """The same of a trace, from which somebody may have taken headers that nobody needs."""
    return (b"\r\nChannelState: " in raw and b"\r\nLinkedid: " not in raw) or (
        b"\r\nDestChannelState: " in raw and b"\r\nDestLinkedid: " not in raw
    )


def is_whole_event(raw: bytes) -> bool:
    """Tell whether it is surely one of Asterisk's own with a channel in it: no number has room for both."""
    return is_genuine(raw) and b"\r\nChannelState: " in raw and not is_cut(raw)


def has_twice(raw: bytes) -> bool:
    """Tell whether a number added a header that decides whose event it is."""
    return raw.count(b"\r\nUniqueid: ") > 1 or raw.count(b"\r\nDestUniqueid: ") > 1


def is_whole(pieces: list[bytes]) -> bool:
    """Tell whether the pieces of a cut event have all come."""
    joined = END_OF_MESSAGE.join(pieces)
    wanted = _ENDS if b"Event: Dial" in joined[:11] and b"\r\nDestChannel: " in joined else _ENDS[:1]
    return all(end.search(joined) for end in wanted)


def mended(raw: bytes) -> bytes:
    """Return the event without what the numbers brought in; unchanged where it is not as Asterisk writes it."""
    for forged in _FORGED:
        raw = forged.sub(rb"\1\2", raw, count=1)
    return raw
