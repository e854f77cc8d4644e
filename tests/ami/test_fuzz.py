"""Hostile bytes: nothing but ProtocolError comes out, and how they are cut changes nothing."""

from __future__ import annotations

from contextlib import suppress

from hypothesis import given, settings
from hypothesis import strategies as st

from daemon.ami.framing import ProtocolError
from daemon.ami.masking import Masker
from daemon.ami.scenario import SCENARIOS
from daemon.ami.signal_reader import SignalReader
from daemon.ami.signal_table import SIGNAL_TABLE
from daemon.ami.simulator import encoded
from daemon.call.signals import LinkDown, LinkUp, Signal, UnixMs
from tests.drawn import examples

NOW = UnixMs(1_795_332_860_000)

NAMES = [name.decode() for name in SIGNAL_TABLE] + ["CoreShowChannel", "CoreShowChannelsComplete", "OriginateResponse"]
HEADERS = [
    "Event", "Uniqueid", "Linkedid", "DestUniqueid", "Channel", "ChannelState", "Timestamp", "Cause", "BridgeUniqueid",
    "DialString", "ListItems", "Duration", "ActionID", "Queue", "CallerIDName", "DialStatus", "Application", "Result",
]  # fmt: skip

lines = st.one_of(
    st.tuples(st.sampled_from(HEADERS), st.text(max_size=20)).map(lambda pair: f"{pair[0]}: {pair[1]}".encode()),
    st.binary(max_size=20),
    st.sampled_from([b"", b"Response: Success", b"Asterisk Call Manager/1.1", b"Message: Authentication accepted"]),
)
messages = st.tuples(st.sampled_from(NAMES), st.lists(lines, max_size=8)).map(
    lambda parts: b"\r\n".join([f"Event: {parts[0]}".encode(), *parts[1]]) + b"\r\n\r\n"
)
streams = st.lists(st.one_of(messages, lines, st.binary(max_size=50)), max_size=12).map(b"".join)
recordings = st.sampled_from(sorted(SCENARIOS)).map(
    lambda name: b"".join(encoded(headers) for headers in SCENARIOS[name].events())
)


def read(data: bytes, size: int, *, live: bool = False) -> list[Signal]:
    reader, signals = SignalReader(live=live), list[Signal]()
    with suppress(ProtocolError):
        for at in range(0, len(data), size):
            signals += reader.feed(data[at : at + size], NOW)
    return signals


@given(streams, st.integers(1, 64), st.booleans())
@settings(max_examples=examples(300))
def test_hostile_bytes_mean_the_same_however_they_are_cut(data: bytes, size: int, live: bool) -> None:
    assert read(data, size, live=live) == read(data, max(1, len(data)), live=live)


@given(recordings, st.integers(1, 5000))
def test_a_recording_means_the_same_however_it_is_cut(data: bytes, size: int) -> None:
    assert read(data, size) == read(data, len(data))


@given(recordings)
def test_every_message_doubled_gives_every_signal_doubled(data: bytes) -> None:
    doubled = b"".join((message + b"\r\n\r\n") * 2 for message in data.split(b"\r\n\r\n")[:-1])
    once, twice = read(data, 4096), read(doubled, 4096)
    assert twice[1::2] == once[1:]
    assert len(twice) == 2 * len(once) - 1


@given(recordings, st.data())
def test_a_recording_cut_anywhere_and_begun_again_loses_only_the_message_that_was_cut(
    data: bytes, choice: st.DataObject
) -> None:
    cut = choice.draw(st.integers(0, len(data)))
    banner = b"Asterisk Call Manager/11.0.0\r\nResponse: Success\r\n\r\n"
    signals = read(data[:cut] + banner + data, 1000)
    plain = [signal for signal in signals if not isinstance(signal, LinkUp | LinkDown)]
    whole = [signal for signal in read(data, 1000) if not isinstance(signal, LinkUp)]
    begun = [signal for signal in read(data[:cut], 1000) if not isinstance(signal, LinkUp)]
    assert plain == begun + whole


@given(streams)
def test_masking_never_fails(data: bytes) -> None:
    for message in data.split(b"\r\n\r\n"):
        Masker(b"key").message(message)
