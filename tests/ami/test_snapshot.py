"""A list of channels is proof of absence, so only a whole one counts."""

from __future__ import annotations

from daemon.ami.signal_reader import SignalReader
from daemon.call.signals import LinkUp, Signal, Snapshot, UnixMs
from tests.fakes.asterisk import event

NOW = UnixMs(1_795_333_341_000)


def row(channel: str, **headers: str) -> bytes:
    known = {"Channel": "PJSIP/trunk-00000001", "ChannelState": "6", "Linkedid": "1.1", "Duration": "00:01:07"}
    return event("CoreShowChannel", ActionID="a", Uniqueid=channel, **{**known, **headers})


def end(count: int, action_id: str = "a") -> bytes:
    return event("CoreShowChannelsComplete", ActionID=action_id, EventList="Complete", ListItems=str(count))


def read(*messages: bytes) -> list[Signal]:
    found = SignalReader(live=True).feed(b"".join(messages), NOW)
    return [signal for signal in found if not isinstance(signal, LinkUp)]


def only(*messages: bytes) -> Snapshot:
    [snapshot] = [signal for signal in read(*messages) if isinstance(signal, Snapshot)]
    return snapshot


def test_rows_become_one_snapshot() -> None:
    queue = row("1.1", Application="Queue", ApplicationData="sales,tT,,,30", ConnectedLineNum="1002", BridgeId="b")
    snapshot = only(queue, row("1.2", Channel="Local/1@a-00000001;1"), end(2))
    first, second = snapshot.channels
    assert (first.queue, first.bridge, first.connected_number) == ("sales", "b", "1002")
    assert first.since == NOW - 67_000
    assert (second.pair, second.queue, second.bridge) == ("Local/1@a-00000001", None, None)


def test_an_empty_list_is_a_snapshot_too() -> None:
    assert read(end(0)) == [Snapshot(NOW, ())]


def test_a_list_that_is_not_whole_is_none() -> None:
    assert read(row("1.1"), end(2)) == []
    assert read(row("1.1"), end(1, action_id="another")) == []


def test_rows_told_twice_count_once() -> None:
    assert len(only(row("1.1"), row("1.1"), row("1.2"), end(2)).channels) == 2


def test_a_channel_that_ends_while_the_list_comes_is_not_in_it() -> None:
    hangup = event("Hangup", Uniqueid="1.1", Cause="16")
    assert [seen.channel for seen in only(row("1.1"), row("1.2"), hangup, end(2)).channels] == ["1.2"]


def test_a_parked_caller_talks_to_nobody_until_he_is_fetched() -> None:
    parked = row("1.1", Application="Park", BridgeId="b")
    assert only(parked, end(1)).channels[0].bridge is None
    fetcher = row("1.2", Application="ParkedCall", BridgeId="b")
    assert [seen.bridge for seen in only(parked, fetcher, end(2)).channels] == ["b", "b"]


def test_a_trace_that_begins_with_a_list_takes_its_time_from_the_rows() -> None:
    reader = SignalReader(live=False)
    one = row("1795333329.253", Duration="00:00:11")
    two = row("pbx-1795333338.256", Duration="00:00:03")
    assert reader.feed(one + two + end(2))[-1].at == UnixMs(1_795_333_341_000)


def test_a_row_without_an_id_does_not_spoil_the_list() -> None:
    assert len(only(row(""), row("1.2"), end(2)).channels) == 1
