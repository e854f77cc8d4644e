"""`queue_log`: what queues noted of callers. It makes the records better and is never needed; a caller can forge lines.

A forged line can only be about a call whose records say the same, and then changes no more than when and by whom.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from pathlib import Path

from daemon.ami.growing_log import lines_since
from daemon.call.records import QueueNote, QueueStep
from daemon.call.signals import ChannelId, UnixMs

_STEPS = {
    b"ENTERQUEUE": QueueStep.ENTERED,
    b"CONNECT": QueueStep.CONNECTED,
    b"ABANDON": QueueStep.ABANDONED,
    b"EXITWITHTIMEOUT": QueueStep.GIVEN_UP,
    b"EXITEMPTY": QueueStep.GIVEN_UP,
    b"EXITWITHKEY": QueueStep.GIVEN_UP,
    b"COMPLETECALLER": QueueStep.ENDED_BY_CUSTOMER,
    b"COMPLETEAGENT": QueueStep.ENDED_BY_AGENT,
}
_LONGEST_TIME = 11
_WHOLE = re.compile(rb"[0-9.]+\|(?:[^|]*-)?[0-9]{9,11}\.[0-9]+\|[^|]*\|[^|]*\|([A-Z]+)\|")


def notes_of(path: Path, calls: Collection[ChannelId], since: UnixMs, until: UnixMs) -> Iterator[QueueNote]:
    """What was noted of these callers in this time."""
    for line in lines_since(path, since, _dated):
        parts = line.rstrip(b"\r\n").split(b"|")
        at = _time(line)
        if at is None or len(parts) < 5 or (step := _STEPS.get(parts[4])) is None:
            continue
        channel = ChannelId(parts[1].decode(errors="replace"))
        if since <= at <= until and channel in calls:  # a line beyond may be forged, so it does not end the reading
            yield QueueNote(at, channel, parts[2].decode(errors="replace"), step)


def _dated(line: bytes) -> UnixMs | None:
    """Of a line that Asterisk may have written: one that a caller began is none."""
    found = _WHOLE.match(line)
    return _time(line) if found is not None and found[1] in _STEPS else None


def _time(line: bytes) -> UnixMs | None:
    text = line.partition(b"|")[0].partition(b".")[0]
    return UnixMs(int(text) * 1000) if text.isdigit() and len(text) < _LONGEST_TIME else None
