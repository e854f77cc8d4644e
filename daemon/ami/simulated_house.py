"""The phones, trunk and queues of a simulated PBX, and its answers about them, in the form a real Asterisk 22 gave.

Recorded with the manager user that we print: it may list device states, but not PJSIP endpoints.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, field

from daemon.ami.scenario import Event, Header

COMMANDS = (
    *("Atxfer", "BlindTransfer", "CancelAtxfer", "Challenge", "CoreSettings", "CoreShowChannels", "CoreStatus"),
    *("DeviceStateList", "Events", "Getvar", "Hangup", "ListCommands", "Login", "Logoff", "Originate", "Ping"),
    *("PlayDTMF", "QueuePause", "QueueStatus", "QueueSummary", "Setvar", "DBGetTree"),
)
"""What ListCommands names; an action that is missing here is refused by the simulated PBX."""


@dataclass(frozen=True, slots=True)
class SimulatedPhone:
    """One endpoint. `contacts` 0 takes no registration: a trunk with a fixed address."""

    name: str
    caller_id: str = ""
    registered: bool = True
    user_agent: str = ""
    contacts: int = 1
    qualify_s: int = 60


@dataclass(frozen=True, slots=True)
class SimulatedMember:
    """A member of a queue: what it is called there, where it rings, and the phone whose state counts."""

    name: str
    interface: str
    state_interface: str


def _phone(number: str, user_agent: str = "Yealink SIP-T31G 124.86.0.40", *, registered: bool = True) -> SimulatedPhone:
    return SimulatedPhone(number, f'"Agent {number}" <{number}>', registered, user_agent)


def _member(number: str) -> SimulatedMember:
    return SimulatedMember(f"Agent {number}", f"PJSIP/{number}", f"PJSIP/{number}")


@dataclass
class SimulatedHouse:
    """Change it at any time."""

    phones: list[SimulatedPhone] = field(
        default_factory=lambda: [
            _phone("1001"),
            _phone("1002"),
            _phone("1003", "Grandstream GXP2135 1.0.11.74"),
            _phone("1004", "", registered=False),
            SimulatedPhone("trunk", contacts=0),
        ]
    )
    queues: dict[str, list[SimulatedMember]] = field(
        default_factory=lambda: {"support": [_member("1001"), _member("1002")], "sales": [_member("1003")]}
    )
    commands: set[str] = field(default_factory=lambda: set(COMMANDS))
    paused: dict[tuple[str, str], tuple[str, int]] = field(default_factory=dict)
    """Reason and second of each pause, by queue and interface."""
    last_pause: dict[tuple[str, str], int] = field(default_factory=dict)
    """The second of the last pause, over or not."""
    busy: set[str] = field(default_factory=set)
    """Phones that talk, by name."""
    no_way: set[str] = field(default_factory=set)
    """Numbers that the dialplan does not know."""
    allow_events: str = ""
    """What the phones say that they understand; with the command PJSIPNotify they then do it."""
    held: set[str] = field(default_factory=set)
    """The channels whose phone holds the other side."""
    no_context: set[str] = field(default_factory=lambda: {"func-apply-sipheaders"})
    """Contexts that the dialplan does not have: it is no FreePBX."""
    tells_keys: bool = True
    """Whether it may be asked for single keys of its database."""
    features: str = "TK"
    """What the dialplan allows those who talk."""

    def device_states(self) -> Iterator[Event]:
        """Among the phones stand the states of queues, as on a real PBX."""
        for queue in self.queues:
            yield _row("DeviceStateChange", ("Device", f"Queue:{queue}_avail"), ("State", "NOT_INUSE"))
        for phone in self.phones:
            state = "NOT_INUSE" if phone.registered else "UNAVAILABLE"
            yield _row("DeviceStateChange", ("Device", f"PJSIP/{phone.name}"), ("State", state))

    def queue_status(self) -> Iterator[Event]:
        for queue, members in self.queues.items():
            yield _row("QueueParams", ("Queue", queue), ("Max", "0"), ("Strategy", "linear"), ("Calls", "0"))
            for member in members:
                yield _row(
                    "QueueMember",
                    ("Queue", queue),
                    ("Name", member.name),
                    ("Location", member.interface),
                    ("StateInterface", member.state_interface),
                    ("Membership", "static"),
                    ("Status", "1"),
                    *self._pause_of(queue, member.interface),
                )

    def pause(self, interface: str, *, paused: bool, reason: str) -> list[Event]:
        """Pause it in all its queues, or not any more; return the events that say so, none where it is in none."""
        found = [(name, one) for name, members in self.queues.items() for one in members if one.interface == interface]
        for queue, _ in found:
            self.paused.pop((queue, interface), None)
            if paused:
                self.paused[queue, interface] = reason, int(time.time())
                self.last_pause[queue, interface] = int(time.time())
        return [self._paused_event(queue, member) for queue, member in found]

    def _paused_event(self, queue: str, member: SimulatedMember) -> Event:
        return _row(
            "QueueMemberPause",
            ("Privilege", "agent,all"),
            ("Timestamp", f"{time.time():.6f}"),
            ("Queue", queue),
            ("MemberName", member.name),
            ("Interface", member.interface),
            ("StateInterface", member.state_interface),
            *self._pause_of(queue, member.interface),
        )

    def _pause_of(self, queue: str, interface: str) -> tuple[Header, Header, Header]:
        """The moment of the last pause stays when it is over, as in Asterisk."""
        reason, since = self.paused.get((queue, interface), ("", 0))
        last = self.last_pause.get((queue, interface), 0)
        return ("Paused", str(int(bool(since)))), ("PausedReason", reason), ("LastPause", str(last))

    def allows(self, action: str) -> bool:
        """Whether the manager user may; what a real PBX would not list here either is left to the answer itself."""
        allowed = {name.lower() for name in self.commands}
        return action in allowed or action not in {name.lower() for name in COMMANDS}

    def function(self, call: str) -> str | None:
        """The value of a function such as `PJSIP_ENDPOINT(1001,aors)`; None for what is no function."""
        function, _, arguments = call.removesuffix(")").partition("(")
        match function:
            case "DEVICE_STATE":
                return self._device_state(arguments.partition("/")[2])
            case "DIALPLAN_EXISTS":
                context, exten = arguments.split(",")[:2]
                return "0" if exten in self.no_way or context in self.no_context else "1"
            case "CHANNEL" if arguments == "dtmf_features":
                return self.features
            case "PJSIP_RESPONSE_HEADER":
                return self.allow_events
        name, _, item = arguments.rpartition(",")
        found = next((phone for phone in self.phones if phone.name == name.partition(";")[0]), None)
        if not function.startswith("PJSIP_"):
            return None
        return _values(found).get((function, item), "") if found else ""

    def _device_state(self, name: str) -> str:
        phone = next((phone for phone in self.phones if phone.name == name), None)
        if phone is None:
            return "INVALID"
        return "UNAVAILABLE" if not phone.registered else "INUSE" if name in self.busy else "NOT_INUSE"


def _values(phone: SimulatedPhone) -> dict[tuple[str, str], str]:
    return {
        ("PJSIP_ENDPOINT", "aors"): phone.name,
        ("PJSIP_ENDPOINT", "callerid"): phone.caller_id or "<unknown>",
        ("PJSIP_AOR", "max_contacts"): str(phone.contacts),
        ("PJSIP_AOR", "contact"): f"{phone.name};@334c6c7835aef73f" if phone.registered else "",
        ("PJSIP_AOR", "qualify_frequency"): str(phone.qualify_s),
        ("PJSIP_CONTACT", "user_agent"): phone.user_agent,
    }


def _row(event: str, *headers: Header) -> Event:
    return (("Event", event), *headers)
