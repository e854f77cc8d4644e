"""What an agent was, from when to when: available in queues, paused for a reason, in wrap-up.

Only what was seen is told as known. What nobody saw, because the PBX or Callwarden was away, is in no period, unless
the PBX says afterwards that nothing changed meanwhile: then it is one period, however often somebody was away in it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from daemon.call.signals import UnixMs

_OLD_MS: Final = 60_000
"""A pause that began longer ago was not his until now: he was given that phone, or the queue, while it was paused."""
_SAME_MS: Final = 2_000
"""The PBX tells the beginning of a pause in whole seconds of its clock, and we may have noted it before it did it."""


class Doing(StrEnum):
    AVAILABLE = "available"
    PAUSED = "paused"
    WRAP_UP = "wrap_up"


class Sight(StrEnum):
    """What there is to see of an agent in no period."""

    NO_QUEUE = "no_queue"
    """He is in no queue, or no agent any more."""
    AWAY = "away"
    """The PBX is not connected: he may go on as he was."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """An agent as the PBX has him from `at` on.

    `paused_at` is the beginning of the pause that goes on, or, of one who is available, of his last one; None: the PBX
    does not know one.
    """

    at: UnixMs
    what: Doing | Sight
    reason: str = ""
    paused_at: UnixMs | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Period:
    """`ended_at` None: it goes on. `estimated`: it was seen until then, and may have gone on unseen for a while."""

    began_at: UnixMs
    doing: Doing
    reason: str = ""
    ended_at: UnixMs | None = None
    estimated: bool = False


def follow(last: Period | None, seen: Seen) -> tuple[Period, ...]:
    """The periods to be written, each in the place of one that began at the same moment; `last` is the newest one."""
    if isinstance(seen.what, Sight):
        return _left(last, seen)
    now = Period(began_at=seen.at, doing=seen.what, reason=seen.reason)
    if last is None:
        return (replace(now, began_at=_pause_began(seen, UnixMs(0))),)
    if last.ended_at is None:
        return () if _same(last, now) else _changed(last, now, seen)
    return _seen_again(last, last.ended_at, now, seen)


def _left(last: Period | None, seen: Seen) -> tuple[Period, ...]:
    if last is None or last.ended_at is not None:
        return ()
    ended = max(seen.at, last.began_at)
    return (replace(last, ended_at=UnixMs(ended), estimated=seen.what is Sight.AWAY),)


def _changed(last: Period, now: Period, seen: Seen) -> tuple[Period, ...]:
    """Before our eyes. What lasted no time is replaced."""
    began = _pause_began(seen, last.began_at) if seen.at - (seen.paused_at or 0) <= _OLD_MS else seen.at
    began = max(began, last.began_at)
    following = replace(now, began_at=UnixMs(began))
    return (following,) if began == last.began_at else (replace(last, ended_at=UnixMs(began)), following)


def _seen_again(last: Period, ended: UnixMs, now: Period, seen: Seen) -> tuple[Period, ...]:
    """After he was out of sight, or in no queue."""
    last_pause = seen.paused_at or UnixMs(0)
    # A pause may have been asked for once more while it went on, which is no new one; a new one began unseen.
    known_until = last.began_at + _SAME_MS if last.doing is Doing.AVAILABLE else ended
    if last.estimated and _same(last, now) and last_pause <= known_until:
        return (replace(last, ended_at=None, estimated=False),)
    shortened: tuple[Period, ...] = ()
    is_other = last.doing is Doing.AVAILABLE or now.doing is not Doing.AVAILABLE
    if last.estimated and is_other and last.began_at + _SAME_MS < last_pause < ended:
        # Another pause began before we noticed that nothing came any more.
        ended = last_pause
        shortened = (replace(last, ended_at=ended),)
    following = replace(now, began_at=max(_pause_began(seen, ended), ended))
    return (following,) if following.began_at == last.began_at else (*shortened, following)


def _pause_began(seen: Seen, least: UnixMs) -> UnixMs:
    """When what is seen began: a pause as the PBX says, anything else now. Never in what was told before."""
    told = None if seen.what is Doing.AVAILABLE else seen.paused_at
    began = seen.at if told is None else min(told, seen.at)
    return UnixMs(max(began, least))


def _same(one: Period, other: Period) -> bool:
    return (one.doing, one.reason) == (other.doing, other.reason)
