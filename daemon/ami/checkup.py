"""Tests that what was pasted into Asterisk works, on the live link. Nothing here changes or disturbs a call.

Rights are read from ListCommands, which names exactly the actions that this session may use and itself needs no right.
"""

from __future__ import annotations

import asyncio
import math
import re
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

from daemon.ami import phone_keys, phone_message
from daemon.ami.explore import NO_WAY, read_endpoints, read_queues
from daemon.ami.failures import ActionRefused, ActionTimeout, LinkLost
from daemon.ami.link import AmiLink, LinkState
from daemon.ami.manager_conf import THE_LEAST, Wishes, write_classes
from daemon.ami.trouble import words
from daemon.message import Message
from daemon.pbx import Finding

WHOLE_S: Final = 15.0
ANSWER_S: Final = 5.0
AGAIN_S: Final = 5.0
MAX_CLOCK_S: Final = 2.0
OLDEST, NEWEST = 16, 22

_ENOUGH_EVENTS: Final = 600
"""About forty calls: among them are some who talked for five seconds."""
_MAJOR: Final = re.compile(r"(?:\D*)(\d{1,3})\.")
_RELOAD: Final = "asterisk -rx 'manager reload'"
_NEEDED: Final = (
    ("list_calls", ("CoreShowChannels",), Message("List the calls on the line")),
    ("hang_up", ("Hangup",), Message("Hang up a call")),
    ("originate", ("Originate",), Message("Make a call (click-to-call)")),
    ("variables", ("Getvar", "Setvar"), Message("Read and write channel variables")),
    ("transfer", ("BlindTransfer",), Message("Transfer a call")),
    ("pause", ("QueuePause",), Message("Pause an agent in the queues")),
)
"""Name, the actions behind it, and what they are for."""
_MESSAGES: Final = ("phone_messages", (phone_message.ACTION,), Message("Show on a ringing phone who calls"))


@dataclass(slots=True)
class Seen:
    """What an earlier check of the same login saw, to tell whether calls went by without events."""

    login: int = -1
    calls: int = 0
    followed: int = 0


