"""`/api/v1/audit`: who changed what, from what to what, newest first."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, TypeVar

from aiohttp import web

from daemon.store.audit import AuditFilter, Subject, audit_json, audited, noted, read_audit
from daemon.store.work import Row, Work
from daemon.web.caller import by
from daemon.web.deadline import committed
from daemon.web.listing import page_response
from daemon.web.query import Query
from daemon.web.services import services

T = TypeVar("T")
_TEXTS: Final = ("by", "action", "object")


async def list_audit(request: web.Request) -> web.Response:
    """`from` counts in, `to` does not."""
    query = Query(request, (*_TEXTS, "from", "to", "cursor", "limit"))
    limit, after = query.limit(), query.cursor(int)
    wanted = AuditFilter(
        **{name: query.text(name) for name in _TEXTS}, since=query.time("from"), until=query.time("to")
    )
    found = await read_audit(services(request).reads, wanted, limit + 1, int(after[0]) if after else None)
    return page_response(found, limit, audit_json, _place)


async def change(request: web.Request, subject: Subject, key: str, make_work: Callable[[], Work[T]]) -> T:
    """The work in one transaction with its entry: whoever asked changed this."""
    who = by(request)
    result = await services(request).writes.change(lambda: audited(who, subject, key, make_work))
    committed(request)
    return result


async def change_secret(request: web.Request, action: str, named: str, make_work: Callable[[], Work[T]]) -> T:
    """The same where there is nothing to compare; what comes to nothing (False) is not noted."""
    who = by(request)
    result = await services(request).writes.change(lambda: noted(who, action, named, make_work))
    committed(request)
    return result


def _place(row: Row) -> list[int | str]:
    return [row["audit_id"]]
