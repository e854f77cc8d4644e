"""What a PBX would list at any moment of a recording: an independent, simple-minded reading of the same signals."""

from __future__ import annotations

from dataclasses import replace

from daemon.call.signals import (
    BridgeEntered,
    BridgeLeft,
    CallerIdChanged,
    ChannelChanged,
    ChannelCreated,
    ChannelEnded,
    ChannelId,
    ChannelKind,
    ChannelSeen,
    LocalPaired,
    QueueJoined,
    QueueLeft,
    Signal,
    Snapshot,
    UnixMs,
)


class ChannelList:
    """The rows of CoreShowChannels, kept up with the signals."""

    def __init__(self) -> None:
        self._rows: dict[ChannelId, ChannelSeen] = {}

    def note(self, signal: Signal) -> None:
        match signal:
            case ChannelCreated() if signal.kind is not ChannelKind.PSEUDO:
                self._rows[signal.channel] = ChannelSeen(
                    channel=signal.channel,
                    linked=signal.linked,
                    kind=signal.kind,
                    endpoint=signal.endpoint,
                    state=signal.state,
                    number=signal.number,
                    name=signal.name,
                    connected_number=None,
                    exten=signal.exten,
                    bridge=None,
                    queue=None,
                    pair=None,
                    since=signal.at,
                )
            case ChannelChanged(channel=channel, state=state):
                self._change(channel, state=state)
            case CallerIdChanged(channel=channel, number=number, name=name):
                self._change(channel, number=number, name=name)
            case BridgeEntered(channel=channel, bridge=bridge, mixing=mixing):
                self._change(channel, bridge=bridge if mixing else None)
            case BridgeLeft(channel=channel):
                self._change(channel, bridge=None)
            case QueueJoined(channel=channel, queue=queue):
                self._change(channel, queue=queue)
            case QueueLeft(channel=channel):
                self._change(channel, queue=None)
            case LocalPaired(one=one, two=two):
                self._change(one, pair=one)
                self._change(two, pair=one)
            case ChannelEnded(channel=channel):
                self._rows.pop(channel, None)
            case _:
                pass

    def at(self, at: UnixMs) -> Snapshot:
        return Snapshot(at, tuple(self._rows.values()))

    def _change(self, channel: ChannelId, **values: object) -> None:
        if channel in self._rows:
            self._rows[channel] = replace(self._rows[channel], **values)  # type: ignore[arg-type]
