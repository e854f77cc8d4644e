"""Accounts, sessions and the audit log on disk: what the store itself promises, and the way from version 0.1."""

from __future__ import annotations

import sqlite3
import unicodedata
from collections.abc import AsyncIterator, Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from hypothesis import given
from hypothesis import strategies as st

from daemon.call.signals import UnixMs
from daemon.errors import CallwardenError
from daemon.store import schema
from daemon.store.accounts import (
    ACCOUNT,
    Account,
    AccountTaken,
    BadLink,
    LastAdmin,
    account_name,
    add_account,
    change_account,
    find_account,
    no_account,
    read_account,
    read_accounts,
)
from daemon.store.agents import AGENT, Agent, delete_agent, put_agent, read_agents
from daemon.store.audit import AuditFilter, By, audited, read_audit
from daemon.store.password import WeakPassword, hash_password, is_outdated, refuse_weak, verify_password
from daemon.store.role import Role
from daemon.store.sessions import (
    IDLE_MS,
    LIFE_MS,
    Opening,
    change_password,
    end_sessions,
    find_session,
    new_session_id,
    open_session,
    sign_in,
)
from daemon.store.store import Store
from daemon.store.work import Work
from tests.store.made import NOON

BY = By("test", NOON, "192.0.2.1")


@pytest.fixture(params=["file", "memory"])
async def store(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Store]:
    store = await Store.open(f"sqlite:///{tmp_path / 'a.db'}" if request.param == "file" else "sqlite://")
    yield store
    await store.close()


def _account(name: str = "an", role: Role = Role.AGENT, user_id: str | None = None) -> Account:
    return Account(name=name, role=role, user_id=user_id, language="vi", created_at=NOON)


async def _add(store: Store, account: Account, password_hash: str = "hash") -> None:  # noqa: S107
    await store.writer.change(lambda: add_account(account, password_hash))


async def _open(store: Store, name: str = "an", at: int = NOON) -> str:
    opening = Opening(new_session_id(), "browser")
    await store.writer.change(lambda: open_session(name, opening, By(name, UnixMs(at))))
    return opening.session_id


# -- accounts ----------------------------------------------------------------------------------------------------


async def test_an_account_is_kept_as_given(store: Store) -> None:
    assert await store.writer.change(no_account)
    await store.writer.change(lambda: put_agent(Agent(user_id="an", name="An")))
    account = _account(user_id="an")
    await _add(store, account)
    known = await find_account(store.reader, "an")
    assert known is not None
    assert (known.account, known.password_hash) == (account, "hash")
    assert "hash" not in repr(known)
    assert await read_accounts(store.reader) == [account]
    assert not await store.writer.change(no_account)
    assert await find_account(store.reader, "binh") is None


async def test_what_an_account_cannot_be_is_refused_and_changes_nothing(store: Store) -> None:
    await store.writer.change(lambda: put_agent(Agent(user_id="an", name="An")))
    await _add(store, _account(user_id="an"))
    with pytest.raises(AccountTaken):
        await _add(store, _account())
    for user_id, word in (("an", "has the account an"), ("nobody", "there is no agent nobody")):
        with pytest.raises(BadLink, match=word):
            await _add(store, _account("binh", user_id=user_id))
    assert len(await read_accounts(store.reader)) == 1


async def test_an_account_outlives_its_agent(store: Store) -> None:
    await store.writer.change(lambda: put_agent(Agent(user_id="an", name="An")))
    await _add(store, _account(user_id="an"))
    assert await store.writer.change(lambda: delete_agent("an"))
    account = await read_account(store.reader, "an")
    assert account is not None
    assert account.user_id == "an"
    assert await store.writer.change(lambda: change_account("an", {"language": "en"}, BY)) is not None


async def test_an_admin_always_remains(store: Store) -> None:
    await _add(store, _account("mai", Role.ADMIN))
    await _add(store, _account("hoa", Role.SUPERVISOR))
    for values in ({"role": "agent"}, {"disabled": True}, {"role": "supervisor", "disabled": True}):
        with pytest.raises(LastAdmin):
            await store.writer.change(lambda values=values: change_account("mai", values, BY))  # type: ignore[misc]
    await store.writer.change(lambda: change_account("hoa", {"role": "admin"}, BY))
    await store.writer.change(lambda: change_account("mai", {"disabled": True}, BY))
    with pytest.raises(LastAdmin):
        await store.writer.change(lambda: change_account("hoa", {"role": "agent"}, BY))


