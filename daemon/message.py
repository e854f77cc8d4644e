"""A sentence for people, kept so that it can still be said in their language: its English pattern and its values.

It is a plain `str` in English everywhere else: in logs, in the API for programs, in comparisons.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Self


class Message(str):
    """`Message("must be at most {limit} characters", limit=255)`; the pattern is what catalogues translate.

    A value that is itself a Message is translated as well.
    """

    __slots__ = ("pattern", "values")

    pattern: str
    values: Mapping[str, object]

    def __new__(cls, pattern: str, /, **values: object) -> Self:
        made = super().__new__(cls, pattern.format(**values) if values else pattern)
        made.pattern, made.values = pattern, values
        return made

    def __reduce__(self) -> tuple[type[str], tuple[str]]:
        return str, (str(self),)

    def translated(self, translate: Callable[[str], str]) -> str:
        said = {name: translated(value, translate) for name, value in self.values.items()}
        return translate(self.pattern).format(**said) if said else translate(self.pattern)


def translated(value: object, translate: Callable[[str], str]) -> object:
    """A Message in the reader's language; anything else as it is."""
    return value.translated(translate) if isinstance(value, Message) else value
