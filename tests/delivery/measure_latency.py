"""How long from `offer` (and from before the commit) until the bytes are at a receiver in another process.

`python -m tests.delivery.measure_latency [PER_SECOND] [SECONDS] [uvloop]`; beside it the floor: a blocking socket.
"""

from __future__ import annotations

import asyncio
import logging
import multiprocessing
import random
import socket
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from multiprocessing.connection import Connection
from pathlib import Path

import structlog

from daemon.delivery.limits import OutboxLimits
from tests.delivery.house import event, house

structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))


def receive(pipe: Connection) -> None:
    """Notes when the first bytes of each request arrive (the clock is the same for all processes of the machine)."""
    arrivals: dict[str, float] = {}

    class Endpoint(asyncio.Protocol):
        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            self.transport = transport

        def data_received(self, data: bytes) -> None:
            at = time.perf_counter()
            mark = data.find(b"webhook-id: ")
            if mark >= 0:
                arrivals[data[mark + 12 : data.index(b"\r\n", mark)].decode()] = at
                assert isinstance(self.transport, asyncio.Transport)
                self.transport.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")

    async def serve() -> None:
        loop = asyncio.get_running_loop()
        server = await loop.create_server(Endpoint, "127.0.0.1", 0)
        pipe.send(server.sockets[0].getsockname()[1])
        await loop.run_in_executor(None, pipe.recv)
        pipe.send(arrivals)

    asyncio.run(serve())


async def run(port: int, per_second: float, seconds: float, path: Path) -> tuple[dict[str, float], dict[str, float]]:
    """When each delivery was made (before its commit) and when it was offered."""
    made, offered = {}, {}
    async with house(path, replace(OutboxLimits())) as h:
        began = time.perf_counter()
        for n in range(int(per_second * seconds)):
            due = began + n / per_second + random.uniform(0, 0.3) / per_second
            await asyncio.sleep(max(0, due - time.perf_counter()))
            one = event(n, f"http://127.0.0.1:{port}/hook", f"wh_{n % 3}")
            made[one.delivery_id] = time.perf_counter()
            await h.keep([one])
            offered[one.delivery_id] = time.perf_counter()
            h.outbox.offer([one])
        await h.until(lambda: len(h.settled) == len(made), 20)
        assert h.outbox.counters.delivered == len(made)
    return made, offered


def floor(port: int, per_second: float, count: int) -> dict[str, float]:
    """A blocking socket, kept alive, sending the same kind of request at the same pace."""
    sent = {}
    with socket.create_connection(("127.0.0.1", port)) as link:
        link.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for n in range(count):
            time.sleep(1 / per_second)
            request = f"POST /hook HTTP/1.1\r\nHost: x\r\nwebhook-id: floor_{n}\r\nContent-Length: 45\r\n\r\n{'x' * 45}"
            sent[f"floor_{n}"] = time.perf_counter()
            link.sendall(request.encode())
            link.recv(4096)
    return sent


def report(name: str, starts: dict[str, float], arrivals: dict[str, float]) -> None:
    took = sorted((arrivals[key] - at) * 1000 for key, at in starts.items())
    p99 = took[int(len(took) * 0.99)]
    sys.stdout.write(f"{name:28} n={len(took):6} p50={statistics.median(took):7.3f} ms  p99={p99:7.3f} ms\n")


def main(per_second: float = 100, seconds: float = 10, loop: str = "asyncio") -> None:
    here, there = multiprocessing.Pipe()
    process = multiprocessing.get_context("spawn").Process(target=receive, args=(there,), daemon=True)
    process.start()
    port = here.recv()
    factory: Callable[[], asyncio.AbstractEventLoop] | None = None
    if loop == "uvloop":
        import uvloop

        factory = uvloop.new_event_loop
    with tempfile.TemporaryDirectory() as folder, asyncio.Runner(loop_factory=factory) as runner:
        made, offered = runner.run(run(port, per_second, seconds, Path(folder)))
    floored = floor(port, per_second, 500)
    here.send("done")
    arrivals = here.recv()
    process.join(5)
    report(f"{loop} offer -> arrived", offered, arrivals)
    report(f"{loop} commit + offer -> arrived", made, arrivals)
    report("blocking socket", floored, arrivals)


if __name__ == "__main__":
    rate, length, chosen = [*sys.argv[1:], *("100", "10", "asyncio")[len(sys.argv) - 1 :]]
    main(float(rate), float(length), chosen)
