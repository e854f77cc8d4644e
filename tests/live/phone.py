"""A real SIP phone in a test's hands: it dials, rings, answers, holds, transfers and keeps what it saw."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import signal
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from tests.live.asterisk import Asterisk
from tests.live.ports import LOOPBACK, phone_rtp_port

PROCESS = Path(__file__).with_name("phone_process.py")
COMMAND_SECONDS = 10.0
# An INVITE with a long body is one JSON line.
LINE_BYTES = 1 << 20


class PhoneError(Exception):
    """The phone could not do what it was asked to."""


@dataclass(frozen=True, slots=True)
class Rule:
    """What a phone does with an incoming call: ring, then after `after` seconds send `code` (None: nothing).

    `ringing` False: no 180 is sent before. `silent`: nothing is sent at all, as a phone which is dead.
    """

    code: int | None = None
    after: float = 0.0
    ringing: bool = True
    silent: bool = False
    headers: Mapping[str, str] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        rule: dict[str, Any] = {"after": self.after, "ringing": self.ringing, "headers": dict(self.headers)}
        if self.code is not None:
            rule["code"] = self.code
        if self.silent:
            rule["silent"] = True
        return rule


def answer(after: float = 0.5) -> Rule:
    return Rule(200, after)


def reject(code: int = 486, after: float = 0.2, ringing: bool = True) -> Rule:
    return Rule(code, after, ringing)


RING = Rule()
SILENT = Rule(silent=True)


@dataclass(eq=False)
class PhoneCall:
    """One call as this phone saw it; every time is Unix time, None while it has not happened."""

    phone: Phone
    key: int
    is_incoming: bool
    started_at: float
    invite: str = ""
    rang_at: float | None = None
    confirmed_at: float | None = None
    disconnected_at: float | None = None
    code: int | None = None
    reason: str = ""
    media: str = "none"
    transfer_codes: list[int] = field(default_factory=list)
    digits: str = ""
    """The keys that the other side pressed."""
    notified: list[str] = field(default_factory=list)
    """The events of the NOTIFYs that came inside this call."""

    def header(self, name: str) -> str | None:
        """A header of the INVITE this phone got, None when it has none."""
        for line in self.invite.splitlines():
            found, colon, value = line.partition(":")
            if colon and found.strip().lower() == name.lower():
                return value.strip()
        return None

    async def ringing(self, within: float = 10.0) -> float:
        await self.phone.until(lambda: self.rang_at is not None or self.is_over, within, "ringing")
        return _time_of(self.rang_at, "ringing", self)

    async def confirmed(self, within: float = 15.0) -> float:
        await self.phone.until(lambda: self.confirmed_at is not None or self.is_over, within, "confirmed")
        return _time_of(self.confirmed_at, "confirmed", self)

    async def disconnected(self, within: float = 30.0) -> float:
        await self.phone.until(lambda: self.is_over, within, "disconnected")
        return _time_of(self.disconnected_at, "disconnected", self)

    async def media_is(self, state: str, within: float = 10.0) -> None:
        """Wait for `active`, `held_here` or `held_there`."""
        await self.phone.until(lambda: self.media == state, within, f"media {state}")

    @property
    def is_over(self) -> bool:
        return self.disconnected_at is not None

    async def answer(self, code: int = 200) -> None:
        await self.phone.command("answer", call=self.key, code=code)

    async def reject(self, code: int = 486) -> None:
        await self.answer(code)

    async def hangup(self) -> None:
        await self.phone.command("hangup", call=self.key)

    async def hold(self) -> None:
        await self.phone.command("hold", call=self.key)
        await self.media_is("held_here")

    async def hold_inactive(self) -> None:
        """No sound either way, as some phones hold."""
        await self.phone.command("hold_inactive", call=self.key)

    async def mute(self) -> None:
        await self.phone.command("mute", call=self.key)

    async def unhold(self) -> None:
        await self.phone.command("unhold", call=self.key)
        await self.media_is("active")

    async def transfer(self, number: str) -> None:
        """Blind transfer by REFER."""
        await self.phone.command("transfer", call=self.key, to=self.phone.address_of(number))

    async def transfer_to(self, other: PhoneCall) -> None:
        """Attended transfer: whoever is on this call is joined with whoever is on `other` (REFER, Replaces)."""
        await self.phone.command("transfer_to", call=self.key, other=other.key)

    async def dtmf(self, digits: str) -> None:
        await self.phone.command("dtmf", call=self.key, digits=digits)

    async def hears(self, sound: bool, within: float = 5.0) -> None:
        """Wait until the other side is heard for a while, or not any more; it plays a tone with short gaps."""
        deadline, quiet = time.monotonic() + within, 0
        while time.monotonic() < deadline:
            level = await self.phone.command("heard", call=self.key)
            quiet = 0 if level > 5 else quiet + 1
            if (sound and level > 5) or (not sound and quiet > 15):
                return
            await asyncio.sleep(0.05)
        raise TimeoutError(f"phone {self.phone.user}: {'nothing' if sound else 'something'} was heard for {within} s")


class Phone:
    """One phone process. Use `async with Phone(pbx, "1001") as phone`; it does not register by itself.

    It holds four calls at once, which is what pjsua is compiled for: a fifth is busy. For more there is SIPp.
    """

    def __init__(
        self,
        pbx: Asterisk,
        user: str,
        *,
        host: str = LOOPBACK,
        port: int = 0,
        identity: str | None = None,
        silence_suppressed: bool = False,
        user_agent: str = "Bench phone 1.0",
    ) -> None:
        self.pbx, self.user, self.host, self.port = pbx, user, host, port
        self.identity = identity or f'"Agent {user}" <sip:{user}@{pbx.host}:{pbx.sip_port}>'
        self.silence_suppressed, self.user_agent = silence_suppressed, user_agent
        self.calls: list[PhoneCall] = []
        self.messages: list[str] = []
        self.registered_code: int | None = None
        self._by_key: dict[int, PhoneCall] = {}
        self._ids = itertools.count(1)
        self._replies: dict[int, asyncio.Future[Any]] = {}
        self._changed = asyncio.Event()
        self._process: asyncio.subprocess.Process | None = None
        self._reader: asyncio.Task[None] | None = None
        self._is_ready = False
        self._taken = 0

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()

    async def start(self) -> None:
        setup = {
            "user": self.user,
            "password": self.user,
            "identity": self.identity,
            "pbx": f"{self.pbx.host}:{self.pbx.sip_port}",
            "host": self.host,
            "port": self.port,
            "rtp_port": phone_rtp_port(),
            "silence_suppressed": self.silence_suppressed,
            "user_agent": self.user_agent,
        }
        self._process = await asyncio.create_subprocess_exec(
            sys.executable,
            str(PROCESS),
            json.dumps(setup),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            limit=LINE_BYTES,
        )
        self._reader = asyncio.create_task(self._read())
        await self.until(lambda: self._is_ready, 15.0, "the phone's start")

    async def close(self) -> None:
        """Hang up what is left and end the process."""
        for call in self.calls:
            if not call.is_over and self.is_running:
                with contextlib.suppress(PhoneError, TimeoutError):
                    await call.hangup()
        if self.is_running and any(not call.is_over for call in self.calls):
            with contextlib.suppress(PhoneError, TimeoutError):
                await self.until(lambda: all(c.is_over for c in self.calls), 2.0, "hangup")
        await self.kill()

    async def kill(self) -> None:
        """End the process at once, as a phone that loses its power: no BYE, no unregistration."""
        if self._process is not None:
            with contextlib.suppress(ProcessLookupError):
                self._process.kill()
            await self._process.wait()
            self._process = None
        if self._reader is not None:
            await self._reader
            self._reader = None

    def stop(self) -> None:
        """Freeze the process: a phone whose network is gone."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def go_on(self) -> None:
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)

    async def restart(self) -> None:
        """Power again after `kill`: the same phone on the same port, which knows nothing of its calls."""
        self._is_ready = False
        self.calls.clear()
        self._by_key.clear()
        await self.start()
        await self.register()

    async def register(self, expires: int = 60) -> None:
        self.registered_code = None
        await self.command("register", expires=expires)
        await self.until(lambda: self.registered_code is not None, 10.0, "registration")
        if self.registered_code != 200:
            raise PhoneError(f"{self.user}: registration was answered {self.registered_code}")

    async def unregister(self) -> None:
        self.registered_code = None
        await self.command("unregister")
        await self.until(lambda: self.registered_code is not None, 10.0, "unregistration")

    async def on_call(self, rule: Rule) -> None:
        """What to do with incoming calls from now on; at first a phone only rings."""
        await self.command("rule", rule=rule.as_json())

    async def obey(self, on: bool = True) -> None:
        """Whether the server may press its keys (NOTIFY `talk` and `hold` inside a call); at first it may not.

        That it understands them a phone says in `Allow-Events`: give its rule that header.
        """
        await self.command("obey", on=on)

    async def call(
        self,
        number: str,
        *,
        identity: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> PhoneCall:
        """Dial; `identity` replaces the From (`"Name" <sip:user@host>`) for this call only."""
        facts: dict[str, Any] = {"to": self.address_of(number), "headers": dict(headers or {})}
        if identity:
            facts["identity"] = identity
        started_at = time.time()
        key = int(await self.command("call", **facts))
        call = self._call(key, is_incoming=False)
        call.started_at = started_at
        return call

    async def next_call(self, within: float = 10.0) -> PhoneCall:
        """The next incoming call not yet handed out."""
        await self.until(lambda: len(self.incoming) > self._taken, within, "an incoming call")
        self._taken += 1
        return self.incoming[self._taken - 1]

    @property
    def incoming(self) -> list[PhoneCall]:
        return [call for call in self.calls if call.is_incoming]

    def address_of(self, number: str) -> str:
        return f"sip:{number.replace('#', '%23')}@{self.pbx.host}:{self.pbx.sip_port}"

    async def command(self, do: str, **facts: Any) -> Any:
        if self._process is None or self._process.stdin is None:
            raise PhoneError(f"{self.user}: the phone is not running")
        key = next(self._ids)
        reply = self._replies[key] = asyncio.get_running_loop().create_future()
        self._process.stdin.write(json.dumps({"do": do, "id": key, **facts}).encode() + b"\n")
        try:
            return await asyncio.wait_for(reply, COMMAND_SECONDS)
        finally:
            self._replies.pop(key, None)

    async def until(self, is_true: Callable[[], bool], within: float, what: str) -> None:
        """Wait until something this phone reported makes `is_true` so."""
        deadline = time.monotonic() + within
        while not is_true():
            left = deadline - time.monotonic()
            if left <= 0 or (self._reader is not None and self._reader.done()):
                raise TimeoutError(f"phone {self.user}: waited {within} s for {what}")
            self._changed.clear()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._changed.wait(), min(left, 0.5))

    @property
    def is_running(self) -> bool:
        return self._process is not None and self._process.returncode is None

    async def _read(self) -> None:
        assert self._process is not None
        assert self._process.stdout is not None
        async for line in self._process.stdout:
            self._take(json.loads(line))
            self._changed.set()
        for reply in self._replies.values():
            if not reply.done():
                reply.set_exception(PhoneError(f"{self.user}: the phone has ended"))
        self._changed.set()

    def _take(self, event: dict[str, Any]) -> None:
        match event["event"]:
            case "ready":
                self._is_ready, self.port = True, int(event["port"])
            case "registered":
                self.registered_code = int(event["code"])
            case "reply":
                self._take_reply(event)
            case "incoming":
                call = self._call(int(event["call"]), is_incoming=True)
                call.invite = event["invite"]
                call.started_at = event["at"]
            case "message":
                self.messages.append(event["text"])
            case "failed":
                pass
            case _:
                self._take_call_event(event)

    def _take_reply(self, event: dict[str, Any]) -> None:
        reply = self._replies.get(int(event["id"]))
        if reply is None or reply.done():
            return
        if "error" in event:
            reply.set_exception(PhoneError(f"{self.user}: {event['error']}"))
        else:
            reply.set_result(event["result"])

    def _take_call_event(self, event: dict[str, Any]) -> None:
        call = self._call(int(event["call"]), is_incoming=False)
        match event["event"]:
            case "ringing":
                call.rang_at = call.rang_at or event["at"]
            case "confirmed":
                call.confirmed_at = event["at"]
            case "disconnected":
                call.disconnected_at = event["at"]
                call.code, call.reason = event["code"], event["reason"]
            case "media":
                call.media = event["state"]
            case "notify":
                call.notified.append(event["name"])
            case "digit":
                call.digits += event["digit"]
            case "transfer":
                call.transfer_codes.append(event["code"])

    def _call(self, key: int, *, is_incoming: bool) -> PhoneCall:
        """An event of an outgoing call may come before the reply which tells its key."""
        if key not in self._by_key:
            call = PhoneCall(self, key, is_incoming, time.time())
            self._by_key[key] = call
            self.calls.append(call)
        return self._by_key[key]


def _time_of(at: float | None, what: str, call: PhoneCall) -> float:
    if at is None:
        raise PhoneError(f"{call.phone.user}: the call ended before {what} ({call.code})")
    return at
