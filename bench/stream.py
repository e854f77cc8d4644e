"""Streams of many calls at once, as one busy Asterisk would send them. Made in memory, the same every time."""

from __future__ import annotations

import heapq
import itertools
from dataclasses import dataclass
from types import MappingProxyType

from bench.recorded_call import recorded
from daemon.call.directory import Directory
from daemon.call.model import UserId
from daemon.call.signals import Endpoint, UnixMs

BANNER = b"Asterisk Call Manager/11.0.0\r\n"
END_EVENT = "BenchStreamEnd"
END = f"Event: {END_EVENT}\r\n\r\n".encode()
BEGAN = 1_795_000_000.0
"""Unix time of the first event of every stream; what reads one takes this for the present."""
BEGAN_MS = UnixMs(1_795_000_000_000)

MIX = (
    "in_queue_answered_customer_hangs_up",
    "in_direct_answered",
    "in_queue_answered_agent_hangs_up",
    "out_answered_customer_hangs_up",
    "in_queue_abandoned",
    "in_queue_answered_customer_hangs_up",
    "in_queue_rejected_then_answered",
    "transfer_blind",
)
"""What a day at a small call centre is like; each eighth call is one of these."""

_CALLS_A_SECOND = 100


@dataclass(frozen=True, slots=True)
class Stream:
    """`data` begins with the banner and ends with `END`."""

    name: str
    data: bytes
    events: int
    calls: int
    answered: int


def make_stream(name: str, calls: int) -> Stream:
    """Make `real` (all events) or `lean` (what is left behind the manager's event filter)."""
    chosen = [recorded(MIX[number % len(MIX)]) for number in range(calls)]
    copies = (
        call.copy(number, BEGAN + number / _CALLS_A_SECOND, lean=name == "lean") for number, call in enumerate(chosen)
    )
    messages = [message.data for message in heapq.merge(*copies, key=lambda message: message.at)]
    data = b"".join(itertools.chain((BANNER,), messages, (END,)))
    return Stream(name, data, len(messages) + 1, calls, sum(call.answered for call in chosen))


def directory() -> Directory:
    """Whose phones the recordings show."""
    agents = recorded(MIX[0]).agents
    endpoints = {Endpoint(endpoint): UserId(user) for user, phones in agents.items() for endpoint in phones}
    return Directory("VN", MappingProxyType(endpoints))