async def test_disabling_again_keeps_the_first_time(store: Store) -> None:
    await _add(store, _account())
    for at in (NOON, NOON + 1):
        by = By("x", UnixMs(at))
        await store.writer.change(lambda by=by: change_account("an", {"disabled": True}, by))  # type: ignore[misc]
    account = await read_account(store.reader, "an")
    assert account is not None
    assert account.disabled_at == NOON


@given(st.text(max_size=80) | st.text("aáàăậđÂĐễơợ.\u0302\u0323", max_size=20))
def test_a_name_is_folded_once_and_for_all(text: str) -> None:
    name = account_name(text)
    if name is not None:
        assert account_name(name) == name
        assert account_name(unicodedata.normalize("NFD", text)) == name
        assert 1 <= len(name) <= 64
        assert ":" not in name
        assert name.isprintable()


def test_case_and_composition_make_no_second_account() -> None:
    assert {account_name(text) for text in ("Đặng.Ngọc", "đặng.ngọc", "ĐẶNG.NGỌC", "Đa\u0323\u0306ng.Ngo\u0323c")} == {
        "đặng.ngọc"
    }


@pytest.mark.parametrize("text", ["", " ", "a b", "a:b", "a/b", "<a>", "a\nb", "a\u202eb", "a" * 65, "\ud800", "a\x00"])
def test_what_is_no_name(text: str) -> None:
    assert account_name(text) is None


# -- passwords ---------------------------------------------------------------------------------------------------


def test_a_password_is_kept_as_argon2id_with_its_own_salt() -> None:
    one, other = hash_password("correct horse battery"), hash_password("correct horse battery")
    assert one.startswith("$argon2id$v=19$m=65536,t=3,p=1$")
    assert one != other
    assert not is_outdated(one)
    assert verify_password(one, "correct horse battery")
    assert not verify_password(one, "correct horse batterx")
    assert not verify_password("no hash at all", "x")


@pytest.mark.parametrize(
    "password", ["mật khẩu dài", "0123456789", "a" * 6 + "bcde", "🤝🤝🤝 abc def", " leading spaces "]
)
def test_what_is_long_enough_is_taken(password: str) -> None:
    refuse_weak(password, "an")


@pytest.mark.parametrize(
    "password",
    [
        "",
        "short",
        "a" * 300,
        "aaaaaaaaaaaaa",
        "abcdabcdabcd",
        "nguyenvana1",
        "NguyenVanA12",
        "a\nbcdefghijk",
        "\ud800bcdefghijk",
    ],
)
def test_what_is_easy_to_guess_is_not(password: str) -> None:
    with pytest.raises(WeakPassword, match="must"):
        refuse_weak(password, "nguyenvana")


# -- sessions ----------------------------------------------------------------------------------------------------


async def test_a_session_is_found_by_its_id_until_it_is_idle_or_old(store: Store) -> None:
    await _add(store, _account())
    session_id = await _open(store)
    for at, live in ((NOON, True), (NOON + IDLE_MS - 1, True), (NOON + IDLE_MS, False), (NOON + LIFE_MS, False)):
        assert (await find_session(store.reader, session_id, UnixMs(at)) is not None) is live
    assert await find_session(store.reader, new_session_id(), NOON) is None


async def test_a_sign_in_takes_away_what_is_over_and_what_it_replaces(store: Store) -> None:
    await _add(store, _account())
    old, replaced, kept = await _open(store, at=NOON - IDLE_MS), await _open(store), await _open(store)
    known = await find_account(store.reader, "an")
    assert known is not None
    fresh = Opening(new_session_id(), "x" * 999)
    assert await store.writer.change(lambda: sign_in(known, fresh, BY, replaced, None))
    live = [
        await find_session(store.reader, each, NOON) is not None for each in (old, replaced, kept, fresh.session_id)
    ]
    assert live == [False, False, True, True]


@pytest.mark.parametrize("meanwhile", [{"disabled": True}, {"password_hash": "other"}])
async def test_a_password_verified_before_a_change_signs_nobody_in_after_it(
    store: Store, meanwhile: dict[str, Any]
) -> None:
    await _add(store, _account())
    known = await find_account(store.reader, "an")
    assert known is not None
    await store.writer.change(lambda: change_account("an", meanwhile, BY))
    fresh = Opening(new_session_id(), "")
    assert not await store.writer.change(lambda: sign_in(known, fresh, BY, None, "rehashed"))
    assert not await store.writer.change(lambda: change_password(known, "mine", fresh, BY))
    assert await find_session(store.reader, fresh.session_id, NOON) is None
    after = await find_account(store.reader, "an")
    assert after is not None
    assert after.password_hash == meanwhile.get("password_hash", "hash")


