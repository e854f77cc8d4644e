"""What the description promises is kept whatever is sent: schemathesis draws the requests, a real house answers."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import Case, GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.core.failures import FailureGroup
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from daemon.store.role import Role
from daemon.web.description.table import DESCRIPTIONS
from daemon.web.routes import ENDLESS
from tests.drawn import LONG, examples
from tests.web.conftest import House
from tests.web.furnished import furnish
from tests.web.test_openapi import API, closed, described

PLACES = sorted(place for place in DESCRIPTIONS if f"{API}{place[1]}" not in ENDLESS)
CHECKS: Any = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    negative_data_rejection,
]
SETTINGS = settings(
    max_examples=examples(6),
    derandomize=not LONG,  # the same requests at every run in CI
    database=None,
    deadline=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)


@pytest.mark.parametrize(("method", "path"), PLACES)
async def test_whatever_is_sent_the_answer_is_one_of_those_described(house: House, method: str, path: str) -> None:
    """Every limit of the description from both sides, and requests by chance: good ones about what exists, bad ones."""
    known = await furnish(house)
    await attack(house, only(closed(await described(house)), method, path), known.get(path.split("/")[1]))


def no_such_status(document: dict[str, Any]) -> None:
    del document["paths"][f"{API}/agents/{{user_id}}"]["put"]["responses"]["201"]


def another_type(document: dict[str, Any]) -> None:
    document["components"]["schemas"]["Agent"]["properties"]["name"] = {"type": "integer"}


def a_field_too_few(document: dict[str, Any]) -> None:
    agent = document["components"]["schemas"]["Agent"]
    del agent["properties"]["endpoints"]
    agent["required"].remove("endpoints")


def less_is_taken(document: dict[str, Any]) -> None:
    document["components"]["schemas"]["AgentForm"]["properties"]["phone_brand"] = {"type": "string", "maxLength": 3}


@pytest.mark.parametrize("lie", [no_such_status, another_type, a_field_too_few, less_is_taken])
async def test_a_description_that_is_not_true_is_found_out(house: House, lie: Callable[[dict[str, Any]], None]) -> None:
    """Or else the test above would prove nothing."""
    known, document = await furnish(house), only(closed(await described(house)), "PUT", "/agents/{user_id}")
    lie(document)
    with pytest.raises(FailureGroup):
        await attack(house, document, known["agents"])


def only(document: dict[str, Any], method: str, path: str) -> dict[str, Any]:
    operation = document["paths"][f"{API}{path}"][method.lower()]
    return {**document, "paths": {f"{API}{path}": {method.lower(): operation}}}


async def attack(house: House, document: dict[str, Any], known: str | None) -> None:
    """`known` is the name of a thing that exists, for the path."""
    server = str(house.client.make_url("")).rstrip("/")
    await asyncio.to_thread(_attack, document, server, house.tokens[Role.ADMIN], known)


def _attack(document: dict[str, Any], server: str, token: str, known: str | None) -> None:
    schema = schemathesis.openapi.from_dict(document)
    found = next(schema.get_all_operations())
    assert isinstance(found, Ok)
    operation = found.ok()
    names = [parameter.name for parameter in operation.path_parameters]
    headers = {"Authorization": f"Bearer {token}"}

    line = requests.Session()  # one connection for all

    def send(case: Case[Any]) -> None:
        response = case.call(base_url=server, session=line, headers=headers, timeout=20, allow_redirects=False)
        case.validate_response(response, checks=CHECKS)

    modes = list(GenerationMode) if operation.body or [*operation.iter_parameters()] else [GenerationMode.POSITIVE]
    for case in schema.iter_coverage_cases(
        operation, generation_modes=modes, generation_config=schema.config.generation
    ):
        send(case)
    for mode in modes:
        existing = dict.fromkeys(names, known) if known and mode is GenerationMode.POSITIVE else None
        strategy = operation.as_strategy(generation_mode=mode, path_parameters=existing)
        SETTINGS(given(strategy)(send))()
    line.close()
