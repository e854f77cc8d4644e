"""A stream becomes signals, live and replayed alike, and no message can hurt the next."""

from __future__ import annotations

import pytest

from daemon.ami.scenario import SCENARIOS
from daemon.ami.signal_reader import SignalReader
from daemon.ami.simulator import encoded
from daemon.call.signals import (
    AttendedTransferred,
    BridgeEntered,
    CallerIdChanged,
    ChannelCreated,
    ChannelEnded,
    ChannelId,
    ContactChanged,
    ContactState,
    DialBegan,
    DialEnded,
    DialStatus,
    Endpoint,
    LinkDown,
    LinkUp,
    QueueJoined,
    ReportReceived,
    SteadyMs,
    UnixMs,
)
from tests.fakes.asterisk import event

NOW = UnixMs(1_795_332_860_000)
LOGIN = b"Asterisk Call Manager/11.0.0\r\nResponse: Success\r\nMessage: Authentication accepted\r\n\r\n"
HANGUP = event("Hangup", Timestamp="1795332859.467528", Uniqueid="1.1", Cause="16")


def recorded(name: str) -> bytes:
    return b"".join(encoded(headers) for headers in SCENARIOS[name].events())


def test_a_recorded_queue_call_reads_as_it_happened() -> None:
    signals = SignalReader(live=False).feed(LOGIN + recorded("queue_answered"))
    trunk, phone = (signal for signal in signals if isinstance(signal, ChannelCreated))
    assert (trunk.number, trunk.exten, trunk.endpoint) == ("+84901234501", "19001234", "PJSIP/trunk")
    assert [signal.queue for signal in signals if isinstance(signal, QueueJoined)] == ["support"]
    [dial] = [signal for signal in signals if isinstance(signal, DialBegan)]
    assert (dial.caller, dial.callee, dial.shown) == (trunk.channel, phone.channel, "+84901234501")
    assert [signal.channel for signal in signals if isinstance(signal, BridgeEntered)] == [phone.channel, trunk.channel]
    assert [signal.cause for signal in signals if isinstance(signal, ChannelEnded)] == [16, 16]


def test_a_recorded_attended_transfer_names_all_four_channels() -> None:
    signals = SignalReader(live=False).feed(recorded("attended_transfer"))
    [transfer] = [signal for signal in signals if isinstance(signal, AttendedTransferred)]
    created = [signal.channel for signal in signals if isinstance(signal, ChannelCreated)]
    assert [transfer.transferee, transfer.first, transfer.second, transfer.target] == created


def test_a_busy_customer_is_busy() -> None:
    signals = SignalReader(live=False).feed(recorded("outgoing_busy"))
    assert DialStatus.BUSY in [signal.status for signal in signals if isinstance(signal, DialEnded)]


def test_live_the_login_brings_the_link_up_and_in_a_trace_the_first_signal() -> None:
    assert SignalReader(live=True).feed(LOGIN, NOW) == [LinkUp(NOW)]
    replayed = SignalReader(live=False)
    assert replayed.feed(LOGIN) == []
    assert replayed.feed(HANGUP)[0] == LinkUp(UnixMs(1_795_332_859_467))
    assert replayed.version == "11.0.0"


def test_signs_of_life_are_timed_by_our_steady_clock_and_calls_by_the_date() -> None:
    """Whatever the PBX's date says, and ours."""
    reader, steady = SignalReader(live=True), SteadyMs(UnixMs(4_711))
    report = event("RTCPReceived", Timestamp="1795332859.467528", Uniqueid="1.1")
    up, reported, ended = reader.feed(LOGIN + report + HANGUP, NOW, steady)
    assert up == LinkUp(NOW, steady)
    assert reported == ReportReceived(steady, ChannelId("1.1"))
    assert ended.at == 1_795_332_859_467
    _, in_a_trace = SignalReader(live=False).feed(report)
    assert in_a_trace.at == 1_795_332_859_467


@pytest.mark.parametrize(
    ("word", "state"),
    [
        ("Reachable", ContactState.ANSWERS),
        ("Unreachable", ContactState.SILENT),
        ("Removed", ContactState.GONE),
        *((word, ContactState.KNOWN) for word in ("NonQualified", "Created", "Updated", "Unknown")),
    ],
)
def test_only_a_contact_that_was_asked_and_answered_is_said_to_answer(word: str, state: ContactState) -> None:
    told = event("ContactStatus", EndpointName="1001", URI="sip:1001@10.0.0.5", ContactStatus=word)
    *_, changed = SignalReader(live=True).feed(LOGIN + told, NOW, SteadyMs(UnixMs(1)))
    assert changed == ContactChanged(SteadyMs(UnixMs(1)), Endpoint("PJSIP/1001"), "sip:1001@10.0.0.5", state)


