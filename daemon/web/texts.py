"""The kinds of text that requests may bring. What looks hostile but is text stays as it is: pages escape, not we."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, Field, StringConstraints

from daemon.message import Message
from daemon.store.name import NAME, name_error
from daemon.store.ringtone_address import RESERVED_ENDINGS
from daemon.web.query import ONE_LINE, unusable
from daemon.web.settings_rules import RINGTONE, ringtone_error


def _one_line(text: str) -> str:
    if reason := unusable(text, 255):
        raise ValueError(reason)
    return text


def _name(text: str) -> str:
    if reason := name_error(_one_line(text)):
        raise ValueError(reason)
    return text


def _ringtone(text: str) -> str:
    if reason := ringtone_error(text):
        raise ValueError(reason)
    return text


def _new_ringtone(text: str) -> str:
    if text.lower().endswith(RESERVED_ENDINGS):
        raise ValueError(_RESERVED)
    return _ringtone(text)


_RESERVED = Message("must not end in {endings}", endings=", ".join(RESERVED_ENDINGS))

OneLine = Annotated[str, AfterValidator(_one_line), Field(json_schema_extra={"maxLength": 255, "pattern": ONE_LINE})]
"""One line of at most 255 characters, which may name what is there already."""

Label = Annotated[str, AfterValidator(_name), Field(json_schema_extra={"maxLength": 255, "pattern": NAME})]
"""What people are shown: a line as before with something in it to see, or empty. It is kept as it was sent."""

Ringtone = Annotated[str, AfterValidator(_ringtone), Field(json_schema_extra={"pattern": RINGTONE})]

NewRingtone = Annotated[str, AfterValidator(_new_ringtone), Field(json_schema_extra={"pattern": RINGTONE})]
"""A name that an uploaded ringtone may get."""

Note = Annotated[str, StringConstraints(max_length=10_000)]
"""Several lines."""
