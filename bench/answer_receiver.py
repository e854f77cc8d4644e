"""The CRM of the answer benchmark: notes when the bytes of each request arrived. Blocking, a thread a connection."""

from __future__ import annotations

import re
import socket
import threading
import time
from dataclasses import dataclass
from multiprocessing.connection import Connection

from bench.processes import orders
from bench.wire import LOOPBACK

_OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
_CALL_ID = re.compile(r"[?&]callId=([0-9.]+)")
_MOST = 1 << 16


@dataclass(frozen=True, slots=True)
class Arrival:
    """One request. `headers` by their names in small letters."""

    call_id: str
    at: float
    headers: dict[str, str]


def receiver(pipe: Connection) -> None:
    """Tell the port; then tell, whenever asked, what has arrived since the last time."""
    arrived: list[tuple[float, bytes]] = []
    with socket.create_server((LOOPBACK, 0), backlog=256) as server:
        pipe.send(server.getsockname()[1])
        threading.Thread(target=_accept, args=(server, arrived), daemon=True).start()
        for _ in orders(pipe):
            taken = arrived[:]
            del arrived[: len(taken)]
            pipe.send([_read(at, request) for at, request in taken])


def _accept(server: socket.socket, arrived: list[tuple[float, bytes]]) -> None:
    while True:
        client, _ = server.accept()
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        threading.Thread(target=_take, args=(client, arrived), daemon=True).start()


def _take(client: socket.socket, arrived: list[tuple[float, bytes]]) -> None:
    """A GET has no body and comes in one piece: each side waits for the answer before it sends again."""
    while data := client.recv(_MOST):
        at = time.perf_counter()
        client.sendall(_OK)
        arrived.append((at, data))


def _read(at: float, request: bytes) -> Arrival:
    line, *lines = request.decode().split("\r\n")
    found = _CALL_ID.search(line)
    assert found, f"no popup: {line}"
    assert line.startswith("GET "), line
    headers = dict(one.split(": ", 1) for one in lines if ": " in one)
    return Arrival(found[1], at, {name.lower(): value for name, value in headers.items()})
