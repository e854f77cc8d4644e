"""`/api/v1/desk/colleagues`: to whom a call can be given, and whether he is free."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from aiohttp import web

from daemon.acts import Availability, PhoneState
from daemon.call.dialling import dialable
from daemon.store.agents import Agent, read_agents
from daemon.web.listing import json_response
from daemon.web.query import Query
from daemon.web.services import Services, services

_PAUSED: Final = frozenset({Availability.PAUSED, Availability.WRAP_UP})
_BUSIEST: Final = (PhoneState.TALKING, PhoneState.RINGING, PhoneState.FREE, PhoneState.OFFLINE)


async def list_colleagues(request: web.Request) -> web.Response:
    """All agents by name; `presence` is that of the busiest of an agent's phones, null where nobody can tell."""
    Query(request, ())
    parts = services(request)
    agents = sorted(await read_agents(parts.reads), key=lambda agent: (agent.name.casefold(), agent.user_id))
    phones = await parts.acts.phone_states([endpoint for agent in agents for endpoint in agent.endpoints])
    return json_response({"items": [_as_json(agent, phones, parts) for agent in agents], "next": None})


def number_of(agent: Agent) -> str | None:
    """What to dial for him: the extension of a phone, else his personal number."""
    names = (endpoint.partition("/")[2] for endpoint in agent.endpoints)
    return next(filter(None, map(dialable, names)), agent.personal_number)


def _as_json(agent: Agent, phones: Mapping[str, PhoneState], parts: Services) -> dict[str, object]:
    state = parts.states.of(agent.user_id)
    seen = phone_of(phones[endpoint] for endpoint in agent.endpoints if endpoint in phones)
    return {
        "user_id": agent.user_id,
        "name": agent.name,
        "number": number_of(agent),
        "presence": seen.value if seen else None,
        "state": state.state.value,
        "reason": state.reason if state.state in _PAUSED else None,
    }


def phone_of(states: Iterable[PhoneState]) -> PhoneState | None:
    """Of several phones of one agent the busiest."""
    known = set(states)
    return next((state for state in _BUSIEST if state in known), None)
