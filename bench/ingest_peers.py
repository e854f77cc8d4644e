"""Who else reads an AMI stream: a bare socket, panoramisk 1.4 with one callback, cacofonisk as it is run."""

from __future__ import annotations

import asyncio
import logging
import socket
from typing import Any

from bench.contest import Tally
from bench.stream import END_EVENT
from bench.wire import LOOPBACK, READY

_READ = 1 << 18  # what asyncio reads at once

_silent = logging.getLogger("bench.silent")
_silent.setLevel(logging.CRITICAL + 1)


async def socket_only(port: int) -> Tally:
    """The floor: take the bytes and forget them."""
    with socket.create_connection((LOOPBACK, port)) as link:
        link.sendall(READY)
        while link.recv(_READ):
            pass
    return Tally()


async def panoramisk_alone(port: int) -> Tally:
    """Parsing alone: one catch-all callback that reads three fields."""
    from panoramisk import Manager

    done = asyncio.get_running_loop().create_future()
    tally = [0]

    def take(_manager: Manager, event: Any) -> None:
        tally[0] += 1
        name, _channel, _uniqueid = event.event, event.channel, event.uniqueid
        if name == END_EVENT:
            done.set_result(None)

    manager = Manager(loop=asyncio.get_running_loop(), host=LOOPBACK, port=port, log=_silent)
    manager.register_event("*", take)
    await manager.connect()
    await asyncio.sleep(0)  # its own callback runs first
    manager.protocol.transport.write(READY)
    await done
    manager.close()
    return Tally(events=tally[0])


async def cacofonisk(port: int) -> Tally:
    """Its own runner over panoramisk, which logs in by itself, with a reporter that counts the calls that end."""
    from cacofonisk.reporters import BaseReporter
    from cacofonisk.runners.ami_runner import AmiRunner

    class Counting(BaseReporter):  # type: ignore[misc]  # cacofonisk has no types
        calls = 0

        def on_hangup(self, caller: object, reason: str) -> None:  # noqa: ARG002 - the reporter's interface
            self.calls += 1

        def on_queue_caller_abandon(self, caller: object) -> None:
            """on_hangup follows."""

    reporter = Counting()
    done = asyncio.get_running_loop().create_future()
    runner = AmiRunner([f"ami://{LOOPBACK}:{port}"], reporter, logger=_silent)
    runner.attach_all()
    for manager in runner.ami_managers:
        manager.register_event(END_EVENT, lambda _manager, _event: done.set_result(None))
    await done
    for manager in runner.ami_managers:
        manager.close()
    return Tally(calls=reporter.calls)
