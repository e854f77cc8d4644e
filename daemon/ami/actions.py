"""What Callwarden asks an Asterisk to do. Every answer has a deadline, and nothing is ever sent a second time."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from panoramisk import Manager
from panoramisk.actions import Action

from daemon.ami.failures import ActionRefused, ActionTimeout, InjectionRefused, LinkLost
from daemon.ami.list_rows import ListRows
from daemon.ami.message import Message
from daemon.call.signals import ChannelId

Fields = Mapping[str, str | Sequence[str]]

# panoramisk sends values as they are: a CR LF in one was seen to run a second action of the sender's choice.
_FORBIDDEN = re.compile("[\r\n\0\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class Originate:
    """A call to be made: `channel` is called first, then goes on at `exten` in `context`."""

    channel: str
    context: str
    exten: str
    priority: str = "1"
    caller_id: str | None = None
    variables: Mapping[str, str] = field(default_factory=dict)
    ring_seconds: int = 30
    channel_id: ChannelId | None = None
    """The Uniqueid the new channel shall have."""


@dataclass(frozen=True, slots=True)
class OriginateOutcome:
    """How it went for the channel called first. `reason`: 4 answered, 5 busy, 3 no answer, 8 congestion."""

    answered: bool
    reason: int
    channel: ChannelId | None


class Actions:
    """The actions of one PBX over all its connections. Not connected is a `LinkLost` at once, never a wait."""

    def __init__(self, limit: float = 10.0) -> None:
        self._limit = limit
        self._manager: Manager | None = None
        self._originates: dict[str, asyncio.Future[Message]] = {}
        self._lists: dict[str, ListRows] = {}

    def attach(self, manager: Manager) -> None:
        self._manager = manager

    def detach(self, why: LinkLost) -> None:
        """Fail what waits: an action unanswered is never repeated, it may have been done."""
        manager, self._manager = self._manager, None
        waiting = [action.future for action in _slots(manager).values()] if manager else []
        lists = [rows.whole for rows in self._lists.values()]
        for future in (*waiting, *self._originates.values(), *lists):
            if not future.done():
                future.set_exception(LinkLost(str(why)))
                future.exception()  # it may be that nobody asks any more

    async def send(self, action: str, fields: Fields | None = None, *, limit: float | None = None) -> dict[str, str]:
        """Send an action, return the headers of its answer."""
        return await self._send(_checked(action, fields or {}), limit)

    async def rows(
        self, action: str, last: str, fields: Fields | None = None, *, limit: float | None = None
    ) -> list[Message]:
        """Send an action that answers with a list of events, and return them; `last` is the event that ends it."""
        sent, limit = _checked(action, fields or {}), self._limit if limit is None else limit
        rows = self._lists[sent.id] = ListRows(last)
        try:
            async with asyncio.timeout(limit):
                await self._send(sent, limit)
                return await rows.whole
        except TimeoutError:
            raise ActionTimeout(f"the list of {action} did not come to its end") from None
        finally:
            del self._lists[sent.id]
            rows.whole.cancel()

    async def ping(self, limit: float | None = None) -> None:
        await self.send("Ping", limit=limit)

    async def getvar(self, variable: str, channel: str | None = None) -> str | None:
        """Return a variable's or function's value, None where it is empty."""
        answer = await self.send("Getvar", {"Variable": variable, **_on(channel)})
        return answer.get("Value") or None

    async def setvar(self, variable: str, value: str, channel: str | None = None) -> None:
        await self.send("Setvar", {"Variable": variable, "Value": value, **_on(channel)})

    async def hangup(self, channel: str, cause: int = 16) -> None:
        """Hang up one channel, by its name."""
        if channel.startswith("/"):  # Hangup takes /a regular expression/ and would end every call it matches
            raise InjectionRefused("a channel name does not begin with a slash")
        await self.send("Hangup", {"Channel": channel, "Cause": str(cause)})

    async def originate(self, order: Originate, accepted: Callable[[], None] | None = None) -> OriginateOutcome:
        """Make a call; return when the first channel answered or will not. `accepted`: the PBX has begun."""
        action = _checked("Originate", _originate_fields(order))
        outcome: asyncio.Future[Message] = asyncio.get_running_loop().create_future()
        self._originates[action.id] = outcome
        try:
            await self._send(action, None)
            if accepted is not None:
                accepted()
            async with asyncio.timeout(order.ring_seconds + self._limit):
                return _outcome(await outcome)
        except TimeoutError:
            raise ActionTimeout from None
        finally:
            del self._originates[action.id]
            outcome.cancel()

    def answer_event(self, message: Message) -> None:
        """Give an event that answers an action to the one who waits for it."""
        if rows := self._lists.get(message.get("ActionID") or ""):
            rows.add(message)
        else:
            self._originate_response(message)

    def _originate_response(self, message: Message) -> None:
        waiting = self._originates.get(message.get("ActionID") or "")
        if waiting and not waiting.done():
            waiting.set_result(message)

    async def _send(self, action: Action, limit: float | None) -> dict[str, str]:
        manager = self._manager
        if manager is None:
            raise LinkLost
        # as_list=False: panoramisk guesses otherwise, and waits for ever where it guesses wrong (QueueAdd).
        future: asyncio.Future[Mapping[str, str]] = manager.send_action(action, as_list=False)
        try:
            async with asyncio.timeout(self._limit if limit is None else limit):
                answer = dict((await future).items())
        except TimeoutError:
            raise ActionTimeout(f"no answer to {action['Action']}; whether the PBX acted is unknown") from None
        finally:
            # panoramisk keeps an unanswered action for ever, and would send it again after a reconnect.
            _slots(manager).pop(action.id, None)
        if answer.get("Response") not in {"Success", "Follows", "Goodbye", "Pong"}:
            raise ActionRefused(f"{action['Action']}: {answer.get('Message', 'refused')}")
        return answer


def _slots(manager: Manager) -> dict[str, Action]:
    slots: dict[str, Action] = manager.protocol.responses
    return slots


def _on(channel: str | None) -> dict[str, str]:
    return {} if channel is None else {"Channel": channel}


def _checked(action: str, fields: Fields) -> Action:
    headers: dict[str, str | list[str]] = {}
    for name, value in {"Action": action, **fields}.items():
        values = [value] if isinstance(value, str) else list(value)
        if any(_FORBIDDEN.search(text) for text in (name, *values)):
            raise InjectionRefused
        headers[name] = value if isinstance(value, str) else values
    return Action(headers, as_list=False)


def _originate_fields(order: Originate) -> Fields:
    if any("," in value for value in order.variables.values()):
        raise InjectionRefused("a comma in a variable's value would begin another variable")
    fields: dict[str, str | list[str]] = {
        "Channel": order.channel,
        "Context": order.context,
        "Exten": order.exten,
        "Priority": order.priority,
        "Timeout": str(order.ring_seconds * 1000),
        "Async": "true",  # a synchronous one blocks the whole session while the phone rings
        "Variable": [f"{name}={value}" for name, value in order.variables.items()],
    }
    optional = {"CallerID": order.caller_id, "ChannelId": order.channel_id}
    return fields | {name: value for name, value in optional.items() if value is not None}


def _outcome(message: Message) -> OriginateOutcome:
    reason = message.get("Reason") or ""
    channel = message.get("Uniqueid")
    return OriginateOutcome(
        answered=message.get("Response") == "Success",
        reason=int(reason) if reason.isascii() and reason.isdigit() and len(reason) < 4 else 0,
        channel=ChannelId(channel) if channel else None,
    )
