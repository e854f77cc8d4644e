"""Runs a real Asterisk on free loopback ports, with fresh state, and ends it by its pid."""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.live.installation import Installation, LiveUnavailable, find
from tests.live.pbx_config import write_config
from tests.live.ports import LOOPBACK, TRUNK_HOST, free_tcp_port, free_udp_port, quiet_udp_port, rtp_range

__all__ = ["Asterisk", "LiveUnavailable", "frozen"]

START_SECONDS = 30.0
STOP_SECONDS = 10.0


class Asterisk:
    """One Asterisk process and its folders. Ports and secrets stay the same over a restart.

    `agents`: how many phones may register, as 1001, 1002, …; `load_agents`: how many agents 2001, 2002, …
    live on one fixed address (`load_port`, for SIPp); `agent_options`: more lines for every agent's endpoint,
    such as `rtp_timeout=10`; `extra_dialplan`: text after the bench's own extensions.conf, whose
    context `callwarden-ringtone` runs before a phone rings; `manager_stanza`: makes the text of the user `callwarden`
    from its secret, in place of the bench's own.
    Every method blocks: from a coroutine use `asyncio.to_thread`.
    """

    user, lab_user = "callwarden", "lab"
    host, trunk_host = LOOPBACK, TRUNK_HOST
    mobile = "0901111001"

    def __init__(
        self,
        major: int | None = None,
        *,
        agents: int = 5,
        load_agents: int = 0,
        agent_options: Sequence[str] = (),
        extra_dialplan: str = "",
        manager_stanza: Callable[[str], str] | None = None,
    ) -> None:
        self.installation: Installation = find(major)
        self.version = self.installation.version
        self.agents, self.load_agents = agents, load_agents
        self.agent_options, self.extra_dialplan = tuple(agent_options), extra_dialplan
        self.manager_stanza = manager_stanza
        self.ami_port, self.sip_port = free_tcp_port(), free_udp_port()
        self.trunk_port, self.load_port = free_udp_port(TRUNK_HOST), quiet_udp_port()
        self.rtp_ports = rtp_range()
        self.secret = secrets.token_hex(8)
        self._folder: Path | None = None
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def folder(self) -> Path:
        """The folder with etc, lib, run, log and spool, as this machine sees it."""
        if self._folder is None:
            raise RuntimeError("Asterisk was not started")
        return self._folder

    @property
    def inside(self) -> Path:
        """The same folder as Asterisk itself sees it."""
        return self.installation.inside(self.folder)

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process else None

    def start(self) -> None:
        """Start and wait until it is fully booted; raises LiveUnavailable with the end of its log."""
        self._prepare_folder()
        self._process = subprocess.Popen(
            self.installation.command("-f", "-C", str(self.inside / "etc/asterisk.conf")),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        deadline = time.monotonic() + START_SECONDS
        while not self._is_booted():
            if self._process.poll() is not None or time.monotonic() > deadline:
                log = self.log_tail()
                self.stop()
                raise LiveUnavailable(f"Asterisk {self.version} did not start: {log}")
            time.sleep(0.1)

    def stop(self) -> None:
        """End it in order, and by force when that takes too long."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """End it as a crash would: nothing is told to anybody."""
        self._end(signal.SIGKILL)

    def restart(self) -> None:
        self.stop()
        self.start()

    def cli(self, command: str) -> str:
        """What the Asterisk console answers to a command."""
        answer = subprocess.run(
            self.installation.command("-C", str(self.inside / "etc/asterisk.conf"), "-rx", command),
            capture_output=True,
            check=False,
            timeout=20,
        )
        return answer.stdout.decode(errors="replace")

    def log_tail(self, lines: int = 15) -> str:
        log = self.folder / "log/messages"
        text = log.read_text(errors="replace") if log.exists() else "(no log)"
        return "\n".join(text.splitlines()[-lines:])

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)
            self._folder = None

    def _prepare_folder(self) -> None:
        if self._folder is None:
            parent = self.installation.temp_folder
            self._folder = Path(tempfile.mkdtemp(prefix="callwarden-", dir=parent))
            write_config(self)

    def _is_booted(self) -> bool:
        """The manager port accepts, and FullyBooted follows the login."""
        login = f"Action: Login\r\nUsername: lab\r\nSecret: {self.secret}\r\n\r\n".encode()
        try:
            with socket.create_connection((LOOPBACK, self.ami_port), timeout=1.0) as manager:
                manager.sendall(login)
                got = b""
                while b"FullyBooted" not in got:
                    chunk = manager.recv(4096)
                    if not chunk:
                        return False
                    got += chunk
                return True
        except OSError:
            return False

    def _end(self, how: signal.Signals) -> None:
        if self._process is None:
            return
        self._process.send_signal(how)
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait(STOP_SECONDS)
        self._process = None


@contextmanager
def frozen(pbx: Asterisk) -> Iterator[None]:
    """Stopped as a machine that swaps or a debugger stops it: connections stay open, nobody answers."""
    assert pbx.pid is not None
    os.kill(pbx.pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pbx.pid, signal.SIGCONT)
