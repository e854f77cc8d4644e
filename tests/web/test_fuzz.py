"""What the description promises is kept whatever is sent: schemathesis draws the requests, a real house answers."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import Case, GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from daemon.store.tokens import Role
from daemon.web.description.table import DESCRIPTIONS
from daemon.web.routes import ENDLESS
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
    max_examples=8,
    derandomize=True,  # the same requests at every run
    database=None,
    deadline=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)


@pytest.mark.parametrize(("method", "path"), PLACES)
async def test_whatever_is_sent_the_answer_is_one_of_those_described(house: House, method: str, path: str) -> None:
    """Half of the requests are good by the description, half are not; half are about things that exist."""
    known = await furnish(house)
    document = closed(await described(house))
    document["paths"] = {f"{API}{path}": {method.lower(): document["paths"][f"{API}{path}"][method.lower()]}}
    server = str(house.client.make_url("")).rstrip("/")
    await asyncio.to_thread(_attack, document, server, house.tokens[Role.ADMIN], known.get(path.split("/")[1]))


def _attack(document: dict[str, Any], server: str, token: str, known: str | None) -> None:
    schema = schemathesis.openapi.from_dict(document)
    operation = next(schema.get_all_operations()).ok()
    names = [parameter.name for parameter in operation.path_parameters]
    headers = {"Authorization": f"Bearer {token}"}

    def send(case: Case) -> None:
        response = case.call(base_url=server, headers=headers, timeout=20, allow_redirects=False)
        case.validate_response(response, checks=CHECKS)

    modes = list(GenerationMode) if operation.body or [*operation.iter_parameters()] else [GenerationMode.POSITIVE]
    for case in schema.iter_coverage_cases(operation, generation_modes=modes, generation_config=schema.config.generation):
        send(case)
    for mode in modes:
        for existing in ({}, dict.fromkeys(names, known)) if names else ({},):
            strategy = operation.as_strategy(generation_mode=mode, path_parameters=existing or None)
            SETTINGS(given(strategy)(send))()
