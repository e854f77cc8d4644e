"""The short form of the fault table (docs/faults.md): nothing lost, doubled or wrong, whatever goes wrong around us."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import pytest

from tests.faults import fault_desks, fault_living, fault_outage, fault_rate, short
from tests.faults.trial import Trial

SHORT = {
    "every fault once": short.trial,
    "an outage and kills beside a PBX with a CDR": partial(fault_outage.both, seconds=6.0, kills=2),
    "a restart beside many calls": partial(fault_living.trial, living=150),
    "all desks come back at once": partial(fault_desks.trial, desks=20),
    "many answered calls a second": partial(fault_rate.trial, rate=40.0, seconds=3.0),
}


@pytest.mark.parametrize("trial", SHORT.values(), ids=SHORT)
async def test_nothing_is_lost_doubled_or_wrong_whatever_goes_wrong_around_it(tmp_path: Path, trial: Trial) -> None:
    tally = await trial(tmp_path, 1)
    assert tally.clean, tally
    assert tally.effects > tally.calls > 0
