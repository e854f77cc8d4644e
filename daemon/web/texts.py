"""The kinds of text that requests may bring. What looks hostile but is text stays as it is: pages escape, not we."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, StringConstraints

from daemon.web.query import unusable
from daemon.web.settings_rules import ringtone_error


def _one_line(text: str) -> str:
    if reason := unusable(text, 255):
        raise ValueError(reason)
    return text


def _ringtone(text: str) -> str:
    if reason := ringtone_error(text):
        raise ValueError(reason)
    return text


Label = Annotated[str, AfterValidator(_one_line)]
"""One line of at most 255 characters."""

Ringtone = Annotated[str, AfterValidator(_ringtone)]

Note = Annotated[str, StringConstraints(max_length=10_000)]
"""Several lines."""
