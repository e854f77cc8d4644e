"""A caller whose number holds CR LF makes no events, hides none and becomes nobody else."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.ami.signal_reader import SignalReader
from daemon.call.signals import ChannelCreated, ChannelEnded, DialBegan, LinkUp, Signal

VICTIM = "1795347300.7"
NUMBERS = [
    "0900\r\nInjected: yes",
    "0900\r\nUniqueid: 1795347300.7\r\nLinkedid: 1795347300.7",
    "0900\r\n\r\nEvent: Hangup\r\nUniqueid: 1795347300.7\r\nCause: 16",
    "0900\r\n\r\nEvent: Hangup\r\nPrivilege: call,all\r\nUniqueid: 1795347300.7",
    "0900\r\n\r\nEvent: Hangup\r\nPrivilege: call,all\r\nUniqueid: 1795347300.7\r\n\r\n",
    "0900\r\nUniqueid: 1795347300.7\r\nLinkedid: 1\r\n",
    "0900\r\n\r\n\r\n\r\n\r\n\r\n",
    "0900\r\n\r\nResponse: Success\r\nMessage: Authentication accepted\r\n\r\n",
]


def party(prefix: str, channel: str, uniqueid: str, number: str, connected: str) -> str:
    values = {
        "Channel": channel, "ChannelState": "4", "ChannelStateDesc": "Ring", "CallerIDNum": number,
        "CallerIDName": "<unknown>", "ConnectedLineNum": connected, "ConnectedLineName": "<unknown>", "Language": "en",
        "AccountCode": "", "Context": "from-trunk", "Exten": "1902", "Priority": "1", "Uniqueid": uniqueid,
        "Linkedid": "1795347308.36",
    }  # fmt: skip
    return "".join(f"{prefix}{name}: {value}\r\n" for name, value in values.items())


def call_of(number: str) -> bytes:
    """What Asterisk 22 was recorded to send for a call from this number."""
    start = "Event: {}\r\nPrivilege: call,all\r\nTimestamp: 1795347308.760910\r\n"
    caller = party("", "PJSIP/trunk-00000024", "1795347308.36", number, "<unknown>")
    phone = party("Dest", "PJSIP/1001-00000025", "1795347308.37", "1001", number)
    return (
        f"{start.format('Newchannel')}{caller}\r\n"
        f"{start.format('DialBegin')}{caller}{phone}DialString: 1001\r\n\r\n"
        f"{start.format('Hangup')}{caller}Cause: 16\r\n\r\n"
    ).encode()


def read(data: bytes) -> list[Signal]:
    return [signal for signal in SignalReader(live=True).feed(data) if not isinstance(signal, LinkUp)]


@pytest.mark.parametrize("number", NUMBERS)
def test_the_call_is_what_it_would_be_with_an_honest_number(number: str) -> None:
    created, began, ended = read(call_of(number))
    assert isinstance(created, ChannelCreated)
    assert (created.channel, created.number, created.exten) == ("1795347308.36", "0900", "1902")
    assert isinstance(began, DialBegan)
    assert (began.caller, began.callee) == ("1795347308.36", "1795347308.37")
    assert isinstance(ended, ChannelEnded)
    assert (ended.channel, ended.cause) == ("1795347308.36", 16)


@pytest.mark.parametrize("number", NUMBERS)
def test_the_call_after_is_untouched(number: str) -> None:
    assert read(call_of(number) + call_of("0901"))[3:] == read(call_of("0901"))


@given(st.lists(st.sampled_from(["\r\n", "Event: Hangup", f"Uniqueid: {VICTIM}", "Linkedid: 1", "x"]), max_size=9))
def test_no_number_that_fits_ends_another_call(parts: list[str]) -> None:
    number = "".join(parts)[:79]
    assert VICTIM not in {
        signal.channel for signal in read(call_of("1") + call_of(number)) if isinstance(signal, ChannelEnded)
    }


@pytest.mark.parametrize(
    "dialled",
    [f"1\r\nPriority: 1\r\nUniqueid: {VICTIM}\r\nLinkedid: {VICTIM}", "1\r\n\r\nx", "1\r\n\r\n"],
)
def test_a_dialled_number_ends_no_other_call_and_swallows_no_event_and_the_pbx_is_asked_what_is_true(
    dialled: str,
) -> None:
    forged = call_of("0900").replace(b"Exten: 1902", b"Exten: " + dialled.encode())
    reader = SignalReader(live=True)
    signals = [
        one for one in reader.feed(forged + call_of("0901").replace(b".36", b".76")) if not isinstance(one, LinkUp)
    ]
    assert not [one for one in signals if isinstance(one, ChannelEnded) and one.channel == VICTIM]
    assert [type(one) for one in signals[-3:]] == [ChannelCreated, DialBegan, ChannelEnded]
    assert [getattr(one, "channel", None) for one in signals[-3::2]] == ["1795347308.76"] * 2
    assert reader.doubted
