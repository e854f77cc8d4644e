"""What a channel's name tells: `PJSIP/trunk-vn-0000001c` is an instance of the endpoint `PJSIP/trunk-vn`."""

from __future__ import annotations

from daemon.call.signals import ChannelKind, Endpoint

_HEX = frozenset("0123456789abcdefABCDEF")

_PSEUDO = frozenset({
    "Announcer",
    "AsyncGoto",
    "AudioSocket",
    "Bridge",
    "CBAnn",
    "CBRec",
    "ConfBridgeRecorder",
    "Message",
    "MulticastRTP",
    "OutgoingSpoolFailed",
    "Parked",
    "Recorder",
    "Snoop",
    "Surrogate",
    "UnicastRTP",
    "VoicemailAnn",
})  # fmt: skip
"""Technologies of channels that Asterisk makes for itself (grep of `ast_channel_alloc` in its sources)."""


def kind_of(name: str) -> ChannelKind:
    technology = name.partition("/")[0]
    if technology == "Local":
        return ChannelKind.LOCAL
    return ChannelKind.PSEUDO if technology in _PSEUDO else ChannelKind.DEVICE


def endpoint_of(name: str) -> Endpoint:
    """Return the name without its instance (`-0000001c`, `-1`) and without the half of a Local pair (`;1`)."""
    whole = name.partition(";")[0]
    head, _, instance = whole.rpartition("-")
    return Endpoint(head if head and instance and _HEX.issuperset(instance) else whole)


def pair_of(name: str) -> str | None:
    """Return what both halves of a Local pair share."""
    head, semicolon, half = name.rpartition(";")
    return head if semicolon and half in {"1", "2"} else None
