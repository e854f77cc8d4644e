"""Each event says what it means, and nothing where it means nothing."""

from __future__ import annotations

import pytest

from daemon.ami.channel_name import endpoint_of, kind_of, pair_of
from daemon.ami.dial_string import number_in
from daemon.ami.signal_reader import SignalReader
from daemon.call.signals import (
    AttendedTransferred,
    BlindTransferred,
    BridgeEntered,
    BridgeId,
    ChannelChanged,
    ChannelCreated,
    ChannelEnded,
    ChannelId,
    ChannelKind,
    ChannelState,
    DialBegan,
    DialEnded,
    DialStatus,
    Endpoint,
    HangupAsked,
    LinkUp,
    PickedUp,
    Signal,
    UnixMs,
)
from tests.fakes.asterisk import event

AT = UnixMs(1_795_332_859_467)
STAMP = "1795332859.467528"


def signals_of(kind: str, **headers: str) -> list[Signal]:
    found = SignalReader(live=False).feed(event(kind, Timestamp=STAMP, **headers))
    return [signal for signal in found if not isinstance(signal, LinkUp)]


def test_a_new_channel_of_a_trunk_tells_everything() -> None:
    assert signals_of(
        "Newchannel",
        Channel="PJSIP/trunk-vn-0000001c",
        ChannelState="4",
        CallerIDNum="+84901234501",
        CallerIDName="<unknown>",
        Exten="19001234",
        Uniqueid="pbx1-1795332859.0",
        Linkedid="pbx1-1795332859.0",
    ) == [
        ChannelCreated(
            at=AT,
            channel=ChannelId("pbx1-1795332859.0"),
            linked=ChannelId("pbx1-1795332859.0"),
            kind=ChannelKind.DEVICE,
            endpoint=Endpoint("PJSIP/trunk-vn"),
            state=ChannelState.DIALING,
            number="+84901234501",
            name=None,
            exten="19001234",
        )
    ]


@pytest.mark.parametrize(
    ("name", "endpoint"),
    [
        ("PJSIP/trunk-vn-00000012", "PJSIP/trunk-vn"),
        ("DAHDI/i1/0901-1", "DAHDI/i1/0901"),
        ("SIP/1001-0000001a", "SIP/1001"),
        ("Local/1001@agents-00000001;2", "Local/1001@agents"),
        ("PJSIP/reception", "PJSIP/reception"),
        ("PJSIP/x-ray", "PJSIP/x-ray"),
        ("", ""),
    ],
)
def test_an_endpoint_is_the_channel_without_its_instance(name: str, endpoint: str) -> None:
    assert endpoint_of(name) == endpoint


def test_channels_that_asterisk_makes_for_itself_are_no_parties() -> None:
    assert kind_of("Local/1001@agents-00000001;1") is ChannelKind.LOCAL
    assert kind_of("Surrogate/parking-0001") is ChannelKind.PSEUDO
    assert kind_of("AsyncGoto/PJSIP/1001-00000001") is ChannelKind.PSEUDO
    assert pair_of("Local/1001@agents-00000001;1") == "Local/1001@agents-00000001"
    assert pair_of("PJSIP/1001-00000001") is None


@pytest.mark.parametrize(
    ("dial_string", "number"),
    [
        ("0901234510@trunk", "0901234510"),
        ("trunk/0901234510", "0901234510"),
        ("PJSIP/0901234510@trunk", "0901234510"),
        ("trunk/sip:+84901234510@203.0.113.5:5060", "+84901234510"),
        ("sip:0901234510@host;transport=tls", "0901234510"),
        ("Local/0901234510@outbound/n", "0901234510"),
        ("DAHDI/g1/ww0901234510", "0901234510"),
        ("PJSIP/1001", "1001"),
        ("PJSIP/reception", None),
        ("", None),
    ],
)
def test_the_number_is_found_in_every_form_of_dial_string(dial_string: str, number: str | None) -> None:
    assert number_in(dial_string) == number


