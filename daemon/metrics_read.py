"""What the parts count for themselves, read at the moment when somebody asks for `/metrics`."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Iterator, Mapping
from math import nan
from typing import Final, Protocol

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from daemon.ami.link import AmiLink, LinkState
from daemon.bus import Bus
from daemon.call.model import PbxName
from daemon.delivery.outbox import Outbox
from daemon.dispatch import Dispatcher
from daemon.errors import CallwardenError
from daemon.metrics import Metrics
from daemon.store.outbox import count_pending
from daemon.store.store import Store
from daemon.store.writer import Writer
from daemon.version import program_version
from daemon.web.feed import EventFeed

_STORE_TIMEOUT_S: Final = 2.0


class Parts(Protocol):
    """Whose numbers are read: the daemon's."""

    @property
    def bus(self) -> Bus: ...
    @property
    def links(self) -> Mapping[PbxName, AmiLink]: ...
    @property
    def dispatcher(self) -> Dispatcher: ...
    @property
    def store(self) -> Store: ...
    @property
    def outbox(self) -> Outbox: ...
    @property
    def feed(self) -> EventFeed: ...


def observe(metrics: Metrics, parts: Parts) -> None:
    """Begin to count. The store must be open; the other parts may still be on their way."""
    metrics.expect(parts.links)
    metrics.follow(parts.bus)
    metrics.read_from(PartsCollector(parts))
    parts.store.writer.on_timing = metrics.commit_seconds.observe


async def metrics_text(metrics: Metrics, parts: Parts) -> bytes:
    """With what only the store knows; a store that does not answer must not hide the rest."""
    try:
        async with asyncio.timeout(_STORE_TIMEOUT_S):
            metrics.pending.set(await count_pending(parts.store.reader))
    except (TimeoutError, CallwardenError):
        metrics.pending.set(nan)
    return metrics.text()