class Checkup:
    """The tests of one PBX, one run at a time."""

    def __init__(self, link: AmiLink) -> None:
        self._link = link
        self._running: asyncio.Task[list[Finding]] | None = None
        self._seen = Seen()
        self._wishes = THE_LEAST

    async def run(self, wishes: Wishes = THE_LEAST) -> list[Finding]:
        """All findings; where there is no link only why. Whoever asks meanwhile gets those of the same run."""
        if self._running is None or self._running.done():
            self._wishes = wishes
            self._running = asyncio.create_task(self._run())
        return await asyncio.shield(self._running)

    async def _run(self) -> list[Finding]:
        found = [self._connected(), self._logged_in()]
        if self._link.state is not LinkState.CONNECTED:
            return found
        try:
            async with asyncio.timeout(WHOLE_S):
                for test in self._tests():
                    found += await self._tried(test)
        except TimeoutError:
            found.append(Finding("in_time", ok=False, words=Message("The PBX took too long to answer all tests.")))
        return found

    def _tests(self) -> tuple[Callable[[], Awaitable[list[Finding]]], ...]:
        return self._version, self._clock, self._rights, self._events, self._lost, self._queues, self._endpoints

    async def _tried(self, test: Callable[[], Awaitable[list[Finding]]]) -> list[Finding]:
        name = test.__name__.removeprefix("_")
        try:
            return await test()
        except LinkLost:
            said = Message("The connection to the PBX was lost during the test.")
        except (ActionTimeout, TimeoutError):
            said = Message("The PBX did not answer this test in time.")
        except ActionRefused as refused:
            said = Message("The PBX refused this test: {reason}", reason=str(refused))
        return [Finding(name, ok=False, words=said, fix=Message("Try again; if it stays so, look into the PBX's log."))]

    def _connected(self) -> Finding:
        link, where = self._link, f"{self._link.config.host}:{self._link.config.port}"
        if link.state is LinkState.CONNECTED:
            return Finding("connected", ok=True, words=Message("Connected to {where}.", where=where))
        if link.state is LinkState.REFUSED:
            return Finding("connected", ok=True, words=Message("The PBX answers at {where}.", where=where))
        why = self._why() or Message("Callwarden is connecting to {where}.", where=where)
        fix = Message(
            "In [general] of manager.conf: enabled = yes, and bindaddr and port where this machine reaches them; "
            "then run: {command}. host and port stand in Callwarden's configuration.",
            command=_RELOAD,
        )
        return Finding("connected", ok=False, words=why, fix=fix)

    def _logged_in(self) -> Finding:
        link, user = self._link, self._link.config.username
        if link.state is LinkState.CONNECTED:
            return Finding("login", ok=True, words=Message("Logged in as {user}.", user=user))
        if link.state is not LinkState.REFUSED:
            return Finding("login", ok=None, words=Message("Not tried: there is no connection."))
        fix = Message(
            "Compare [{user}] in manager.conf with Callwarden's configuration: name, secret and a permit line for "
            "{ours}; then run: {command}. Asterisk's security log says which it was.",
            user=user,
            ours=link.local_address or Message("this machine"),
            command=_RELOAD,
        )
        return Finding("login", ok=False, words=self._why() or Message("The login was refused."), fix=fix)

    def _why(self) -> Message | None:
        failure = self._link.last_failure
        return words(failure.error, self._link.config) if failure else None

    async def _version(self) -> list[Finding]:
        try:
            answer = await self._link.actions.send("CoreSettings", limit=ANSWER_S)
        except ActionRefused:
            return [Finding("version", ok=None, words=Message("The version may not be read; see the rights below."))]
        version = answer.get("AsteriskVersion", "")
        major = int(found[1]) if (found := _MAJOR.match(version)) else 0
        shown = version[:64] or "?"
        if OLDEST <= major <= NEWEST:
            return [Finding("version", ok=True, words=Message("Asterisk {version} is supported.", version=shown))]
        said = Message(
            "Asterisk {version}: versions {oldest} to {newest} are tested.", version=shown, oldest=OLDEST, newest=NEWEST
        )
        if 0 < major < OLDEST:
            return [Finding("version", ok=False, words=said, fix=Message("Upgrade Asterisk: older ones lack events."))]
        return [Finding("version", ok=None, words=said)]

    async def _clock(self) -> list[Finding]:
        before = time.time()
        answer = await self._link.actions.send("Ping", limit=ANSWER_S)
        after = time.time()
        try:
            ahead = float(answer.get("Timestamp", "")) - (before + after) / 2
        except ValueError:
            ahead = math.nan
        if not math.isfinite(ahead):
            return [Finding("clock", ok=None, words=Message("The PBX does not tell its time."))]
        if abs(ahead) <= MAX_CLOCK_S + (after - before):
            return [Finding("clock", ok=True, words=Message("The clocks of the PBX and of this machine agree."))]
        said = (
            Message("The PBX's clock is {seconds} s ahead of this machine's.", seconds=round(ahead, 1))
            if ahead > 0
            else Message("The PBX's clock is {seconds} s behind this machine's.", seconds=round(-ahead, 1))
        )
        return [
            Finding("clock", ok=False, words=said, fix=Message("Set both clocks by NTP (chrony, systemd-timesyncd)."))
        ]

    async def _rights(self) -> list[Finding]:
        """A session keeps the rights of its login: where one lacks, we log in again before we say so."""
        needed = (*_NEEDED, _MESSAGES) if self._wishes.phone_messages else _NEEDED
        allowed = await self._allowed()
        if any(_lacking(actions, allowed) for _, actions, _ in needed):
            await self._log_in_again()
            allowed = await self._allowed()
        found = [self._right(name, what, _lacking(actions, allowed)) for name, actions, what in needed]
        return [*found, _keys(is_allowed=not _lacking((phone_keys.ACTION,), allowed))]

    async def _allowed(self) -> set[str]:
        return {name.lower() for name in await self._link.actions.send("ListCommands", limit=ANSWER_S)}

    async def _log_in_again(self) -> None:
        logins = self._link.logins
        self._link.log_in_again()
        async with asyncio.timeout(AGAIN_S):
            while self._link.logins == logins or self._link.state is not LinkState.CONNECTED:  # noqa: ASYNC110
                await asyncio.sleep(0.05)

    def _right(self, name: str, what: Message, lacking: list[str]) -> Finding:
        if not lacking:
            return Finding(name, ok=True, words=Message("{what}: allowed.", what=what))
        said = Message("{what}: not allowed ({actions}).", what=what, actions=", ".join(lacking))
        fix = Message(
            "In [{user}] of manager.conf: write = {rights}; then run: {command}, and check again.",
            user=self._link.config.username,
            rights=write_classes(self._wishes),
            command=_RELOAD,
        )
        return Finding(name, ok=False, words=said, fix=fix)

    async def _events(self) -> list[Finding]:
        link, calls = self._link, await self._processed_calls()
        before, self._seen = self._seen, Seen(link.logins, calls, link.followed)
        if link.followed:
            return [Finding("events", ok=True, words=Message("Events of calls arrive.")), self._stamps()]
        if calls > before.calls and before.login == link.logins:
            fix = Message(
                "In [{user}] of manager.conf: read = call,agent,reporting,system, and the eventfilter line as printed; "
                "then run: {command}, and check again.",
                user=link.config.username,
                command=_RELOAD,
            )
            said = Message("Calls were made since the last check, and no event of them arrived.")
            return [Finding("events", ok=False, words=said, fix=fix)]
        said = Message("No event of a call has arrived since the login. Make a call now, and check again.")
        return [Finding("events", ok=None, words=said)]

    def _stamps(self) -> Finding:
        if self._link.stamped:
            return Finding("timestamps", ok=True, words=Message("Events carry the PBX's own time."))
        said = Message("Events come without the PBX's time, so times are those of their arrival.")
        fix = Message(
            "In [general] of manager.conf: timestampevents = yes; then run: {command}, and check again.",
            command=_RELOAD,
        )
        return Finding("timestamps", ok=False, words=said, fix=fix)

    async def _lost(self) -> list[Finding]:
        """What tells that a connection is lost. Calls are followed without it."""
        fix = Message(
            "In [{user}] of manager.conf: read = call,agent,reporting,system, and the eventfilter line as printed; "
            "then run: {command}, and check again.",
            user=self._link.config.username,
            command=_RELOAD,
        )
        return [self._reports(fix), self._unreachable(fix)]

    def _reports(self, fix: Message) -> Finding:
        link = self._link
        if link.reported:
            return Finding("reports", ok=True, words=Message("Phones' reports on their media arrive (RTCP)."))
        if link.followed < _ENOUGH_EVENTS:
            said = Message("No phone has reported on its media yet. Talk for ten seconds, and check again.")
            return Finding("reports", ok=None, words=said)
        said = Message(
            "Phones' reports on their media (RTCP, class reporting) do not arrive: a lost connection is noticed only "
            "when a phone's registration is gone, a customer's never."
        )
        return Finding("reports", ok=False, words=said, fix=fix)

    def _unreachable(self, fix: Message) -> Finding:
        if self._link.reads_system:
            return Finding("unreachable", ok=True, words=Message("Phones that do not answer any more are told."))
        said = Message(
            "Phones that do not answer any more are not told (class system): lost connections are found by the phones' "
            "reports alone, later while a call is on hold or muted."
        )
        return Finding("unreachable", ok=False, words=said, fix=fix)

    async def _processed_calls(self) -> int:
        """How many calls the PBX ever had; 0 where it may not be asked."""
        try:
            answer = await self._link.actions.send("CoreStatus", limit=ANSWER_S)
        except ActionRefused:
            return 0
        counts = [answer.get(name, "") for name in ("CoreCurrentCalls", "CoreProcessedCalls")]
        return sum(int(count) for count in counts if count.isascii() and count.isdigit() and len(count) < 16)

    async def _queues(self) -> list[Finding]:
        queues = await read_queues(self._link.actions)
        if queues is None:
            said = Message("This PBX has no queues (the module app_queue is not loaded).")
            return [Finding("queues", ok=None, words=said)]
        return [Finding("queues", ok=True, words=Message("Queues can be listed: {count}.", count=len(queues)))]

    async def _endpoints(self) -> list[Finding]:
        found = await read_endpoints(self._link.actions)
        if found is None:
            fix = Message("Run: {command}", command="asterisk -rx 'module load res_manager_devicestate.so'")
            return [Finding("endpoints", ok=False, words=NO_WAY, fix=fix)]
        return [
            Finding("endpoints", ok=True, words=Message("Phones and trunks can be listed: {count}.", count=len(found)))
        ]


def _keys(*, is_allowed: bool) -> Finding:
    """Never demanded: the right is wide, and every phone has keys of its own."""
    if is_allowed:
        said = Message("Answer and hold on agents' phones from the desk: allowed.")
        return Finding("phone_keys", ok=True, words=said)
    said = Message(
        "Answer and hold on agents' phones from the desk: not allowed, and not needed: the phones' own keys do it. It "
        "would take the right system, with which a manager user can also change the PBX itself."
    )
    return Finding("phone_keys", ok=None, words=said)


def _lacking(actions: tuple[str, ...], allowed: set[str]) -> list[str]:
    return [action for action in actions if action.lower() not in allowed]
