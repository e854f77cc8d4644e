"""The JSON Schemas of bodies and answers, made from the very dataclasses that requests are validated with."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any, Final

from pydantic import TypeAdapter
from pydantic.json_schema import GenerateJsonSchema

from daemon.web.description.answers import FieldError
from daemon.web.description.model import Answer, Body, Description, ListOf, Schema

_REF: Final = "#/components/schemas/"

PROBLEM: Final[Schema] = {
    "type": "object",
    "description": "What went wrong (RFC 9457). A refusal may have members of its own.",
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string", "description": "In words, for people."},
        "errors": {"type": "array", "items": {"$ref": f"{_REF}FieldError"}, "description": "Which fields, of a 422."},
        "id": {"type": "string", "description": "To quote, of a 500."},
    },
    "required": ["type", "title", "status", "detail"],
}


class _Plain(GenerateJsonSchema):
    """Without a title for each field that only repeats its name."""

    def field_title_should_be_set(self, schema: Any) -> bool:  # noqa: ARG002 -- pydantic asks
        return False


@dataclass(frozen=True, slots=True)
class Schemas:
    """What is under `components`, and how to point at it."""

    components: dict[str, Schema]
    answers: Mapping[type, str]
    bodies: Mapping[int, str] = field(default_factory=dict)

    def of_answer(self, answer: Answer) -> Schema:
        match answer.body:
            case dict():
                return answer.body
            case ListOf():
                return self._page(answer.body.item)
            case None:
                return {"type": "string"}
            case shown:
                return _ref(self.answers[shown])

    def of_body(self, body: Body) -> Schema:
        return _ref(self.bodies[id(body)]) if body.form is not None else body.schema

    def _page(self, item: type) -> Schema:
        name = f"{self.answers[item]}Page"
        self.components[name] = {
            "type": "object",
            "properties": {
                "items": {"type": "array", "items": _ref(self.answers[item])},
                "next": {"type": ["string", "null"], "description": "The `cursor` of the next page; null: no more."},
            },
            "required": ["items", "next"],
        }
        return _ref(name)


def schemas_of(descriptions: Iterable[Description]) -> Schemas:
    descriptions = list(descriptions)
    shown = [_item(answer) for each in descriptions for answer in each.answers.values()]
    answers = {FieldError, *(kind for kind in shown if isinstance(kind, type))}
    bodies = [each.body for each in descriptions if each.body is not None and each.body.form is not None]
    components: dict[str, Schema] = {"Problem": PROBLEM}
    names = {kind: _add_answer(components, kind) for kind in sorted(answers, key=lambda kind: kind.__name__)}
    return Schemas(components, names, {id(body): _add_body(components, body) for body in bodies})


def _item(answer: Answer) -> object:
    return answer.body.item if isinstance(answer.body, ListOf) else answer.body


def _add_answer(components: dict[str, Schema], kind: type) -> str:
    """Every property is in every answer."""
    schema = _schema(kind, "serialization")
    inner = schema.pop("$defs", {})
    for each in (schema, *inner.values()):
        if "properties" in each:
            each["required"] = list(each["properties"])
    _add(components, {**inner, kind.__name__: schema})
    return kind.__name__


def _add_body(components: dict[str, Schema], body: Body) -> str:
    """Whatever else is sent is refused."""
    assert body.form is not None
    schema = _schema(body.form, "validation")
    schema.pop("title", None)  # the dataclass's name, which one form may share with another
    inner = schema.pop("$defs", {})
    for each in (schema, *inner.values()):
        if "properties" in each:
            each["additionalProperties"] = False
    _refine(schema, body)
    stem = body.form.__name__.removesuffix("Form")
    name = f"{stem}{'Change' if body.partial else 'Form'}"
    _add(components, {**inner, name: schema})
    return name


def _refine(schema: Schema, body: Body) -> None:
    for name, more in body.refined.items():
        schema["properties"][name] |= deepcopy(dict(more))
    if body.partial:
        schema.pop("required", None)
    for name, each in schema["properties"].items():
        if body.partial or name in body.needed:
            each.pop("default", None)  # what is left out stays, or is refused
    if body.needed:
        schema["required"] = [*schema.get("required", ()), *body.needed]


def _add(components: dict[str, Schema], found: Mapping[str, Schema]) -> None:
    for name, schema in found.items():
        assert components.setdefault(name, schema) == schema, f"two different schemas are called {name}"


def _schema(kind: type, mode: Any) -> Schema:
    adapter: TypeAdapter[Any] = TypeAdapter(kind)
    return adapter.json_schema(mode=mode, ref_template=f"{_REF}{{model}}", schema_generator=_Plain)


def _ref(name: str) -> Schema:
    return {"$ref": f"{_REF}{name}"}
