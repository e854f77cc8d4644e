"""Every error leaves as `application/problem+json` (RFC 9457). A reader never sees a traceback, only an id to quote."""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final

import structlog
from aiohttp import web
from aiohttp.typedefs import Handler

from daemon.acts import CannotAct, Why
from daemon.errors import TryAgain
from daemon.message import Message
from daemon.store.ringtone_choice import UnknownRingtone
from daemon.store.trouble import Conflict

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class FieldError:
    """What is wrong with one field; the empty name is the body as a whole."""

    field: str
    message: str


class Problem(Exception):
    """The request cannot be done as it stands."""

    def __init__(
        self,
        status: int,
        detail: str,
        *,
        errors: Sequence[FieldError] = (),
        headers: Mapping[str, str] | None = None,
        **members: object,
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.errors = tuple(errors)
        self.headers = dict(headers or {})
        self.members = members

    def translated(self, translate: Callable[[str], str]) -> Problem:
        """The same in the reader's language: what is a Message, and every text the catalogue knows."""
        errors = [FieldError(error.field, translate(error.message)) for error in self.errors]
        return Problem(self.status, translate(self.detail), errors=errors, headers=self.headers, **self.members)


def invalid(errors: Sequence[FieldError]) -> Problem:
    """422: nothing was changed, and these fields are why."""
    return Problem(422, Message("nothing was changed; correct the fields named in errors"), errors=errors)


NOTHING: Final = Message("nothing was changed")


def not_found(what: str) -> Problem:
    return Problem(404, Message("there is no such {what}", what=Message(what)))


def problem_response(problem: Problem) -> web.Response:
    body: dict[str, object] = {
        "type": "about:blank",
        "title": HTTPStatus(problem.status).phrase,
        "status": problem.status,
        "detail": problem.detail,
        **problem.members,
    }
    if problem.errors:
        body["errors"] = [{"field": error.field, "message": error.message} for error in problem.errors]
    return web.Response(
        status=problem.status,
        headers=problem.headers,
        text=json.dumps(body),
        content_type="application/problem+json",
    )


@dataclass(frozen=True, slots=True)
class Showing:
    """How a problem is shown to this reader: a page for people, problem+json for programs."""

    show: Callable[[web.Request, Problem], web.Response]


SHOWING: Final = web.AppKey("showing", Showing)


@web.middleware
async def problems(request: web.Request, handler: Handler) -> web.StreamResponse:
    try:
        return await handler(request)
    except Exception as error:
        if isinstance(error, ConnectionError) and request.transport is None:
            raise  # the caller is gone in mid sentence: nobody is left to answer, and nothing of ours broke
        return request.app[SHOWING].show(request, _problem_of(error, request))


def _problem_of(error: Exception, request: web.Request) -> Problem:
    match error:
        case Problem():
            return error
        case web.HTTPException():
            return _from_aiohttp(error)
        case UnknownRingtone():
            return invalid([FieldError("ringtone", error.message)])
        case Conflict():
            return Problem(409, Message("this collides with what is stored; nothing was changed"))
        case CannotAct():
            headers = {"Retry-After": "5"} if error.why is Why.NOT_CONNECTED else {}
            status = 503 if error.why is Why.NOT_CONNECTED else 409
            return Problem(status, error.message, headers=headers, why=error.why.value)
        case TimeoutError():
            return Problem(503, Message("this took too long; try again"), headers={"Retry-After": "5"})
        case TryAgain():
            _log.warning("request_failed", error=str(error), path=request.match_info.route.resource)
            return Problem(503, Message("the store cannot do this now; try again"), headers={"Retry-After": "5"})
    incident = secrets.token_hex(8)
    _log.error("request_broke", exc_info=error, incident=incident, method=request.method)
    return Problem(500, Message("this is our fault; quote the id"), id=incident)


def _from_aiohttp(error: web.HTTPException) -> Problem:
    """aiohttp's own refusals (404, 405, 413 …), with the headers that belong to them (`Allow`)."""
    headers = {name: value for name, value in error.headers.items() if name.lower() not in _BODY_HEADERS}
    return Problem(error.status, _DETAILS.get(error.status, error.reason), headers=headers)


_BODY_HEADERS = frozenset({"content-type", "content-length"})
_DETAILS = {
    404: Message("there is nothing at this address"),
    405: Message("this address does not know this method"),
    413: "the body is larger than 1 MiB",
}
