"""What each event of Asterisk says in the tracker's words: one row an event. An event without a row is never parsed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from daemon.ami.channel_name import endpoint_of, kind_of
from daemon.ami.dial_string import number_in
from daemon.ami.message import Message
from daemon.call.signals import (
    AttendedTransferred,
    BlindTransferred,
    BridgeEntered,
    BridgeId,
    BridgeLeft,
    CallerIdChanged,
    ChannelChanged,
    ChannelCreated,
    ChannelEnded,
    ChannelId,
    ChannelState,
    ContactChanged,
    ContactState,
    DialBegan,
    DialEnded,
    DialStatus,
    Endpoint,
    HangupAsked,
    HoldChanged,
    LocalPaired,
    MemberPaused,
    PickedUp,
    QueueJoined,
    QueueLeft,
    ReportReceived,
    ReportSent,
    Signal,
    SteadyMs,
    UnixMs,
)

Builder = Callable[[Message, Any], Signal | None]
"""The time is a `SteadyMs` for those `BY_ARRIVAL`, a `UnixMs` for all others."""

# include/asterisk/channelstate.h. Only 4 is a phone that calls; 3 is the PBX dialling out on an analogue line.
_STATES = {"4": ChannelState.DIALING, "5": ChannelState.RINGING, "9": ChannelState.RINGING, "6": ChannelState.UP}
_CHANGES = {"5": ChannelState.RINGING, "6": ChannelState.UP}

_DIAL_STATUS = {
    "ANSWER": DialStatus.ANSWER,
    "BUSY": DialStatus.BUSY,
    "NOANSWER": DialStatus.NO_ANSWER,
    "CANCEL": DialStatus.CANCEL,
    "CONGESTION": DialStatus.CONGESTION,
    "CHANUNAVAIL": DialStatus.UNAVAILABLE,
}
_CONTACTS = {
    "Reachable": ContactState.ANSWERS,
    "Unreachable": ContactState.SILENT,
    "Removed": ContactState.GONE,
}
_MOST_DIGITS = 10
_RINGING = frozenset({"RINGING", "PROGRESS"})


def state_of(message: Message) -> ChannelState:
    return _STATES.get(message.get("ChannelState") or "", ChannelState.DOWN)


def name_in(message: Message) -> str | None:
    """Return the caller's name; quotes in it arrive with backslashes of SIP and of Asterisk before them."""
    name = message.get("CallerIDName")
    return name.replace("\\\\", "").replace('\\"', '"') if name and "\\" in name else name


def optional_channel(message: Message, header: str) -> ChannelId | None:
    value = message.get(header)
    return ChannelId(value) if value is not None else None


def _channel(message: Message, header: str = "Uniqueid") -> ChannelId:
    return ChannelId(message.need(header))


def _bridge(message: Message) -> BridgeId:
    return BridgeId(message.need("BridgeUniqueid"))


def _new_channel(message: Message, at: UnixMs) -> Signal:
    channel, name = _channel(message), message.need("Channel")
    return ChannelCreated(
        at=at,
        channel=channel,
        linked=optional_channel(message, "Linkedid") or channel,
        kind=kind_of(name),
        endpoint=endpoint_of(name),
        state=state_of(message),
        number=message.get("CallerIDNum"),
        name=name_in(message),
        exten=message.get("Exten"),
    )


def _new_state(message: Message, at: UnixMs) -> Signal | None:
    state = _CHANGES.get(message.get("ChannelState") or "")
    return ChannelChanged(at, _channel(message), state) if state else None


def _new_caller_id(message: Message, at: UnixMs) -> Signal:
    return CallerIdChanged(at, _channel(message), message.get("CallerIDNum"), name_in(message))


def _local_bridge(message: Message, at: UnixMs) -> Signal:
    return LocalPaired(at, _channel(message, "LocalOneUniqueid"), _channel(message, "LocalTwoUniqueid"))


def _dial_begin(message: Message, at: UnixMs) -> Signal:
    # Originate has no dialling channel: the phone then shows its own connected line.
    shown = message.get("CallerIDNum") or message.get("DestConnectedLineNum")
    caller, callee = optional_channel(message, "Uniqueid"), _channel(message, "DestUniqueid")
    return DialBegan(at, caller, callee, shown, _dialled(message))


def _dialled(message: Message) -> tuple[str, ...]:
    candidates = (
        message.get("DestCallerIDNum"),
        number_in(message.get("DialString") or ""),
        message.get("Exten"),
    )
    return tuple(dict.fromkeys(number for number in candidates if number))


def _dial_state(message: Message, at: UnixMs) -> Signal | None:
    if message.get("DialStatus") not in _RINGING:
        return None
    return ChannelChanged(at, _channel(message, "DestUniqueid"), ChannelState.RINGING)


def _dial_end(message: Message, at: UnixMs) -> Signal:
    status = _DIAL_STATUS.get(message.get("DialStatus") or "", DialStatus.OTHER)
    return DialEnded(at, optional_channel(message, "Uniqueid"), _channel(message, "DestUniqueid"), status)


