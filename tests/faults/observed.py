"""What the daemon did, read where it ends up: the rows of its store and the requests that reached the receiver."""

from __future__ import annotations

import json
import sqlite3
from collections import Counter, defaultdict
from collections.abc import Iterable
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import parse_qs

from tests.delivery.receiver import Request

POPUP = "popup"
Key = tuple[str, str, str]
"""Kind of message, what it is about (call or ticket), and for whom of them (agent or call); each is due once."""
Arrivals = dict[str, dict[Key, Counter[str]]]
"""For each path the messages that came: how often under which webhook-id."""


@dataclass(frozen=True, slots=True)
class StoredCall:
    direction: str
    outcome: str | None
    customer: str | None
    hotline: str | None
    queue: str | None
    users: tuple[str, ...]
    state: str


@dataclass(frozen=True, slots=True)
class StoredTicket:
    kind: str
    missed_count: int


@dataclass(slots=True)
class Observed:
    calls: dict[str, StoredCall] = field(default_factory=dict)
    tickets: dict[int, StoredTicket] = field(default_factory=dict)
    ticket_of: dict[str, int] = field(default_factory=dict)
    popups: Counter[tuple[str, str]] = field(default_factory=Counter)
    """Rows of the outbox by call and agent; one each is right."""
    arrivals: Arrivals = field(default_factory=dict)


def observe(store: Path, requests: Iterable[Request]) -> Observed:
    found = Observed(arrivals=arrivals_of(requests))
    with closing(sqlite3.connect(f"file:{store}?mode=ro", uri=True)) as db:
        columns = "call_id, direction, outcome, customer_number, hotline, queue, user_ids, state"
        for row in db.execute(f"SELECT {columns} FROM calls"):  # noqa: S608 - our own names
            direction, outcome, customer, hotline, queue, users, state = row[1:]
            users = tuple(json.loads(users))
            found.calls[row[0]] = StoredCall(direction, outcome, customer, hotline, queue, users, state)
        for ticket_id, kind, missed in db.execute("SELECT ticket_id, kind, missed_count FROM tickets"):
            found.tickets[ticket_id] = StoredTicket(kind, missed)
        found.ticket_of = dict(db.execute("SELECT call_id, ticket_id FROM ticket_calls"))
        rows = db.execute("SELECT call_id, user_id FROM deliveries WHERE event_type = 'popup'")
        found.popups = Counter((call_id, user_id) for call_id, user_id in rows)
    return found


def waiting(store: Path) -> tuple[int, int]:
    """How many calls live and how many deliveries to enabled webhooks wait, by the store."""
    with closing(sqlite3.connect(f"file:{store}?mode=ro", uri=True)) as db:
        (living,) = db.execute("SELECT count(*) FROM calls WHERE state <> 'ended'").fetchone()
        off = "SELECT webhook_id FROM webhooks WHERE NOT enabled"
        pending = "SELECT count(*) FROM deliveries WHERE status = 'pending' AND webhook_id NOT IN"
        (left,) = db.execute(f"{pending} ({off})").fetchone()
        return living, left


def unread(store: Path) -> bool:
    """Whether the records of some outage are still to be read, by the store."""
    with closing(sqlite3.connect(f"file:{store}?mode=ro", uri=True)) as db:
        return bool(db.execute("SELECT 1 FROM settings WHERE key LIKE 'unheard_since:%'").fetchone())


def outbox_of(store: Path, webhook_id: str) -> list[str]:
    with closing(sqlite3.connect(f"file:{store}?mode=ro", uri=True)) as db:
        rows = db.execute("SELECT delivery_id FROM deliveries WHERE webhook_id = ?", (webhook_id,))
        return [delivery_id for (delivery_id,) in rows]


def arrivals_of(requests: Iterable[Request]) -> Arrivals:
    found: Arrivals = defaultdict(lambda: defaultdict(Counter))
    for request in requests:
        found[request.path][_key(request)][request.webhook_id] += 1
    return found


def _key(request: Request) -> Key:
    if request.method == "GET":
        query = parse_qs(request.query)
        return POPUP, query["callId"][0], query["userId"][0]
    event = json.loads(request.body)
    kind, data = str(event["type"]), event["data"]
    match kind.partition(".")[0]:
        case "ticket":
            return kind, str(data["ticket_id"]), data["call_ids"][-1] if kind == "ticket.merged" else ""
        case _:
            return kind, data["call_id"], data.get("ringing_user_id") or ""
