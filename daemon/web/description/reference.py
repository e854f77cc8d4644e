"""The description as a person reads it: by subject, with fields in tables and a command to try. Pure."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from daemon.web.description.kinds import kind_of, link_of, sample_of
from daemon.web.description.model import JSON, Schema

Document = Mapping[str, Any]
_SCHEMAS: Final = "#/components/schemas/"


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """A field or parameter. `kind` is what it holds, in words; `link` the object which that is."""

    name: str
    kind: str
    about: str = ""
    link: str | None = None
    needed: bool = False
    place: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What may come. `link` is the object that does; `each` that it is a page of them."""

    status: str
    about: str
    link: str | None = None
    each: bool = False
    media: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    anchor: str
    method: str
    path: str
    summary: str
    more: str
    roles: tuple[str, ...]
    """Empty: everybody, without signing in."""

    parameters: tuple[Field, ...]
    body: tuple[Field, ...]
    body_media: str
    replies: tuple[Reply, ...]
    curl: str


@dataclass(frozen=True, slots=True)
class Section:
    title: str
    anchor: str
    operations: tuple[Operation, ...]


@dataclass(frozen=True, slots=True)
class Thing:
    """An object of the answers."""

    name: str
    about: str
    fields: tuple[Field, ...]


@dataclass(frozen=True, slots=True)
class Reference:
    sections: tuple[Section, ...]
    things: tuple[Thing, ...]
    usual: tuple[Reply, ...]
    """Refusals that any address may answer with."""


def reference(document: Document, server: str) -> Reference:
    """`server` is the address in the commands, where the document itself names none."""
    document = _plain(document, document["components"]["schemas"])
    made = [_operation(document, server, *place) for place in _operations(document)]
    sections = tuple(
        Section(tag["name"], _anchor(tag["name"]), tuple(one for name, one in made if name == tag["name"]))
        for tag in document["tags"]
    )
    return Reference(tuple(one for one in sections if one.operations), _things(document, made), _usual(document))


def _plain(value: Any, schemas: Mapping[str, Schema]) -> Any:
    """With closed sets and other small types in their place; only objects are still pointed at."""
    if isinstance(value, list):
        return [_plain(each, schemas) for each in value]
    if not isinstance(value, dict):
        return value
    name = str(value.get("$ref", "")).removeprefix(_SCHEMAS)
    if name in schemas and "properties" not in schemas[name]:
        value = {**schemas[name], **{key: each for key, each in value.items() if key != "$ref"}}
    return {key: _plain(each, schemas) for key, each in value.items()}


def _operations(document: Document) -> Iterator[tuple[str, str, Mapping[str, Any]]]:
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield method.upper(), path, operation


def _operation(
    document: Document, server: str, method: str, path: str, given: Mapping[str, Any]
) -> tuple[str, Operation]:
    media, schema = _body(document, given)
    parameters = tuple(_parameter(each) for each in given.get("parameters", ()))
    shown = Operation(
        anchor=given["operationId"],
        method=method,
        path=path,
        summary=given["summary"],
        more=given.get("description", ""),
        roles=tuple(given["x-roles"]) if given["security"] else (),
        parameters=parameters,
        body=tuple(_fields(schema)),
        body_media=media,
        replies=tuple(_reply(document, status, each) for status, each in _own(given["responses"])),
        curl=_curl(document, method, f"{server}{path}", given, (media, schema)),
    )
    return given["tags"][0], shown


def _body(document: Document, given: Mapping[str, Any]) -> tuple[str, Schema]:
    for media, content in given.get("requestBody", {}).get("content", {}).items():
        return media, _resolved(document, content["schema"])
    return "", {}


def _parameter(given: Mapping[str, Any]) -> Field:
    schema = given["schema"]
    return Field(
        name=given["name"],
        kind=kind_of(schema),
        about=given["description"],
        needed=given["required"],
        place=given["in"],
    )


def _fields(schema: Schema) -> Iterator[Field]:
    for name, each in schema.get("properties", {}).items():
        yield Field(
            name=name,
            kind=kind_of(each),
            about=each.get("description", ""),
            link=link_of(each),
            needed=name in schema.get("required", ()),
        )


def _own(responses: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    return ((status, each) for status, each in responses.items() if "$ref" not in each)


def _reply(document: Document, status: str, given: Mapping[str, Any]) -> Reply:
    for media, content in given.get("content", {}).items():
        schema = _resolved(document, content["schema"])
        items = schema.get("properties", {}).get("items", {}).get("items")
        link = None if int(status) >= 400 else link_of(items or content["schema"])
        return Reply(
            status=status,
            about=given["description"],
            link=link,
            each=items is not None,
            media="" if media.endswith("json") else media,
        )
    return Reply(status=status, about=given["description"])


def _usual(document: Document) -> tuple[Reply, ...]:
    shared = document["components"]["responses"]
    found = {
        status: shared[each["$ref"].rpartition("/")[2]]["description"]
        for _, _, operation in _operations(document)
        for status, each in operation["responses"].items()
        if "$ref" in each
    }
    return tuple(Reply(status=status, about=found[status]) for status in sorted(found))


def _things(document: Document, made: list[tuple[str, Operation]]) -> tuple[Thing, ...]:
    """The objects that answers lead to, and those that these lead to."""
    schemas = document["components"]["schemas"]
    wanted = [reply.link for _, operation in made for reply in operation.replies if reply.link]
    found: dict[str, Thing] = {}
    while wanted:
        name = wanted.pop()
        if name not in found and "properties" in schemas[name]:
            thing = Thing(name, schemas[name].get("description", ""), tuple(_fields(schemas[name])))
            found[name] = thing
            wanted += [field.link for field in thing.fields if field.link]
    return tuple(found[name] for name in sorted(found))


def _curl(document: Document, method: str, url: str, given: Mapping[str, Any], body: tuple[str, Schema]) -> str:
    """A command for a shell; what must be replaced is in capitals."""
    media, schema = body
    endless = any("text/event-stream" in each.get("content", ()) for each in given["responses"].values())
    parts = ["curl", *(["-N"] if endless else []), *(["-X", method] if method != "GET" else [])]
    parts += ['-H "Authorization: Bearer $TOKEN"'] if given["security"] else []
    if media:
        sent = shlex.quote(json.dumps(_sample(document, schema), ensure_ascii=False)) if media == JSON else "@FILE"
        parts += [f"-H 'Content-Type: {media}'", f"{'-d' if media == JSON else '--data-binary'} {sent}"]
    needed = [each["name"] for each in given.get("parameters", ()) if each["in"] == "query" and each["required"]]
    query = "&".join(f"{name}={name.upper()}" for name in needed)
    address = re.sub(r"{(\w+)}", lambda found: found[1].upper(), url)
    return " ".join([*parts, shlex.quote(f"{address}?{query}" if query else address)])


def _sample(document: Document, schema: Schema) -> dict[str, Any]:
    """The needed fields, or the first."""
    names = schema.get("required") or list(schema.get("properties", {}))[:1]
    return {name: sample_of(document, schema["properties"][name]) for name in names}


def _resolved(document: Document, schema: Schema) -> Schema:
    name = schema.get("$ref")
    found: Schema = document["components"]["schemas"][name.rpartition("/")[2]] if name else schema
    return found


def _anchor(title: str) -> str:
    return title.lower().replace(" ", "-")
