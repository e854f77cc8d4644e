"""What is old goes, each kind after its own time; what is still needed stays, and nothing refers to what is gone."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import AsyncIterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from daemon.call.signals import UnixMs
from daemon.policy.agent_period import Doing, Seen
from daemon.policy.call_settings import CallSettings
from daemon.retention import clean, next_night
from daemon.store.agent_periods import note_seen
from daemon.store.audit import By
from daemon.store.check import check_database
from daemon.store.retention import Keeping, Period, count_old, delete_old, find_old, periods
from daemon.store.settings import change_settings, read_settings
from daemon.store.store import Store
from daemon.store.ticket_changes import change_ticket
from tests.store.made import NOON, add_webhook, answered_call, missed_call, ringing, unit

DAY = 86_400_000
WEEK_LATER = UnixMs(NOON + 7 * DAY)
RULE = By("rule:retention", WEEK_LATER)
ALL = tuple(f"retention_days_{kind}" for kind in Keeping)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "callwarden.db"


@pytest.fixture
async def store(path: Path) -> AsyncIterator[Store]:
    """An answered call (ticket 1), two missed ones in a ticket (2), another (3), and one that rings."""
    store = await Store.open(f"sqlite:///{path}")
    await store.writer.change(add_webhook())
    units = [*answered_call(1), *missed_call(2), *missed_call(3), *missed_call(4, "another"), unit(ringing(5))]
    for one in units:
        await store.writer.submit(one)
    await store.writer.drain()
    yield store
    await store.close()
    assert check_database(str(path)).findings() == ()


async def keep(store: Store, *names: str, days: int = 1) -> None:
    await store.writer.change(lambda: change_settings(dict.fromkeys(names, days), "mai", NOON))


async def close(store: Store, *ticket_ids: int, at: int = NOON) -> None:
    for ticket_id in ticket_ids:
        values = {"status": "closed", "note": f"note {ticket_id}"}
        await store.writer.change(lambda i=ticket_id, v=values: change_ticket(i, v, By("mai", UnixMs(at))))  # type: ignore[misc]


async def deliver(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("UPDATE deliveries SET status = 'delivered'")
        connection.commit()


def ids(path: Path, query: str) -> list[object]:
    with closing(sqlite3.connect(path)) as connection:
        return [row[0] for row in connection.execute(query)]


def calls_of(path: Path) -> list[str]:
    return [str(one).partition(".")[2] for one in ids(path, "SELECT call_id FROM calls ORDER BY started_at")]


async def test_what_agents_did_goes_with_the_calls_and_what_goes_on_stays(store: Store, path: Path) -> None:
    seen = [
        ("an", Seen(at=NOON, what=Doing.PAUSED, reason="lunch")),
        ("an", Seen(at=UnixMs(NOON + DAY), what=Doing.AVAILABLE)),
    ]
    await store.writer.change(lambda: note_seen(seen))
    await clean(store, RULE)
    assert len(ids(path, "SELECT began_at FROM agent_periods")) == 2
    await keep(store, "retention_days_calls")
    await clean(store, RULE)
    assert ids(path, "SELECT doing FROM agent_periods") == ["available"]


async def test_by_default_everything_is_kept_for_ever(store: Store, path: Path) -> None:
    await close(store, 1, 2, 3)
    assert periods(CallSettings(), WEEK_LATER) == []
    assert await clean(store, RULE) == {}
    assert calls_of(path) == ["1", "2", "3", "4", "5"]


async def test_old_calls_go_but_not_those_of_open_tickets_nor_the_living(store: Store, path: Path) -> None:
    await close(store, 1, 2)
    await keep(store, "retention_days_calls")
    assert len(ids(path, "SELECT 1 FROM call_agents WHERE call_id IN (SELECT call_id FROM screen_pops)")) > 0
    assert await clean(store, RULE, 0) == {Keeping.CALLS: 3}
    assert calls_of(path) == ["4", "5"]
    assert ids(path, "SELECT ticket_id FROM tickets") == [1, 2, 3]
    for table in ("screen_pops", "call_moments", "call_agents"):
        left = f"SELECT count(*) FROM {table} WHERE call_id NOT IN (SELECT call_id FROM calls)"  # noqa: S608
        assert ids(path, left) == [0], table
    (entry,) = ids(path, "SELECT new FROM audit_log WHERE action = 'retention.run' AND by = 'rule:retention'")
    assert entry == '{"calls": 3}'
    assert await clean(store, RULE, 0) == {Keeping.CALLS: 0}
    assert ids(path, "SELECT count(*) FROM audit_log WHERE action = 'retention.run'") == [1]


async def test_only_tickets_closed_long_enough_go_and_numbers_are_never_given_again(store: Store, path: Path) -> None:
    await close(store, 1, 3)
    await close(store, 2, at=WEEK_LATER - DAY // 2)
    await keep(store, "retention_days_tickets")
    assert await clean(store, RULE, 0) == {Keeping.TICKETS: 1}
    assert ids(path, "SELECT ticket_id FROM tickets ORDER BY 1") == [2, 3]  # 3 is the last one: the next must be 4
    assert calls_of(path) == ["1", "2", "3", "4", "5"]
    assert ids(path, "SELECT DISTINCT ticket_id FROM ticket_events ORDER BY 1") == [2, 3]


async def test_notes_of_closed_tickets_go_with_their_history(store: Store, path: Path) -> None:
    await close(store, 1)
    await store.writer.change(lambda: change_ticket(2, {"note": "open"}, By("mai", NOON)))
    await keep(store, "retention_days_notes")
    assert await clean(store, RULE, 0) == {Keeping.NOTES: 1}
    assert ids(path, "SELECT note FROM tickets ORDER BY ticket_id") == ["", "open", ""]
    assert ids(path, "SELECT ticket_id FROM ticket_events WHERE what = 'note'") == [2]
    assert ids(path, "SELECT what FROM ticket_events WHERE ticket_id = 1") == ["status"]
    assert await clean(store, RULE, 0) == {Keeping.NOTES: 0}


async def test_deliveries_go_when_they_are_done_and_what_waits_stays(store: Store, path: Path) -> None:
    await keep(store, "retention_days_deliveries")
    assert await clean(store, RULE, 0) == {Keeping.DELIVERIES: 0}
    await deliver(path)
    count = len(ids(path, "SELECT 1 FROM deliveries"))
    assert await clean(store, RULE, 0) == {Keeping.DELIVERIES: count}


async def test_a_dry_run_counts_what_then_goes(store: Store, path: Path) -> None:
    await close(store, 1, 2, 3)
    await deliver(path)
    await keep(store, *ALL, days=2)
    wanted = periods((await read_settings(store.reader)).settings, WEEK_LATER)
    counted = {period.kind: await count_old(store.reader, period) for period in wanted}
    assert all(counted.values())
    assert await clean(store, RULE, 0) == counted | {Keeping.NOTES: 3, Keeping.TICKETS: 2}


async def test_a_ticket_opened_again_between_look_and_deletion_stays(store: Store, path: Path) -> None:
    await close(store, 1, 2, 3)
    tickets, calls = Period(Keeping.TICKETS, 1, WEEK_LATER), Period(Keeping.CALLS, 1, WEEK_LATER)
    found = {period: await find_old(store.reader, period) for period in (tickets, calls)}
    await store.writer.change(lambda: change_ticket(2, {"status": "open"}, By("mai", NOON)))
    assert await store.writer.change(lambda: delete_old(calls, found[calls])) == 2
    assert await store.writer.change(lambda: delete_old(tickets, found[tickets])) == 1
    assert calls_of(path) == ["2", "3", "5"]
    assert ids(path, "SELECT ticket_id FROM tickets ORDER BY 1") == [2, 3]


async def test_no_call_waits_long_for_the_cleaning(store: Store, path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        columns = [row[1] for row in connection.execute("PRAGMA table_info(calls)") if row[1] != "call_id"]
        kept = ", ".join(columns)
        numbers = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000)"
        connection.execute(
            f"INSERT INTO calls (call_id, {kept}) {numbers} "  # noqa: S608 - our own columns
            f"SELECT 'old.' || i, {kept} FROM n, calls WHERE call_id LIKE '%.1'"
        )
        connection.commit()
    await keep(store, "retention_days_calls")
    slowest: list[float] = []
    store.writer.on_timing = slowest.append
    began = time.monotonic()
    assert (await clean(store, RULE, 0))[Keeping.CALLS] == 1000
    assert len(slowest) >= 10  # never all at once
    assert max(slowest) < 0.25, "usually 5 ms"
    assert time.monotonic() - began < 10


def test_the_night_begins_at_three_where_the_operator_lives() -> None:
    def at(text: str) -> UnixMs:
        return UnixMs(int(datetime.fromisoformat(text).timestamp() * 1000))

    assert next_night(at("2026-11-22T21:00+07:00"), "Asia/Ho_Chi_Minh") == at("2026-11-23T03:00+07:00")
    assert next_night(at("2026-11-22T03:00+07:00"), "Asia/Ho_Chi_Minh") == at("2026-11-23T03:00+07:00")
    assert next_night(at("2026-11-21T20:30+00:00"), "Asia/Ho_Chi_Minh") - at("2026-11-21T20:00+00:00") == DAY
    assert datetime.fromtimestamp(next_night(at("2026-03-28T12:00+01:00"), "Europe/Berlin") / 1000, UTC).hour == 1
