"""The PBX of the answer benchmark: says enough AMI to be followed, and plays answered calls when they are due.

Open loop: a call begins when its time has come, however far behind the other side is.
"""

from __future__ import annotations

import gc
import heapq
import random
import socket
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection

from bench.processes import orders
from bench.recorded_call import RecordedCall, recorded
from bench.stream import BANNER
from bench.wire import LOOPBACK

CALLS = ("in_queue_answered_customer_hangs_up", "in_direct_answered")

_SPEED = 2.0  # the recordings talk for a second; shorter calls make a shorter benchmark
_LEAD_S = 0.3
_MOST = 1 << 16


@dataclass(frozen=True, slots=True)
class Play:
    """An order: `rate` answered calls a second, copies `first` and following."""

    rate: float
    seconds: float
    first: int
    lean: bool = True

    @property
    def count(self) -> int:
        return int(self.rate * self.seconds)


@dataclass(frozen=True, slots=True)
class Answered:
    """When the answering event of a call was due and when its bytes were given to the socket (monotonic seconds)."""

    call_id: str
    due: float
    sent: float


@dataclass(frozen=True, slots=True)
class _Due:
    at: float
    data: bytes
    answers: str | None


def pbx(pipe: Connection) -> None:
    """Tell the port, take one client, then play what is ordered and tell when each call was answered."""
    with socket.create_server((LOOPBACK, 0)) as server:
        pipe.send(server.getsockname()[1])
        client, _ = server.accept()
    with client:
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        lock = threading.Lock()
        threading.Thread(target=_answer_actions, args=(client, lock), daemon=True).start()
        for play in orders(pipe):
            pipe.send(_play(client, lock, play))


def is_answer(event: bytes) -> bool:
    """In these calls the agent hears the customer when the second channel enters the bridge."""
    return event.startswith(b"Event: BridgeEnter\r") and b"\r\nBridgeNumChannels: 2\r" in event


def _play(client: socket.socket, lock: threading.Lock, play: Play) -> list[Answered]:
    wall = time.time()
    to_monotonic = time.perf_counter() - wall
    script = list(_script(play, wall + _lead(play)))
    gc.collect()
    gc.disable()
    try:
        return list(_perform(client, lock, script, to_monotonic))
    finally:
        gc.enable()


def _lead(play: Play) -> float:
    """Time to write the script before its first line is due."""
    return _LEAD_S + play.count * 0.0006 * (1 if play.lean else 5)


def _script(play: Play, began: float) -> Iterator[_Due]:
    chance = random.Random(play.first)  # noqa: S311 - when a customer calls is no secret
    starts = (began + (n + chance.random()) / play.rate for n in range(play.count))
    copies = [_one(recorded(CALLS[n % len(CALLS)]), play.first + n, at, play) for n, at in enumerate(starts)]
    return heapq.merge(*copies, key=lambda due: due.at)


def _one(call: RecordedCall, number: int, began: float, play: Play) -> Sequence[_Due]:
    call_id = call.call_id(number)
    copy = call.copy(number, began, lean=play.lean, speed=_SPEED)
    return [_Due(m.at, m.data, call_id if is_answer(m.data) else None) for m in copy]


def _perform(client: socket.socket, lock: threading.Lock, script: list[_Due], shift: float) -> Iterator[Answered]:
    """Write each message when it is due; those overdue together, but nothing behind an answering event."""
    batch = bytearray()
    for n, line in enumerate(script):
        due = line.at + shift
        while not batch and (wait := due - time.perf_counter()) > 0:
            time.sleep(wait)
        batch += line.data
        following = script[n + 1].at + shift if n + 1 < len(script) else float("inf")
        if line.answers is None and following <= time.perf_counter():
            continue
        with lock:
            sent = time.perf_counter()
            client.sendall(batch)
        batch.clear()
        if line.answers is not None:
            yield Answered(line.answers, due, sent)


def _answer_actions(client: socket.socket, lock: threading.Lock) -> None:
    with lock:
        client.sendall(BANNER)
    rest = b""
    while data := client.recv(_MOST):
        *actions, rest = (rest + data).split(b"\r\n\r\n")
        for action in actions:
            with lock:
                client.sendall(_answer(action))


def _answer(action: bytes) -> bytes:
    headers = dict(line.split(b": ", 1) for line in action.split(b"\r\n") if b": " in line)
    action_id = b"ActionID: " + headers.get(b"ActionID", b"") + b"\r\n"
    match headers.get(b"Action", b"").lower():
        case b"challenge":
            return b"Response: Success\r\n" + action_id + b"Challenge: 1\r\n\r\n"
        case b"login":
            return b"Response: Success\r\n" + action_id + b"Message: Authentication accepted\r\n\r\n"
        case b"coreshowchannels":
            begin = b"Response: Success\r\n" + action_id + b"EventList: start\r\nMessage: Channels will follow\r\n\r\n"
            return begin + b"Event: CoreShowChannelsComplete\r\n" + action_id + b"ListItems: 0\r\n\r\n"
    return b"Response: Success\r\n" + action_id + b"Ping: Pong\r\n\r\n"
