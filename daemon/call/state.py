"""The two state tables. A pair that is not listed changes nothing and is counted as an oddity."""

from __future__ import annotations

from enum import Enum

from daemon.call.model import CallState
from daemon.call.signals import ChannelState

# A channel only ever goes forward; DIALING is the leg whose phone placed the call.
CHANNEL_STEPS: dict[tuple[ChannelState, ChannelState], ChannelState] = {
    (ChannelState.DOWN, ChannelState.RINGING): ChannelState.RINGING,
    (ChannelState.DOWN, ChannelState.UP): ChannelState.UP,
    (ChannelState.DIALING, ChannelState.RINGING): ChannelState.DIALING,  # Local ;2 halves report it
    (ChannelState.DIALING, ChannelState.UP): ChannelState.UP,
    (ChannelState.RINGING, ChannelState.RINGING): ChannelState.RINGING,
    (ChannelState.RINGING, ChannelState.UP): ChannelState.UP,
    (ChannelState.UP, ChannelState.UP): ChannelState.UP,
}


class Step(Enum):
    """What may happen to a call as a whole."""

    ANSWER = "answer"
    REACH_OUT = "reach_out"  # an internal call goes on to an outside party: nobody there has answered yet
    END = "end"


CALL_STEPS: dict[tuple[CallState, Step], CallState] = {
    (CallState.RINGING, Step.ANSWER): CallState.ANSWERED,
    (CallState.RINGING, Step.REACH_OUT): CallState.RINGING,
    (CallState.RINGING, Step.END): CallState.ENDED,
    (CallState.ANSWERED, Step.REACH_OUT): CallState.RINGING,
    (CallState.ANSWERED, Step.END): CallState.ENDED,
}
