"""What the bus says, as the events that the API's listeners get."""

from __future__ import annotations

from collections.abc import Callable

from daemon.acts import Act, AgentState, CallOrder, Keys, Ordered, Part, Why
from daemon.bus import AgentToNotify, Bus, CallHappened, EffectsCommitted, News, Topic
from daemon.call.events import AgentConnected, AgentReturned, CallEnded, CallHeld, CallResumed
from daemon.call.model import Call
from daemon.call.rendering import call_json, iso_utc
from daemon.call.signals import UnixMs
from daemon.policy.customer_lookup import Customer
from daemon.policy.decision import AnnounceCall, EventType, NotifyAgent, PopScreen
from daemon.store.values import Committed
from daemon.web.acts_json import ordered_json, state_json
from daemon.web.desk_now import desk_call, rings_until
from daemon.web.feed import EventFeed

Known = Callable[[str, str], Customer | None]
"""Who the customer of a call is, by PBX and call id."""


def connect(bus: Bus, feed: EventFeed, known: Known) -> None:
    """Let `feed` follow the bus: ringing at once, everything else once it is safe on disk."""
    bus.subscribe(Topic.NOTIFICATION, lambda news: _notification(feed, known, news))
    bus.subscribe(Topic.CALL, lambda news: _connected(feed, known, news))
    bus.subscribe(Topic.CALL, lambda news: _held(feed, news))
    bus.subscribe(Topic.COMMITTED, lambda news: _effects(feed, news))


def on_end(bus: Bus, *told: Callable[[Call], None]) -> None:
    """Tell these of each call that has ended."""

    def ended(news: News) -> None:
        if isinstance(news, CallHappened) and isinstance(news.event, CallEnded):
            for tell in told:
                tell(news.event.call)

    bus.subscribe(Topic.CALL, ended)


def state_changed(feed: EventFeed, user_id: str, state: AgentState) -> None:
    feed.publish("agent.state", {"user_id": user_id, **state_json(state)}, frozenset({user_id}))


def keys_changed(feed: EventFeed, user_id: str, keys: Keys) -> None:
    feed.publish("agent.phone_keys", {"user_id": user_id, **keys.as_json()}, frozenset({user_id}))


def part_changed(feed: EventFeed, act: Act, part: Part) -> None:
    data = {"user_id": act.user_id, "pbx": act.pbx, "call_id": act.call_id, **part.as_json()}
    feed.publish("agent.part", data, frozenset({act.user_id}))


def customer_known(feed: EventFeed, call: Call, customer: Customer, agents: frozenset[str]) -> None:
    """Who rings later is told with the ringing."""
    data = {"pbx": call.pbx, "call_id": call.call_id, "customer": customer.as_json()}
    feed.publish("customer.known", data, agents)


def order_failed(feed: EventFeed, order: CallOrder, ordered: Ordered, why: Why) -> None:
    """The agent's own phone was not taken; what becomes of the customer's side is the call's own story."""
    data = {"user_id": order.user_id, **ordered_json(order, ordered), "why": why.value}
    feed.publish("click_to_call.failed", data, frozenset({order.user_id}))


def _notification(feed: EventFeed, known: Known, news: News) -> None:
    if not isinstance(news, AgentToNotify):
        return
    decision = news.decision
    rings = isinstance(decision, NotifyAgent)
    # An agent may have several phones: `channel` tells which one stopped.
    call = _with_customer(decision.call, known)
    data: dict[str, object] = {"user_id": decision.user_id, "channel": decision.channel, "call": call}
    if rings:
        data |= {"since": iso_utc(news.at), "until": iso_utc(rings_until(news.at))}
    feed.publish("agent.ringing" if rings else "agent.ringing_ended", data, frozenset({decision.user_id}))


def _connected(feed: EventFeed, known: Known, news: News) -> None:
    """Somebody has the customer now: also told to him who had him before, whose desk is free again."""
    if isinstance(news, CallHappened) and isinstance(news.event, AgentConnected | AgentReturned):
        event = news.event
        data = {"user_id": event.user_id, "call": _with_customer(event.call, known)}
        feed.publish("agent.connected", data, frozenset({event.user_id, *event.call.user_ids}))


def _held(feed: EventFeed, news: News) -> None:
    """An agent may have several phones: `channel` tells which one holds."""
    if isinstance(news, CallHappened) and isinstance(news.event, CallHeld | CallResumed):
        event = news.event
        held = {"channel": event.channel, "pbx": event.call.pbx, "call_id": event.call.call_id}
        data = {"user_id": event.user_id, "held": isinstance(event, CallHeld), **held}
        feed.publish("agent.hold", data, frozenset({event.user_id}))


def _with_customer(call: Call, known: Known) -> dict[str, object]:
    return desk_call(call_json(call, None), known(call.pbx, call.call_id))


def _effects(feed: EventFeed, news: News) -> None:
    if not isinstance(news, EffectsCommitted):
        return
    done = news.committed
    for decision in done.unit.decisions:
        if isinstance(decision, AnnounceCall):
            _call(feed, decision, done.ticket_id)
        elif isinstance(decision, PopScreen) and decision.user_id in done.pops:
            _pop(feed, decision, done.ticket_id, done.unit.at)
    _ticket(feed, done)


def _call(feed: EventFeed, decision: AnnounceCall, ticket_id: str | None) -> None:
    data = call_json(decision.call, ticket_id)
    if decision.event_type is EventType.CALL_RINGING:
        data["ringing_user_id"] = decision.user_id
    if decision.connection is not None:
        data["connection"] = decision.connection.value
    about = {decision.user_id} if decision.user_id is not None else set()
    feed.publish(decision.event_type.value, data, frozenset({*decision.call.user_ids, *about}))


def _pop(feed: EventFeed, pop: PopScreen, ticket_id: str | None, at: UnixMs) -> None:
    if pop.to_desk:
        data = {"user_id": pop.user_id, "url": pop.url, "time_answer": iso_utc(pop.time_answer), "at": iso_utc(at)}
        feed.publish("popup", {**data, "call": call_json(pop.call, ticket_id)}, frozenset({pop.user_id}))


def _ticket(feed: EventFeed, done: Committed) -> None:
    if done.ticket is not None:
        event = EventType.TICKET_CREATED if done.ticket.created else EventType.TICKET_MERGED
        feed.publish(event.value, done.ticket.ticket.as_json())
    for closed in done.closed:
        feed.publish(EventType.TICKET_CLOSED.value, closed.as_json())
