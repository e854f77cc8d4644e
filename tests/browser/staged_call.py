"""A recorded call that goes on only when the test says so."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from daemon.ami.framing import Framer
from daemon.ami.scenario import SCENARIOS, Event, Scenario
from daemon.ami.simulated_call import SimulatedCall
from daemon.ami.simulator import SimulatedPbx

_SPEED = 50  # the recording's seconds are not waited for: its time stamps must stay near ours
_RECORDINGS = Path(__file__).parents[1] / "recordings" / "asterisk-22"


@dataclass(frozen=True, slots=True)
class GroupCall(Scenario):
    """The phones of an (1001) and binh (1002) ring at once; binh answers."""

    def events(self) -> list[Event]:
        data = (_RECORDINGS / f"{self.name}.ami").read_bytes()
        found = [_event(message) for message in Framer().feed(data) if message.startswith(b"Event: ")]
        return [event for event in found if "Uniqueid" in dict(event)]


GROUP = GroupCall("in_group_answered", "+84901000006", SCENARIOS["direct_answered"].truth, ("1001", "1002"))


class StagedCall:
    """`name` is what the customer's telephone says about him."""

    def __init__(
        self,
        pbx: SimulatedPbx,
        scenario: Scenario = SCENARIOS["queue_answered"],
        *,
        customer: str = "+84901701234",
        name: str = "",
    ) -> None:
        played = SimulatedCall(scenario, began=time.time(), speed=_SPEED, customer=customer)
        self.call_id = played.truth.call_id
        self._pbx = pbx
        self._name = name
        self._events: Iterator[Event] = iter([timed.event for timed in played])

    def rings(self) -> None:
        """The next phone rings."""
        self.go_on("DialState")

    def is_answered(self) -> None:
        """Agent and customer hear each other."""
        self.go_on("BridgeEnter", 2)

    def ends(self) -> None:
        for event in self._events:
            self._emit(event)

    def go_on(self, name: str, times: int = 1) -> None:
        """Up to the next event of this name."""
        for event in self._events:
            self._emit(event)
            times -= dict(event)["Event"] == name
            if not times:
                return
        raise AssertionError(f"there is no further {name}")

    def _emit(self, event: Event) -> None:
        is_trunk = "/trunk-" in dict(event).get("Channel", "")
        put = {"CallerIDName": self._name} if self._name and is_trunk else {}
        self._pbx.emit(tuple((key, put.get(key, value)) for key, value in event))


def _event(message: bytes) -> Event:
    pairs = (line.partition(": ") for line in message.decode().split("\r\n"))
    return tuple((name.removesuffix(":"), value) for name, _, value in pairs)
