"""A call known before an outage, completed from its records."""

from __future__ import annotations

from dataclasses import replace

import pytest

from daemon.call.past_call import completed
from daemon.call.signals import UnixMs
from tests.store.made import ended, ringing


@pytest.mark.parametrize(("seen", "read", "kept"), [(7, None, 7), (7, 9, 7), (None, 9, 9), (None, None, None)])
def test_when_it_first_rang_is_kept(seen: UnixMs | None, read: UnixMs | None, kept: UnixMs | None) -> None:
    known, past = replace(ringing(1), rung_at=seen), replace(ended(ringing(1)), rung_at=read)
    assert completed(known, past).rung_at == kept
