"""Fan-out to those who only watch: desks, metrics, the demo. Never to policies: handlers have no order and no say."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

import structlog
from pyee.base import EventEmitter

from daemon.call.events import CallEvent
from daemon.call.model import CallId
from daemon.call.signals import UnixMs
from daemon.policy.decision import LookUpCustomer, MessagePhone, NotifyAgent, StopNotifying
from daemon.store.values import Committed

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class CallHappened:
    """A call event, at once; it may not be on disk yet."""

    event: CallEvent


@dataclass(frozen=True, slots=True)
class AgentToNotify:
    """A phone starts or stops ringing, since `at`; worthless a minute later, so never stored."""

    decision: NotifyAgent | StopNotifying
    at: UnixMs


@dataclass(frozen=True, slots=True)
class PhoneToMessage:
    """A phone that rings may show who calls."""

    decision: MessagePhone


@dataclass(frozen=True, slots=True)
class CustomerToLookUp:
    """Somebody may ask who this is; nothing depends on it."""

    decision: LookUpCustomer


@dataclass(frozen=True, slots=True)
class EffectsCommitted:
    """Tickets, pops and deliveries that are safe on disk."""

    committed: Committed


News = CallHappened | AgentToNotify | PhoneToMessage | CustomerToLookUp | EffectsCommitted


class Topic(Enum):
    CALL = "call"
    NOTIFICATION = "notification"
    PHONE_MESSAGE = "phone_message"
    LOOK_UP = "look_up"
    COMMITTED = "committed"


_TOPICS = {
    CallHappened: Topic.CALL,
    AgentToNotify: Topic.NOTIFICATION,
    PhoneToMessage: Topic.PHONE_MESSAGE,
    CustomerToLookUp: Topic.LOOK_UP,
    EffectsCommitted: Topic.COMMITTED,
}


class Bus:
    """Synchronous observers on pyee; one that raises is logged and hurts nobody."""

    def __init__(self) -> None:
        self._emitter = EventEmitter()
        self._emitter.on("error", self._failed)

    def subscribe(self, topic: Topic, observer: Callable[[News], None]) -> Callable[[], None]:
        """Call `observer` for every news of `topic`; the returned function ends it."""

        def guarded(news: News) -> None:
            try:
                observer(news)
            except Exception as error:  # noqa: BLE001 - a watcher may never stop the flow
                self._failed(error, news)

        self._emitter.on(topic.value, guarded)
        return lambda: self._emitter.remove_listener(topic.value, guarded)

    def publish(self, news: News) -> None:
        self._emitter.emit(_TOPICS[type(news)].value, news)

    def _failed(self, error: Exception, news: News | None = None) -> None:
        _log.error("observer_failed", error=repr(error), call_id=_call_of(news), exc_info=error)


def _call_of(news: News | None) -> CallId | None:
    match news:
        case CallHappened(event):
            return event.call.call_id
        case AgentToNotify(decision=decision) | PhoneToMessage(decision=decision) | CustomerToLookUp(decision=decision):
            return decision.call.call_id
        case EffectsCommitted(committed):
            return committed.unit.call.call_id
        case None:
            return None