def test_a_banner_in_a_trace_is_a_new_connection_even_after_half_a_message() -> None:
    reader = SignalReader(live=False)
    signals = reader.feed(LOGIN + HANGUP + b"Event: Hangup\r\nUniq" + LOGIN + HANGUP)
    assert [type(signal) for signal in signals] == [LinkUp, ChannelEnded, LinkDown, LinkUp, ChannelEnded]


def test_a_caller_who_calls_himself_like_a_banner_is_only_a_caller() -> None:
    fake = event("NewCallerid", Uniqueid="1.1", CallerIDName="Asterisk Call Manager/9", CallerIDNum="1")
    signals = SignalReader(live=False).feed(LOGIN + HANGUP + fake)
    assert [type(signal) for signal in signals] == [LinkUp, ChannelEnded, CallerIdChanged]


def test_events_without_a_row_are_dropped_by_name_and_counted() -> None:
    reader = SignalReader(live=True)
    assert reader.feed(event("VarSet", Uniqueid="1.1") * 3, NOW) == []
    assert (reader.counters.events, reader.counters.dropped) == (3, 3)


def test_an_event_without_what_it_needs_is_counted_by_kind() -> None:
    reader = SignalReader(live=True)
    signals = reader.feed(event("Hangup", Cause="16") * 2 + HANGUP, NOW)
    assert [type(signal) for signal in signals] == [LinkUp, ChannelEnded]
    assert reader.counters.malformed == {"Hangup": 2}


def test_the_output_of_a_command_is_no_event() -> None:
    old = b"Response: Follows\r\nPrivilege: Command\r\nEvent: Hangup\r\nUniqueid: 1.1\n--END COMMAND--\r\n\r\n"
    new = b"Response: Success\r\nMessage: Output follows\r\nOutput: Event: Hangup\r\nOutput: Uniqueid: 1.1\r\n\r\n"
    reader = SignalReader(live=True)
    reader.feed(LOGIN, NOW)
    assert [type(signal) for signal in reader.feed(old + new + HANGUP, NOW)] == [ChannelEnded]


@pytest.mark.parametrize("odd", [b"\r\n", b"garbage\r\n", b"\xff\xfe: \x00\r\n"])
def test_odd_lines_before_an_event_do_not_hide_it(odd: bytes) -> None:
    assert type(SignalReader(live=True).feed(odd + HANGUP, NOW)[-1]) is ChannelEnded


def test_a_second_event_header_changes_nothing() -> None:
    signals = SignalReader(live=True).feed(b"Event: UserEvent\r\nEvent: Hangup\r\nUniqueid: 1.1\r\n\r\n" + HANGUP, NOW)
    assert [type(signal) for signal in signals] == [LinkUp, ChannelEnded]


def test_live_a_wrong_clock_is_noticed_and_arrival_used_from_then_on() -> None:
    reader = SignalReader(live=True)
    far = event("Hangup", Timestamp="1795300000.0", Uniqueid="1.1")
    assert [signal.at for signal in reader.feed(far + HANGUP, NOW)] == [NOW, NOW, NOW]


def test_replayed_a_wrong_clock_is_the_clock() -> None:
    far = event("Hangup", Timestamp="1000000000.25", Uniqueid="1.1")
    assert SignalReader(live=False).feed(far, NOW)[-1].at == UnixMs(1_000_000_000_250)


@pytest.mark.parametrize("stamp", ["", "nan", "inf", "-1", "1e400", "soon", "9" * 400])
def test_a_timestamp_that_is_none_gives_way_to_the_arrival(stamp: str) -> None:
    assert SignalReader(live=False).feed(event("Hangup", Timestamp=stamp, Uniqueid="1.1"), NOW)[-1].at == NOW


def test_a_letter_split_between_two_reads_stays_a_letter() -> None:
    whole = event("NewCallerid", Uniqueid="1.1", CallerIDNum="1", CallerIDName="Nguyễn Thị Ánh")
    reader = SignalReader(live=True)
    signals = [signal for at in range(len(whole)) for signal in reader.feed(whole[at : at + 1], NOW)]
    assert signals[-1].name == "Nguyễn Thị Ánh"  # type: ignore[union-attr]


def test_the_end_of_the_link_is_told_once() -> None:
    reader = SignalReader(live=True)
    reader.feed(LOGIN, NOW)
    assert reader.link_lost(NOW) == [LinkDown(NOW)]
    assert reader.link_lost(NOW) == []


@pytest.mark.parametrize(
    "noise",
    [
        b"\x00\xff\xfe not a header at all\r\n\r\n",
        b"Event: Newchannel\r\nChannel: PJSIP/1001-0000000",  # and the next event behind it, unreadable now
        bytes(range(256)),
    ],
)
def test_what_cannot_be_read_may_have_held_an_event_so_the_list_is_asked_for(noise: bytes) -> None:
    events = recorded("queue_answered")
    begun = events.find(b"\r\n\r\n") + 4
    reader = SignalReader(live=True)
    reader.feed(LOGIN + events[:begun], NOW)
    assert not reader.doubted
    reader.feed(noise + events[begun:], NOW)
    assert reader.doubted
