"""The fault table: what is done to an installation, in a short form and in the long one of `make faults`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from tests.faults import (
    fault_ami,
    fault_asterisk,
    fault_asterisk_outage,
    fault_desks,
    fault_kill,
    fault_living,
    fault_machine,
    fault_outage,
    fault_rate,
    fault_store,
    fault_targets,
)
from tests.faults.stream import Stream
from tests.faults.trial import Trial


@dataclass(frozen=True, slots=True)
class Row:
    """`did` says what one long trial does, `seeds` are the trials. `short` None: other tests are its short form."""

    name: str
    title: str
    did: str
    short: Trial | None
    long: Trial
    seeds: Sequence[int] = (1,)


_LONG_CALLS = Stream(per_second=1.2, faster=0.2)
_SHORT_CALLS = Stream(per_second=2.0, faster=0.8)
_AN_HOUR = 3600.0
_FIVE_HUNDRED = Stream(per_second=520 / _AN_HOUR, faster=0.2, customers=120)

ROWS = (
    Row(
        "kill",
        "kill -9 of the daemon at random moments",
        "10 kills in one stream of calls of 25 to 40 s, up to 2.5 s after the daemon follows again",
        partial(fault_kill.trial, kills=2, stream=_SHORT_CALLS),
        partial(fault_kill.trial, kills=10, stream=_LONG_CALLS),
        range(1, 21),
    ),
    Row(
        "kill-cdr",
        "kill -9 of the daemon at random moments, beside a PBX with a CDR",
        "10 kills in one stream of calls of 5 to 10 s, up to 2.5 s after the daemon follows again; nothing is excused",
        partial(fault_outage.kills, kills=2, stream=_SHORT_CALLS),
        partial(fault_outage.kills, kills=10, stream=_SHORT_CALLS),
        range(1, 6),
    ),
    Row(
        "outage",
        "the daemon away for an hour with 500 calls in it, beside a PBX with a CDR",
        "kill -9, an hour of calls of 25 to 40 s, start; calls are on the line at both moments; nothing is excused",
        partial(fault_outage.trial, seconds=8.0, stream=_SHORT_CALLS),
        partial(fault_outage.trial, seconds=_AN_HOUR, stream=_FIVE_HUNDRED),
    ),
    Row(
        "asterisk-killed",
        "Asterisk killed (a real one)",
        "5 times kill -9, each with 15 calls before, 15 on the line, 15 after",
        None,
        partial(fault_asterisk.killed, times=5),
    ),
    Row(
        "asterisk-restarted",
        "Asterisk restarted (a real one)",
        "5 times, each with 15 calls before, 15 on the line, 15 after",
        None,
        partial(fault_asterisk.restarted, times=5),
    ),
    Row(
        "asterisk-frozen",
        "Asterisk frozen for 30 s (a real one)",
        "3 times SIGSTOP and SIGCONT, each with 15 calls before, 15 on the line, 15 after",
        None,
        partial(fault_asterisk.stopped, times=3, seconds=30.0),
    ),
    Row(
        "asterisk-outage",
        "the daemon away beside a real Asterisk, whose Master.csv is read",
        "5 times kill -9, each with 90 calls: before, on the line at the kill, in the gap (answered, and given up twice"
        " by each customer), on the line at the start; nothing is excused",
        None,
        partial(fault_asterisk_outage.trial, times=5),
    ),
    Row(
        "ami-cut",
        "AMI link cut",
        "20 cuts, half of them with connections refused for up to 2 s; calls of 25 to 40 s",
        partial(fault_ami.cut, times=2, stream=_SHORT_CALLS),
        partial(fault_ami.cut, times=20, stream=_LONG_CALLS),
    ),
    Row(
        "ami-half-open",
        "AMI link half open",
        "5 times: no byte passes any more, nobody is told; calls of 25 to 40 s",
        partial(fault_ami.half_open, times=1, stream=_SHORT_CALLS),
        partial(fault_ami.half_open, times=5, stream=_LONG_CALLS),
    ),
    Row(
        "ami-slow",
        "AMI link slow",
        "5 times 6 s in pieces of 400 bytes, 5 to 15 ms apart",
        partial(fault_ami.slow, times=1),
        partial(fault_ami.slow, times=5),
    ),
    Row(
        "ami-garbage",
        "garbage in the AMI stream",
        "40 insertions: half messages, forged events, bytes that are no text, 2 kB of every byte",
        partial(fault_ami.noise, times=6),
        partial(fault_ami.noise, times=40),
    ),
    Row(
        "disk-full",
        "disk full",
        "3 times 20 s without a free block",
        partial(fault_store.disk_full, times=1, seconds=2.0),
        partial(fault_store.disk_full, times=3, seconds=20.0),
    ),
    Row(
        "locked",
        "database locked",
        "20 s, by another connection's BEGIN EXCLUSIVE",
        partial(fault_store.locked, seconds=3.0),
        partial(fault_store.locked, seconds=20.0),
        (1, 2, 3),
    ),
    Row(
        "targets",
        "webhook targets down, slow, silent, resetting, answering 500, 410, a body without end or in drops; popups 500",
        "all at once for 30 s, beside a healthy one",
        partial(fault_targets.trial, seconds=2.0),
        partial(fault_targets.trial, seconds=30.0),
        (1, 2),
    ),
    Row(
        "dns",
        "no name can be looked up",
        "30 s, for the popup URL and a webhook",
        partial(fault_machine.no_names, seconds=2.0),
        partial(fault_machine.no_names, seconds=30.0),
        (1, 2),
    ),
    Row(
        "clock",
        "clock stepped an hour forward and back",
        "8 steps of ±1 h, of the daemon's clock alone and of the PBX's with it",
        partial(fault_machine.stepped_clock, times=1, seconds=1.5),
        partial(fault_machine.stepped_clock, times=2, seconds=8.0),
        (1, 2),
    ),
    Row(
        "rate",
        "300 answered calls a second for 5 minutes",
        "in pieces of 10 s, popups to one receiver",
        partial(fault_rate.trial, rate=50.0, seconds=4.0),
        partial(fault_rate.trial, rate=300.0, seconds=300.0),
    ),
    Row(
        "living",
        "10,000 live calls at a restart",
        "kill -9; 200 of them end in the gap, 200 after it, and new ones come",
        partial(fault_living.trial, living=200),
        partial(fault_living.trial, living=10_000),
    ),
    Row(
        "desks",
        "1,000 desks reconnecting at once",
        "kill -9 with a call at every desk, all come back at once, and each has another call",
        partial(fault_desks.trial, desks=20),
        partial(fault_desks.trial, desks=1_000),
    ),
)
