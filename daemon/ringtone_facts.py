"""What an admin chose about ringtones, read from the store for the PBXs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from daemon.call.signals import UnixMs
from daemon.policy.alert_info import Tone
from daemon.policy.ringtone import Choices
from daemon.store.agents import Agent, read_agents
from daemon.store.built_in_ringtones import BUILT_IN
from daemon.store.hotlines import read_hotlines
from daemon.store.phone_brands import brand_key
from daemon.store.queues import read_queues
from daemon.store.ringtone_address import phone_path, ringtone_secret
from daemon.store.ringtone_sound import NARROW_HZ, WIDE_HZ
from daemon.store.ringtones import Ringtone, read_choices
from daemon.store.settings import read_settings
from daemon.store.store import Store

TABLES: Final = ("settings", "agents", "agent_endpoints", "queues", "hotlines", "ringtones")


@dataclass(frozen=True, slots=True, kw_only=True)
class RingtoneFacts:
    """`phones` are all endpoints of agents, with the brand an admin chose, None: to be found out."""

    choices: Choices = field(default_factory=Choices)
    phones: Mapping[str, str | None] = field(default_factory=dict)
    tones: Mapping[str, Tone] = field(default_factory=dict)


async def read_ringtone_facts(store: Store, address: str | None, now: UnixMs) -> RingtoneFacts:
    """`address` is where phones reach this daemon; None: nobody said, so they are told names only."""
    agents = await read_agents(store.reader)
    queues = await read_queues(store.reader)
    choices = Choices(
        all_calls=(await read_settings(store.reader)).settings.ringtone,
        phones=_own(agents),
        queues={name: queue.ringtone for name, queue in queues.items() if queue.ringtone is not None},
        hotlines={one.number: one.ringtone for one in await read_hotlines(store.reader) if one.ringtone is not None},
    )
    secret = await ringtone_secret(store.reader, store.writer.change, now)
    names = choices.names()
    used = [each for each in await read_choices(store.reader) if each.name in names]
    return RingtoneFacts(
        choices=choices,
        phones={endpoint: brand_key(agent.phone_brand) for agent in agents for endpoint in agent.endpoints},
        tones={each.name: Tone(each.name, _place(each.name), _urls(secret, each, address)) for each in used},
    )


def _own(agents: list[Agent]) -> dict[str, str]:
    return {endpoint: a.ringtone for a in agents if a.ringtone is not None for endpoint in a.endpoints}


def _urls(secret: str, ringtone: Ringtone, address: str | None) -> dict[int, str]:
    if address is None:
        return {}
    return {rate: address + phone_path(secret, ringtone, rate) for rate in (WIDE_HZ, NARROW_HZ)}


def _place(name: str) -> int:
    """For phones that only count their own rings: the same ringtone is the same ring on all of them."""
    return list(BUILT_IN).index(name) if name in BUILT_IN else sum(name.encode())
