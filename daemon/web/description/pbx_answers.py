"""The objects of the answers about PBXs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import Field

from daemon.web.description.answers import Time


@dataclass(frozen=True, slots=True, kw_only=True)
class CatchUp:
    """What was read afterwards of a span in which nobody followed the PBX's calls."""

    from_: Annotated[Time, Field(alias="from")]
    to: Time
    running: bool
    calls: Annotated[int, Field(description="Calls that were not known and now are.")]
    broken_rows: int
    error: Annotated[str | None, Field(description="Why it cannot be read; it is tried again.")]


@dataclass(frozen=True, slots=True, kw_only=True)
class Pbx:
    """One configured PBX."""

    name: str
    kind: Literal["asterisk", "freeswitch"]
    host: str
    port: int
    state: Literal["connecting", "refused", "connected", "lost"]
    connected_since: Time | None
    version: Annotated[str | None, Field(description="As the PBX's greeting says it.")]
    events_per_second: Annotated[float | None, Field(description="Over about the last ten seconds.")]
    events_per_second_minute: Annotated[float | None, Field(description="Over the last minute.")]
    last_error: Annotated[str | None, Field(description="In words; stays after the link is back.")]
    last_error_at: Time | None
    catch_up: Annotated[CatchUp | None, Field(description="null: no records are configured, or nothing was missed.")]
    counters: Annotated[dict[str, int], Field(description="Totals since the start of the daemon.")]


@dataclass(frozen=True, slots=True, kw_only=True)
class Stanza:
    """Text for one file of the PBX."""

    file: str
    purpose: str
    text: str
    reload: Annotated[str, Field(description="The command that puts it in force.")]


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One test."""

    name: str
    ok: Annotated[bool | None, Field(description="null: it cannot be told now, and `words` say why.")]
    words: str
    fix: Annotated[str | None, Field(description="What to do about it.")]


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundEndpoint:
    """A phone or trunk of a PBX."""

    pbx: str
    endpoint: str
    user_agent: str | None
    registered: bool | None
    trunk: Annotated[bool | None, Field(description="null: it cannot be told.")]
    agent: Annotated[str | None, Field(description="The user id whose phone it is.")]
    like_agent: Annotated[bool, Field(description="It behaves like an agent's phone and belongs to nobody.")]
    why: str | None
    suggested_user_id: str | None
    suggested_name: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundMember:
    """A member of a queue; `endpoint` is null where only a number or Local channel is known."""

    interface: str
    name: str
    endpoint: str | None
    agent: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundQueue:
    """A queue of a PBX; `configured`: an admin has set something for it."""

    pbx: str
    name: str
    members: tuple[FoundMember, ...]
    configured: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundHotline:
    """A company number of stored calls of the last 30 days."""

    number: str
    calls: int
    last_call_at: Time
    configured: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class DiscoveryProblem:
    """What could not be learned of a PBX."""

    pbx: str
    words: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Discovery:
    """What the PBXs have."""

    endpoints: tuple[FoundEndpoint, ...]
    queues: tuple[FoundQueue, ...]
    hotlines: tuple[FoundHotline, ...]
    problems: tuple[DiscoveryProblem, ...]
