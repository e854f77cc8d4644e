"""The sound of a simulated PBX's calls: packets counted by the clock, reports of phones, and phones that are lost."""

from __future__ import annotations

import time

from daemon.ami.scenario import Event
from daemon.ami.simulated_channels import SimulatedChannels

_PER_SECOND = 50
_FIRST_SEQUENCE = 20_000


class SimulatedMedia:
    """A phone lives until it is lost; what talks is what the channels say."""

    def __init__(self, channels: SimulatedChannels) -> None:
        self._channels = channels
        self._frozen: dict[str, int] = {}

    def lose(self, channel: str) -> None:
        """From now on nothing comes from there."""
        self._frozen.setdefault(channel, self._sent(channel))

    def restore(self, channel: str) -> None:
        self._frozen.pop(channel, None)

    def function(self, name: str, channel: str) -> str | None:
        """The value of one of the functions that tell of media; None for another."""
        match name:
            case "CHANNEL(rtcp,rxcount)":
                return str(self._frozen.get(channel, self._sent(channel)))
            case "CHANNEL(rtp,direct)":
                return "(null)"
            case "CHANNEL(rtp,hold)":
                return "0"
        return None

    def reports(self) -> list[Event]:
        """What the PBX tells every few seconds: the reports of the living, and its own on everybody."""
        found = []
        for row in self._channels.talking():
            channel = row["Uniqueid"]
            if channel not in self._frozen:
                found.append(_report("RTCPReceived", row))
            sequence = _FIRST_SEQUENCE + self._frozen.get(channel, self._sent(channel))
            rounds, number = divmod(sequence, 65_536)
            found.append(
                _report("RTCPSent", row, ("Report0HighestSequence", number), ("Report0SequenceNumberCycles", rounds))
            )
        return found

    def _sent(self, channel: str) -> int:
        return int(_PER_SECOND * (time.monotonic() - self._channels.born(channel)))


def _report(kind: str, row: dict[str, str], *more: tuple[str, int]) -> Event:
    return (
        ("Event", kind),
        ("Privilege", "reporting,all"),
        ("Timestamp", f"{time.time():.6f}"),
        ("Channel", row["Channel"]),
        ("Uniqueid", row["Uniqueid"]),
        ("Linkedid", row["Linkedid"]),
        *((name, str(value)) for name, value in more),
    )
