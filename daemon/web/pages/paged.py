"""One page of a list that may be long, and what a search leaves of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

from aiohttp import web

from daemon.web.pages.choices import searchable
from daemon.web.pages.filters import address_of, cursor, filters
from daemon.web.query import pack

T = TypeVar("T")
ROWS: Final = 500
Place = tuple[str, str]


def place_of(name: str) -> Place:
    """Where a name stands in a list for people; no two stand at the same place."""
    return name.casefold(), name


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What the address asks for: words to search, and the name after which the page begins."""

    path: str
    query: str = ""
    after: str | None = None

    def matches(self, text: str) -> bool:
        """Each word of the query is somewhere in it."""
        found = searchable(text)
        return all(word in found for word in searchable(self.query).split())

    def address(self, path: str, after: str | None) -> str:
        given = {"q": self.query} if self.query else {}
        return address_of(path, given, cursor=None if after is None else pack([after]))


def asked_of(request: web.Request, path: str) -> Asked:
    place = cursor(request, str)
    return Asked(path=path, query=filters(request, ("q",)).get("q", ""), after=str(place[0]) if place else None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Paged(Generic[T]):
    """`count` of all, `matching` of those that the search leaves. `last`: the name before the next page begins."""

    asked: Asked
    shown: list[T]
    count: int
    matching: int
    last: str | None = None

    @property
    def query(self) -> str:
        return self.asked.query

    @property
    def several(self) -> bool:
        return self.count > ROWS

    @property
    def following(self) -> str | None:
        return self.asked.address(self.asked.path, self.last) if self.last is not None else None

    @property
    def first(self) -> str | None:
        return self.asked.address(self.asked.path, None) if self.asked.after is not None else None

    def same(self, path: str) -> str:
        """Another address that asks for the same page."""
        return self.asked.address(path, self.asked.after)

    def holds(self, name: str) -> bool:
        """Whether something of this name, which is not in the list yet, would stand on this page."""
        place, asked = place_of(name), self.asked
        begun = asked.after is None or place > place_of(asked.after)
        return begun and (self.last is None or place <= place_of(self.last)) and asked.matches(name)


def paged(items: Iterable[T], name: Callable[[T], str], searched: Callable[[T], str], asked: Asked) -> Paged[T]:
    """Sorting and searching 10,000 takes a while: not in the event loop."""
    every = sorted(items, key=lambda item: place_of(name(item)))
    matching = [item for item in every if not asked.query or asked.matches(searched(item))]
    after = asked.after
    found = matching if after is None else [one for one in matching if place_of(name(one)) > place_of(after)]
    last = name(found[ROWS - 1]) if len(found) > ROWS else None
    return Paged(asked=asked, shown=found[:ROWS], count=len(every), matching=len(matching), last=last)