def _bridge_enter(message: Message, at: UnixMs) -> Signal:
    holding = message.get("BridgeTechnology") == "holding_bridge" or message.get("BridgeType") == "holding"
    return BridgeEntered(at, _bridge(message), _channel(message), mixing=not holding)


def _bridge_leave(message: Message, at: UnixMs) -> Signal:
    return BridgeLeft(at, _bridge(message), _channel(message))


def _queue_join(message: Message, at: UnixMs) -> Signal:
    return QueueJoined(at, _channel(message), message.need("Queue"))


def _queue_leave(message: Message, at: UnixMs) -> Signal:
    return QueueLeft(at, _channel(message), message.need("Queue"))


def _hold(message: Message, at: UnixMs) -> Signal:
    return HoldChanged(at, _channel(message), held=True)


def _unhold(message: Message, at: UnixMs) -> Signal:
    return HoldChanged(at, _channel(message), held=False)


def _hangup_request(message: Message, at: UnixMs) -> Signal:
    return HangupAsked(at, _channel(message))


def _hangup(message: Message, at: UnixMs) -> Signal:
    return ChannelEnded(at, _channel(message), _cause(message.get("Cause") or ""))


def _cause(text: str) -> int | None:
    """Return the Q.850 cause; Asterisk writes 0 where it knows none."""
    cause = int(text) if text.isascii() and text.isdigit() and len(text) < 4 else 0
    return cause or None


def _attended_transfer(message: Message, at: UnixMs) -> Signal | None:
    if message.get("Result") != "Success":
        return None
    return AttendedTransferred(
        at=at,
        first=_channel(message, "OrigTransfererUniqueid"),
        second=_channel(message, "SecondTransfererUniqueid"),
        transferee=optional_channel(message, "TransfereeUniqueid"),
        target=optional_channel(message, "TransferTargetUniqueid"),
    )


def _blind_transfer(message: Message, at: UnixMs) -> Signal | None:
    if message.get("Result") != "Success":
        return None
    return BlindTransferred(
        at, _channel(message, "TransfererUniqueid"), optional_channel(message, "TransfereeUniqueid")
    )


def _pickup(message: Message, at: UnixMs) -> Signal:
    return PickedUp(at, _channel(message), _channel(message, "TargetUniqueid"))


def _member_pause(message: Message, at: UnixMs) -> Signal:
    """A member of Asterisk 16 and 22 has both headers; the reason is empty when it is back."""
    paused = message.get("Paused") == "1"
    reason = message.get("PausedReason") if paused else None
    return MemberPaused(at, message.need("Queue"), message.need("Interface"), paused, reason)


def _contact_status(message: Message, at: SteadyMs) -> Signal:
    """Only PJSIP has it. A new or changed contact is said to be NonQualified, Created or Updated."""
    endpoint = Endpoint(f"PJSIP/{message.need('EndpointName')}")
    state = _CONTACTS.get(message.need("ContactStatus"), ContactState.KNOWN)
    return ContactChanged(at, endpoint, message.need("URI"), state)


def _rtcp_received(message: Message, at: SteadyMs) -> Signal | None:
    """One that comes after the hangup names no channel."""
    channel = optional_channel(message, "Uniqueid")
    return ReportReceived(at, channel) if channel is not None else None


def _rtcp_sent(message: Message, at: SteadyMs) -> Signal | None:
    """Without a report block nothing has come yet. The number has 16 bits; how often it went round stands beside it."""
    number, rounds = message.get("Report0HighestSequence"), message.get("Report0SequenceNumberCycles")
    channel = optional_channel(message, "Uniqueid")
    if channel is None or number is None or rounds is None:
        return None
    if not all(text.isascii() and text.isdigit() and len(text) <= _MOST_DIGITS for text in (number, rounds)):
        return None
    return ReportSent(at, channel, int(number) + 65_536 * int(rounds))


SIGNAL_TABLE: Mapping[bytes, Builder] = {
    b"Newchannel": _new_channel,
    b"Newstate": _new_state,
    b"NewCallerid": _new_caller_id,
    b"LocalBridge": _local_bridge,
    b"DialBegin": _dial_begin,
    b"DialState": _dial_state,
    b"DialEnd": _dial_end,
    b"BridgeEnter": _bridge_enter,
    b"BridgeLeave": _bridge_leave,
    b"QueueCallerJoin": _queue_join,
    b"QueueCallerLeave": _queue_leave,
    b"Hold": _hold,
    b"Unhold": _unhold,
    # SoftHangupRequest is Asterisk's own wish and says nothing of who hung up.
    b"HangupRequest": _hangup_request,
    b"Hangup": _hangup,
    b"AttendedTransfer": _attended_transfer,
    b"BlindTransfer": _blind_transfer,
    b"Pickup": _pickup,
    b"QueueMemberPause": _member_pause,
    b"ContactStatus": _contact_status,
    b"RTCPReceived": _rtcp_received,
    b"RTCPSent": _rtcp_sent,
}

BY_ARRIVAL = frozenset({_contact_status, _rtcp_received, _rtcp_sent})
"""Signs of life are timed by our own steady clock: how long ago they came is compared with now."""