class PartsCollector(Collector):
    """A collector for a registry; it must not wait for anything."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    def describe(self) -> Iterator[Metric]:
        """Nothing: the parts are not there yet when it is registered."""
        yield from ()

    def collect(self) -> Iterator[Metric]:
        parts = self._parts
        yield _gauge("callwarden_build_info", "Which version runs.", ("version",), [((program_version(),), 1)])
        yield from _calls(parts)
        yield from _links(parts.links)
        yield from _store(parts.store.writer)
        yield from _outbox(parts.outbox)
        yield from _backlogs(parts)


Rows = Iterable[tuple[tuple[str, ...], float]]


def _gauge(name: str, words: str, labels: tuple[str, ...], rows: Rows) -> Metric:
    family = GaugeMetricFamily(name, words, labels=labels)
    for values, number in rows:
        family.add_metric(values, number)
    return family


def _counter(name: str, words: str, labels: tuple[str, ...], rows: Rows) -> Metric:
    family = CounterMetricFamily(name, words, labels=labels)
    for values, number in rows:
        family.add_metric(values, number)
    return family


def _calls(parts: Parts) -> Iterator[Metric]:
    dispatcher = parts.dispatcher
    living = dispatcher.living()
    yield _gauge("callwarden_calls_live", "Calls on the line.", ("pbx",), [((name,), n) for name, n in living.items()])
    yield _counter("callwarden_signals", "Signals of the PBXs followed.", (), [((), dispatcher.signals)])
    yield _counter(
        "callwarden_signal_failures", "Signals and rules that broke: our bugs.", (), [((), dispatcher.failures)]
    )
    odd = sorted(dispatcher.oddities().items())
    yield _counter(
        "callwarden_signal_oddities",
        "Signals that did not fit what was known.",
        ("kind",),
        [((kind,), number) for kind, number in odd],
    )
    yield _gauge("callwarden_desks_connected", "Desks that listen.", (), [((), parts.feed.desks)])
    yield _gauge("callwarden_listeners", "All who listen to events, desks too.", (), [((), parts.feed.listeners)])


def _links(links: Mapping[PbxName, AmiLink]) -> Iterator[Metric]:
    yield _gauge(
        "callwarden_pbx_connected",
        "1 while the PBX is logged in to.",
        ("pbx",),
        [((name,), link.state is LinkState.CONNECTED) for name, link in links.items()],
    )
    yield _gauge(
        "callwarden_pbx_state",
        "1 for the state of the link that it has.",
        ("pbx", "state"),
        [((name, state.value), link.state is state) for name, link in links.items() for state in LinkState],
    )
    for name, words, number in _LINK_COUNTERS:
        rows = [((pbx,), number(link)) for pbx, link in links.items()]
        yield _counter(f"callwarden_pbx_{name}", words, ("pbx",), rows)
    yield _counter(
        "callwarden_pbx_troubles",
        "What was wrong in what the PBX sent, by kind.",
        ("pbx", "kind"),
        [((pbx, kind), number) for pbx, link in links.items() for kind, number in _troubles(link).items()],
    )


_LINK_COUNTERS: Final[tuple[tuple[str, str, Callable[[AmiLink], int]], ...]] = (
    ("logins", "Logins to the PBX.", lambda link: link.logins),
    ("reconnects", "Logins after the first.", lambda link: max(0, link.logins - 1)),
    ("events", "Events received.", lambda link: link.counters.events),
    ("events_unused", "Events received that nothing is made of.", lambda link: link.counters.dropped),
    ("bytes", "Bytes received.", lambda link: link.counters.bytes),
    ("read_pauses", "How often reading stopped because the queue was full.", lambda link: link.pauses),
)


def _troubles(link: AmiLink) -> dict[str, int]:
    read = link.counters
    return {
        "protocol_error": read.protocol_errors,
        "handler_error": read.handler_errors,
        "odd_message": read.odd,
        "incomplete_list": read.incomplete_lists,
        "forged_event": read.forged,
        "malformed_event": read.malformed.total(),
    }


def _store(writer: Writer) -> Iterator[Metric]:
    numbers = writer.numbers
    yield _gauge("callwarden_store_healthy", "0 while the disk refuses.", (), [((), writer.healthy)])
    yield _counter(
        "callwarden_store_failed_attempts", "Transactions that were tried again.", (), [((), numbers.failed_attempts)]
    )
    yield _counter(
        "callwarden_store_writes",
        "What was written: changes of calls, changes by people and programs.",
        ("what",),
        [(("call",), numbers.units), (("change",), numbers.changes)],
    )
    yield _counter(
        "callwarden_store_refused",
        "What could not be written.",
        ("what",),
        [(("call",), numbers.refused_units), (("change",), numbers.refused_changes)],
    )


def _outbox(outbox: Outbox) -> Iterator[Metric]:
    counters = outbox.counters
    results = {
        "delivered": counters.delivered,
        "retried": counters.retried,
        "failed": counters.failed,
        "expired": counters.expired,
    }
    yield _counter(
        "callwarden_delivery_attempts",
        "Attempts at webhooks and popups by what they came to.",
        ("result",),
        [((result,), number) for result, number in results.items()],
    )
    yield _counter(
        "callwarden_webhooks_disabled", "Webhooks switched off because of answers.", (), [((), counters.disabled)]
    )
    yield _counter("callwarden_attempts_lost", "Attempts never recorded.", (), [((), outbox.recorder.lost)])


def _backlogs(parts: Parts) -> Iterator[Metric]:
    """How many wait before each stage: signals, changes to be written, deliveries in memory, results of attempts."""
    waiting = {
        "dispatcher": (parts.dispatcher.queue.qsize(), parts.dispatcher.queue.maxsize),
        "writer": (parts.store.writer.waiting, parts.store.writer.capacity),
        "outbox": (len(parts.outbox.shelf), parts.outbox.limits.held_in_all),
        "recorder": (parts.outbox.recorder.unrecorded, parts.outbox.limits.unrecorded),
    }
    yield _gauge(
        "callwarden_backlog", "How much waits before a stage.", ("stage",), [((s,), n) for s, (n, _) in waiting.items()]
    )
    yield _gauge(
        "callwarden_backlog_limit",
        "How much may wait before a stage holds up the one before it.",
        ("stage",),
        [((s,), limit) for s, (_, limit) in waiting.items()],
    )
