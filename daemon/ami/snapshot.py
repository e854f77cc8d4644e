"""The rows of CoreShowChannels gathered into a Snapshot. A list that is not whole is dropped: absence must be proof."""

from __future__ import annotations

import re
from collections.abc import Iterable

from daemon.ami.channel_name import endpoint_of, kind_of, pair_of
from daemon.ami.framing import ProtocolError
from daemon.ami.message import Message
from daemon.ami.signal_table import name_in, optional_channel, state_of
from daemon.call.signals import BridgeId, ChannelId, ChannelSeen, Snapshot, UnixMs

MAX_ROWS = 200_000

_DURATION = re.compile(r"(\d{1,6}):(\d\d):(\d\d)", re.ASCII)
_BIRTH = re.compile(r"(?:.*-)?(\d{9,11})\.\d+", re.ASCII)  # Uniqueid is [systemname-]seconds.sequence


class SnapshotRows:
    """Gathers the rows of a list by channel, so that a row seen twice counts once."""

    def __init__(self) -> None:
        self._lists: dict[str, dict[str, Message]] = {}
        self._count = 0
        self.incomplete = 0

    @property
    def gathering(self) -> bool:
        return bool(self._lists)

    def add(self, row: Message, _at: UnixMs) -> None:
        rows = self._lists.setdefault(row.get("ActionID") or "", {})
        rows[row.get("Uniqueid") or f"nameless {len(rows)}"] = row
        self._count += 1
        if self._count > MAX_ROWS:
            raise ProtocolError(f"lists of more than {MAX_ROWS} channels")

    def complete(self, end: Message, at: UnixMs) -> Snapshot | None:
        rows = self._lists.pop(end.get("ActionID") or "", {})
        self._count -= len(rows)
        if end.need("ListItems") != str(len(rows)):
            self.incomplete += 1
            return None
        at = at or _time_of(rows.values())
        mixing = _mixing_bridges(rows.values())
        seen = (_seen(row, mixing, at) for row in rows.values())
        return Snapshot(at, tuple(channel for channel in seen if channel))

    def ended(self, channel: ChannelId) -> None:
        """Forget a channel that hung up while the list was still coming; it stays counted."""
        for rows in self._lists.values():
            if channel in rows:
                rows[channel] = _NO_ROW

    def clear(self) -> None:
        self._lists.clear()
        self._count = 0


_NO_ROW = Message(b"")


def _seen(row: Message, mixing: frozenset[str], at: UnixMs) -> ChannelSeen | None:
    channel, name = optional_channel(row, "Uniqueid"), row.get("Channel")
    if channel is None or name is None:
        return None
    bridge = row.get("BridgeId")
    return ChannelSeen(
        channel=channel,
        linked=optional_channel(row, "Linkedid") or channel,
        kind=kind_of(name),
        endpoint=endpoint_of(name),
        state=state_of(row),
        number=row.get("CallerIDNum"),
        name=name_in(row),
        connected_number=row.get("ConnectedLineNum"),
        exten=row.get("Exten"),
        bridge=BridgeId(bridge) if bridge is not None and bridge in mixing else None,
        queue=_queue(row),
        pair=pair_of(name),
        since=UnixMs(at - 1000 * _age_seconds(row)),
    )


def _mixing_bridges(rows: Iterable[Message]) -> frozenset[str]:
    """Return the bridges where somebody is who is not parked: rows do not tell a bridge's technology.

    The one who was parked goes on in application Park when he is fetched, but his fetcher is in ParkedCall.
    """
    talking = (row.get("BridgeId") for row in rows if row.get("Application") != "Park")
    return frozenset(bridge for bridge in talking if bridge)


def _queue(row: Message) -> str | None:
    if row.get("Application") != "Queue":
        return None
    return (row.get("ApplicationData") or "").partition(",")[0] or None


def _age_seconds(row: Message) -> int:
    match = _DURATION.fullmatch(row.get("Duration") or "")
    return int(match[1]) * 3600 + int(match[2]) * 60 + int(match[3]) if match else 0


def _time_of(rows: Iterable[Message]) -> UnixMs:
    """Return the PBX's time by its own rows, birth plus age: a trace that begins with a list tells no other time."""
    births = ((_BIRTH.fullmatch(row.get("Uniqueid") or ""), row) for row in rows)
    return UnixMs(max((1000 * (int(birth[1]) + _age_seconds(row)) for birth, row in births if birth), default=0))
