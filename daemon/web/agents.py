"""`/api/v1/agents`: who has which phone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Final

from aiohttp import web
from annotated_types import Len
from pydantic import AfterValidator, StringConstraints, TypeAdapter

from daemon.store.agents import AGENT, Agent, Taken, delete_agent, put_agent, read_agent, read_agents
from daemon.store.endpoint_name import endpoint_name
from daemon.web.audit import change
from daemon.web.body import json_object, validated
from daemon.web.listing import json_response, page_response
from daemon.web.problem import FieldError, Problem, not_found
from daemon.web.query import Query, path_part
from daemon.web.services import services
from daemon.web.texts import Label, Ringtone

USER_ID_LIMIT: Final = 128
EndpointName = Annotated[str, AfterValidator(endpoint_name)]
E164 = Annotated[str, StringConstraints(pattern=r"^\+[1-9][0-9]{6,14}$")]


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentForm:
    """The body of a PUT. What is left out is empty afterwards; a missing name is the user id."""

    name: Annotated[Label, Len(1)] | None = None
    endpoints: Annotated[tuple[EndpointName, ...], Len(0, 20)] = ()
    ringtone: Ringtone | None = None
    phone_brand: Annotated[Label, Len(1, 32)] | None = None
    personal_number: E164 | None = None


_FORM: Final = TypeAdapter(AgentForm)


async def list_agents(request: web.Request) -> web.Response:
    query = Query(request, ("cursor", "limit"))
    limit, after = query.limit(), query.cursor(str)
    found = await read_agents(services(request).reads, str(after[0]) if after else "", limit + 1)
    return page_response(found, limit, Agent.as_json, lambda agent: [agent.user_id])


async def get_agent(request: web.Request) -> web.Response:
    Query(request, ())
    agent = await read_agent(services(request).reads, path_part(request, "user_id", USER_ID_LIMIT))
    if agent is None:
        raise not_found("agent")
    return json_response(agent.as_json())


async def replace_agent(request: web.Request) -> web.Response:
    Query(request, ())
    parts, user_id = services(request), path_part(request, "user_id", USER_ID_LIMIT)
    agent = _agent(user_id, validated(_FORM, await json_object(request)))
    try:
        created = await change(request, AGENT, user_id, lambda: put_agent(agent))
    except Taken as taken:
        errors = [FieldError(taken.field, str(taken))]
        raise Problem(409, "nothing was changed", errors=errors, agent=taken.user_id) from taken
    await parts.rules_changed()
    return json_response(agent.as_json(), 201 if created else 200)


async def remove_agent(request: web.Request) -> web.Response:
    Query(request, ())
    parts, user_id = services(request), path_part(request, "user_id", USER_ID_LIMIT)
    if not await change(request, AGENT, user_id, lambda: delete_agent(user_id)):
        raise not_found("agent")
    await parts.rules_changed()
    return web.Response(status=204)


def _agent(user_id: str, form: AgentForm) -> Agent:
    return Agent(
        user_id=user_id,
        name=form.name or user_id,
        endpoints=tuple(dict.fromkeys(form.endpoints)),  # naming one twice means it once
        ringtone=form.ringtone,
        phone_brand=form.phone_brand,
        personal_number=form.personal_number,
    )
