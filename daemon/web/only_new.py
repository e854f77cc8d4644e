"""A PUT with `If-None-Match: *` makes what is not there yet and never replaces (RFC 9110 §13.1.2).

Forms for something new send it: whoever types a name that is taken must not wipe out what stands under it. Every PUT
of something new is held to the rule for names; what is there already may be changed whatever it is called.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from aiohttp import web

from daemon.errors import CallwardenError
from daemon.message import Message
from daemon.store.audit import Subject
from daemon.store.name import key_error
from daemon.store.work import Work
from daemon.web.if_match import change_seen
from daemon.web.problem import NOTHING, FieldError, Problem, invalid

T = TypeVar("T")


class Exists(CallwardenError):
    """There is one of this name already; nothing was changed."""


class BadKey(CallwardenError):
    """Nothing new can be called so."""


async def put(request: web.Request, subject: Subject, field: str, key: str, make_work: Callable[[], Work[T]]) -> T:
    """`change_seen`, or 412 naming the `field` that holds the key: looked at in the transaction that writes."""
    only_new, wrong = request.headers.get("If-None-Match", "").strip() == "*", key_error(key)

    def work() -> Work[T]:
        exists = (only_new or wrong) and (yield from subject.facts(key)) is not None
        if exists and only_new:
            raise Exists
        if wrong and not exists:
            raise BadKey(wrong)
        return (yield from make_work())

    try:
        return await change_seen(request, subject, key, work)
    except Exists as exists:
        raise Problem(412, NOTHING, errors=[FieldError(field, Message("is there already"))]) from exists
    except BadKey as bad:
        raise invalid([FieldError(field, bad.message)]) from bad
