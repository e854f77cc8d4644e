"""What can be exported and imported as CSV: the columns of agents, queues and hotlines, and how a cell is read.

What a cell may hold is what the PUT of the same thing takes: its form validates both.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final

from pydantic import TypeAdapter

from daemon.policy.call_settings import QueueSettings
from daemon.store.agents import Agent, read_agents
from daemon.store.audit import Facts, FactsByKey
from daemon.store.bulk import (
    Changed,
    agent_facts_of,
    agent_queries,
    hotline_facts_of,
    hotline_queries,
    queue_facts_of,
    queue_queries,
)
from daemon.store.hotlines import Hotline, read_hotlines
from daemon.store.queues import read_queues
from daemon.store.reader import Reader
from daemon.store.work import Query, Work
from daemon.web.agents import ENDPOINTS_LIMIT, USER_ID_LIMIT, AgentForm
from daemon.web.body import validated
from daemon.web.queues import HOTLINE_LIMIT, QUEUE_LIMIT, HotlineForm, QueueForm


@dataclass(frozen=True, slots=True)
class Column:
    """`read` makes of a cell what the form validates; `show` the cell. `alone`: no two may have the same."""

    name: str
    read: Callable[[str], object]
    show: Callable[[Any], str]
    alone: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """`accept` validates (raises Problem) and fills in defaults; the others are the store's."""

    name: str
    subject: str
    key: str
    key_limit: int
    columns: tuple[Column, ...]
    read_only: tuple[str, ...] = ()
    accept: Callable[[str, Mapping[str, object]], Facts]
    read: Callable[[Reader], Awaitable[FactsByKey]]
    facts_of: Callable[[Collection[str]], Work[FactsByKey]]
    queries: Callable[[Changed], Iterator[Query]]

    @property
    def names(self) -> tuple[str, ...]:
        return (self.key, *(column.name for column in self.columns), *self.read_only)


_AGENT: Final = TypeAdapter(AgentForm)
_QUEUE: Final = TypeAdapter(QueueForm)
_HOTLINE: Final = TypeAdapter(HotlineForm)
_SWITCH: Final = {"": True, "true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}


def _text(cell: str) -> str:
    return cell


def _optional(cell: str) -> str | None:
    return cell or None


def _optional_word(cell: str) -> str | None:
    return cell.strip() or None


def _endpoints(cell: str) -> list[str]:
    """One more than there may be is enough to say so."""
    return cell.replace(";", " ").replace(",", " ").split(maxsplit=ENDPOINTS_LIMIT + 1)[: ENDPOINTS_LIMIT + 1]


def _number(cell: str) -> object:
    """Nothing is as for all calls; what is no number is refused as it stands there."""
    text = cell.strip()
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else text or None


def _switch(cell: str) -> object:
    return _SWITCH.get(cell.strip().lower(), cell)


def _shown(value: str | None) -> str:
    return value or ""


def _shown_number(value: int | None) -> str:
    return "" if value is None else str(value)


def _shown_switch(value: bool) -> str:
    return "true" if value else "false"


def _agent_facts(user_id: str, given: Mapping[str, object]) -> Facts:
    form = asdict(validated(_AGENT, given))
    return {**form, "name": form["name"] or user_id, "endpoints": list(dict.fromkeys(form["endpoints"]))}


async def _read_agents(reads: Reader) -> FactsByKey:
    return await asyncio.to_thread(_agents_by_id, await read_agents(reads))


async def _read_queues(reads: Reader) -> FactsByKey:
    return await asyncio.to_thread(_queues_by_name, await read_queues(reads))


async def _read_hotlines(reads: Reader) -> FactsByKey:
    return await asyncio.to_thread(_hotlines_by_number, await read_hotlines(reads))


def _agents_by_id(found: Iterable[Agent]) -> FactsByKey:
    return {agent.user_id: agent.facts() for agent in found}


def _queues_by_name(found: Mapping[str, QueueSettings]) -> FactsByKey:
    return {name: asdict(queue) for name, queue in sorted(found.items())}


def _hotlines_by_number(found: Iterable[Hotline]) -> FactsByKey:
    return {hotline.number: hotline.facts() for hotline in found}


_RINGTONE: Final = Column("ringtone", _optional_word, _shown)

AGENTS: Final = Kind(
    name="agents",
    subject="agent",
    key="user_id",
    key_limit=USER_ID_LIMIT,
    columns=(
        Column("name", _optional, _shown),
        Column("endpoints", _endpoints, " ".join, alone=True),
        _RINGTONE,
        Column("phone_brand", _optional, _shown),
        Column("personal_number", _optional_word, _shown, alone=True),
    ),
    read_only=("account",),
    accept=_agent_facts,
    read=_read_agents,
    facts_of=agent_facts_of,
    queries=agent_queries,
)
QUEUES: Final = Kind(
    name="queues",
    subject="queue",
    key="name",
    key_limit=QUEUE_LIMIT,
    columns=(
        Column("create_tickets", _switch, _shown_switch),
        _RINGTONE,
        Column("sla_target_percent", _number, _shown_number),
        Column("sla_answer_within_seconds", _number, _shown_number),
    ),
    accept=lambda _, given: asdict(validated(_QUEUE, given)),
    read=_read_queues,
    facts_of=queue_facts_of,
    queries=queue_queries,
)
HOTLINES: Final = Kind(
    name="hotlines",
    subject="hotline",
    key="number",
    key_limit=HOTLINE_LIMIT,
    columns=(Column("label", _text, _shown), _RINGTONE),
    accept=lambda _, given: asdict(validated(_HOTLINE, given)),
    read=_read_hotlines,
    facts_of=hotline_facts_of,
    queries=hotline_queries,
)
