"""A PUT with `If-None-Match: *` makes what is not there yet and never replaces (RFC 9110 §13.1.2).

Forms for something new send it: whoever types a name that is taken must not wipe out what stands under it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from aiohttp import web

from daemon.errors import CallwardenError
from daemon.message import Message
from daemon.store.audit import Subject
from daemon.store.work import Work
from daemon.web.audit import change
from daemon.web.problem import NOTHING, FieldError, Problem

T = TypeVar("T")


class Exists(CallwardenError):
    """There is one of this name already; nothing was changed."""


async def put(request: web.Request, subject: Subject, field: str, key: str, make_work: Callable[[], Work[T]]) -> T:
    """`change`, or 412 naming the `field` that holds the key: looked at in the transaction that writes."""
    only_new = request.headers.get("If-None-Match", "").strip() == "*"

    def work() -> Work[T]:
        if only_new and (yield from subject.facts(key)) is not None:
            raise Exists
        return (yield from make_work())

    try:
        return await change(request, subject, key, work)
    except Exists as exists:
        raise Problem(412, NOTHING, errors=[FieldError(field, Message("is there already"))]) from exists
