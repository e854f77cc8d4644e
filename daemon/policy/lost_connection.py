"""When a call whose connection is lost is hung up, and who is told that it is lost, heard again, or hung up."""

from __future__ import annotations

from daemon.call.events import CallEnded, CallEvent, ConnectionLost, ConnectionRestored, ConnectionStillLost
from daemon.call.model import Call, HangupReason
from daemon.call.signals import UnixMs
from daemon.policy.call_settings import Rulebook
from daemon.policy.decision import AnnounceCall, Connection, Decision, EventType, HangUpCall, Reason


def decide(event: CallEvent, rules: Rulebook, now: UnixMs) -> list[Decision]:  # noqa: ARG001 - a policy's signature
    """Hang up what is still lost after the seconds that the settings say *now*; 0 is never.

    It is asked again at every look, so a changed setting acts on running calls. A call counts as hung up only once it
    has ended so: the PBX may have refused.
    """
    match event:
        case ConnectionLost(call=call):
            return [_tell(call, Connection.LOST, f"{event.at}"), *_hang_up(call, rules, event.lasting)]
        case ConnectionStillLost(call=call):
            return _hang_up(call, rules, event.lasting)
        case ConnectionRestored(call=call):
            return [_tell(call, Connection.RESTORED, f"{event.at}")]
        case CallEnded(call=call) if call.hangup_reason is HangupReason.CONNECTION_LOST:
            return [_tell(call, Connection.HUNG_UP, "")]
        case _:
            return []


def _hang_up(call: Call, rules: Rulebook, lasting_ms: int) -> list[Decision]:
    """As long as it lasted when it was looked at: neither a slow queue nor a clock that is set adds to it."""
    seconds = rules.settings.disconnect_timeout_seconds
    assert call.lost is not None
    if seconds == 0 or lasting_ms < 1000 * seconds:
        return []
    return [HangUpCall(call, call.lost.channel, Reason.CONNECTION_LOST)]


def _tell(call: Call, connection: Connection, about: str) -> AnnounceCall:
    kind = EventType.CALL_CONNECTION_LOST
    return AnnounceCall(kind, call, call.user_id, f"{connection.value}:{about}", Reason.SUBSCRIBED, connection)
