"""The outbox rows of a commit: which registered endpoints are told what. It must never make one delivery twice."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from hashlib import sha256

from sqlalchemy import select, true
from sqlalchemy.dialects.sqlite import insert

from daemon.call.model import Call, UserId
from daemon.call.rendering import call_json, iso_utc
from daemon.call.signals import UnixMs
from daemon.policy.decision import AnnounceCall, EventType, PopScreen
from daemon.policy.retry import EVENT_LIFETIME_MS, POPUP_LIFETIME_MS
from daemon.store.row import compact_json, delivery_row, subscribed_events
from daemon.store.statement import each_of
from daemon.store.tables import deliveries, webhooks
from daemon.store.values import Delivery, Ticket, TicketChange
from daemon.store.work import Query, Row, Work

POPUP_EVENT = "popup"
POPUP_TARGET = ""

_ENABLED_WEBHOOKS = (
    select(webhooks.c.webhook_id, webhooks.c.url, webhooks.c.events)
    .where(webhooks.c.enabled == true())
    .order_by(webhooks.c.created_at, webhooks.c.webhook_id)
)
_KNOWN = select(deliveries.c.delivery_id).where(deliveries.c.delivery_id.in_(each_of("ids")))
_INSERT = insert(deliveries).on_conflict_do_nothing()


@dataclass(frozen=True, slots=True)
class Announcement:
    """An event for whoever subscribed to it. `key` makes it unique; `data` is only asked for when somebody did."""

    key: str
    event_type: EventType
    at: UnixMs
    call: Call | None
    ticket_id: str | None
    user_id: UserId | None
    data: Callable[[], dict[str, object]]

    def delivery(self, delivery_id: str, webhook_id: str, url: str) -> Delivery:
        """The payload form is that of Standard Webhooks."""
        body = {"type": self.event_type.value, "timestamp": iso_utc(self.at), "data": self.data()}
        return Delivery(
            delivery_id=delivery_id,
            webhook_id=webhook_id,
            event_type=self.event_type.value,
            method="POST",
            url=url,
            body=compact_json(body),
            created_at=self.at,
            expires_at=UnixMs(self.at + EVENT_LIFETIME_MS),
            attempt_count=0,
            next_attempt_at=self.at,
            pbx=self.call.pbx if self.call else None,
            call_id=self.call.call_id if self.call else None,
            user_id=self.user_id,
        )


@dataclass(frozen=True, slots=True)
class Popup:
    """A GET of the operator's popup URL, once per call and agent."""

    at: UnixMs
    pop: PopScreen
    ticket_id: str | None

    @property
    def key(self) -> str:
        call = self.pop.call
        return f"{POPUP_EVENT}:{call.pbx}:{call.call_id}:{self.pop.user_id}"

    def delivery(self, delivery_id: str, webhook_id: str, url: str) -> Delivery:
        return Delivery(
            delivery_id=delivery_id,
            webhook_id=webhook_id,
            event_type=POPUP_EVENT,
            method="GET",
            url=url,
            body="",
            created_at=self.at,
            expires_at=UnixMs(self.at + POPUP_LIFETIME_MS),
            attempt_count=0,
            next_attempt_at=self.at,
            pbx=self.pop.call.pbx,
            call_id=self.pop.call.call_id,
            user_id=self.pop.user_id,
        )


@dataclass(frozen=True, slots=True)
class _Planned:
    delivery_id: str
    effect: Popup | Announcement
    webhook_id: str
    url: str


def call_announcement(decision: AnnounceCall, at: UnixMs, ticket_id: str | None) -> Announcement:
    call, event_type = decision.call, decision.event_type
    key = f"{event_type.value}:{call.pbx}:{call.call_id}:{decision.about}"
    data = partial(_call_data, decision, ticket_id)
    return Announcement(key, event_type, at, call, ticket_id, decision.user_id, data)


