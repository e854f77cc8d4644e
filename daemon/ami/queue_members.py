"""Who is a member of which queue and paused, and how that is changed. A member is its interface, as `PJSIP/1001`."""

from __future__ import annotations

from dataclasses import dataclass

from daemon.acts import CannotAct, Why
from daemon.ami.actions import Actions
from daemon.ami.explore import read_members
from daemon.ami.phone_acts import done
from daemon.call.signals import UnixMs
from daemon.message import Message


@dataclass(frozen=True, slots=True, kw_only=True)
class Membership:
    """One member of one queue. `endpoint` is the phone it stands for, where that can be told."""

    queue: str
    interface: str
    endpoint: str | None
    paused: bool
    reason: str | None
    since: UnixMs | None


async def memberships(actions: Actions) -> list[Membership]:
    """All of the PBX. Raises what an action raises."""
    return [
        Membership(
            queue=queue,
            interface=member.interface,
            endpoint=member.endpoint,
            paused=row.get("Paused") == "1",
            reason=row.get("PausedReason"),
            since=_since(row.get("LastPause")),
        )
        for queue, member, row in await read_members(actions)
    ]


async def pause(actions: Actions, interface: str, reason: str | None) -> None:
    """In every queue that this interface is a member of; None: back again. Raises CannotAct."""
    fields = {"Interface": interface, "Paused": "true" if reason is not None else "false", "Reason": reason or ""}
    try:
        await done(actions.send("QueuePause", fields))
    except CannotAct as cannot:
        raise no_queue() if "Interface not found" in cannot.message else cannot from None


def no_queue() -> CannotAct:
    return CannotAct(Why.NO_QUEUE, Message("No queue has your phone as a member, so there is nothing to pause."))


def _since(seconds: str | None) -> UnixMs | None:
    """When it was last paused; 0: never."""
    known = seconds is not None and seconds.isascii() and seconds.isdigit() and 0 < len(seconds) < 12 and int(seconds)
    return UnixMs(int(seconds) * 1000) if known and seconds is not None else None
