"""A JSON Schema said in a few words: what a field holds, which object it leads to, and an example of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from daemon.web.description.model import Schema

_WORDS: Final = {"boolean": "true or false", "integer": "whole number", "null": "null"}
_SAMPLES: Final[Mapping[str, object]] = {"boolean": True, "integer": 1, "number": 1, "array": [], "object": {}}


def kind_of(schema: Schema) -> str:
    """As `text, at most 255 characters, or null`."""
    if "anyOf" in schema and "type" not in schema:
        whole = {name: value for name, value in schema.items() if name in ("maxLength", "minLength", "format")}
        kinds = [kind_of(each if each.get("type") == "null" else each | whole) for each in schema["anyOf"]]
        return ", or ".join(kinds) if any("," in kind for kind in kinds) else " or ".join(kinds)
    if "$ref" in schema:
        return _name(schema)
    if "enum" in schema:
        return " · ".join(str(value) for value in schema["enum"])
    if isinstance(schema.get("type"), list):
        return " or ".join(kind_of({"type": each}) for each in schema["type"])
    return ", ".join([_word(schema), *_limits(schema)])


def link_of(schema: Schema | None) -> str | None:
    """The object that this is, or is a list of, or may be."""
    if schema is None:
        return None
    if "$ref" in schema:
        return _name(schema)
    return next((link for each in [*schema.get("anyOf", ()), schema.get("items")] if (link := link_of(each))), None)


def sample_of(document: Mapping[str, Any], schema: Schema) -> object:
    if "$ref" in schema:
        return sample_of(document, document["components"]["schemas"][_name(schema)])
    if "examples" in schema:
        return schema["examples"][0]
    if "enum" in schema:
        return schema["enum"][-1]  # of roles the least, of states the last
    if "anyOf" in schema and "type" not in schema:
        return sample_of(document, schema["anyOf"][0])
    if "properties" in schema:
        needed = schema.get("required", ())
        return {name: sample_of(document, each) for name, each in schema["properties"].items() if name in needed}
    return schema.get("default", _SAMPLES.get(schema.get("type", ""), "…"))


def _word(schema: Schema) -> str:
    match schema.get("type"), schema.get("format"):
        case "string", "date-time":
            return "time"
        case "string", "uri":
            return "URL"
        case "string", "binary":
            return "bytes"
        case "string", _:
            return "text"
        case "array", _:
            return f"list of {kind_of(schema.get('items', {}))}"
        case kind, _:
            return _WORDS.get(str(kind), str(kind or "anything"))


def _limits(schema: Schema) -> Iterator[str]:
    least, most = schema.get("minimum"), schema.get("maximum")
    if least is not None and most is not None:
        yield f"{least} to {most}"
    elif least is not None:
        yield f"at least {least}"
    if "maxLength" in schema and schema.get("format") != "date-time":
        yield f"at most {schema['maxLength']} characters"
    if "maxItems" in schema:
        yield f"at most {schema['maxItems']} of them"


def _name(schema: Schema) -> str:
    return str(schema["$ref"]).rpartition("/")[2]
