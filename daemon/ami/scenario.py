"""The calls a simulated PBX can play: lean recordings of a real Asterisk 22 and the truth about each."""

from __future__ import annotations

from dataclasses import dataclass, replace
from importlib.resources import files

from daemon.ami.framing import Framer

Header = tuple[str, str]
Event = tuple[Header, ...]


@dataclass(frozen=True, slots=True)
class Truth:
    """What a call really was. `answered_by` names endpoints in the order in which they talked to the customer."""

    call_id: str
    direction: str
    customer: str
    hotline: str
    queue: str | None
    answered_by: tuple[str, ...]
    outcome: str


@dataclass(frozen=True, slots=True)
class Scenario:
    """One recording. `number` is the customer's as the recording writes it; `agents` are the phones in it."""

    name: str
    number: str
    truth: Truth
    agents: tuple[str, ...] = ("1001",)

    def events(self) -> list[Event]:
        data = files("daemon.ami").joinpath("recordings", f"{self.name}.ami").read_bytes()
        return [_event(message) for message in Framer().feed(data)]


def _event(message: bytes) -> Event:
    pairs = (line.partition(": ") for line in message.decode().split("\r\n"))
    headers = [(name.removesuffix(":"), value) for name, _, value in pairs]
    return tuple(full for header in headers for full in _in_full(*header))


def _in_full(name: str, value: str) -> tuple[Header, ...]:
    """Lean recordings leave out what Asterisk writes of every channel and nobody reads; the reader looks for it."""
    prefix = name.removesuffix("Exten")
    if prefix not in ("", "Dest") or prefix == name:
        return ((name, value),)
    before = ((f"{prefix}Language", "en"), (f"{prefix}AccountCode", ""), (f"{prefix}Context", "callwarden"))
    return (*before, (name, value), (f"{prefix}Priority", "1"))


_INCOMING = Truth("", "incoming", "+84901234500", "19001234", "support", ("PJSIP/1001",), "answered")
_DIRECT = replace(_INCOMING, hotline="19001235", queue=None)
_OUTGOING = replace(_INCOMING, direction="outgoing", queue=None)
_BOTH = ("1001", "1002")


def _missed(truth: Truth) -> Truth:
    return replace(truth, answered_by=(), outcome="missed")


_SCENARIOS = (
    Scenario("queue_answered", "+84901234501", _INCOMING),
    Scenario("queue_abandoned", "+84901234504", _missed(_INCOMING)),
    Scenario("queue_timeout", "+84901234505", _missed(_INCOMING)),
    Scenario("direct_answered", "+84901234507", _DIRECT),
    Scenario("direct_missed", "+84901234508", _missed(_DIRECT)),
    Scenario("outgoing_answered", "0901234510", _OUTGOING),
    Scenario("outgoing_no_answer", "0901234511", _missed(_OUTGOING)),
    Scenario("outgoing_busy", "0901234512", _missed(_OUTGOING)),
    Scenario("click_to_call", "0901234513", _OUTGOING),
    Scenario("blind_transfer", "+84901234516", replace(_INCOMING, answered_by=("PJSIP/1001", "PJSIP/1002")), _BOTH),
    Scenario("attended_transfer", "+84901234517", replace(_INCOMING, answered_by=("PJSIP/1001", "PJSIP/1002")), _BOTH),
)

SCENARIOS = {scenario.name: scenario for scenario in _SCENARIOS}
