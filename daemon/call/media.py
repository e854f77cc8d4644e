"""Signs of life of one channel's far end: its reports (RTCP), and its packets while somebody asks for their number.

Times are of our own steady clock. Nothing here decides; `lost_connection.py` does.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from daemon.call.model import ConnectionLoss
from daemon.call.signals import SteadyMs, UnixMs

NEVER: Final = SteadyMs(UnixMs(0))
_USUAL_MS: Final = 5_000
"""Between two reports of a phone (seen: 4.4 to 5.4 s)."""
_LATE_MS: Final = 1_250
"""How much a report may come after its time."""
_LONGEST_MS: Final = 60_000
_GAPS: Final = 4
_SELDOM_MS: Final = 30_000
_SETTLED_MS: Final = 2_000
_STALLED: Final = 0.9
"""Less than this share of the packets of the interval before: it stopped within the interval."""
_SAME_TIME_MS: Final = 1_000
"""What the PBX tells of two things at once may reach us so far apart."""
BLIP_MS: Final = 2_000
"""So long a phone may have been silent shortly before it was lost, without being taken for lost too early."""


@dataclass(slots=True, eq=False)
class Media:
    """Made with the channel, so that a report of a healthy call only writes numbers."""

    reported_at: SteadyMs = NEVER
    alive_at: SteadyMs = NEVER  # when packets were last seen to move
    changed_at: SteadyMs = NEVER  # when it last went to another bridge, on hold or off
    first_at: SteadyMs = NEVER  # its first report since then
    interval: int = _USUAL_MS  # between its reports, as it keeps it
    gaps: tuple[int, ...] = ()
    calm: int = 0  # how long nothing need be looked at; set by what came
    held: bool = False  # its phone holds the other side
    on_hold: bool = False  # somebody in its party does
    heard: frozenset[bool] = frozenset()  # … and in which of both it was heard to report, in its present bridge
    bridges: int = 0  # how many it was seen to enter
    sequence: int = -1
    sequence_at: SteadyMs = NEVER
    rate: float = 0.0  # packets a millisecond
    stalled_at: SteadyMs = NEVER  # when packets stopped, if they came evenly until then
    still_at: SteadyMs = NEVER  # after this moment there was none, as the PBX's next report said
    pauses: bool = False  # it was seen to stop and to go on
    packets: int = -1  # suspected: the number that does not move; -1: not suspected
    frozen_at: SteadyMs = NEVER
    counted_at: SteadyMs = NEVER
    missing_at: SteadyMs = NEVER  # since when the PBX says that there is no such channel
    loss: ConnectionLoss | None = None
    lost_at: SteadyMs = NEVER
    by_contact: bool = False  # the loss is known by its contact alone, and is over when that answers again

    @property
    def reports(self) -> bool:
        """It was heard to report in its present state."""
        return self.on_hold in self.heard

    @property
    def sends(self) -> bool:
        """Packets came for as long as reports did, so that both stopped at once: no mute, no hold without sound."""
        return self.rate > 0 and (not self.stalled_at or self.stalled_at > self.reported_at - _SAME_TIME_MS)

    @property
    def suspected(self) -> bool:
        return self.packets >= 0

    @property
    def quiet_from(self) -> SteadyMs:
        """The last report, or the change after which it may begin to report anew."""
        return max(self.reported_at, self.changed_at)

    @property
    def one_report(self) -> int:
        """After so long one of its reports did not come."""
        return self.interval * 6 // 5

    @property
    def two_reports(self) -> int:
        return 2 * self.interval + _LATE_MS

    @property
    def three_reports(self) -> int:
        return 3 * self.interval + _LATE_MS

    def report(self, at: SteadyMs) -> bool:
        """Return whether it is known only now that it reports in its present state."""
        known = self.reports
        if not self.first_at:
            self.first_at = at
        else:
            self._learn(at - self.reported_at)
            if at - self.first_at >= _SETTLED_MS:  # what comes right after a change may be of before it
                self.heard |= {self.on_hold}
        self.reported_at, self.calm = at, self.one_report
        return self.reports and not known

    def _learn(self, gap: int) -> None:
        """The second longest of the last few gaps: one report that got lost is no habit."""
        self.gaps = (*self.gaps[1 - _GAPS :], gap)
        longest = sorted(self.gaps)[-2:]
        self.interval = min(max(longest[0], _USUAL_MS), _LONGEST_MS)

    def change(self, at: SteadyMs, *, on_hold: bool) -> None:
        """It may send and report otherwise from now on."""
        self.changed_at, self.first_at, self.on_hold = at, NEVER, on_hold
        if self.loss is None:
            self.packets = -1  # what stood still may have been meant to
            self.sequence, self.rate, self.stalled_at, self.still_at = -1, 0.0, NEVER, NEVER

    def sent(self, at: SteadyMs, sequence: int) -> None:
        """Learn how fast packets come, and when they stopped coming: the one exact clock of a loss."""
        came, before = sequence - self.sequence, self.sequence_at
        took = at - before
        known, self.sequence, self.sequence_at = self.sequence >= 0, sequence, at
        if not known or came < 0 or took <= 0:
            self.rate, self.stalled_at, self.still_at = 0.0, NEVER, NEVER  # a new stream
        elif came == 0:
            self.stalled_at, self.still_at = self.stalled_at or before, self.still_at or before
        else:
            self.pauses = self.pauses or self.stalled_at > 0
            self.still_at = NEVER
            if self.rate and came / took < self.rate * _STALLED:
                self.stalled_at = _later(before, round(came / self.rate))
            else:
                self.rate, self.stalled_at = came / took, NEVER

    def moved(self, at: SteadyMs) -> None:
        """Packets come though reports do not: ask less often."""
        self.forget()
        self.alive_at = at
        self.calm = min(max(self.calm, self.one_report) * 2, max(_SELDOM_MS, self.one_report))

    def freeze(self, at: SteadyMs, packets: int) -> None:
        self.packets, self.frozen_at = packets, at

    def forget(self) -> None:
        """No more suspected."""
        self.packets = -1
        self.loss = None
        self.by_contact = False

    def since(self, unreachable: SteadyMs | None) -> SteadyMs:
        """When it was lost. Rather a little late than too early: the truth lies between two moments.

        It is not before its last sign of life and the last packet that the PBX tells of, if it sent evenly; not after
        the first look or report that found nothing new. Whoever is known to pause may have paused before. Where there
        was no sound, its reports alone tell, of which one may have got lost, and its contact: `unreachable` since when.
        """
        if not self.sends:
            return max(self.frozen_at, unreachable or _later(self.quiet_from, 2 * self.interval))
        latest = min(self.frozen_at, self.still_at or self.frozen_at)
        if self.pauses or not self.stalled_at:
            return latest
        return min(latest, _later(max(self.stalled_at, self.alive_at, self.reported_at), BLIP_MS))


def _later(at: SteadyMs, by: int) -> SteadyMs:
    return SteadyMs(UnixMs(at + by))
