"""What agents had the PBX do, and how they are in its queues, as JSON."""

from __future__ import annotations

from daemon.acts import AgentState, CallOrder, Ordered
from daemon.call.rendering import iso_utc


def ordered_json(order: CallOrder, ordered: Ordered) -> dict[str, object]:
    return {
        "pbx": ordered.pbx,
        "call_id": ordered.call_id,
        "user_id": order.user_id,
        "endpoint": ordered.endpoint,
        "number": ordered.number,
        "hotline": order.hotline,
    }


def state_json(state: AgentState) -> dict[str, object]:
    return {
        "state": state.state.value,
        "reason": state.reason,
        "since": iso_utc(state.since),
        "until": iso_utc(state.until),
        "queues": list(state.queues),
    }
