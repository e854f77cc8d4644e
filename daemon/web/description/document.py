"""The OpenAPI 3.1 document: descriptions, schemas and the table of roles put together. Pure; holds no secret."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from http import HTTPStatus
from typing import Any, Final

from daemon.store.role import Role
from daemon.web.description.model import JSON, Answer, Description, Descriptions, Parameter, Schema
from daemon.web.description.schemas import Schemas, schemas_of

Document = dict[str, Any]
Roles = Mapping[tuple[str, str], frozenset[Role] | None]
"""Who may, by method and whole path; None: everybody."""

API: Final = "/api/v1"
PROBLEM_JSON: Final = "application/problem+json"
_CHANGES: Final = frozenset({"POST", "PUT", "PATCH", "DELETE"})
_ABOUT: Final = (
    "Times are ISO 8601 in UTC with milliseconds. Unknown fields and parameters are refused, and nothing is coerced: "
    '`"1"` is not 1. A list is `{"items", "next"}`. New fields may be added to answers; ignore what you do not know.'
)

_REFUSALS: Final = {
    400: "No acceptable JSON: broken, a key twice, nested too deep, or a number of over 18 digits.",
    401: "No token and no session, or one that is not known or over.",
    403: "The role may not do this, or `X-CSRF-Token` is missing.",
    404: "There is no such thing.",
    413: "The body is too large.",
    415: "The body is of another type.",
    422: "Nothing was changed; `errors` names each wrong field or parameter.",
    500: "Our fault; quote `id`.",
    503: "Cannot be done now; try again after `Retry-After` seconds.",
}
_HEADERS: Final = {401: {"WWW-Authenticate": "How to sign in."}, 503: {"Retry-After": "Seconds."}}


def openapi(descriptions: Descriptions, roles: Roles, server: str, cookie: str) -> Document:
    """`server` is the address below which `/api/v1` is; `cookie` the name of a session's."""
    schemas = schemas_of(descriptions.values())
    paths: dict[str, dict[str, Any]] = {}
    for (method, path), each in descriptions.items():
        whole = f"{API}{path}"
        if (method, whole) not in roles:
            continue  # described and not served: a test fails, the description does not
        paths.setdefault(whole, {})[method.lower()] = _operation(method, path, each, roles[method, whole], schemas)
    return {
        "openapi": "3.1.0",
        "info": {"title": "Callwarden", "version": "1", "description": _ABOUT},
        "servers": [{"url": server}],
        "tags": [{"name": tag} for tag in dict.fromkeys(each.tag for each in descriptions.values())],
        "paths": paths,
        "components": {
            "schemas": dict(sorted(schemas.components.items())),
            "responses": {_name(status): _refusal(status, about) for status, about in _REFUSALS.items()},
            "securitySchemes": _security_schemes(cookie),
        },
    }


def _operation(method: str, path: str, each: Description, roles: frozenset[Role] | None, schemas: Schemas) -> Document:
    operation: Document = {
        "operationId": "_".join(
            [method.lower(), *path.replace("{", "").replace("}", "").replace("-", "_").split("/")[1:]]
        ),
        "tags": [each.tag],
        "summary": each.summary,
        "responses": {str(status): answer for status, answer in _responses(each, roles, schemas)},
        "security": _security(method, roles),
        "x-roles": [role.value for role in Role if roles is None or role in roles],
    }
    if each.more:
        operation["description"] = each.more
    if each.parameters:
        operation["parameters"] = [_parameter(parameter) for parameter in each.parameters]
    if each.body is not None:
        content = {each.body.media: {"schema": schemas.of_body(each.body)}}
        operation["requestBody"] = {"required": True, "content": content}
    return operation


def _parameter(parameter: Parameter) -> Document:
    return {
        "name": parameter.name,
        "in": parameter.place,
        "required": parameter.needed or parameter.place == "path",
        "description": parameter.about,
        "schema": parameter.schema,
    }


def _responses(each: Description, roles: frozenset[Role] | None, schemas: Schemas) -> Iterator[tuple[int, Document]]:
    for status, answer in each.answers.items():
        yield status, _answer(answer, schemas)
    own = each.refusals
    for status in sorted(_usual(each, roles) | own.keys()):
        yield (
            status,
            _refusal(status, own[status]) if status in own else {"$ref": f"#/components/responses/{_name(status)}"},
        )


def _usual(each: Description, roles: frozenset[Role] | None) -> set[int]:
    """What follows from the rest of the description."""
    named = any(parameter.place == "path" for parameter in each.parameters)
    return {
        *((401, 403) if roles is not None else ()),
        *((404,) if named else ()),
        *((400, 413, 415) if each.body is not None else ()),
        *(422, 500, 503),
    }


def _answer(answer: Answer, schemas: Schemas) -> Document:
    response: Document = {"description": answer.about}
    if answer.body is not None or answer.media != JSON:
        response["content"] = {answer.media: {"schema": schemas.of_answer(answer)}}
    if answer.headers:
        response["headers"] = {name: _header(about) for name, about in answer.headers.items()}
    return response


def _refusal(status: int, about: str) -> Document:
    problem: Schema = {"$ref": "#/components/schemas/Problem"}
    response: Document = {"description": about, "content": {PROBLEM_JSON: {"schema": problem}}}
    if status in _HEADERS:
        response["headers"] = {name: _header(text) for name, text in _HEADERS[status].items()}
    return response


def _header(about: str) -> Document:
    return {"description": about, "required": True, "schema": {"type": "string"}}


def _name(status: int) -> str:
    """As `NotFound`."""
    return HTTPStatus(status).name.title().replace("_", "")


def _security(method: str, roles: frozenset[Role] | None) -> list[dict[str, list[str]]]:
    if roles is None:
        return []
    session: dict[str, list[str]] = {"session": [], "csrf": []} if method in _CHANGES else {"session": []}
    return [{"token": []}, session]


def _security_schemes(cookie: str) -> Document:
    return {
        "token": {
            "type": "http",
            "scheme": "bearer",
            "description": "`callwarden token create` or `POST /api/v1/tokens` makes one.",
        },
        "session": {"type": "apiKey", "in": "cookie", "name": cookie, "description": "A signed-in browser."},
        "csrf": {
            "type": "apiKey",
            "in": "header",
            "name": "X-CSRF-Token",
            "description": "The `csrf_token` of `GET /api/v1/session`.",
        },
    }
