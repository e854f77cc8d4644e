"""The description of the API is whole, valid and true: each sentence of it is compared with what a real house does."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from itertools import count
from typing import Any

import pytest
from openapi_schema_validator import OAS31Validator
from openapi_spec_validator import OpenAPIV31SpecValidator

from daemon.store.role import Role
from daemon.web.description.table import DESCRIPTIONS
from daemon.web.routes import ENDLESS, ROUTES
from tests.web.conftest import House
from tests.web.furnished import another_browser, body_of, furnish

API = "/api/v1"
ADDRESSES = sorted(DESCRIPTIONS)
Document = dict[str, Any]


async def described(house: House) -> Document:
    answer = await house.ask("GET", f"{API}/openapi.json", None)
    assert answer.status == 200
    document: Document = answer.body
    return document


def closed(document: Document) -> Document:
    """The same, but an answer with a field that is not described does not fit."""
    copy: Document = json.loads(json.dumps(document))
    for name, schema in copy["components"]["schemas"].items():
        if "properties" in schema and name != "Problem":
            schema["additionalProperties"] = False
    return copy


def misfits(document: Document, schema: Document, value: object) -> list[str]:
    """What is wrong with this value, in words."""
    whole = {**schema, "components": document["components"]}
    return [f"{error.json_path}: {error.message}" for error in OAS31Validator(whole).iter_errors(value)]


def parameters(method: str, path: str, place: str) -> list[Any]:
    return [parameter for parameter in DESCRIPTIONS[method, path].parameters if parameter.place == place]


def address(path: str, known: dict[str, str]) -> str:
    return f"{API}{re.sub(r'{[^}]+}', known.get(path.split('/')[1], 'x'), path)}"


def media_of(method: str, path: str) -> str | None:
    body = DESCRIPTIONS[method, path].body
    return None if body is None else body.media


def test_every_address_of_the_api_is_described_and_nothing_else() -> None:
    served = {(route.method, route.path.removeprefix(API)) for route in ROUTES if route.path.startswith(API)}
    assert served == set(DESCRIPTIONS), "see the docstring of Route"


async def test_the_description_is_openapi_3_1_and_names_everything_once(house: House) -> None:
    document = await described(house)
    assert document["openapi"].startswith("3.1")
    assert not list(OpenAPIV31SpecValidator(document).iter_errors())
    operations = [operation for path in document["paths"].values() for operation in path.values()]
    names = [operation["operationId"] for operation in operations]
    assert len(names) == len(set(names)) == len(DESCRIPTIONS)
    assert all(operation["summary"].endswith(".") for operation in operations)


@pytest.mark.parametrize(("method", "path"), ADDRESSES)
def test_every_name_in_a_path_is_described(method: str, path: str) -> None:
    assert {parameter.name for parameter in parameters(method, path, "path")} == set(re.findall(r"{([^}]+)}", path))


async def test_the_description_says_who_may_and_where_the_server_is(house: House, https_house: House) -> None:
    document, behind_proxy = await described(house), await described(https_house)
    for (method, path), operation in _operations(document):
        (route,) = (route for route in ROUTES if (route.method, route.path) == (method, f"{API}{path}"))
        assert set(operation["x-roles"]) == {role.value for role in route.access or Role}
        assert bool(operation["security"]) is (route.access is not None)
    assert document["servers"] == [{"url": "/"}]
    assert behind_proxy["servers"] == [{"url": "https://calls.example.com"}]
    names = [each["components"]["securitySchemes"]["session"]["name"] for each in (document, behind_proxy)]
    assert names == ["callwarden", "__Host-callwarden"]


@pytest.mark.parametrize(("method", "path"), ADDRESSES)
async def test_an_address_takes_exactly_the_parameters_that_are_described(house: House, method: str, path: str) -> None:
    answer = await house.ask(method, f"{address(path, {})}?nonsense=1", **body_of(method, path, media_of(method, path)))
    assert answer.fields() == {"nonsense"}
    said = answer.body["errors"][0]["message"].partition("; there are ")[2]
    described_names = {parameter.name for parameter in parameters(method, path, "query")}
    assert set(filter(None, said.split(", "))) == described_names


@pytest.mark.parametrize(("method", "path"), [place for place in ADDRESSES if parameters(*place, "query")])
async def test_a_parameter_takes_what_is_described_and_no_more(house: House, method: str, path: str) -> None:
    for parameter in parameters(method, path, "query"):
        good, bad = _values(parameter.name, parameter.schema)
        sent = body_of(method, path, media_of(method, path))
        for value in good:
            if f"{API}{path}" not in ENDLESS:
                others = _needed(method, path, besides=parameter.name)
                answer = await house.ask(method, f"{address(path, {})}?{parameter.name}={value}{others}", **sent)
                assert answer.status in (200, 201, 404), (parameter.name, value, answer.body)
        for value in bad:
            others = _needed(method, path, besides=parameter.name)
            answer = await house.ask(method, f"{address(path, {})}?{parameter.name}={value}{others}", **sent)
            assert answer.fields() == {parameter.name}, (parameter.name, value)


@pytest.mark.parametrize(("method", "path"), [place for place in ADDRESSES if "{" in place[1]])
async def test_a_name_in_a_path_is_as_long_as_described(house: House, method: str, path: str) -> None:
    for parameter in parameters(method, path, "path"):
        limit, letter = parameter.schema["maxLength"], "1" if "0-9" in parameter.schema["pattern"] else "x"
        for length, no_name in ((limit, False), (limit + 1, True)):
            name = path.replace(f"{{{parameter.name}}}", letter * length)
            where = f"{API}{re.sub(r'{[^}]+}', 'x', name)}"
            answer = await house.ask(method, where, **body_of(method, path, media_of(method, path)))
            refused = answer.status == 404 and answer.body["detail"] == "there is nothing at this address"
            assert refused is no_name, (length, answer.body)


async def test_every_answer_is_as_described_with_every_field_and_no_other(house: House) -> None:
    """DELETE comes last; a PUT is asked for what exists and for what does not."""
    known, headers = await furnish(house), await house.sign_in_as(Role.ADMIN)
    await house.ask("PUT", f"{API}/agents/mai", json={"endpoints": ["PJSIP/1007"]})
    await house.ask("PATCH", f"{API}/accounts/admin", json={"user_id": "mai"})  # who has a desk
    known["sessions"] = await another_browser(house, headers)
    await house.ask("GET", f"{API}/calls.csv?export=x", None, headers=headers)
    document = closed(await described(house))
    seen: set[tuple[str, str, int]] = set()
    for method, path in sorted(_finite(), key=lambda place: place[0] == "DELETE"):
        answers = DESCRIPTIONS[method, path].answers
        where = address(path, known)
        for each in (where, f"{where}2") if 201 in answers and method == "PUT" else (where,):
            options = body_of(method, path, media_of(method, path))
            query = _needed(method, path)
            answer = await house.ask(
                method, f"{each}?{query}", None, **options | {"headers": headers | options.get("headers", {})}
            )
            assert answer.status in answers, (method, path, answer)
            _compare(document, method, path, answer)
            seen.add((method, path, answer.status))
    promised = {(*place, status) for place in _finite() for status in DESCRIPTIONS[place].answers}
    assert seen == promised


async def test_refusals_are_as_described(house: House) -> None:
    document = await described(house)
    problem = document["components"]["schemas"]["Problem"]
    for answer in (
        await house.ask("GET", f"{API}/calls", None),
        await house.ask("GET", f"{API}/accounts", Role.AGENT),
        await house.ask("GET", f"{API}/calls/x"),
        await house.ask("PUT", f"{API}/agents/an", data=b"{"),
        await house.ask("PUT", f"{API}/agents/an", data=b"{", headers={"Content-Type": "application/json"}),
        await house.ask("PUT", f"{API}/agents/an", json={"name": 1, "nonsense": 2}),
    ):
        assert not misfits(document, problem, answer.body)
        assert answer.headers["Content-Type"].startswith("application/problem+json")
        assert not set(answer.body) - set(problem["properties"])


async def test_the_stream_of_events_is_described_as_what_it_is(house: House) -> None:
    document = await described(house)
    (media,) = document["paths"][f"{API}/events"]["get"]["responses"]["200"]["content"]
    async with house.client.get(f"{API}/events", headers=house.headers()) as response:
        assert response.content_type == media == "text/event-stream"


def _finite() -> list[tuple[str, str]]:
    return [place for place in ADDRESSES if f"{API}{place[1]}" not in ENDLESS]


def _operations(document: Document) -> Iterator[tuple[tuple[str, str], Document]]:
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield (method.upper(), path.removeprefix(API)), operation


def _compare(document: Document, method: str, path: str, answer: Any) -> None:
    operation = document["paths"][f"{API}{path}"][method.lower()]
    promised = operation["responses"][str(answer.status)]
    for name in promised.get("headers", {}):
        assert name in answer.headers
    if "content" not in promised:
        assert answer.body is None
        return
    (media,) = promised["content"]
    assert answer.headers["Content-Type"].partition(";")[0] == media
    if media == "application/json":
        schema = promised["content"][media]["schema"]
        assert not misfits(document, schema, answer.body), (method, path)
        assert answer.body.get("items", True), f"nothing to compare at {path}: see tests/web/furnished.py"


def _needed(method: str, path: str, besides: str = "") -> str:
    """The parameters without which nothing is answered, to be added to a query."""
    needed = [each.name for each in parameters(method, path, "query") if each.needed and each.name != besides]
    return "".join(f"&{name}=x{next(_numbers)}" for name in needed)


_numbers = count()


def _values(name: str, schema: Document) -> tuple[list[str], list[str]]:
    """Some that fit and some that do not."""
    if "enum" in schema:
        return schema["enum"], ["nonsense"]
    if schema.get("format") == "date-time":
        return ["2026-11-22T07:34:19.467Z"], ["2026-11-22T07:34", "nonsense"]
    if schema.get("format") == "date":
        return ["2026-11-22"], ["2026-02-30", "nonsense"]
    if schema["type"] == "integer":
        return [str(schema["minimum"]), str(schema["maximum"])], [
            str(schema["minimum"] - 1),
            str(schema["maximum"] + 1),
        ]
    too_long = "x" * (schema["maxLength"] + 1)
    if "pattern" not in schema:  # a form of its own: cursors, lists of names
        return [], [too_long]
    return ["x", "x" * schema["maxLength"]], [too_long, "%0a"]
