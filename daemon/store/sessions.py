"""Who is signed in, in which browser. Only the SHA-256 of a session's id is kept: a stolen database signs nobody in."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from typing import Final

from sqlalchemy import bindparam, delete, insert, or_, select, update

from daemon.call.signals import UnixMs
from daemon.store.accounts import (
    Account,
    KnownAccount,
    account_facts,
    account_of,
    change_account,
)
from daemon.store.audit import By, note
from daemon.store.reader import Reader
from daemon.store.tables import accounts, sessions
from daemon.store.work import Query, Work

IDLE_MS: Final = 12 * 3_600_000
LIFE_MS: Final = 30 * 24 * 3_600_000
SEEN_NOTED_EVERY_MS: Final = 60_000


@dataclass(frozen=True, slots=True)
class Opening:
    """A session that is to be opened: the id goes into one cookie and nowhere else."""

    session_id: str
    user_agent: str

    def __repr__(self) -> str:
        return "Opening(***)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    digest: str
    account: Account
    last_seen_at: UnixMs


_INSERT = insert(sessions)
_LIVE = (
    select(sessions.c.digest, sessions.c.last_seen_at, *(c for c in accounts.c if c.name != "password_hash"))
    .join_from(sessions, accounts, accounts.c.name == sessions.c.account)
    .where(
        sessions.c.digest == bindparam("b_digest"),
        sessions.c.expires_at > bindparam("b_now"),
        sessions.c.last_seen_at > bindparam("b_idle"),
        accounts.c.disabled_at.is_(None),
    )
)
_SEEN = (
    update(sessions)
    .where(sessions.c.digest == bindparam("b_digest"), sessions.c.last_seen_at <= bindparam("b_before"))
    .values(last_seen_at=bindparam("b_now"))
)
_END = delete(sessions).where(sessions.c.digest == bindparam("b_digest"))
_END_ALL = delete(sessions).where(sessions.c.account == bindparam("b_name"))
_END_OLD = delete(sessions).where(
    or_(sessions.c.expires_at <= bindparam("b_now"), sessions.c.last_seen_at <= bindparam("b_idle"))
)
_HASH = select(accounts.c.password_hash).where(accounts.c.name == bindparam("b_name"), accounts.c.disabled_at.is_(None))
_REHASH = (
    update(accounts).where(accounts.c.name == bindparam("b_name")).values(password_hash=bindparam("b_password_hash"))
)


def new_session_id() -> str:
    """256 random bits, 43 characters."""
    return secrets.token_urlsafe(32)


def session_digest(session_id: str) -> str:
    return hashlib.sha256(session_id.encode()).hexdigest()


async def find_session(reads: Reader, session_id: str, now: UnixMs) -> Session | None:
    """The live session of an account that is not disabled."""
    values = {"b_digest": session_digest(session_id), "b_now": now, "b_idle": now - IDLE_MS}
    rows = await reads.fetch(_LIVE, values)
    if not rows:
        return None
    return Session(digest=rows[0]["digest"], account=account_of(rows[0]), last_seen_at=rows[0]["last_seen_at"])


def note_seen(digest: str, now: UnixMs) -> Work[None]:
    """At most once a minute."""
    yield Query(_SEEN, {"b_digest": digest, "b_now": now, "b_before": now - SEEN_NOTED_EVERY_MS})


def sign_in(known: KnownAccount, opening: Opening, by: By, replaced: str | None, rehashed: str | None) -> Work[bool]:
    """False when the account was disabled, or its password changed, while the password was being verified.

    `replaced` is the id of the browser's session before, which ends; `rehashed` the password's hash with today's costs.
    """
    name = known.account.name
    if not (yield from _still(known)):
        return False
    if replaced is not None:
        yield Query(_END, {"b_digest": session_digest(replaced)})
    if rehashed is not None:
        yield Query(_REHASH, {"b_name": name, "b_password_hash": rehashed})
    yield Query(_END_OLD, {"b_now": by.at, "b_idle": by.at - IDLE_MS})
    yield from open_session(name, opening, by)
    yield from note(by, "session.open", f"account:{name}")
    return True


def change_password(known: KnownAccount, password_hash: str, opening: Opening, by: By) -> Work[bool]:
    """Every session ends, and a new one begins for whoever changed it. False as of `sign_in`."""
    if not (yield from _still(known)):
        return False
    yield from change_account(known.account.name, {"password_hash": password_hash}, by)
    yield from open_session(known.account.name, opening, by)
    return True


def open_session(name: str, opening: Opening, by: By) -> Work[None]:
    values: dict[str, object] = {
        "digest": session_digest(opening.session_id),
        "account": name,
        "created_at": by.at,
        "last_seen_at": by.at,
        "expires_at": by.at + LIFE_MS,
        "user_agent": opening.user_agent[:255],
        "remote": (by.remote or "")[:64],
    }
    yield Query(_INSERT, values)


def end_session(digest: str) -> Work[None]:
    yield Query(_END, {"b_digest": digest})


def end_sessions(name: str, by: By) -> Work[None]:
    """Sign out everywhere."""
    if (yield from account_facts(name)) is not None:
        yield Query(_END_ALL, {"b_name": name})
        yield from note(by, "session.end_all", f"account:{name}")


def _still(known: KnownAccount) -> Work[bool]:
    rows = yield Query(_HASH, {"b_name": known.account.name})
    return bool(rows) and rows[0]["password_hash"] == known.password_hash
