"""How far the files are that are being made, and that few are at a time. In memory: nobody asks after a restart."""

from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from aiohttp import web

from daemon.message import Message
from daemon.web.caller import caller
from daemon.web.listing import json_response
from daemon.web.problem import FieldError, Problem, invalid, not_found
from daemon.web.query import Query, path_part

_AT_ONCE: Final = 2
_REMEMBERED: Final = 50
_NAME: Final = re.compile(r"[0-9A-Za-z-]{1,40}")


@dataclass(slots=True)
class Progress:
    """`count` calls are to be written, `done` are."""

    count: int
    done: int = 0
    finished: bool = False

    def as_json(self) -> dict[str, object]:
        return {"count": self.count, "done": self.done, "finished": self.finished}


class Exports:
    """By who asked and the name he gave it."""

    def __init__(self) -> None:
        self._known: OrderedDict[tuple[str, str], Progress] = OrderedDict()
        self._running = 0

    @contextmanager
    def running(self, request: web.Request, name: str | None, count: int) -> Iterator[Progress]:
        """Raises 503 while as many run as may."""
        if self._running >= _AT_ONCE:
            said = Message("other files are being made; try again in a minute")
            raise Problem(503, said, headers={"Retry-After": "60"})
        progress = Progress(count)
        if name is not None:
            self._known[caller(request).name, name] = progress
            if len(self._known) > _REMEMBERED:
                self._known.popitem(last=False)
        self._running += 1
        try:
            yield progress
        finally:
            self._running -= 1
            progress.finished = True

    def of(self, request: web.Request, name: str) -> Progress | None:
        return self._known.get((caller(request).name, name))


EXPORTS: Final = web.AppKey("exports", Exports)


async def get_export(request: web.Request) -> web.Response:
    """Of the caller's own file of this name."""
    Query(request, ())
    found = request.app[EXPORTS].of(request, path_part(request, "name", 40))
    if found is None:
        raise not_found("export")
    return json_response(found.as_json())


def export_name(query: Query) -> str | None:
    """What the caller calls this file, to ask for its progress."""
    name = query.text("export")
    if name is not None and not _NAME.fullmatch(name):
        raise invalid([FieldError("export", Message("must be letters, digits and dashes, at most 40"))])
    return name
