"""The real application on a real socket over a real SQLite file; what `app` would inject keeps a record here."""

from __future__ import annotations

import json
import logging
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Any

import pytest
import structlog
from aiohttp import DummyCookieJar
from aiohttp.test_utils import TestClient, TestServer
from aiohttp.web import Application, Request
from argon2 import PasswordHasher
from yarl import URL

from daemon.bus import Bus
from daemon.call.model import Call
from daemon.call.signals import UnixMs
from daemon.delivery.summary_sender import SummarySender
from daemon.delivery.target_guard import TargetGuard
from daemon.desk_board import DeskBoard
from daemon.errors import NeverAgain
from daemon.metrics import Metrics
from daemon.policy.call_settings import Rulebook
from daemon.policy.customer_lookup import Customer
from daemon.policy.decision import AnnounceCall, EventType, OpenTicket, Reason, TicketKind
from daemon.store import outbox, password
from daemon.store.accounts import Account, add_account
from daemon.store.audit import AuditFilter, By, audit_json, read_audit
from daemon.store.role import Role
from daemon.store.sessions import Opening, new_session_id, open_session
from daemon.store.store import Store
from daemon.store.tokens import add_token, new_token, token_id_of
from daemon.store.values import Delivery, Unit
from daemon.summaries import Summaries
from daemon.wall_agents import WallAgents
from daemon.wall_figures import WallFigures
from daemon.wallboard import Floor, Wallboard
from daemon.web.csrf import csrf_token
from daemon.web.feed import EventFeed
from daemon.web.server import build_app
from daemon.web.services import Check, LookUpAnswer, PageHead, Services, Target, TargetAnswer
from tests.database import database_in
from tests.factory import missed
from tests.web.acts import Acts, States
from tests.web.doctors import Doctor
from tests.web.pbxs import Pbxs

Client = TestClient[Request, Application]
NOW = UnixMs(1_795_340_000_000)
PASSWORD = "correct horse battery"
LAN = Customer(name="Nguyễn Thị Lan", link="https://crm.example.com/c/7", note="VIP")


@dataclass(frozen=True)
class Answer:
    status: int
    body: Any
    headers: Mapping[str, str]

    def fields(self) -> set[str]:
        """The fields a refusal names."""
        assert self.headers["Content-Type"].startswith("application/problem+json")
        return {error["field"] for error in self.body["errors"]}


@dataclass
class Customers:
    """Who the customers of calls are, by call id."""

    found: dict[str, Customer] = field(default_factory=dict)

    def known(self, _pbx: str, call_id: str) -> Customer | None:
        return self.found.get(call_id)


