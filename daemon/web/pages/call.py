"""`/calls/{call_id}`: one call from the first ring to the end, and what came of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from aiohttp import web

from daemon.call.model import Call, CallState
from daemon.policy.call_settings import CallSettings
from daemon.policy.popup_url import fill
from daemon.store.call_story import read_moments
from daemon.store.delivery_pages import DeliveryFilter, read_deliveries
from daemon.store.pops import read_pops_of_call
from daemon.store.role import Role
from daemon.store.settings import read_settings
from daemon.store.work import Row
from daemon.web.call_words import ENDED_BY, CallTeller
from daemon.web.caller import caller
from daemon.web.calls import asked_call
from daemon.web.page import show, words
from daemon.web.pages.calls import CALLS, call_row
from daemon.web.pages.deliveries import summary
from daemon.web.pages.filters import address_of
from daemon.web.pages.tickets import reader_values, teller
from daemon.web.pages.webhooks import read_names
from daemon.web.query import Query
from daemon.web.services import services
from daemon.web.settings_rules import PLACEHOLDERS
from daemon.web.ticket_words import decisions_path

_MOST_MESSAGES: Final = 100


async def show_call(request: web.Request) -> web.Response:
    """`pbx` chooses when several PBXs drew the same id."""
    entry = await asked_call(request, Query(request, ("pbx",)))
    call, reads = entry.call, services(request).reads
    settings = (await read_settings(reads)).settings
    tells = CallTeller(await teller(request, settings.country))
    moments = await read_moments(reads, call.pbx, call.call_id)
    pops = await read_pops_of_call(reads, call.pbx, call.call_id)
    return await show(
        request,
        "call.html",
        **call_row(entry, tells),
        lines=tells.story(call, moments, pops),
        lives=call.state is not CallState.ENDED,
        ended_by=words(request)(ENDED_BY[call.ended_by]) if call.ended_by else "",
        messages=await _messages(request, call),
        may_see_messages=caller(request).role is Role.ADMIN,
        decisions=decisions_path(call),
        recording=recording_link(call, settings),
        same_customer=address_of(CALLS, {"customer_number": call.customer_number, "mine": "false"})
        if call.customer_number
        else None,
        **reader_values(request),
    )


def recording_link(call: Call, settings: CallSettings) -> str | None:
    """Only what the template names is filled in; None where the operator keeps no recordings, or there was no talk."""
    template = settings.recording_url
    if template is None or call.answered_at is None:
        return None
    values = {
        "callId": call.call_id,
        "pbx": call.pbx,
        "userId": call.user_id or "",
        "hotline": call.hotline or "",
        "customerNumber": call.customer_number or "",
        "startedAt": str(call.started_at),
    }
    return fill(template, values, tuple(name for name in PLACEHOLDERS["recording_url"] if f"{{{name}}}" in template))


async def _messages(request: web.Request, call: Call) -> Sequence[dict[str, Any]]:
    """Oldest first, those of another PBX's call of the same id left out."""
    reads, _ = services(request).reads, words(request)
    found = await read_deliveries(reads, DeliveryFilter(call_id=call.call_id), _MOST_MESSAGES, None)
    names = await read_names(reads)
    own: list[Row] = [row for row in reversed(found) if row["pbx"] in (call.pbx, None)]
    return [summary(row, names, _) for row in own]
