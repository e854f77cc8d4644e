"""Agents and their endpoints. An endpoint, and a personal number, belongs to one agent."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from sqlalchemy import bindparam, delete, func, insert, select, update

from daemon.call.directory import Directory
from daemon.call.model import UserId
from daemon.call.signals import Endpoint
from daemon.errors import CallwardenError
from daemon.message import Message
from daemon.store.audit import Facts, Subject
from daemon.store.reader import Reader
from daemon.store.ringtone_choice import require_ringtone
from daemon.store.row import compact_json
from daemon.store.statement import each_of
from daemon.store.tables import agent_endpoints, agents
from daemon.store.work import Query, Row, Work


class Taken(CallwardenError):
    """The endpoint or number belongs to another agent; take it away there first."""

    def __init__(self, field: str, value: str, user_id: str) -> None:
        super().__init__(
            Message("{value} belongs to the agent {user_id}; take it away there first", value=value, user_id=user_id)
        )
        self.field, self.value, self.user_id = field, value, user_id


@dataclass(frozen=True, slots=True, kw_only=True)
class Agent:
    user_id: str
    name: str
    endpoints: tuple[str, ...] = ()
    ringtone: str | None = None
    phone_brand: str | None = None
    personal_number: str | None = None  # E.164

    def as_json(self) -> dict[str, object]:
        return {
            "user_id": self.user_id,
            "name": self.name,
            "endpoints": list(self.endpoints),
            "ringtone": self.ringtone,
            "phone_brand": self.phone_brand,
            "personal_number": self.personal_number,
        }

    def facts(self) -> Facts:
        """All but who it is."""
        return {name: value for name, value in self.as_json().items() if name != "user_id"}


_PAGE = (
    select(agents).where(agents.c.user_id > bindparam("b_after")).order_by(agents.c.user_id).limit(bindparam("b_limit"))
)
_ALL = select(agents).order_by(agents.c.user_id)
_ONE = select(agents).where(agents.c.user_id == bindparam("b_user_id"))
_ENDPOINTS = select(agent_endpoints).order_by(agent_endpoints.c.user_id, agent_endpoints.c.position)
_ENDPOINTS_OF_SEVERAL = _ENDPOINTS.where(agent_endpoints.c.user_id.in_(each_of("b_user_ids")))
_PHONES = select(agent_endpoints.c.endpoint, agent_endpoints.c.user_id)
_NUMBERS = select(agents.c.personal_number, agents.c.user_id).where(agents.c.personal_number.is_not(None))
_IDS = select(agents.c.user_id)
_NAMES_OF = select(agents.c.user_id, agents.c.name).where(agents.c.user_id.in_(each_of("b_user_ids")))
_NAMES = select(agents.c.user_id, agents.c.name)
_COUNT = select(func.count().label("count")).select_from(agents)
_ENDPOINTS_OF = (
    select(agent_endpoints)
    .where(agent_endpoints.c.user_id == bindparam("b_user_id"))
    .order_by(agent_endpoints.c.position)
)
_OWNER = select(agent_endpoints.c.user_id).where(
    agent_endpoints.c.endpoint == bindparam("b_endpoint"), agent_endpoints.c.user_id != bindparam("b_user_id")
)
_NUMBER_OWNER = select(agents.c.user_id).where(
    agents.c.personal_number == bindparam("b_number"), agents.c.user_id != bindparam("b_user_id")
)
_INSERT = insert(agents)
_UPDATE = (
    update(agents)
    .where(agents.c.user_id == bindparam("b_user_id"))
    .values(
        name=bindparam("b_name"),
        ringtone=bindparam("b_ringtone"),
        phone_brand=bindparam("b_phone_brand"),
        personal_number=bindparam("b_number"),
    )
)
_DELETE = delete(agents).where(agents.c.user_id == bindparam("b_user_id"))
_DELETE_ENDPOINTS = delete(agent_endpoints).where(agent_endpoints.c.user_id == bindparam("b_user_id"))
_INSERT_ENDPOINT = insert(agent_endpoints)


async def read_agents(reads: Reader, after: str = "", limit: int | None = None) -> list[Agent]:
    """All agents by user id, or one page of them."""
    if limit is None:
        rows, owned = await reads.fetch(_ALL, {}), await reads.fetch(_ENDPOINTS, {})
        return await asyncio.to_thread(_agents_of, rows, owned)
    rows = await reads.fetch(_PAGE, {"b_after": after, "b_limit": limit})
    ids = compact_json([row["user_id"] for row in rows])
    return _agents_of(rows, await reads.fetch(_ENDPOINTS_OF_SEVERAL, {"b_user_ids": ids}))


async def read_agent_names(reads: Reader, user_ids: Iterable[str]) -> dict[str, str]:
    """Of those of them that there are."""
    rows = await reads.fetch(_NAMES_OF, {"b_user_ids": compact_json(list(user_ids))})
    return {row["user_id"]: row["name"] for row in rows}


async def read_all_names(reads: Reader) -> dict[str, str]:
    """Every agent's name, which may be empty, by user id."""
    return {row["user_id"]: row["name"] for row in await reads.fetch(_NAMES, {})}


