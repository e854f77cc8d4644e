"""One customer's data: all of it is handed out, all of it can go, and the figures stay as they were."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path

import pytest

from daemon.call.signals import UnixMs
from daemon.customer_data import clean_disk, erase, export, find
from daemon.errors import ConfigError
from daemon.store.agents import Agent, put_agent
from daemon.store.audit import By, note
from daemon.store.check import check_database
from daemon.store.customer import DELIVERIES, OwnNumber, customer_of
from daemon.store.erasing import CustomerCalls
from daemon.store.store import Store
from daemon.store.ticket_changes import change_ticket
from tests.store.made import NOON, add_webhook, answered_call, ended, missed_call, missed_unit, ringing, unit

DIGITS = "901701234"
ADMIN = By("command:root", NOON)
OTHER = "+84902000111"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "callwarden.db"


@pytest.fixture
async def store(path: Path) -> AsyncIterator[Store]:
    """A customer with an answered and two missed calls, and another one whose note names him."""
    store = await Store.open(f"sqlite:///{path}")
    await store.writer.change(add_webhook())
    stranger = [missed_unit(ringing(9, customer=OTHER), f"m|{OTHER}")]
    for one in (*answered_call(1), *missed_call(2, f"m|+84{DIGITS}"), *missed_call(3, f"m|+84{DIGITS}"), *stranger):
        await store.writer.submit(one)
    await store.writer.drain()
    for ticket, text in ((1, f"gọi lại 0{DIGITS}, tên là Hoa"), (3, "ask 0901 701 234 about it; 84901701234567 stays")):
        await store.writer.change(lambda t=ticket, n=text: change_ticket(t, {"note": n}, ADMIN))  # type: ignore[misc]
    await store.writer.change(lambda: note(ADMIN, "x.change", f"x:0{DIGITS}", None, {"number": f"+84{DIGITS}"}))
    url = f"https://crm.example/?customerNumber=%2B84{DIGITS}"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("UPDATE screen_pops SET url = ?", (url,))
        connection.execute("UPDATE deliveries SET url = ? WHERE event_type = 'popup'", (url,))
        attempt = "INSERT INTO delivery_attempts SELECT delivery_id, 1, 1, 200, 5, NULL, 'hello Hoa' FROM deliveries"
        connection.execute(f"{attempt} WHERE call_id LIKE '%.1'")
        connection.execute("UPDATE deliveries SET status = 'delivered' WHERE event_type = 'call.ended'")
        connection.commit()
    yield store
    await store.close()


def dump(path: Path) -> str:
    with closing(sqlite3.connect(path)) as connection:
        return "\n".join(connection.iterdump())


def rows(path: Path, query: str) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute(query).fetchall()


STATISTICS = (
    "SELECT direction, outcome, queue, hotline, user_id, started_at, answered_at, ended_at FROM calls ORDER BY call_id",
    "SELECT kind, status, missed_count, opened_at, waiting_since FROM tickets ORDER BY ticket_id",
    "SELECT * FROM ticket_calls ORDER BY call_id",
    "SELECT delivery_id, effect_key, event_type, created_at FROM deliveries ORDER BY delivery_id",
)


async def test_everything_that_is_kept_of_a_customer_is_exported_in_any_form_of_his_number(store: Store) -> None:
    told = [export(*await find(store, typed), ADMIN) for typed in ("0901 701 234", "+84 901-701-234", "84901701234")]
    assert told[0] == told[1] == told[2]
    one = json.loads(json.dumps(told[0]))
    assert one["customer_number"] == f"+84{DIGITS}"
    assert [call["call_id"].partition(".")[2] for call in one["calls"]] == ["1", "2", "3"]
    assert [ticket["ticket_id"] for ticket in one["tickets"]] == [1, 2]
    assert {delivery["event_type"] for delivery in one["deliveries"]} >= {"popup", "call.missed", "ticket.merged"}
    assert one["delivery_attempts"][0]["answer"] == "hello Hoa"
    assert set(one["mentions"]) == {"tickets", "ticket_events", "audit_log"}
    assert one["calls"][0]["started_at"].endswith("Z")


async def test_an_erased_customer_is_nowhere_and_what_happened_is_still_counted(store: Store, path: Path) -> None:
    before = [rows(path, query) for query in STATISTICS]
    customer, found = await find(store, f"0{DIGITS}")
    assert await erase(store, customer, found, ADMIN) > 0
    assert [rows(path, query) for query in STATISTICS] == before
    text = dump(path)
    assert not customer.pattern.search(text)
    assert "Hoa" not in text
    assert "84901701234567 stays" in text  # another, longer number
    assert OTHER in text
    assert rows(path, "SELECT DISTINCT status FROM deliveries WHERE call_id LIKE '%.1'") == [
        ("delivered",),
        ("expired",),
    ]
    assert all(json.loads(str(body or "{}")) is not None for (body,) in rows(path, "SELECT body FROM deliveries"))
    (entry,) = rows(path, "SELECT by, object, new FROM audit_log WHERE action = 'customer.erase'")
    assert entry[:2] == ("command:root", "customer")
    assert json.loads(str(entry[2]))["calls"] == 3
    assert check_database(str(path)).sound
    assert (await find(store, f"0{DIGITS}"))[1].nothing
    assert await erase(store, customer, (await find(store, f"0{DIGITS}"))[1], ADMIN) == 0
    assert len(rows(path, "SELECT 1 FROM audit_log WHERE action = 'customer.erase'")) == 1


async def test_what_outlived_its_call_and_ticket_is_still_the_customers(store: Store, path: Path) -> None:
    """A message that names him as its customer, and one about what is cleaned away; another's stays his own."""
    about = '{"data":{"ticket":{"customer_number":"%s","customer_name":"Hoa","note":"ask %s, Hoa is ill"}}}'
    bodies = {"call.missed": about % (f"+84{DIGITS}", ""), "call.ended": f'{{"note":"Hoa, 0{DIGITS}"}}'}
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript("DELETE FROM ticket_calls; DELETE FROM ticket_events; DELETE FROM tickets")
        connection.executescript("DELETE FROM call_agents; DELETE FROM call_moments; DELETE FROM calls")
        connection.execute("DELETE FROM screen_pops")
        for event, body in bodies.items():
            connection.execute("UPDATE deliveries SET body = ? WHERE event_type = ?", (body, event))
        others = (about.replace("Hoa", "Mai") % (OTHER, f"0{DIGITS}"),)
        connection.execute("UPDATE deliveries SET body = ?, status = 'pending' WHERE call_id LIKE '%.9'", others)
        connection.commit()
    await erase(store, *await find(store, f"0{DIGITS}"), ADMIN)
    text = dump(path)
    assert DIGITS not in text
    assert "Hoa" not in text
    assert "ask erased, Mai is ill" in text
    assert rows(path, "SELECT DISTINCT status FROM deliveries WHERE call_id LIKE '%.9'") == [("pending",)]
    assert rows(path, "SELECT count(*) FROM deliveries WHERE status = 'pending' AND call_id NOT LIKE '%.9'") == [(0,)]
    assert (await find(store, f"0{DIGITS}"))[1].nothing


