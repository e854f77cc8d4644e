"""What the web server needs from the rest of the daemon: `app` fills this in, the handlers know nothing else."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import date
from ipaddress import IPv4Network, IPv6Network
from typing import Protocol, TypeVar

from aiohttp import web

from daemon.acts import Acts, AgentStates
from daemon.call.signals import UnixMs
from daemon.diagnosis import Doctor
from daemon.pbx import Finding, Inventory, PbxState, Snippet
from daemon.policy.customer_lookup import Customer
from daemon.policy.summary import SummaryReason
from daemon.store.audit import By
from daemon.store.reader import Reader
from daemon.store.values import Delivery
from daemon.store.work import Work
from daemon.web.desk_now import Customers, Desks
from daemon.web.feed import EventFeed
from daemon.web.summary_text import SummaryText
from daemon.web.wall_now import Wall

T = TypeVar("T")


class Writes(Protocol):
    """The one writer: all of a piece of work is one transaction, on disk when this returns."""

    async def change(self, make_work: Callable[[], Work[T]]) -> T: ...


@dataclass(frozen=True, slots=True)
class Check:
    """One thing readiness depends on, as `store` or `pbx main`. The reason is shown to anybody: no secrets in it."""

    name: str
    ok: bool
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Target:
    """Where a test message goes. `secret` signs it; `method` is GET for the popup URL, else POST."""

    method: str
    url: str
    body: str
    secret: str

    def __repr__(self) -> str:
        return f"Target({self.method})"


@dataclass(frozen=True, slots=True)
class TargetAnswer:
    """What came of one attempt: a status code, or an error in words; `answer` is the beginning of the body."""

    status_code: int | None
    latency_ms: int
    error: str | None
    answer: str | None

    def as_json(self) -> dict[str, object]:
        return {
            "status_code": self.status_code,
            "latency_ms": self.latency_ms,
            "error": self.error,
            "answer": self.answer,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class LookUpAnswer:
    """What came of asking who a customer is. `reason` is why nothing of use did, `error` that in the system's words."""

    customer: Customer | None
    status_code: int | None
    latency_ms: int
    reason: str | None
    error: str | None


@dataclass(frozen=True, slots=True)
class PageHead:
    """What a page's server said before the page itself; `url` is where redirects led."""

    url: str
    headers: Sequence[tuple[str, str]]


class Pbxs(Protocol):
    """The configured PBXs. None for a name that is none of theirs; no method raises because a PBX is down."""

    def states(self) -> Sequence[PbxState]: ...

    def state(self, name: str) -> PbxState | None: ...

    async def inventories(self, known: Collection[str], *, again: bool = False) -> Sequence[Inventory]:
        """What each PBX has, at most some seconds old; `known` endpoints belong to agents.

        What a PBX did not tell is asked again after a minute, or at once with `again`.
        """

    async def snippets(self, name: str) -> Sequence[Snippet] | None:
        """What to paste into its files."""

    async def check(self, name: str) -> Sequence[Finding] | None:
        """Test on the live link that what was pasted works."""


@dataclass(frozen=True, slots=True)
class SummaryOutcome:
    """What came of sending a summary, or of checking an address. `said` is the service's word, without secrets."""

    ok: bool
    reason: SummaryReason | None
    said: str | None
    latency_ms: int


class Summaries(Protocol):
    """The daily summary. Nothing is raised because a service is down."""

    @property
    def installed(self) -> bool:
        """Whether the program is there that sends."""

    @property
    def how_to_install(self) -> str: ...

    async def check(self, url: str) -> SummaryOutcome:
        """Whether this address is understood; nothing is sent."""

    async def try_out(self, target_id: str) -> SummaryOutcome | None:
        """Sends yesterday's summary now, within seconds, and notes nothing. None: there is no such target."""

    async def text(self, day: date, language: str) -> SummaryText: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """Everything the handlers may use.

    `rules_changed` is awaited after settings, agents, queues, hotlines or webhooks were committed and before the
    request is answered; it returns within seconds, also where putting them in force takes longer. `announced` hands
    deliveries that a web request committed to the engine. `replay` makes one delivery pending again (False: there
    is none), `replay_failed` all failed ones of a webhook, and tells how many; both note who asked. `try_target`
    sends one message now and keeps nothing, `try_lookup` asks a URL who a customer is and keeps nothing either.
    `refuse_target` says why a URL may not be a target. `page_head` asks a site for a page, shortly, and reads the
    headers only (None: no answer, or none may be asked for). `public_url` is how people reach the server (None: as they
    asked), `phone_url` how phones do (None: as people); only what `trusted_proxies` say in X-Forwarded-For is believed.
    `metrics` is the text of `/metrics`, open to `metrics_from` without a token.
    """

    writes: Writes
    reads: Reader
    feed: EventFeed
    clock: Callable[[], UnixMs]
    rules_changed: Callable[[], Awaitable[None]]
    readiness: Callable[[], Awaitable[Sequence[Check]]]
    announced: Callable[[Sequence[Delivery]], None]
    replay: Callable[[str, By], Awaitable[bool]]
    replay_failed: Callable[[str, By], Awaitable[int]]
    try_target: Callable[[Target], Awaitable[TargetAnswer]]
    try_lookup: Callable[[str], Awaitable[LookUpAnswer]]
    refuse_target: Callable[[str], str | None]
    page_head: Callable[[str], Awaitable[PageHead | None]]
    pbxs: Pbxs
    doctor: Doctor
    acts: Acts
    states: AgentStates
    desks: Desks
    wall: Wall
    customers: Customers
    summaries: Summaries
    metrics: Callable[[], Awaitable[bytes]]
    public_url: str | None = None
    phone_url: str | None = None
    trusted_proxies: Sequence[IPv4Network | IPv6Network] = ()
    metrics_from: Sequence[IPv4Network | IPv6Network] = ()


SERVICES = web.AppKey("services", Services)


def services(request: web.Request) -> Services:
    return request.app[SERVICES]
