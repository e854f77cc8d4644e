"""Which ringtone an agent's phone plays: the agent's own, else the queue's, else the hotline's, else that of all calls.

The PBX applies the same order by itself from `table`, which is put there before any phone rings; so it is right when
the daemon is not there, and no call ever waits for it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from daemon.policy.alert_info import Brand, Tone, alert_info

Brands = Mapping[str, Brand]
Tones = Mapping[str, Tone]


class Why(StrEnum):
    """What decided."""

    AGENT = "the_agents_own"
    QUEUE = "of_the_queue"
    HOTLINE = "of_the_hotline"
    ALL_CALLS = "of_all_calls"
    NOTHING = "none_chosen"


@dataclass(frozen=True, slots=True, kw_only=True)
class Choices:
    """Names of ringtones: for all calls, and by endpoint, queue and hotline. What is missing chooses nothing."""

    all_calls: str | None = None
    phones: Mapping[str, str] = field(default_factory=dict)
    queues: Mapping[str, str] = field(default_factory=dict)
    hotlines: Mapping[str, str] = field(default_factory=dict)

    def names(self) -> frozenset[str]:
        every = {*self.phones.values(), *self.queues.values(), *self.hotlines.values()}
        return frozenset(every | ({self.all_calls} if self.all_calls is not None else set()))


@dataclass(frozen=True, slots=True)
class Chosen:
    ringtone: str | None
    why: Why


@dataclass(frozen=True, slots=True)
class Table:
    """What the PBX's database shall hold, and what could not be written there: names that fit no key, no phone."""

    entries: Mapping[str, str] = field(default_factory=dict)
    refused: tuple[str, ...] = ()


def decide(choices: Choices, endpoint: str, queue: str | None = None, hotline: str | None = None) -> Chosen:
    """For one phone that is about to ring in a call that came by this queue and hotline."""
    if (own := choices.phones.get(endpoint)) is not None:
        return Chosen(own, Why.AGENT)
    if queue is not None and (found := choices.queues.get(queue)) is not None:
        return Chosen(found, Why.QUEUE)
    if hotline is not None and (found := choices.hotlines.get(hotline)) is not None:
        return Chosen(found, Why.HOTLINE)
    return Chosen(choices.all_calls, Why.ALL_CALLS if choices.all_calls is not None else Why.NOTHING)


# What dialplan/asterisk/extensions_callwarden.conf lets through its FILTER: the same name on both sides, or none.
_KEY: Final = re.compile(r"[0-9A-Za-z+*#_.@-]{1,80}")
_PHONE: Final = re.compile(r"PJSIP/[0-9A-Za-z+*#_.@-]{1,80}")
PARTS: Final = ("phone", "agent", "queue", "hotline", "ring")
ALL: Final = "all"


def is_ours(key: str) -> bool:
    """Whether an entry of the family is one that `table` makes; others are left alone."""
    return key == ALL or key.partition("/")[0] in PARTS


def table(choices: Choices, phones: Mapping[str, str], brands: Brands, tones: Tones) -> Table:
    """`phones` are the agents' endpoints with the brand of each. Nothing is written where nothing is chosen."""
    names = frozenset(filter(_KEY.fullmatch, choices.names()))
    if not names:
        return Table(refused=tuple(sorted(choices.names())))
    refused: list[str] = sorted(choices.names() - names)
    entries = _rings(names, set(phones.values()), brands, tones, refused)
    entries |= _fitting("phone", phones, _PHONE, refused)
    chosen = {
        **_fitting("agent", choices.phones, _PHONE, []),
        **_fitting("queue", choices.queues, _KEY, refused),
        **_fitting("hotline", choices.hotlines, _KEY, refused),
        **({ALL: choices.all_calls} if choices.all_calls is not None else {}),
    }
    return Table(entries | {key: name for key, name in chosen.items() if name in names}, tuple(refused))


def order(keys: Iterable[str]) -> list[str]:
    """To be written in: what a choice refers to comes before the choice, so a call in between finds it whole."""
    rank = {part: place for place, part in enumerate(("ring", "phone"))}
    return sorted(keys, key=lambda key: (rank.get(key.partition("/")[0], len(rank)), key))


def _rings(
    names: Iterable[str], used: Iterable[str], brands: Brands, tones: Tones, refused: list[str]
) -> dict[str, str]:
    found: dict[str, str] = {}
    for name in sorted(names):
        headers = {key: alert_info(brands[key], tones[name]) for key in sorted(used) if name in tones}
        found |= {f"ring/{key}/{name}": header for key, header in headers.items() if header is not None}
        if None in headers.values():
            refused.append(name)
    return found


def _fitting(part: str, values: Mapping[str, str], form: re.Pattern[str], refused: list[str]) -> dict[str, str]:
    refused += sorted(name for name in values if not form.fullmatch(name))
    return {f"{part}/{name}": value for name, value in values.items() if form.fullmatch(name)}
