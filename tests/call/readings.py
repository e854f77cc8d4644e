"""Where the contract reads a situation otherwise than the people who played it, and why; all else is as noted."""

from __future__ import annotations

from typing import Any

_REFUSED = "the customer's own phone refused, so the customer ended it"
_UNSEEN = "the link was down when it ended: nobody can say who hung up"
_FORGED = "the PBX took the caller's line breaks for its own; what stands before the first is the number"

READINGS: dict[str, list[tuple[int, str, dict[str, Any]]]] = {
    "out_busy": [(0, _REFUSED, {"ended_by": "customer"})],
    "out_declined": [(0, _REFUSED, {"ended_by": "customer"})],
    "click_to_call_customer_busy": [(0, _REFUSED, {"ended_by": "customer"})],
    "click_to_call_agent_unregistered": [(0, "the PBX made no channel: there is nothing to follow", {"skip": True})],
    "asterisk_killed_mid_call": [(0, _UNSEEN, {"ended_by": None})],
    "reconnect_mid_calls": [
        (0, _UNSEEN, {"ended_by": None}),
        (2, "answered while the link was down: the moment is known to the reconnect only", {"answered_at": []}),
    ],
    "in_number_encoded_newline": [(0, _FORGED, {"customer": "0900"})],
    "in_number_forged_header": [(0, _FORGED, {"customer": "0900"})],
    "in_number_forged_event": [(0, _FORGED, {"customer": "0900"})],
    "transfer_attended_feature_code_target_leaves": [
        (1, "a consultation by feature code belongs to the customer's call from its first moment", {"skip": True})
    ],
}

OUTSIDE_CONSULTED: dict[str, Any] = {
    "direction": "outgoing",
    "customer": "0987654321",
    "hotline": "1900",
    "queue": None,
    "agents": ["1001"],
    "outcome": "answered",
    "ended_by": None,
}

ADDED: dict[str, list[dict[str, Any]]] = {
    # An agent called an outside number and it answered: an outgoing call, whatever it was for.
    "transfer_attended_to_outside": [OUTSIDE_CONSULTED],
}


def as_the_contract_reads(scenario: str, calls: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The calls of a recording in the contract's words."""
    read = [dict(call) for call in calls]
    for index, _reason, changes in READINGS.get(scenario, []):
        read[index] |= changes
    return [call for call in read if not call.get("skip")] + ADDED.get(scenario, [])
