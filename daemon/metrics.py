"""What is counted while it happens, for `/metrics`. It only watches; labels hold what the configuration names, no more.

What other parts count anyway is read when somebody asks (`metrics_read`), so that it costs nothing until then.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
    disable_created_metrics,
    generate_latest,
)
from prometheus_client.registry import Collector

from daemon.bus import Bus, CallHappened, EffectsCommitted, News, Topic
from daemon.call.events import CallAnswered, CallEnded
from daemon.call.model import Call, Direction, HangupReason, MissedReason, Outcome
from daemon.call.signals import UnixMs
from daemon.policy.decision import PopScreen, TicketKind
from daemon.store.outbox import POPUP, Settlement
from daemon.store.values import Committed, Delivery, DeliveryStatus

_QUICK: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
_WAITS: Final = (5.0, 10.0, 15.0, 20.0, 30.0, 45.0, 60.0, 90.0, 120.0, 180.0, 300.0, 600.0)
_RESULTS: Final = {one: "retried" if one is DeliveryStatus.PENDING else one.value for one in DeliveryStatus}

disable_created_metrics()  # type: ignore[no-untyped-call]  # a second series for each one, which nobody asks for


class Metrics:
    """One registry of our own. `follow` lets it watch; everything else is a count by whom it happens to."""

    def __init__(self, clock: Callable[[], UnixMs]) -> None:
        self._clock = clock
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        self._make_calls()
        self._make_effects()
        self.commit_seconds = self._histogram(
            "callwarden_store_commit_seconds", "Time of one transaction, all attempts before it apart.", _QUICK
        )

    def _make_calls(self) -> None:
        self._calls = self._counter("callwarden_calls_total", "Calls that ended.", "pbx", "direction", "outcome")
        self._missed = self._counter(
            "callwarden_calls_missed_total", "Missed calls by reason.", "pbx", "direction", "reason"
        )
        self._waits = self._histogram(
            "callwarden_answer_wait_seconds", "How long answered incoming calls waited.", _WAITS, "pbx"
        )
        self._lag = self._histogram(
            "callwarden_event_lag_seconds", "From the PBX's time of an event to its call event.", _QUICK, "pbx"
        )
        self._hung_up = self._counter(
            "callwarden_lost_call_hangups_total", "Calls hung up because their connection was lost.", "pbx"
        )

    def _make_effects(self) -> None:
        self._opened = self._counter("callwarden_tickets_opened_total", "Tickets made.", "kind")
        self._merged = self._counter("callwarden_tickets_merged_total", "Calls taken into an existing ticket.", "kind")
        self._closed = self._counter("callwarden_tickets_closed_total", "Missed tickets made good by a call.", "kind")
        self.pending = Gauge(
            "callwarden_deliveries_pending", "Deliveries in the store that are not done.", registry=self.registry
        )
        self._popups = self._counter(
            "callwarden_popups_total", "Popups: told to the desk; each attempt at a server by result.", "way", "result"
        )
        self._popup_seconds = self._histogram(
            "callwarden_popup_seconds", "From the PBX's time of the event to the popup's delivery.", _QUICK, "way"
        )

    # -- who is watched --------------------------------------------------------------------------------------------

    def expect(self, pbxs: Iterable[str]) -> None:
        """Everything begins at 0: what appears with 1 has not risen, in the eyes of Prometheus."""
        for kind in TicketKind:
            for tickets in (self._opened, self._merged, self._closed):
                tickets.labels(kind.value)
        for result in _RESULTS.values():
            self._popups.labels("webhook", result)
        self._popups.labels("desk", "told")
        for way in ("webhook", "desk"):
            self._popup_seconds.labels(way)
        for pbx in pbxs:
            self._expect_calls(pbx)

    def _expect_calls(self, pbx: str) -> None:
        for each in (self._waits, self._lag, self._hung_up):
            each.labels(pbx)
        for direction in Direction:
            for outcome in (*Outcome, None):
                self._calls.labels(pbx, direction.value, _word(outcome))
            for reason in MissedReason:
                self._missed.labels(pbx, direction.value, reason.value)

    def follow(self, bus: Bus) -> None:
        bus.subscribe(Topic.CALL, self._happened)
        bus.subscribe(Topic.COMMITTED, self._committed)

    def read_from(self, collector: Collector) -> None:
        """Numbers that others keep."""
        self.registry.register(collector)

    def text(self) -> bytes:
        """The exposition format 0.0.4 of Prometheus."""
        return generate_latest(self.registry)

    def attempted(self, delivery: Delivery, settlement: Settlement) -> None:
        """Told by the outbox of each attempt."""
        if delivery.event_type != POPUP:
            return
        self._popups.labels("webhook", _RESULTS[settlement.status]).inc()
        if settlement.status is DeliveryStatus.DELIVERED:
            self._popup_seconds.labels("webhook").observe(_seconds(settlement.at - delivery.created_at))

    def _happened(self, news: News) -> None:
        if not isinstance(news, CallHappened):
            return
        event, call = news.event, news.event.call
        self._lag.labels(call.pbx).observe(_seconds(self._clock() - event.at))
        if isinstance(event, CallAnswered) and call.direction is Direction.INCOMING:
            self._waits.labels(call.pbx).observe(call.wait_seconds or 0.0)
        elif isinstance(event, CallEnded):
            self._ended(call)

    def _ended(self, call: Call) -> None:
        self._calls.labels(call.pbx, call.direction.value, _word(call.outcome)).inc()
        if call.missed_reason is not None:
            self._missed.labels(call.pbx, call.direction.value, call.missed_reason.value).inc()
        if call.hangup_reason is HangupReason.CONNECTION_LOST:
            self._hung_up.labels(call.pbx).inc()

    def _committed(self, news: News) -> None:
        if not isinstance(news, EffectsCommitted):
            return
        done = news.committed
        if done.ticket is not None:
            counter = self._opened if done.ticket.created else self._merged
            counter.labels(done.ticket.ticket.kind.value).inc()
        for ticket in done.closed:
            self._closed.labels(ticket.kind.value).inc()
        if done.pops:
            self._popped(done)

    def _popped(self, done: Committed) -> None:
        for decision in done.unit.decisions:
            if isinstance(decision, PopScreen) and decision.to_desk and decision.user_id in done.pops:
                self._popups.labels("desk", "told").inc()
                self._popup_seconds.labels("desk").observe(_seconds(self._clock() - done.unit.at))

    def _counter(self, name: str, words: str, *labels: str) -> Counter:
        return Counter(name, words, labels, registry=self.registry)

    def _histogram(self, name: str, words: str, buckets: tuple[float, ...], *labels: str) -> Histogram:
        return Histogram(name, words, labels, buckets=buckets, registry=self.registry)


def _word(outcome: Outcome | None) -> str:
    return outcome.value if outcome is not None else "none"


def _seconds(milliseconds: int) -> float:
    """Never negative: two machines' clocks differ by a little."""
    return max(0, milliseconds) / 1000