@dataclass
class House:
    """The daemon around the web server, and what the web server asked of it."""

    store: Store
    public_url: str | None = None
    trusted_proxies: Sequence[IPv4Network | IPv6Network] = ()
    metrics_from: Sequence[IPv4Network | IPv6Network] = ()
    client: Client = field(init=False)
    feed: EventFeed = field(default_factory=lambda: EventFeed(capacity=64, run="run1"))
    bus: Bus = field(default_factory=Bus)
    now: UnixMs = NOW
    rules_changes: int = 0
    announced: list[Delivery] = field(default_factory=list)
    targets: list[Target] = field(default_factory=list)
    lookups: list[str] = field(default_factory=list)
    customers: Customers = field(default_factory=Customers)
    asked_for: list[str] = field(default_factory=list)
    page_head: PageHead | None = None
    pbxs: Pbxs = field(default_factory=Pbxs)
    doctor: Doctor = field(init=False)
    acts: Acts = field(default_factory=Acts)
    states: States = field(default_factory=States)
    checks: list[Check] = field(default_factory=lambda: [Check("store", ok=True), Check("pbx main", ok=True)])
    tokens: dict[Role, str] = field(default_factory=dict)
    desks: DeskBoard = field(init=False)
    wall: Wallboard = field(init=False)
    living: list[Call] = field(default_factory=list)
    rules: Rulebook = field(default_factory=Rulebook)
    is_connected: bool = True
    summaries: Summaries = field(init=False)

    def __post_init__(self) -> None:
        self.desks = DeskBoard(self.bus)
        self.doctor = Doctor(self.store.reader)
        sender = SummarySender(TargetGuard())
        self.summaries = Summaries(lambda: self.store, sender, lambda: self.now, self.public_url)
        agents = WallAgents(self.desks, self.states)
        figures = WallFigures(lambda: self.store, agents.know)
        self.wall = Wallboard(
            self.bus, Floor(lambda: self, agents, figures, lambda: self.is_connected), lambda: self.now
        )

    def calls(self) -> list[Call]:
        return self.living

    def services(self) -> Services:
        return Services(
            writes=self.store.writer,
            reads=self.store.reader,
            feed=self.feed,
            desks=self.desks,
            wall=self.wall,
            customers=self.customers,
            summaries=self.summaries,
            clock=lambda: self.now,
            rules_changed=self._rules_changed,
            readiness=self._readiness,
            announced=self.announced.extend,
            replay=self._replay,
            replay_failed=self._replay_failed,
            try_target=self._try_target,
            try_lookup=self._try_lookup,
            refuse_target=_refusal,
            page_head=self._page_head,
            pbxs=self.pbxs,
            doctor=self.doctor,
            acts=self.acts,
            states=self.states,
            public_url=self.public_url,
            trusted_proxies=self.trusted_proxies,
            metrics=self._metrics,
            metrics_from=self.metrics_from,
        )

    def wait(self, ms: int) -> None:
        self.now = UnixMs(self.now + ms)

    async def add_account(self, name: str, role: Role = Role.AGENT, **values: Any) -> Account:
        """Its password is PASSWORD."""
        account = Account(name=name, role=role, created_at=self.now, **{"user_id": None, "language": "en", **values})
        password_hash = password.hash_password(PASSWORD)
        await self.store.writer.change(lambda: add_account(account, password_hash))
        return account

    async def open_session(self, name: str) -> dict[str, str]:
        """The headers of a browser in which this account is signed in."""
        opening = Opening(new_session_id(), "browser")
        await self.store.writer.change(lambda: open_session(name, opening, By(name, self.now, "192.0.2.1")))
        cookie = "__Host-callwarden" if (self.public_url or "").startswith("https") else "callwarden"
        return {"Cookie": f"{cookie}={opening.session_id}", "X-CSRF-Token": csrf_token(opening.session_id)}

    async def sign_in_as(self, role: Role) -> dict[str, str]:
        """A new account of this role, signed in."""
        await self.add_account(role.value, role)
        return await self.open_session(role.value)

    async def audit(self, **wanted: Any) -> list[dict[str, Any]]:
        """The entries, newest first."""
        rows = await read_audit(self.store.reader, AuditFilter(**wanted), 100, None)
        return [audit_json(row) for row in rows]

    def headers(self, role: Role | None = Role.ADMIN) -> dict[str, str]:
        return {} if role is None else {"Authorization": f"Bearer {self.tokens[role]}"}

    def named(self, role: Role = Role.ADMIN) -> str:
        """Who asks with the token of this role, as the audit log has it."""
        return f"token:{role.value} ({token_id_of(self.tokens[role])})"

    async def add_tokens(self) -> None:
        for role in Role:
            token = self.tokens[role] = new_token()
            await self.store.writer.change(lambda token=token, role=role: add_token(token, role, role.value, self.now))  # type: ignore[misc]

    async def ask(self, method: str, path: str, role: Role | None = Role.ADMIN, **options: Any) -> Answer:
        """One request. Every answer, whatever it says, is JSON, a page or empty, and carries the security headers."""
        headers = {**self.headers(role), **options.pop("headers", {})}
        url = URL(path, encoded=True)
        async with self.client.request(method, url, headers=headers, allow_redirects=False, **options) as response:
            text = await response.text(errors="replace")  # sound is no text
            assert response.headers["X-Content-Type-Options"] == "nosniff"
            assert "Traceback" not in text
            body = json.loads(text) if text and "json" in response.headers["Content-Type"] else text or None
            return Answer(response.status, body, response.headers)

    async def record(self, *units: Unit) -> None:
        for unit in units:
            await self.store.writer.submit(unit)
        await self.store.writer.drain()

    async def miss(self, number: int, **changes: Any) -> Call:
        """A missed call with a ticket of its own; each is a second later than the one before."""
        call = missed(f"1795332859.{number}", started_at=UnixMs(NOW + number * 1000), **changes)
        opened = OpenTicket(call, TicketKind.MISSED_INCOMING, f"t{number}", Reason.MISSED_NOT_MERGED_BY_MODE)
        ended = AnnounceCall(EventType.CALL_ENDED, call, None, "", Reason.SUBSCRIBED)
        await self.record(Unit(UnixMs(NOW + number), call, (opened, ended)))
        return call

    async def _metrics(self) -> bytes:
        return Metrics(lambda: self.now).text()

    async def _rules_changed(self) -> None:
        self.rules_changes += 1

    async def _readiness(self) -> Sequence[Check]:
        return self.checks

    async def _replay(self, delivery_id: str, by: By) -> bool:
        return await self.store.writer.change(lambda: outbox.replay_asked(delivery_id, by)) is not None

    async def _replay_failed(self, webhook_id: str, by: By) -> int:
        return await self.store.writer.change(lambda: outbox.replay_failed_asked(webhook_id, by))

    async def _page_head(self, url: str) -> PageHead | None:
        self.asked_for.append(url)
        return self.page_head

    async def _try_target(self, target: Target) -> TargetAnswer:
        self.targets.append(target)
        return TargetAnswer(204, 12, None, "")

    async def _try_lookup(self, url: str) -> LookUpAnswer:
        self.lookups.append(url)
        return LookUpAnswer(customer=LAN, status_code=200, latency_ms=12, reason=None, error=None)


def _refusal(url: str) -> str | None:
    try:
        TargetGuard().check_url(url)
    except NeverAgain as refused:
        return str(refused)
    return None


@pytest.fixture(autouse=True)
def _log_as_before() -> Iterator[None]:
    """Tests that configure the log leave no trace."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()


@pytest.fixture(autouse=True)
def _quick_passwords(monkeypatch: pytest.MonkeyPatch) -> None:
    """Real hashes, of the lowest cost."""
    monkeypatch.setattr(password, "hasher", PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))


@asynccontextmanager
async def open_house(folder: Path, **config: Any) -> AsyncIterator[House]:
    store = await Store.open(database_in(folder))
    house = House(store, **config)
    await house.add_tokens()
    server = TestServer(build_app(house.services()))
    await server.start_server(access_log=None)  # as start_web does
    client: Client = TestClient(server, cookie_jar=DummyCookieJar())
    async with client:
        house.client = client
        yield house
    await store.close()


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    async with open_house(tmp_path) as house:
        yield house


@pytest.fixture
async def https_house(tmp_path: Path) -> AsyncIterator[House]:
    """Behind a proxy that speaks TLS to the world."""
    networks = (ip_network("127.0.0.0/8"),)
    async with open_house(tmp_path, public_url="https://calls.example.com", trusted_proxies=networks) as house:
        yield house
