"""`/api/v1/agents`: who has which phone."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Final

from aiohttp import web
from annotated_types import Len
from pydantic import AfterValidator, Field, TypeAdapter

from daemon.message import Message
from daemon.store.accounts import read_owners
from daemon.store.agents import AGENT, Agent, Taken, delete_agent, put_agent, read_agent, read_agents
from daemon.store.endpoint_name import LIMIT, PATTERN, endpoint_name
from daemon.web.body import json_object, validated
from daemon.web.if_match import change_seen, etag
from daemon.web.listing import json_response, page_response
from daemon.web.only_new import put
from daemon.web.problem import NOTHING, FieldError, Problem, not_found
from daemon.web.query import Query, path_part
from daemon.web.services import services
from daemon.web.texts import Label, Ringtone

USER_ID_LIMIT: Final = 128
ENDPOINTS_LIMIT: Final = 20
EndpointName = Annotated[
    str,
    AfterValidator(endpoint_name),
    Field(json_schema_extra={"maxLength": LIMIT, "pattern": PATTERN, "examples": ["PJSIP/1001"]}),
]


def _international(text: str) -> str:
    if not re.fullmatch(_E164, text):
        raise ValueError(Message("must be an international number, as +84901234567"))
    return text


_E164: Final = r"^\+[1-9][0-9]{6,14}$"
E164 = Annotated[str, AfterValidator(_international), Field(json_schema_extra={"pattern": _E164})]


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentForm:
    """The body of a PUT. What is left out is empty afterwards; a missing name is the user id."""

    name: Annotated[Label, Len(1)] | None = None
    endpoints: Annotated[tuple[EndpointName, ...], Len(0, ENDPOINTS_LIMIT)] = ()
    ringtone: Ringtone | None = None
    phone_brand: Annotated[Label, Len(1, 32)] | None = None
    personal_number: E164 | None = None


_FORM: Final = TypeAdapter(AgentForm)


async def list_agents(request: web.Request) -> web.Response:
    query = Query(request, ("cursor", "limit"))
    limit, after = query.limit(), query.cursor(str)
    reads = services(request).reads
    found = await read_agents(reads, str(after[0]) if after else "", limit + 1)
    owners = await read_owners(reads, [agent.user_id for agent in found])
    return page_response(found, limit, lambda agent: _shown(agent, owners), lambda agent: [agent.user_id])


async def get_agent(request: web.Request) -> web.Response:
    Query(request, ())
    reads = services(request).reads
    agent = await read_agent(reads, path_part(request, "user_id", USER_ID_LIMIT))
    if agent is None:
        raise not_found("agent")
    return json_response(_shown(agent, await read_owners(reads, [agent.user_id])), headers=etag(agent.facts()))


async def replace_agent(request: web.Request) -> web.Response:
    Query(request, ())
    parts, user_id = services(request), path_part(request, "user_id", USER_ID_LIMIT)
    agent = _agent(user_id, validated(_FORM, await json_object(request)))
    try:
        created = await put(request, AGENT, "user_id", user_id, lambda: put_agent(agent))
    except Taken as taken:
        errors = [FieldError(taken.field, taken.message)]
        raise Problem(409, NOTHING, errors=errors, agent=taken.user_id) from taken
    await parts.rules_changed()
    shown = _shown(agent, await read_owners(parts.reads, [user_id]))
    return json_response(shown, 201 if created else 200, etag(agent.facts()))


async def remove_agent(request: web.Request) -> web.Response:
    Query(request, ())
    parts, user_id = services(request), path_part(request, "user_id", USER_ID_LIMIT)
    if not await change_seen(request, AGENT, user_id, lambda: delete_agent(user_id)):
        raise not_found("agent")
    await parts.rules_changed()
    return web.Response(status=204)


def _shown(agent: Agent, owners: Mapping[str, str]) -> dict[str, object]:
    """With the account of this person, which is changed with the account."""
    return {**agent.as_json(), "account": owners.get(agent.user_id)}


def _agent(user_id: str, form: AgentForm) -> Agent:
    return Agent(
        user_id=user_id,
        name=form.name or user_id,
        endpoints=tuple(dict.fromkeys(form.endpoints)),  # naming one twice means it once
        ringtone=form.ringtone,
        phone_brand=form.phone_brand,
        personal_number=form.personal_number,
    )