def ticket_announcement(change: TicketChange, call: Call, at: UnixMs) -> Announcement:
    ticket = change.ticket
    if change.created:
        key, event_type = f"{EventType.TICKET_CREATED.value}:{ticket.ticket_id}", EventType.TICKET_CREATED
    else:
        key = f"{EventType.TICKET_MERGED.value}:{ticket.ticket_id}:{call.pbx}:{call.call_id}"
        event_type = EventType.TICKET_MERGED
    return Announcement(key, event_type, at, call, ticket.ticket_id, None, ticket.as_json)


def announce_ticket(event_type: EventType, ticket: Ticket, about: str, at: UnixMs) -> Work[tuple[Delivery, ...]]:
    """Tell the subscribers, once per event type, ticket and `about` (of a close: the ticket's version)."""
    key = f"{event_type.value}:{ticket.ticket_id}:{about}"
    announcement = Announcement(key, event_type, at, None, ticket.ticket_id, None, ticket.as_json)
    (made,) = yield from announce([[announcement]])
    return made


def announce(
    effects: Sequence[Sequence[Popup | Announcement]], told_at: UnixMs | None = None
) -> Work[list[tuple[Delivery, ...]]]:
    """Insert the deliveries of each unit's effects; returned are only those that did not exist.

    What is long past is told from `told_at` on: it would else be too old to be sent.
    """
    if not any(effects):
        return [()] * len(effects)
    hooks: list[Row] = []
    if any(isinstance(effect, Announcement) for unit in effects for effect in unit):
        hooks = yield Query(_ENABLED_WEBHOOKS)
    planned = [[p for effect in unit for p in _plan(effect, hooks)] for unit in effects]
    ids = [p.delivery_id for unit in planned for p in unit]
    if not ids:
        return [()] * len(effects)
    known = yield Query(_KNOWN, {"ids": compact_json(ids)})
    seen = {row["delivery_id"] for row in known}
    made = [_new(unit, seen, told_at) for unit in planned]
    yield Query(_INSERT, [row for unit in made for _, row in unit])
    return [tuple(delivery for delivery, _ in unit) for unit in made]


def delivery_id_of(effect_key: str, webhook_id: str) -> str:
    """The same effect for the same target has the same id for ever: receivers recognise a repetition by it."""
    return "msg_" + sha256(f"{effect_key}|{webhook_id}".encode()).hexdigest()[:32]


def _call_data(decision: AnnounceCall, ticket_id: str | None) -> dict[str, object]:
    data = call_json(decision.call, ticket_id)
    if decision.event_type is EventType.CALL_RINGING:
        data["ringing_user_id"] = decision.user_id
    if decision.connection is not None:
        data["connection"] = decision.connection.value
    return data


def _plan(effect: Popup | Announcement, hooks: Iterable[Row]) -> Iterator[_Planned]:
    if isinstance(effect, Popup):
        yield _Planned(delivery_id_of(effect.key, POPUP_TARGET), effect, POPUP_TARGET, effect.pop.url)
        return
    for hook in hooks:
        if effect.event_type.value in subscribed_events(hook["events"]):
            webhook_id = hook["webhook_id"]
            yield _Planned(delivery_id_of(effect.key, webhook_id), effect, webhook_id, hook["url"])


def _new(
    planned: Iterable[_Planned], seen: set[str], told_at: UnixMs | None
) -> list[tuple[Delivery, dict[str, object]]]:
    made: list[tuple[Delivery, dict[str, object]]] = []
    for plan in planned:
        if plan.delivery_id not in seen:
            seen.add(plan.delivery_id)
            delivery = plan.effect.delivery(plan.delivery_id, plan.webhook_id, plan.url)
            if told_at is not None:
                delivery = _told_late(delivery, told_at)
            made.append((delivery, delivery_row(delivery, plan.effect.key, plan.effect.ticket_id)))
    return made


def _told_late(delivery: Delivery, at: UnixMs) -> Delivery:
    return replace(delivery, created_at=at, next_attempt_at=at, expires_at=UnixMs(at + EVENT_LIFETIME_MS))
