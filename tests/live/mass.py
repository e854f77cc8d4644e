"""Many calls at once, played by SIPp: customers behind the trunk, and agents on one address."""

from __future__ import annotations

import asyncio
import contextlib
import csv
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.live.asterisk import Asterisk, LiveUnavailable
from tests.live.ports import LOOPBACK, free_tcp_port, free_udp_port, phone_rtp_port

SCENARIOS = Path(__file__).parent / "sipp"
_START_S = 0.3
_TRIES = 5
_ENDED = (0, 1)  # all calls as written, or not all of them; anything else is SIPp's own trouble


@dataclass(frozen=True, slots=True)
class MassResult:
    """What SIPp itself counted: calls that went as written, and calls that did not."""

    successful: int
    failed: int


@dataclass(frozen=True, slots=True)
class Customer:
    """`name` goes into the From as it is, byte for byte (so with quotes, or any encoding)."""

    number: str
    name: bytes = b""


async def call_in(
    pbx: Asterisk,
    hotline: str,
    customers: Sequence[Customer],
    *,
    talk: float = 2.0,
    per_second: float = 50.0,
    abandon: bool = False,
) -> MassResult:
    """All customers dial `hotline`; each hangs up `talk` seconds after the PBX answered it.

    With `abandon` they cancel instead, `talk` seconds after it began to ring: for a hotline which is not
    answered by the PBX itself.
    """
    scenario = "impatient.xml" if abandon else "customer.xml"
    with _work_folder(scenario, TALK_MS=talk) as folder:
        rows = [c.number.encode() + b";" + c.name + b";\n" for c in customers]
        (folder / "customers.csv").write_bytes(b"SEQUENTIAL\n" + b"".join(rows))
        process = await _sipp(
            folder,
            *("-i", pbx.trunk_host, "-p", str(free_udp_port(pbx.trunk_host))),
            *("-inf", "customers.csv", "-m", str(len(customers)), "-l", str(len(customers))),
            *("-r", str(per_second), "-s", hotline, f"{pbx.host}:{pbx.sip_port}"),
        )
        try:
            await asyncio.wait_for(process.wait(), talk + len(customers) / per_second + 90)
        finally:
            await _end(process)
        return _result(folder)


@contextlib.asynccontextmanager
async def load_agents(pbx: Asterisk, *, ring: float = 0.5) -> AsyncIterator[None]:
    """Agents 2001, 2002, … of `Asterisk(load_agents=N)`: each rings for `ring` seconds and answers."""
    with _work_folder("agents.xml", RING_MS=ring) as folder:
        process = await _sipp(folder, "-i", pbx.host, "-p", str(pbx.load_port))
        try:
            yield
        finally:
            await _end(process)


async def _sipp(folder: Path, *arguments: str) -> asyncio.subprocess.Process:
    """One that runs. A phone of another bench may have taken the ports that were free a moment ago: then others do."""
    if shutil.which("sipp") is None:
        raise LiveUnavailable("no sipp on PATH: apt-get install sip-tester")
    for _ in range(_TRIES):
        process = await _start(folder, *arguments)
        await asyncio.sleep(_START_S)
        if process.returncode in {None, *_ENDED}:
            return process
    raise LiveUnavailable(f"SIPp ends at once, {_TRIES} times; is its port taken?")


async def _start(folder: Path, *arguments: str) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        "sipp",
        *("-sf", "scenario.xml", "-nostdin", "-trace_stat", "-stf", "statistics.csv"),
        # Without these SIPp's control socket listens on every address of the machine.
        *("-ci", LOOPBACK, "-cp", str(free_tcp_port()), "-mp", str(phone_rtp_port())),
        *arguments,
        cwd=folder,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )


async def _end(process: asyncio.subprocess.Process) -> None:
    if process.returncode is None:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()


@contextlib.contextmanager
def _work_folder(scenario: str, **seconds: float) -> Iterator[Path]:
    """A folder with the scenario, its pauses filled in, which goes when SIPp is done."""
    with tempfile.TemporaryDirectory(prefix="callwarden-sipp-") as name:
        text = (SCENARIOS / scenario).read_text()
        for placeholder, value in seconds.items():
            text = text.replace(f"@{placeholder}@", str(round(value * 1000)))
        (Path(name) / "scenario.xml").write_text(text)
        yield Path(name)


def _result(folder: Path) -> MassResult:
    with (folder / "statistics.csv").open(newline="") as file:
        last = list(csv.DictReader(file, delimiter=";"))[-1]
    return MassResult(int(last["SuccessfulCall(C)"]), int(last["FailedCall(C)"]))
