"""Signs of life of one channel's far end: its reports (RTCP), and its packets while somebody asks for their number.

Times are of our own clock. Nothing here decides; `lost_connection.py` does.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from daemon.call.model import ConnectionLoss
from daemon.call.signals import UnixMs

_NEVER: Final = UnixMs(0)
_FIRST_PATIENCE_MS: Final = 6_000
"""Phones report every 5 s (seen: 4.4 to 5.4); whose gaps are longer is given more time as they are seen."""
_MOST_PATIENCE_MS: Final = 30_000
_NEARLY: Final = 0.92
_SETTLED_MS: Final = 2_000
_STALLED: Final = 0.9
"""Less than this share of the packets of the interval before: it stopped within the interval."""


@dataclass(slots=True, eq=False)
class Media:
    """Made with the channel, so that a report of a healthy call only writes numbers."""

    reported_at: UnixMs = _NEVER
    alive_at: UnixMs = _NEVER  # when packets were last seen to move
    first_at: UnixMs = _NEVER  # its first report since it last went to another bridge, on hold or off
    patience: int = _FIRST_PATIENCE_MS
    held: bool = False
    sequence: int = -1
    sequence_at: UnixMs = _NEVER
    rate: float = 0.0  # packets a millisecond
    stalled_at: UnixMs = _NEVER
    packets: int = -1  # suspected: the number that does not move; -1: not suspected
    frozen_at: UnixMs = _NEVER
    counted_at: UnixMs = _NEVER
    loss: ConnectionLoss | None = None
    by_contact: bool = False  # the loss is known by its contact alone, and is over when that answers again

    @property
    def reports(self) -> bool:
        """It was heard to report in its present state; what comes right after a change may be of before it."""
        return self.first_at > 0 and self.reported_at - self.first_at >= _SETTLED_MS

    @property
    def sends(self) -> bool:
        """Packets came for as long as reports did, so that both stopped at once: no mute, no hold without sound."""
        return self.rate > 0 and (not self.stalled_at or self.stalled_at > self.reported_at)

    @property
    def suspected(self) -> bool:
        return self.packets >= 0

    def report(self, at: UnixMs) -> None:
        if not self.first_at:
            self.first_at = at
        elif (gap := at - self.reported_at) > _FIRST_PATIENCE_MS * _NEARLY:
            self.patience = min(gap * 4 // 3, _MOST_PATIENCE_MS)
        else:
            self.patience = _FIRST_PATIENCE_MS
        self.reported_at = at

    def change(self) -> None:
        """It reported in another state; whether it does in this one must be seen anew."""
        self.first_at = _NEVER
        if self.loss is None:
            self.packets = -1  # what stood still may have been meant to

    def sent(self, at: UnixMs, sequence: int) -> None:
        """Learn how fast packets come, and when they stopped coming: the one exact clock of a loss."""
        came, took = sequence - self.sequence, at - self.sequence_at
        known, self.sequence, self.sequence_at = self.sequence >= 0, sequence, at
        if not known or came < 0 or took <= 0:
            self.rate = 0.0  # a new stream
            self.stalled_at = _NEVER
            return
        if self.rate and came / took < self.rate * _STALLED:
            if came or not self.stalled_at:
                self.stalled_at = UnixMs(at - took + round(came / self.rate))
            return
        self.rate, self.stalled_at = came / took, _NEVER

    def moved(self, at: UnixMs) -> None:
        """Packets come though reports do not: ask less often."""
        self.forget()
        self.alive_at = at
        self.patience = min(self.patience * 2, _MOST_PATIENCE_MS)

    def freeze(self, at: UnixMs, packets: int) -> None:
        self.packets, self.frozen_at = packets, at

    def forget(self) -> None:
        """No more suspected."""
        self.packets = -1
        self.loss = None
        self.by_contact = False

    def since(self) -> UnixMs:
        """When it was lost: between its last sign of life and the first look that found it frozen.

        Where the PBX's own reports tell when the packets stopped, that moment; else the latest it can have been.
        """
        if not self.sends or not self.stalled_at:
            return self.frozen_at
        return UnixMs(min(max(self.stalled_at, self.alive_at), self.frozen_at))
