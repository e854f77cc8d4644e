"""Where a PBX's manager interface is and how long anything there may take. Values only."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

READ_CLASSES = "call,agent,reporting,system"
"""What a session asks for at login; without it a user who may read all would send us every VarSet.

`reporting` brings what phones report on their media (RTCP), `system` whether they still answer (ContactStatus). A user
who may not read these is told the rest.
"""


@dataclass(frozen=True, slots=True)
class AmiTimings:
    """Seconds."""

    connect: float = 10.0
    login: float = 10.0
    challenge: float = 3.0
    action: float = 10.0
    ping_every: float = 5.0
    ping_answer: float = 10.0
    snapshot: float = 60.0
    retry_first: float = 0.5
    retry_most: float = 30.0
    refused_first: float = 5.0
    refused_most: float = 60.0
    margin: float = 15.0
    """So much later than these times it may show life: a machine that is busy is not one that hangs."""
    stable_after: float = 10.0
    """A connection that lived as long as this is forgiven its failures before."""


@dataclass(frozen=True, slots=True)
class AmiConfig:
    """One PBX of the configuration."""

    name: str
    username: str
    secret: str = field(repr=False)
    host: str = "127.0.0.1"
    port: int = 5038
    tls: bool = False
    tls_verify: bool = True
    ca_file: Path | None = None
    events: str = READ_CLASSES
    timings: AmiTimings = AmiTimings()
