"""The one task that owns all call state: order, rules in force at once, and that it outlives our own bugs."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from daemon.bus import AgentToNotify, Bus, CallHappened, News, Topic
from daemon.call.directory import Directory
from daemon.call.model import Outcome, PbxName
from daemon.call.signals import (
    BridgeEntered,
    BridgeLeft,
    ChannelEnded,
    LinkUp,
    ReportReceived,
    Signal,
    SteadyMs,
    UnixMs,
)
from daemon.call.tracker import Tracker
from daemon.dispatch import Dispatcher, PbxSignal
from daemon.policy import ticket
from daemon.policy.call_settings import CallSettings, Rulebook
from daemon.policy.decision import Decision, OpenTicket
from daemon.store.values import Unit
from tests.call.recorded import Recording, new_tracker, recordings

MAIN = PbxName("main")
MISSED = next(r for r in recordings() if r.name == "asterisk-22/in_queue_abandoned")
ANSWERED = next(r for r in recordings() if r.name == "asterisk-22/in_queue_answered_customer_hangs_up")


class Kept:
    """A sink that keeps what it got; `gate` holds it back as a full disk would."""

    def __init__(self) -> None:
        self.units: list[Unit] = []
        self.gate = asyncio.Event()
        self.gate.set()

    async def submit(self, unit: Unit) -> None:
        await self.gate.wait()
        self.units.append(unit)

    def tickets(self) -> list[OpenTicket]:
        return [d for unit in self.units for d in unit.decisions if isinstance(d, OpenTicket)]


def dispatcher(recording: Recording, sink: Kept, bus: Bus | None = None, rules: Rulebook | None = None) -> Dispatcher:
    return Dispatcher({MAIN: new_tracker(recording)}, rules or Rulebook(), sink, bus or Bus(), lambda: UnixMs(0))


async def feed(flow: Dispatcher, signals: list[Signal]) -> None:
    for signal in signals:
        await flow.queue.put(PbxSignal(MAIN, signal))


async def test_everything_queued_before_the_stop_is_followed_to_its_end() -> None:
    sink = Kept()
    flow = dispatcher(MISSED, sink)
    await feed(flow, list(MISSED.signals()))
    running = asyncio.create_task(flow.run())
    await flow.stop()
    await running
    assert len(sink.tickets()) == 1
    assert list(flow.calls()) == []


async def test_new_rules_are_in_force_for_the_signals_after_them_and_not_for_those_before() -> None:
    sink = Kept()
    flow = dispatcher(MISSED, sink)
    signals = list(MISSED.signals())
    await feed(flow, signals)
    running = asyncio.create_task(flow.run())
    off = Rulebook(CallSettings(auto_create_tickets=False))
    await flow.change_rules(off, Directory())
    await feed(flow, [replace(s, **_later(s)) for s in signals])  # type: ignore[arg-type]
    await flow.stop()
    await running
    assert len(sink.tickets()) == 1


def _later(signal: Signal) -> dict[str, object]:
    """The same call again under other ids."""
    names = ("channel", "linked", "caller", "callee", "one", "two", "bridge")
    ids = {name: getattr(signal, name) for name in names if getattr(signal, name, None)}
    return {name: f"9{value}" for name, value in ids.items()}


async def test_while_the_store_is_full_the_queue_fills_and_nothing_is_dropped() -> None:
    sink = Kept()
    sink.gate.clear()
    flow = dispatcher(MISSED, sink)
    signals = list(MISSED.signals())
    running = asyncio.create_task(flow.run())
    await feed(flow, signals)
    await asyncio.sleep(0.05)
    assert flow.queue.qsize() > 0
    assert sink.units == []
    sink.gate.set()
    await flow.stop()
    await running
    assert len(sink.tickets()) == 1


class Broken(Tracker):
    """Our own bug: breaks at one signal."""

    def feed(self, signal: Signal):  # type: ignore[no-untyped-def]
        if isinstance(signal, ChannelEnded):
            raise KeyError(signal.channel)
        return super().feed(signal)


async def test_a_bug_in_the_tracker_costs_one_signal_and_is_counted() -> None:
    sink = Kept()
    flow = Dispatcher({MAIN: Broken(MAIN, MISSED.directory)}, Rulebook(), sink, Bus(), lambda: UnixMs(0))
    signals = list(MISSED.signals())
    for signal in signals:
        flow.feed(PbxSignal(MAIN, signal))
    assert flow.failures == sum(isinstance(s, ChannelEnded) for s in signals)
    assert len(list(flow.calls())) == 1


def test_a_bug_in_a_policy_costs_its_decision_and_the_call_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    def breaks(*_: object) -> list[Decision]:
        raise ZeroDivisionError

    monkeypatch.setattr("daemon.dispatch.POLICIES", (breaks, ticket.decide))
    flow = dispatcher(MISSED, Kept())
    units = [unit for signal in MISSED.signals() for unit in flow.feed(PbxSignal(MAIN, signal))]
    assert [d for unit in units for d in unit.decisions if isinstance(d, OpenTicket)]
    assert units[-1].call.outcome is Outcome.MISSED
    assert flow.failures > 0


def test_observers_hear_of_events_in_order_and_one_that_raises_hurts_nobody() -> None:
    bus, heard = Bus(), list[News]()

    def raises(_: News) -> None:
        raise RuntimeError("observer")

    bus.subscribe(Topic.CALL, raises)
    bus.subscribe(Topic.CALL, heard.append)
    bus.subscribe(Topic.NOTIFICATION, heard.append)
    flow = dispatcher(ANSWERED, Kept(), bus)
    for signal in ANSWERED.signals():
        flow.feed(PbxSignal(MAIN, signal))
    names = [type(n.event).__name__ for n in heard if isinstance(n, CallHappened)]
    assert names[0] == "CallStarted"
    assert names[-1] == "CallEnded"
    assert len([n for n in heard if isinstance(n, AgentToNotify)]) == 2


def test_an_observer_that_left_hears_no_more() -> None:
    bus, heard = Bus(), list[News]()
    leave = bus.subscribe(Topic.CALL, heard.append)
    leave()
    flow = dispatcher(ANSWERED, Kept(), bus)
    for signal in ANSWERED.signals():
        flow.feed(PbxSignal(MAIN, signal))
    assert heard == []


@pytest.mark.parametrize("recording", [MISSED, ANSWERED], ids=lambda recording: recording.name)
def test_signals_that_do_not_fit_are_counted_and_change_nothing(recording: Recording) -> None:
    flow = dispatcher(recording, Kept())
    signals = [LinkUp(UnixMs(0)), *recording.signals()]
    for signal in signals:
        flow.feed(PbxSignal(MAIN, signal))
        flow.feed(PbxSignal(MAIN, signal))
    assert list(flow.calls()) == []
    assert all(count > 0 for count in flow.oddities().values())


async def test_with_the_setting_off_nobody_falls_under_suspicion_and_from_its_change_on_they_do() -> None:
    flow = dispatcher(ANSWERED, Kept(), rules=Rulebook(CallSettings(disconnect_timeout_seconds=0)))
    signals = list(ANSWERED.signals())
    talking = next(place for place, signal in enumerate(signals) if isinstance(signal, BridgeLeft))
    for signal in signals[:talking]:
        flow.feed(PbxSignal(MAIN, signal))
    later = SteadyMs(UnixMs(signals[talking].at + 60_000))
    for at in (later - 30_000, later - 25_000):
        for channel in {s.channel for s in signals if isinstance(s, BridgeEntered)}:
            flow.feed(PbxSignal(MAIN, ReportReceived(SteadyMs(UnixMs(at)), channel)))
    assert flow.suspects(MAIN, later) == []
    running = asyncio.create_task(flow.run())
    await flow.change_rules(Rulebook(CallSettings(disconnect_timeout_seconds=5)), ANSWERED.directory)
    assert len(flow.suspects(MAIN, later)) == 2
    await flow.stop()
    await running
