"""One line in the log for each call that ends, at debug also what happened on the way: to be found by its call id."""

from __future__ import annotations

import logging

import structlog

from daemon.bus import Bus, CallHappened, EffectsCommitted, News, Topic
from daemon.call.events import CallEnded
from daemon.call.model import Call
from daemon.policy.decision import PopScreen

_log = structlog.get_logger(__name__)
_standard = logging.getLogger(__name__)


def connect(bus: Bus) -> None:
    bus.subscribe(Topic.CALL, _happened)
    bus.subscribe(Topic.COMMITTED, _committed)


def _happened(news: News) -> None:
    if not isinstance(news, CallHappened):
        return
    event, call = news.event, news.event.call
    if isinstance(event, CallEnded):
        _log.info("call_ended", **_named(call), **_story(call))
    elif _is_followed():
        happened = type(event).__name__
        _log.debug("call_event", happened=happened, user_id=getattr(event, "user_id", None), **_named(call))


def _committed(news: News) -> None:
    if not isinstance(news, EffectsCommitted) or not _is_followed():
        return
    done, named = news.committed, _named(news.committed.unit.call)
    if done.ticket is not None:
        made = "ticket_opened" if done.ticket.created else "ticket_took_in"
        _log.debug(made, ticket_id=done.ticket_id, kind=done.ticket.ticket.kind.value, **named)
    for decision in done.unit.decisions:
        if isinstance(decision, PopScreen) and decision.user_id in done.pops:
            _log.debug("popup_decided", user_id=decision.user_id, reason=decision.reason.value, **named)


def _is_followed() -> bool:
    """Asked first, because structlog takes 10 µs to find out that nobody wants a line, ten times a call."""
    return _standard.isEnabledFor(logging.DEBUG)


def _named(call: Call) -> dict[str, object]:
    return {"call_id": call.call_id, "pbx": call.pbx}


def _story(call: Call) -> dict[str, object]:
    return {
        "direction": call.direction.value,
        "outcome": call.outcome and call.outcome.value,
        "missed_reason": call.missed_reason and call.missed_reason.value,
        "customer_number": call.customer_number,
        "hotline": call.hotline,
        "queue": call.queue,
        "user_ids": call.user_ids,
        "wait_seconds": call.wait_seconds,
        "talk_seconds": call.talk_seconds,
        "ended_by": call.ended_by and call.ended_by.value,
    }
