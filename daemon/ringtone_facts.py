"""What an admin chose about ringtones and what the PBXs were given of it, kept in the store for the PBXs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

from daemon.call.model import PbxName
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
from daemon.store.ringtones_written import keep_written, read_written
from daemon.store.settings import read_settings
from daemon.store.store import Store

TABLES: Final = ("settings", "agents", "agent_endpoints", "queues", "hotlines", "ringtones")


@dataclass(frozen=True, slots=True, kw_only=True)
class RingtoneFacts:
    """`phones` are all endpoints of agents, with the brand an admin chose, None: to be found out."""

    choices: Choices = field(default_factory=Choices)
    phones: Mapping[str, str | None] = field(default_factory=dict)
    tones: Mapping[str, Tone] = field(default_factory=dict)

    def is_to_be_found_out(self, endpoint: str) -> bool:
        """Whether it matters of which make this phone is, and no admin said so."""
        return bool(self.choices.names()) and endpoint in self.phones and self.phones[endpoint] is None


class RingtoneBook:
    """The store as the PBXs' tables need it. `address` is where phones reach this daemon."""

    def __init__(self, store: Callable[[], Store], address: str | None, now: Callable[[], UnixMs]) -> None:
        self._store = store
        self._address = address
        self._now = now

    async def facts(self) -> RingtoneFacts:
        return await read_ringtone_facts(self._store(), self._address, self._now())

    async def written(self, pbx: PbxName) -> frozenset[str]:
        return await read_written(self._store().reader, pbx)

    async def keep(self, pbx: PbxName, keys: frozenset[str]) -> None:
        """What this PBX has, or is about to have."""
        await self._store().writer.change(lambda: keep_written(pbx, keys, self._now()))


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
