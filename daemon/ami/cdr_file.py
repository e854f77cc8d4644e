"""`Master.csv` as cdr_csv writes it: its rows since a moment. A caller can write line breaks and commas into a row.

He cannot write a quote that stands alone: Asterisk doubles them. So a line is the beginning of a row only if all its
fields have the quotes that Asterisk gives them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import tzinfo
from pathlib import Path

from daemon.ami.cdr_row import attempt_of
from daemon.ami.growing_log import LONGEST_LINE, last_lines, lines_since
from daemon.call.records import Attempt
from daemon.call.signals import UnixMs

_QUOTED = r'"[^"]*(?:""[^"]*)*"'
_FIELD = re.compile(r'"([^"]*(?:""[^"]*)*)"|([^",\r\n]*)')
_ROW = re.compile(rf"{_QUOTED}(?:,(?:{_QUOTED}|[0-9.]*))+\r?\n")
_COLUMNS = (
    *("accountcode", "src", "dst", "dcontext", "clid", "channel", "dstchannel", "lastapp", "lastdata", "start"),
    *("answer", "end", "duration", "billsec", "disposition", "amaflags"),
)
_UNIQUEID = re.compile(r"(?:.*-)?[0-9]{9,11}\.[0-9]+")
_WITH_UNIQUEID = (2, 5)  # loguniqueid and loguserfield, without and with newcdrcolumns: then it is the first of them
_NEWER = ("peeraccount", "linkedid", "sequence")  # newcdrcolumns = yes
_CHANNEL, _START = _COLUMNS.index("channel"), _COLUMNS.index("start")


@dataclass(slots=True)
class CdrFile:
    """Counts what it could not read."""

    path: Path
    zone: tzinfo | None

    def rows(self, since: UnixMs, _: UnixMs) -> Iterator[Attempt | None]:
        """All attempts written since then, and some from before, in the order they were written; None: a broken one."""
        return self._attempts(_records(lines_since(self.path, since, self._dated)))

    def newest(self) -> Iterator[Attempt | None]:
        """Those at the end of the file."""
        yield from self._attempts(_records(last_lines(self.path)))

    def _attempts(self, records: Iterable[str | None]) -> Iterator[Attempt | None]:
        for place, record in enumerate(records):
            row = row_of(record) if record is not None else None
            yield attempt_of(row, self.zone, place) if row is not None else None

    def _dated(self, line: bytes) -> UnixMs | None:
        row = row_of(line.decode(errors="replace"))
        attempt = attempt_of(row, self.zone, 0) if row is not None else None
        return attempt.ended_at if attempt is not None else None


def row_of(record: str) -> dict[str, str] | None:
    """The fields of a whole row by name; None: it is not one."""
    if _ROW.fullmatch(record) is None:
        return None
    values = _fields(record.rstrip("\r\n"))
    if len(values) < len(_COLUMNS) or not values[_CHANNEL] or not values[_START][:1].isdigit():
        return None
    return dict(zip(_COLUMNS, values, strict=False)) | _further(values[len(_COLUMNS) :])


def _fields(text: str) -> list[str]:
    values, place = [], 0
    while place <= len(text):
        found = _FIELD.match(text, place)
        assert found is not None
        values.append(found[1].replace('""', '"') if found[1] is not None else found[2])
        place = found.end() + 1
    return values


def _further(values: list[str]) -> dict[str, str]:
    """Which columns follow depends on cdr.conf: loguniqueid, loguserfield, newcdrcolumns."""
    found = dict(zip(_NEWER, values[-3:], strict=True)) if len(values) >= len(_NEWER) else {}
    own = values[: len(values) - len(found)]
    is_id = len(values) in _WITH_UNIQUEID or (own and _UNIQUEID.fullmatch(own[0]))  # else it may be the userfield
    return found | ({"uniqueid": own[0]} if is_id else {})


def _records(lines: Iterable[bytes]) -> Iterator[str | None]:
    """Rows, each of one or several lines; None for what is none."""
    pending = ""
    for line in lines:
        text = line.decode(errors="replace")
        if _ROW.fullmatch(text) is not None and (not pending or row_of(text) is not None):
            if pending:
                yield None
            pending = ""
            yield text
            continue
        pending += text
        if pending.count('"') % 2 == 0 and _ROW.fullmatch(pending) is not None:
            yield pending
            pending = ""
        elif len(pending) > LONGEST_LINE:
            yield None
            pending = ""
    if pending:
        yield None