async def count_agents(reads: Reader) -> int:
    return int((await reads.fetch(_COUNT, {}))[0]["count"])


async def read_user_ids(reads: Reader) -> list[str]:
    return [row["user_id"] for row in await reads.fetch(_IDS, {})]


async def read_phone_owners(reads: Reader) -> dict[str, str]:
    """Whose each endpoint is, of all."""
    return {row["endpoint"]: row["user_id"] for row in await reads.fetch(_PHONES, {})}


async def read_agent(reads: Reader, user_id: str) -> Agent | None:
    rows = await reads.fetch(_ONE, {"b_user_id": user_id})
    if not rows:
        return None
    owned = await reads.fetch(_ENDPOINTS_OF, {"b_user_id": user_id})
    return _agent_of(rows[0], [row["endpoint"] for row in owned])


async def read_directory(reads: Reader, country: str) -> Directory:
    """What the tracker asks: whose endpoint, whose number."""
    phones, numbers = await reads.fetch(_PHONES, {}), await reads.fetch(_NUMBERS, {})
    return await asyncio.to_thread(_directory, country, phones, numbers)


def agent_facts(user_id: str) -> Work[Facts | None]:
    rows = yield Query(_ONE, {"b_user_id": user_id})
    if not rows:
        return None
    owned = yield Query(_ENDPOINTS_OF, {"b_user_id": user_id})
    return _agent_of(rows[0], [row["endpoint"] for row in owned]).facts()


AGENT: Final = Subject("agent", agent_facts)


def put_agent(agent: Agent) -> Work[bool]:
    """The agent exactly as given. True: new. Raises Taken, UnknownRingtone, and then nothing was changed."""
    yield from _refuse_taken(agent)
    yield from require_ringtone(agent.ringtone)
    known = yield Query(_ONE, {"b_user_id": agent.user_id})
    if known:
        yield Query(_UPDATE, _update_values(agent))
        yield Query(_DELETE_ENDPOINTS, {"b_user_id": agent.user_id})
    else:
        yield Query(_INSERT, _insert_values(agent))
    for values in _endpoint_values(agent):
        yield Query(_INSERT_ENDPOINT, values)
    return not known


def delete_agent(user_id: str) -> Work[bool]:
    """False: there is none. Calls and tickets keep the id."""
    known = yield Query(_ONE, {"b_user_id": user_id})
    if known:
        yield Query(_DELETE_ENDPOINTS, {"b_user_id": user_id})
        yield Query(_DELETE, {"b_user_id": user_id})
    return bool(known)


def _refuse_taken(agent: Agent) -> Work[None]:
    for endpoint in agent.endpoints:
        rows = yield Query(_OWNER, {"b_endpoint": endpoint, "b_user_id": agent.user_id})
        if rows:
            raise Taken("endpoints", endpoint, rows[0]["user_id"])
    if agent.personal_number is not None:
        rows = yield Query(_NUMBER_OWNER, {"b_number": agent.personal_number, "b_user_id": agent.user_id})
        if rows:
            raise Taken("personal_number", agent.personal_number, rows[0]["user_id"])


def _directory(country: str, phones: Sequence[Row], numbers: Sequence[Row]) -> Directory:
    return Directory(
        country=country,
        endpoints=MappingProxyType({Endpoint(row["endpoint"]): UserId(row["user_id"]) for row in phones}),
        numbers=MappingProxyType({row["personal_number"]: UserId(row["user_id"]) for row in numbers}),
    )


def _agents_of(rows: Sequence[Row], endpoints: Sequence[Row]) -> list[Agent]:
    owned: dict[str, list[str]] = defaultdict(list)
    for row in endpoints:
        owned[row["user_id"]].append(row["endpoint"])
    return [_agent_of(row, owned[row["user_id"]]) for row in rows]


def _agent_of(row: Row, endpoints: Sequence[str]) -> Agent:
    return Agent(
        user_id=row["user_id"],
        name=row["name"],
        endpoints=tuple(endpoints),
        ringtone=row["ringtone"],
        phone_brand=row["phone_brand"],
        personal_number=row["personal_number"],
    )


def _endpoint_values(agent: Agent) -> list[dict[str, object]]:
    return [
        {"endpoint": endpoint, "user_id": agent.user_id, "position": position}
        for position, endpoint in enumerate(agent.endpoints)
    ]


def _insert_values(agent: Agent) -> dict[str, object]:
    return {
        "user_id": agent.user_id,
        "name": agent.name,
        "ringtone": agent.ringtone,
        "phone_brand": agent.phone_brand,
        "personal_number": agent.personal_number,
    }


def _update_values(agent: Agent) -> dict[str, object]:
    return {
        "b_user_id": agent.user_id,
        "b_name": agent.name,
        "b_ringtone": agent.ringtone,
        "b_phone_brand": agent.phone_brand,
        "b_number": agent.personal_number,
    }
