"""The rows of CoreShowChannels gathered into a Snapshot. A list that is not whole is dropped: absence must be proof."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace

from daemon.ami.channel_name import endpoint_of, kind_of, pair_of
from daemon.ami.clock import UNKNOWN
from daemon.ami.framing import ProtocolError
from daemon.ami.message import Message
from daemon.ami.signal_table import name_in, optional_channel, state_of
from daemon.call.signals import BridgeId, ChannelId, ChannelSeen, Snapshot, UnixMs

MAX_ROWS = 200_000

_DURATION = re.compile(r"(\d{1,6}):(\d\d):(\d\d)", re.ASCII)
_BIRTH = re.compile(r"(?:.*-)?(\d{9,11})\.\d+", re.ASCII)  # Uniqueid is [systemname-]seconds.sequence


@dataclass(slots=True)
class _Rows:
    """One list as far as it has come: rows by channel, None for one that counts but is not there."""

    seen: dict[str, ChannelSeen | None] = field(default_factory=dict)
    talking: set[BridgeId] = field(default_factory=set)
    """Bridges where somebody is who is not parked: rows do not tell a bridge's technology. The one who was parked
    goes on in application Park when he is fetched, but his fetcher is in ParkedCall."""
    newest: UnixMs = UNKNOWN
    """The PBX's time by its own rows, birth plus age: a trace that begins with a list tells no other."""


class SnapshotRows:
    """Gathers the rows of a list by channel, so that a row seen twice counts once."""

    def __init__(self) -> None:
        self._lists: dict[str, _Rows] = {}
        self._count = 0
        self.incomplete = 0

    @property
    def gathering(self) -> bool:
        return bool(self._lists)

    def add(self, row: Message, at: UnixMs) -> None:
        rows = self._lists.setdefault(row.get("ActionID") or "", _Rows())
        self._count += 1
        if self._count > MAX_ROWS:
            raise ProtocolError(f"lists of more than {MAX_ROWS} channels")
        channel, age = row.get("Uniqueid"), _age_ms(row)
        birth = _birth_ms(channel or "")
        rows.newest = UnixMs(max(rows.newest, birth + age))
        seen = _seen(row, UnixMs(at - age if at else birth))
        rows.seen[channel or f"nameless {len(rows.seen)}"] = seen
        if seen and seen.bridge and row.get("Application") != "Park":
            rows.talking.add(seen.bridge)

    def complete(self, end: Message, at: UnixMs) -> Snapshot | None:
        rows = self._lists.pop(end.get("ActionID") or "", None) or _Rows()
        self._count = self._count - len(rows.seen) if self._lists else 0
        if end.need("ListItems") != str(len(rows.seen)):
            self.incomplete += 1
            return None
        channels = tuple(_heard(seen, rows.talking) for seen in rows.seen.values() if seen)
        return Snapshot(at or rows.newest, channels)

    def ended(self, channel: ChannelId) -> None:
        """Forget a channel that hung up while the list was still coming; it stays counted."""
        for rows in self._lists.values():
            if channel in rows.seen:
                rows.seen[channel] = None

    def clear(self) -> None:
        self._lists.clear()
        self._count = 0


def _seen(row: Message, since: UnixMs) -> ChannelSeen | None:
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
        bridge=BridgeId(bridge) if bridge is not None else None,
        queue=_queue(row),
        pair=pair_of(name),
        since=since,
    )


def _heard(seen: ChannelSeen, talking: set[BridgeId]) -> ChannelSeen:
    """Return the channel outside its bridge where nobody talks."""
    if seen.bridge is None or seen.bridge in talking:
        return seen
    return replace(seen, bridge=None)


def _queue(row: Message) -> str | None:
    if row.get("Application") != "Queue":
        return None
    return (row.get("ApplicationData") or "").partition(",")[0] or None


def _age_ms(row: Message) -> int:
    match = _DURATION.fullmatch(row.get("Duration") or "")
    return 1000 * (int(match[1]) * 3600 + int(match[2]) * 60 + int(match[3])) if match else 0


def _birth_ms(channel: str) -> int:
    match = _BIRTH.fullmatch(channel)
    return 1000 * int(match[1]) if match else 0
