"""A recorded call made new: fresh ids, channel instances, numbers and times, so that it can be played often."""

from __future__ import annotations

import itertools
import re
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from daemon.ami.scenario import Event, Scenario, Truth

_INSTANCE = re.compile(r"-[0-9a-f]{8}$")
_sequence = itertools.count()


@dataclass(frozen=True, slots=True)
class TimedEvent:
    """An event and when it is due, in seconds after the call's begin."""

    after: float
    event: Event


class SimulatedCall:
    """One playing of a scenario. `agents` puts other phones in place of those recorded; `channel_id` is the first."""

    def __init__(
        self,
        scenario: Scenario,
        *,
        began: float,
        speed: float = 1.0,
        customer: str | None = None,
        agents: Mapping[str, str] | None = None,
        action_id: str = "",
        channel_id: str | None = None,
    ) -> None:
        self._began = began
        self._speed = speed
        self._action_id = action_id
        self._ids: dict[str, str] = {}
        self._events = scenario.events()
        if channel_id is not None:
            self._ids[dict(self._events[0])["Uniqueid"]] = channel_id
        self._texts = _replacements(scenario, customer, agents or {})
        self._zero = float(dict(self._events[0])["Timestamp"])
        self.truth = self._truth(scenario, customer)

    def __iter__(self) -> Iterator[TimedEvent]:
        for event in self._events:
            after = (float(dict(event)["Timestamp"]) - self._zero) / self._speed
            yield TimedEvent(after, tuple((name, self._value(name, value, after)) for name, value in event))

    def _truth(self, scenario: Scenario, customer: str | None) -> Truth:
        first = dict(self._events[0])["Uniqueid"]
        return replace(
            scenario.truth,
            call_id=self._fresh_channel(first),
            customer=customer or _e164(scenario.number),
            answered_by=tuple(self._text(endpoint) for endpoint in scenario.truth.answered_by),
        )

    def _value(self, name: str, value: str, after: float) -> str:
        if name == "Timestamp":
            return f"{self._began + after:.6f}"
        if name == "ActionID":
            return self._action_id
        if name.endswith(("Uniqueid", "Linkedid")) and value:
            return self._fresh_bridge(value) if name.endswith("BridgeUniqueid") else self._fresh_channel(value)
        if name.endswith("Channel"):
            return self._text(_INSTANCE.sub(lambda found: self._fresh_instance(value, found[0]), value))
        return self._text(value)

    def _fresh_channel(self, old: str) -> str:
        return self._ids.setdefault(old, f"{int(self._began)}.{next(_sequence)}")

    def _fresh_bridge(self, old: str) -> str:
        return self._ids.setdefault(old, str(uuid.uuid4()))

    def _fresh_instance(self, name: str, _old: str) -> str:
        return self._ids.setdefault(name, f"-{next(_sequence):08x}")

    def _text(self, value: str) -> str:
        return self._texts[0].sub(lambda found: self._texts[1][found[0]], value) if self._texts[1] else value


def _replacements(
    scenario: Scenario, customer: str | None, agents: Mapping[str, str]
) -> tuple[re.Pattern[str], dict[str, str]]:
    table = {old: new for old, new in agents.items() if old in scenario.agents}
    if customer:
        table[scenario.number] = customer if scenario.number.startswith("+") else _dialled(customer)
    parts = "|".join(re.escape(text) for text in table)
    return re.compile(rf"(?<![0-9+])(?:{parts})(?![0-9])"), table


def _dialled(number: str) -> str:
    """Return what a Vietnamese agent dials for it."""
    if number.startswith("+84"):
        return "0" + number[3:]
    return "00" + number[1:] if number.startswith("+") else number


def _e164(number: str) -> str:
    return "+84" + number[1:] if number.startswith("0") else number
