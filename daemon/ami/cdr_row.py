"""One call detail record as Asterisk keeps it, in whatever, turned into an attempt. It doubts every field."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import tzinfo

from daemon.ami.channel_name import endpoint_of, kind_of, pair_of
from daemon.ami.written_time import written_time
from daemon.call.records import Attempt, Party
from daemon.call.signals import ChannelId, DialStatus, UnixMs

_STATUS = {
    "ANSWERED": DialStatus.ANSWER,
    "NO ANSWER": DialStatus.NO_ANSWER,
    "BUSY": DialStatus.BUSY,
    "FAILED": DialStatus.UNAVAILABLE,
    "CONGESTION": DialStatus.CONGESTION,
}
_ID = re.compile(r"[\x21-\x7e]{1,150}")
_NAME = re.compile(r'"(.*)" <', re.DOTALL)
_LINE_BREAK = re.compile(r"[\r\n]")
_LONGEST = 255
_LONGEST_MS = 30 * 86_400_000
_QUEUE = "queue"

Row = Mapping[str, object]


def attempt_of(row: Row, zone: tzinfo | None, place: int) -> Attempt | None:
    """None where the row is broken: no channel, no id, no times or absurd ones, an unknown disposition.

    `place` sorts rows that have no `sequence`.
    """
    channel, caller = _id(row, "uniqueid"), _text(row, "channel")
    status = _STATUS.get((_text(row, "disposition") or "").upper())
    if channel is None or caller is None or status is None:
        return None
    started = written_time(row.get("start", row.get("calldate")), zone, channel)
    if started is None:
        return None
    ended = written_time(row.get("end"), zone, channel) or UnixMs(started + _milliseconds(row, "duration"))
    answered = written_time(row.get("answer"), zone, channel)
    if answered is None and status is DialStatus.ANSWER and "answer" not in row:
        answered = UnixMs(max(started, ended - _milliseconds(row, "billsec")))
    if answered is not None and ended - answered == 1000 and str(row.get("billsec")) == "0":
        answered = ended  # both were cut to whole seconds; what lay between was less than one
    if max(ended, answered or 0) - started > _LONGEST_MS:
        return None
    application, callee = (_text(row, "lastapp") or "").lower(), _text(row, "dstchannel")
    return Attempt(
        channel=channel,
        linked=_id(row, "linkedid"),
        order=_order(row, place),
        caller=_party(caller),
        callee=_party(callee) if callee else None,
        number=_text(row, "src") or _text(row, "cnum"),
        name=_name(row),
        dialled=_text(row, "dst"),
        hotline=_text(row, "did"),
        application=application,
        queue=((_text(row, "lastdata") or "").partition(",")[0] or None) if application == _QUEUE else None,
        status=status,
        started_at=started,
        answered_at=answered,
        ended_at=max(started, ended),
    )


def _text(row: Row, name: str) -> str | None:
    """Up to its first line break: callers can write some into their number, and it is the number that stands before."""
    value = row.get(name)
    return _LINE_BREAK.split(str(value), maxsplit=1)[0].strip()[:_LONGEST] or None if value is not None else None


def _id(row: Row, name: str) -> ChannelId | None:
    text = str(row.get(name) or "")
    return ChannelId(text) if _ID.fullmatch(text) else None


def _party(name: str) -> Party:
    return Party(pair_of(name) or name, kind_of(name), endpoint_of(name))


def _name(row: Row) -> str | None:
    found = _NAME.match(str(row.get("clid") or ""))
    text = found[1].replace("\\\\", "").replace('\\"', '"') if found else str(row.get("cnam") or "")
    return _LINE_BREAK.split(text, maxsplit=1)[0].strip()[:_LONGEST] or None


def _milliseconds(row: Row, name: str) -> int:
    try:
        return round(float(str(row.get(name) or 0)) * 1000)
    except (ValueError, OverflowError):
        return 0


def _order(row: Row, place: int) -> int:
    text = str(row.get("sequence") or "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 16 else place