def test_a_dial_begin_names_both_ends_and_every_candidate_once() -> None:
    headers = {"CallerIDNum": "19001234", "Exten": "0901234510", "DestCallerIDNum": "<unknown>"}
    assert signals_of("DialBegin", Uniqueid="1.1", DestUniqueid="1.2", DialString="84901234510@trunk", **headers) == [
        DialBegan(AT, ChannelId("1.1"), ChannelId("1.2"), "19001234", ("84901234510", "0901234510"))
    ]


def test_the_first_dial_of_an_originate_has_no_caller() -> None:
    [began] = signals_of("DialBegin", DestUniqueid="1.2", DestConnectedLineNum="0901", DialString="1001")
    assert began == DialBegan(AT, None, ChannelId("1.2"), "0901", ("1001",))


def test_states_that_change_nothing_give_no_signal() -> None:
    assert signals_of("Newstate", Uniqueid="1.1", ChannelState="4") == []
    assert signals_of("DialState", DestUniqueid="1.2", DialStatus="PROCEEDING") == []
    assert signals_of("Newstate", Uniqueid="1.1", ChannelState="6") == [
        ChannelChanged(AT, ChannelId("1.1"), ChannelState.UP)
    ]
    assert signals_of("DialState", DestUniqueid="1.2", DialStatus="PROGRESS") == [
        ChannelChanged(AT, ChannelId("1.2"), ChannelState.RINGING)
    ]


@pytest.mark.parametrize(
    ("word", "status"),
    [("NOANSWER", DialStatus.NO_ANSWER), ("CHANUNAVAIL", DialStatus.UNAVAILABLE), ("TORTURE", DialStatus.OTHER)],
)
def test_dial_statuses(word: str, status: DialStatus) -> None:
    assert signals_of("DialEnd", DestUniqueid="1.2", DialStatus=word) == [DialEnded(AT, None, ChannelId("1.2"), status)]


@pytest.mark.parametrize(("technology", "mixing"), [("simple_bridge", True), ("holding_bridge", False)])
def test_nobody_talks_in_a_holding_bridge(technology: str, mixing: bool) -> None:
    assert signals_of("BridgeEnter", Uniqueid="1.1", BridgeUniqueid="b", BridgeTechnology=technology) == [
        BridgeEntered(AT, BridgeId("b"), ChannelId("1.1"), mixing=mixing)
    ]


@pytest.mark.parametrize(("text", "cause"), [("16", 16), ("0", None), ("", None), ("9" * 5000, None), ("²", None)])
def test_causes(text: str, cause: int | None) -> None:
    assert signals_of("Hangup", Uniqueid="1.1", Cause=text) == [ChannelEnded(AT, ChannelId("1.1"), cause)]


def test_only_the_far_end_asks_for_a_hangup() -> None:
    assert signals_of("SoftHangupRequest", Uniqueid="1.1") == []
    assert signals_of("HangupRequest", Uniqueid="1.1") == [HangupAsked(AT, ChannelId("1.1"))]


def test_transfers_that_failed_did_not_happen() -> None:
    both = {"OrigTransfererUniqueid": "1.1", "SecondTransfererUniqueid": "1.2"}
    assert signals_of("AttendedTransfer", Result="Fail", **both) == []
    assert signals_of("AttendedTransfer", Result="Success", **both) == [
        AttendedTransferred(AT, ChannelId("1.1"), ChannelId("1.2"), None, None)
    ]
    assert signals_of("BlindTransfer", Result="Invalid", TransfererUniqueid="1.1") == []
    assert signals_of("BlindTransfer", Result="Success", TransfererUniqueid="1.1", TransfereeUniqueid="1.0") == [
        BlindTransferred(AT, ChannelId("1.1"), ChannelId("1.0"))
    ]


def test_a_pickup_names_picker_and_ringing_phone() -> None:
    assert signals_of("Pickup", Uniqueid="1.9", TargetUniqueid="1.2") == [
        PickedUp(AT, ChannelId("1.9"), ChannelId("1.2"))
    ]


def test_quotes_in_names_lose_their_backslashes() -> None:
    [signal] = signals_of("NewCallerid", Uniqueid="1.1", CallerIDName='Anh \\\\\\"Ba\\\\\\"')
    assert signal.name == 'Anh "Ba"'  # type: ignore[union-attr]
