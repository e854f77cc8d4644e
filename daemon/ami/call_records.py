"""What one Asterisk wrote of its calls, gathered call by call: the door to CDR and queue_log. Everything here blocks.

Memory is bounded by rows held at once, not by the span that is read.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import tzinfo
from pathlib import Path
from typing import Final, Protocol
from zoneinfo import ZoneInfo

from daemon.ami.cdr_file import CdrFile
from daemon.ami.cdr_table import LONGEST_CALL_MS, CdrTable
from daemon.ami.queue_log import notes_of
from daemon.ami.written_time import created_at
from daemon.call.records import Attempt, QueueNote
from daemon.call.signals import ChannelId, ChannelKind, UnixMs
from daemon.errors import CallwardenError

ROWS_AT_ONCE: Final = 20_000
_LATE_MS: Final = 60_000
_WRONG_ZONE_MS: Final = 10 * 60_000  # no zone is nearer to another


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordsConfig:
    """`cdr` is a file or an SQLAlchemy URL, which may hold a password; `time_zone` None: this machine's own."""

    cdr: str = field(repr=False)
    cdr_table: str = "cdr"
    queue_log: Path | None = None
    time_zone: str | None = None


@dataclass(frozen=True, slots=True)
class Gathered:
    """All that was written of some calls, one element each."""

    calls: Sequence[tuple[Sequence[Attempt], Sequence[QueueNote]]]
    broken: int
    unlinked: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordsLook:
    """How the newest records are. `zone_off_ms`: so much later than the channels say the times are; None: not known.

    `has_ids` is whether rows say which call they are of (uniqueid), `has_links` whether linkedid is there too.
    """

    rows: int
    broken: int
    newest_at: UnixMs | None
    has_links: bool
    zone_off_ms: int | None


class _Source(Protocol):
    def rows(self, since: UnixMs, until: UnixMs, /) -> Iterator[Attempt | None]: ...

    def newest(self) -> Iterator[Attempt | None]: ...


class CallRecords:
    """The records of one PBX, as configured."""

    def __init__(self, config: RecordsConfig) -> None:
        zone: tzinfo | None = ZoneInfo(config.time_zone) if config.time_zone else None
        self._source: _Source = (
            CdrTable(config.cdr, config.cdr_table, zone) if "://" in config.cdr else CdrFile(Path(config.cdr), zone)
        )
        self._queue_log = config.queue_log

    def look(self) -> RecordsLook:
        """Read the newest few. Raises CallwardenError when there is nothing to read from."""
        with_broken = list(_told(self._source.newest()))
        rows = [one for one in with_broken if one is not None]
        return RecordsLook(
            rows=len(rows),
            broken=len(with_broken) - len(rows),
            newest_at=max((one.ended_at for one in rows), default=None),
            has_links=any(one.linked is not None for one in rows),
            zone_off_ms=_zone_off(rows),
        )

    def require_usable(self) -> RecordsLook:
        """Raises CallwardenError where reading would find nothing or find it at the wrong time."""
        look = self.look()
        if look.broken and not look.rows:
            raise CallwardenError(
                "no row of the CDR can be used: set loguniqueid, loguserfield and newcdrcolumns to yes in cdr.conf"
            )
        if look.zone_off_ms is not None and abs(look.zone_off_ms) >= _WRONG_ZONE_MS:
            hours = look.zone_off_ms / 3_600_000
            raise CallwardenError(f"the CDR's times are {hours:+.2g} hours off; set cdr_time_zone to the zone it is in")
        return look

    def gathered(self, since: UnixMs, until: UnixMs) -> Iterator[Gathered]:
        """The calls that ended in this span, oldest first, in as few portions as memory allows."""
        holding = _Holding(since, until)
        for row in _told(self._source.rows(UnixMs(since - LONGEST_CALL_MS), until)):
            holding.add(row)
            if holding.count >= ROWS_AT_ONCE:
                yield self._with_notes(holding, holding.take_older_half())
        yield self._with_notes(holding, holding.take_all())

    def _with_notes(self, holding: _Holding, calls: Sequence[Sequence[Attempt]]) -> Gathered:
        notes = self._notes([row for rows in calls for row in rows])
        found = [(rows, [note for one in _channels(rows) for note in notes.get(one, ())]) for rows in calls]
        broken, holding.broken = holding.broken, 0
        return Gathered(found, broken, sum(rows[0].linked is None for rows in calls))

    def _notes(self, rows: Sequence[Attempt]) -> dict[ChannelId, list[QueueNote]]:
        """Where there is no queue_log the records stand alone."""
        found: dict[ChannelId, list[QueueNote]] = {}
        if not rows or self._queue_log is None:
            return found
        since = UnixMs(min(row.started_at for row in rows) - _LATE_MS)
        until = UnixMs(max(row.ended_at for row in rows) + _LATE_MS)
        try:
            for note in notes_of(self._queue_log, _channels(rows), since, until):
                found.setdefault(note.channel, []).append(note)
        except FileNotFoundError:
            return {}  # an Asterisk without queues has none
        except OSError as error:
            raise CallwardenError(f"{self._queue_log}: cannot be read ({error.strerror}); set queue_log") from error
        return found


class _Holding:
    """Rows by call, until all rows of a call have come."""

    def __init__(self, since: UnixMs, until: UnixMs) -> None:
        self._span = since, until
        self._calls: dict[ChannelId, list[Attempt]] = {}
        self.count = 0
        self.broken = 0

    def add(self, row: Attempt | None) -> None:
        if row is None:
            self.broken += 1
        elif row.caller.kind is not ChannelKind.PSEUDO:
            self._calls.setdefault(row.group, []).append(row)
            self.count += 1

    def take_all(self) -> list[list[Attempt]]:
        taken, self._calls, self.count = self._calls, {}, 0
        return self._ended_in_span(taken)

    def take_older_half(self) -> list[list[Attempt]]:
        """Those that ended first, of a call with more rows than can be held too."""
        order = sorted(self._calls, key=lambda group: _ended(self._calls[group]))
        taken = {group: self._calls.pop(group) for group in order[: max(1, len(order) // 2)]}
        self.count -= sum(map(len, taken.values()))
        return self._ended_in_span(taken)

    def _ended_in_span(self, calls: dict[ChannelId, list[Attempt]]) -> list[list[Attempt]]:
        since, until = self._span
        return sorted((rows for rows in calls.values() if since <= _ended(rows) <= until), key=_ended)


def _ended(rows: Iterable[Attempt]) -> UnixMs:
    return max(row.ended_at for row in rows)


def _channels(rows: Iterable[Attempt]) -> set[ChannelId]:
    return {row.channel for row in rows}


def _zone_off(rows: Iterable[Attempt]) -> int | None:
    """A record never begins before its channel, and most first ones begin with it."""
    off = [row.started_at - at for row in rows if (at := created_at(row.channel)) is not None]
    return min(off, default=None)


def _told(rows: Iterator[Attempt | None]) -> Iterator[Attempt | None]:
    try:
        yield from rows
    except OSError as error:
        raise CallwardenError(f"{error.filename or 'the CDR'}: cannot be read ({error.strerror}); set cdr") from error