@pytest.mark.parametrize(
    "end",
    [
        lambda: change_account("an", {"disabled": True}, BY),
        lambda: change_account("an", {"password_hash": "other"}, BY),
        lambda: end_sessions("an", BY),
    ],
)
async def test_what_ends_sessions_ends_those_of_this_account_only(store: Store, end: Callable[[], Work[Any]]) -> None:
    for name in ("an", "binh"):
        await _add(store, _account(name))
    mine, other = [await _open(store), await _open(store)], await _open(store, "binh")
    await store.writer.change(end)
    assert [await find_session(store.reader, each, NOON) for each in mine] == [None, None]
    assert await find_session(store.reader, other, NOON) is not None


# -- the audit log -----------------------------------------------------------------------------------------------


async def test_a_change_that_fails_leaves_no_entry_and_one_that_is_run_twice_leaves_one(store: Store) -> None:
    def failing() -> Work[None]:
        yield from put_agent(Agent(user_id="an", name="An"))
        raise CallwardenError

    with pytest.raises(CallwardenError):
        await store.writer.change(lambda: audited(BY, AGENT, "an", failing))
    assert await read_audit(store.reader, AuditFilter(), 10, None) == []
    assert await read_agents(store.reader) == []
    for _ in range(2):
        await store.writer.change(lambda: audited(BY, AGENT, "an", lambda: put_agent(Agent(user_id="an", name="An"))))
    assert len(await read_audit(store.reader, AuditFilter(), 10, None)) == 1


async def test_the_facts_of_an_account_hold_no_hash(store: Store) -> None:
    await store.writer.change(lambda: audited(BY, ACCOUNT, "an", lambda: add_account(_account(), "$argon2id$x")))
    (row,) = await read_audit(store.reader, AuditFilter(), 10, None)
    assert "argon2" not in str(row)
    assert row["new"] == '{"role": "agent", "user_id": null, "language": "vi", "disabled": false}'


# -- the way from version 0.1 ------------------------------------------------------------------------------------

_ROWS = {
    "settings": ("country", '"DE"', 1, "token:admin"),
    "agents": ("an", "Nguyễn Văn An", None, "yealink", "+84901701234"),
    "agent_endpoints": ("PJSIP/1001", "an", 0),
    "queues": ("sales", 0, None),
    "hotlines": ("1900", "Kỹ thuật", None),
    "tokens": ("tok_1", "a" * 64, "admin", "crm", 1, None, None),
    "webhooks": ("wh_1", "https://crm.example/", "[]", "", "whsec_x", 1, None, 1, 1),
}


def test_a_store_of_version_0_1_is_migrated_and_keeps_what_it_has(tmp_path: Path) -> None:
    path = tmp_path / "callwarden.db"
    engine = schema._engine(str(path))
    with engine.begin() as connection:
        config = schema.alembic_config()
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")
        for table, row in _ROWS.items():
            connection.exec_driver_sql(f"INSERT INTO {table} VALUES ({', '.join('?' * len(row))})", row)  # noqa: S608
    engine.dispose()
    with closing(sqlite3.connect(path)) as before:
        assert before.execute("SELECT name FROM sqlite_master WHERE name = 'accounts'").fetchall() == []
    schema.upgrade(str(path))
    with closing(sqlite3.connect(path)) as after:
        assert after.execute("SELECT version_num FROM alembic_version").fetchall() == [(schema.NEWEST,)]
        for table, row in _ROWS.items():
            found = after.execute(f"SELECT * FROM {table}").fetchall()  # noqa: S608
            assert found == [row + (None,) * (len(found[0]) - len(row))]  # columns of later versions are empty
        for table in ("accounts", "sessions", "setup_links", "audit_log"):
            assert after.execute(f"SELECT * FROM {table}").fetchall() == []  # noqa: S608


async def test_after_the_migration_old_agents_get_accounts(tmp_path: Path) -> None:
    test_a_store_of_version_0_1_is_migrated_and_keeps_what_it_has(tmp_path)
    store = await Store.open(f"sqlite:///{tmp_path / 'callwarden.db'}")
    try:
        await _add(store, _account(user_id="an"))
        assert await find_session(store.reader, await _open(store), NOON) is not None
    finally:
        await store.close()
