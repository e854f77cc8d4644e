"""While an agent asks a colleague by the PBX's own feature his customer waits apart: seen in real calls."""

from __future__ import annotations

from collections import Counter

import pytest

from daemon.call.signals import UnixMs
from tests.call.recorded import Recording, new_tracker, recordings

_SHORT_MS = 300  # between two bridges nobody hears anybody for a moment
_ASKS = "transfer_attended_feature_code"


def apart_ms(recording: Recording) -> Counter[str]:
    """How long each agent's customer waited apart from him."""
    tracker, last, total = new_tracker(recording), UnixMs(0), Counter[str]()
    for signal in recording.signals():
        for call in tracker.calls():
            for user_id in call.user_ids:
                found = tracker.parties(call.call_id, user_id)
                if found is not None and found.apart:
                    total[user_id] += max(0, signal.at - last)
        last = max(last, signal.at)
        tracker.feed(signal)
    return total


@pytest.mark.parametrize("recording", recordings(), ids=lambda recording: recording.name)
def test_a_customer_is_apart_from_his_agent_only_while_the_agent_asks_somebody(recording: Recording) -> None:
    waited = apart_ms(recording)
    if _ASKS in recording.name:
        assert max(waited.values()) > 3 * _SHORT_MS
    else:
        assert max(waited.values(), default=0) <= _SHORT_MS
