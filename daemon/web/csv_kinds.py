"""What can be exported and imported as CSV: the columns of agents, queues and hotlines, and how a cell is read.

What a cell may hold is what the PUT of the same thing takes: its form validates both.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final

from pydantic import TypeAdapter

from daemon.policy.call_settings import QueueSettings
from daemon.store.agents import Agent, all_agent_facts, put_agents, read_agents
from daemon.store.audit import Facts, FactsByKey
from daemon.store.hotlines import Hotline, all_hotline_facts, put_hotlines, read_hotlines
from daemon.store.queues import all_queue_facts, put_queues, read_queues
from daemon.store.reader import Reader
from daemon.store.work import Work
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
    """`facts_of` validates (raises Problem) and fills in defaults; the others are the store's."""

    name: str
    subject: str
    key: str
    key_limit: int
    columns: tuple[Column, ...]
    read_only: tuple[str, ...] = ()
    facts_of: Callable[[str, Mapping[str, object]], Facts]
    read: Callable[[Reader], Awaitable[FactsByKey]]
    facts: Callable[[], Work[FactsByKey]]
    put: Callable[[FactsByKey], Work[None]]

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


def _switch(cell: str) -> object:
    return _SWITCH.get(cell.strip().lower(), cell)


def _shown(value: str | None) -> str:
    return value or ""


def _shown_switch(value: bool) -> str:
    return "true" if value else "false"


def _agent_facts(user_id: str, given: Mapping[str, object]) -> Facts:
    form = asdict(validated(_AGENT, given))
    return {**form, "name": form["name"] or user_id, "endpoints": list(dict.fromkeys(form["endpoints"]))}


async def _read_agents(reads: Reader) -> FactsByKey:
    return {agent.user_id: agent.facts() for agent in await read_agents(reads)}


async def _read_queues(reads: Reader) -> FactsByKey:
    return {name: asdict(queue) for name, queue in sorted((await read_queues(reads)).items())}


async def _read_hotlines(reads: Reader) -> FactsByKey:
    return {hotline.number: hotline.facts() for hotline in await read_hotlines(reads)}


def _put_agents(several: Mapping[str, Mapping[str, Any]]) -> Work[None]:
    return put_agents(
        [
            Agent(user_id=user_id, **{**facts, "endpoints": tuple(facts["endpoints"])})
            for user_id, facts in several.items()
        ]
    )


def _put_queues(several: Mapping[str, Mapping[str, Any]]) -> Work[None]:
    return put_queues({name: QueueSettings(**facts) for name, facts in several.items()})


def _put_hotlines(several: Mapping[str, Mapping[str, Any]]) -> Work[None]:
    return put_hotlines([Hotline(number=number, **facts) for number, facts in several.items()])


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
    facts_of=_agent_facts,
    read=_read_agents,
    facts=all_agent_facts,
    put=_put_agents,
)
QUEUES: Final = Kind(
    name="queues",
    subject="queue",
    key="name",
    key_limit=QUEUE_LIMIT,
    columns=(Column("create_tickets", _switch, _shown_switch), _RINGTONE),
    facts_of=lambda _, given: asdict(validated(_QUEUE, given)),
    read=_read_queues,
    facts=all_queue_facts,
    put=_put_queues,
)
HOTLINES: Final = Kind(
    name="hotlines",
    subject="hotline",
    key="number",
    key_limit=HOTLINE_LIMIT,
    columns=(Column("label", _text, _shown), _RINGTONE),
    facts_of=lambda _, given: asdict(validated(_HOTLINE, given)),
    read=_read_hotlines,
    facts=all_hotline_facts,
    put=_put_hotlines,
)