async def test_a_message_names_a_customer_whose_number_is_a_word_too(store: Store, path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("UPDATE deliveries SET body = replace(body, ?, 'hoa')", (OTHER,))
        connection.commit()
    _, found = await find(store, "hoa")
    assert {row["call_id"].partition(".")[2] for row in found.own[DELIVERIES]} == {"9"}


async def test_the_bytes_of_the_number_are_gone_from_the_file_and_its_log(store: Store, path: Path) -> None:
    customer, found = await find(store, f"0{DIGITS}")
    await store.writer.change(lambda: change_ticket(3, {"note": "nothing"}, ADMIN))  # it held a longer number
    customer, found = await find(store, f"0{DIGITS}")
    await erase(store, customer, found, ADMIN)
    await store.close()
    assert clean_disk(str(path), customer).compacted
    everything = b"".join(file.read_bytes() for file in path.parent.iterdir())
    assert b"901 701 234" not in everything
    assert everything.count(DIGITS.encode()) == everything.count(f"{DIGITS}567".encode())


async def test_under_a_daemon_the_log_is_emptied_and_what_is_left_is_told(path: Path) -> None:
    daemon = await Store.open(f"sqlite:///{path}", alone=True)
    for one in answered_call(1):
        await daemon.writer.submit(one)
    await daemon.writer.drain()
    customer, found = await find(daemon, f"0{DIGITS}")
    await erase(daemon, customer, found, ADMIN)
    left = clean_disk(str(path), customer)
    assert not left.compacted
    seen = path.read_bytes() + Path(f"{path}-wal").read_bytes()  # noqa: ASYNC240
    assert seen.count(DIGITS.encode()) == left.bytes_left == 0
    await daemon.close()


async def test_a_customer_on_the_line_is_not_erased(store: Store) -> None:
    call = ringing(20)
    await store.writer.submit(unit(call))
    await store.writer.drain()
    with pytest.raises(CustomerCalls, match="under way"):
        await erase(store, *await find(store, DIGITS), ADMIN)
    await store.writer.submit(unit(ended(call)))
    await store.writer.drain()
    assert await erase(store, *await find(store, DIGITS), By("mai", UnixMs(NOON + 1))) > 0


async def test_an_agents_own_number_is_no_customers(store: Store) -> None:
    agent = Agent(
        user_id="an", name="An", endpoints=(), ringtone=None, phone_brand=None, personal_number=f"+84{DIGITS}"
    )
    await store.writer.change(lambda: put_agent(agent))
    with pytest.raises(OwnNumber):
        await find(store, f"0{DIGITS}")


@pytest.mark.parametrize("typed", ["", "anonymous", "  ", "+"])
def test_what_is_no_number_is_refused(typed: str) -> None:
    with pytest.raises(ConfigError):
        customer_of(typed, "VN")


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("+84901701234", True),
        ("x?n=%2B84901701234&y", True),
        ("a%2084901701234", True),
        ("0084 901 701 234", True),
        ("+84 (0) 901.701.234.", True),
        ("0901-701-234", True),
        ("901701234", True),
        ("2901701234", False),
        ("9017012345", False),
        ("1795901701234", False),
    ],
)
def test_a_number_is_known_however_it_is_written_but_not_inside_another(text: str, *, named: bool) -> None:
    assert bool(customer_of("0901701234", "VN").pattern.search(text)) is named
