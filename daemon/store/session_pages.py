"""Who is signed in where, as pages and the API show it. Of a session's digest only a beginning leaves this module."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from sqlalchemy import bindparam, delete, func, literal, select

from daemon.call.rendering import iso_utc
from daemon.call.signals import UnixMs
from daemon.store.audit import By, note
from daemon.store.reader import Reader
from daemon.store.sessions import IDLE_MS
from daemon.store.tables import accounts, audit_log, sessions
from daemon.store.work import Query, Row, Work

_ID_LENGTH: Final = 16
_MOST: Final = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenSession:
    """A browser in which somebody is signed in. `session_id` names it and opens nothing."""

    session_id: str
    user_agent: str
    remote: str
    created_at: UnixMs
    last_seen_at: UnixMs

    def as_json(self) -> dict[str, object]:
        return {
            "session_id": self.session_id,
            "user_agent": self.user_agent,
            "remote": self.remote or None,
            "created_at": iso_utc(self.created_at),
            "last_seen_at": iso_utc(self.last_seen_at),
        }


@dataclass(frozen=True, slots=True)
class SignIns:
    """Of one account: the browsers in which it is signed in now, and when it last signed in (None: never)."""

    sessions: int = 0
    last_at: UnixMs | None = None


_LIVE = (sessions.c.expires_at > bindparam("b_now"), sessions.c.last_seen_at > bindparam("b_idle"))
_MINE = (
    sessions.c.account == bindparam("b_name"),
    func.substr(sessions.c.digest, 1, _ID_LENGTH) == bindparam("b_id"),
)
_OF_ACCOUNT = (
    select(sessions)
    .where(sessions.c.account == bindparam("b_name"), *_LIVE)
    .order_by(sessions.c.last_seen_at.desc(), sessions.c.digest)
    .limit(_MOST)
)
_FIND = select(sessions.c.digest).where(*_MINE)
_END = delete(sessions).where(*_MINE)
_COUNTS = (
    select(sessions.c.account, func.count().label("sessions"))
    .join_from(sessions, accounts, accounts.c.name == sessions.c.account)
    .where(*_LIVE, accounts.c.disabled_at.is_(None))
    .group_by(sessions.c.account)
)
# Backwards over the index of one account's entries: the first sign-in met is the last one made.
_LAST_SIGN_IN = (
    select(audit_log.c.at)
    .where(audit_log.c.object == literal("account:") + accounts.c.name, audit_log.c.action == "session.open")
    .order_by(audit_log.c.audit_id.desc())
    .limit(1)
    .correlate(accounts)
    .scalar_subquery()
)
_LAST = (
    select(accounts.c.name, _LAST_SIGN_IN.label("last_at"))
    .where(accounts.c.name > bindparam("b_after"))
    .order_by(accounts.c.name)
    .limit(bindparam("b_limit"))
)
_LAST_OF_ONE = select(accounts.c.name, _LAST_SIGN_IN.label("last_at")).where(accounts.c.name == bindparam("b_name"))


def public_id(digest: str) -> str:
    """How others name a session: 64 of the digest's bits."""
    return digest[:_ID_LENGTH]


async def read_open_sessions(reads: Reader, name: str, now: UnixMs) -> list[OpenSession]:
    """Those of one account, the last used first, at most a hundred."""
    rows = await reads.fetch(_OF_ACCOUNT, {"b_name": name, **_at(now)})
    return [_session_of(row) for row in rows]


async def read_sign_ins(reads: Reader, now: UnixMs, after: str, limit: int) -> Mapping[str, SignIns]:
    """By account, of one page of accounts."""
    counts = {row["account"]: int(row["sessions"]) for row in await reads.fetch(_COUNTS, _at(now))}
    rows = await reads.fetch(_LAST, {"b_after": after, "b_limit": limit})
    return {row["name"]: SignIns(counts.get(row["name"], 0), row["last_at"]) for row in rows}


async def read_last_sign_in(reads: Reader, name: str) -> UnixMs | None:
    rows = await reads.fetch(_LAST_OF_ONE, {"b_name": name})
    return rows[0]["last_at"] if rows else None


def end_one_session(name: str, session_id: str, by: By) -> Work[bool]:
    """Only of this account. False: it has none of this id."""
    chosen = {"b_name": name, "b_id": session_id}
    if not (yield Query(_FIND, chosen)):
        return False
    yield Query(_END, chosen)
    yield from note(by, "session.end", f"account:{name}")
    return True


def _at(now: UnixMs) -> dict[str, object]:
    return {"b_now": now, "b_idle": now - IDLE_MS}


def _session_of(row: Row) -> OpenSession:
    return OpenSession(
        session_id=public_id(row["digest"]),
        user_agent=row["user_agent"],
        remote=row["remote"],
        created_at=row["created_at"],
        last_seen_at=row["last_seen_at"],
    )
