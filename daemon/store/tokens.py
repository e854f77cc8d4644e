"""Bearer tokens: 256 random bits shown once; only their SHA-256 is kept, so a stolen database opens nothing."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import bindparam, insert, or_, select, tuple_, update

from daemon.call.rendering import iso_utc
from daemon.call.signals import UnixMs
from daemon.store.audit import Facts, Subject
from daemon.store.reader import Reader
from daemon.store.role import Role
from daemon.store.tables import tokens
from daemon.store.work import Query, Row, Work

TOKEN_PREFIX: Final = "cw_"  # noqa: S105 -- lets secret scanners recognise a leaked token
USE_NOTED_EVERY_MS: Final = 60_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """A token as lists show it: never the token itself."""

    token_id: str
    role: Role
    label: str
    created_at: UnixMs
    last_used_at: UnixMs | None
    revoked_at: UnixMs | None
    created_by: str | None = None

    def as_json(self) -> dict[str, object]:
        return {
            "token_id": self.token_id,
            "role": self.role.value,
            "label": self.label,
            "created_at": iso_utc(self.created_at),
            "created_by": self.created_by,
            "last_used_at": iso_utc(self.last_used_at),
            "revoked_at": iso_utc(self.revoked_at),
        }

    def place(self) -> list[int | str]:
        """Where the next page begins."""
        return [self.created_at, self.token_id]


_INSERT = insert(tokens)
_BY_DIGEST = select(tokens).where(tokens.c.digest == bindparam("b_digest"), tokens.c.revoked_at.is_(None))
_PLACE = (tokens.c.created_at, tokens.c.token_id)
_PAGE = select(tokens).order_by(*(column.desc() for column in _PLACE))
_LIVE_BY = _PAGE.where(tokens.c.created_by == bindparam("b_by"), tokens.c.revoked_at.is_(None))
_ONE = select(tokens).where(tokens.c.token_id == bindparam("b_id"))
_NOTE_USE = (
    update(tokens)
    .where(
        tokens.c.token_id == bindparam("b_id"),
        or_(tokens.c.last_used_at.is_(None), tokens.c.last_used_at <= bindparam("b_before")),
    )
    .values(last_used_at=bindparam("b_now"))
)
_LIVE = select(tokens.c.token_id).where(tokens.c.token_id == bindparam("b_id"), tokens.c.revoked_at.is_(None))
_REVOKE = update(tokens).where(tokens.c.token_id == bindparam("b_id")).values(revoked_at=bindparam("b_now"))


def new_token() -> str:
    """A fresh token. Give it to `add_token` and show it once; it cannot be found again."""
    return TOKEN_PREFIX + secrets.token_urlsafe(32)


def add_token(token: str, role: Role, label: str, now: UnixMs, created_by: str | None = None) -> Work[str]:
    """Keeps the digest; returns the token's id. `created_by` is who answers for it: an account, a command."""
    token_id = token_id_of(token)
    values: dict[str, object] = {
        "token_id": token_id,
        "digest": _digest(token),
        "role": role.value,
        "label": label,
        "created_at": now,
        "created_by": created_by and created_by[:128],
    }
    yield Query(_INSERT, values)
    return token_id


async def find_token(reads: Reader, token: str) -> Token | None:
    """The live token, or None. Looked up by digest: nothing an attacker can time depends on the token's characters."""
    rows = await reads.fetch(_BY_DIGEST, {"b_digest": _digest(token)})
    return _token_of(rows[0]) if rows else None


async def read_tokens(reads: Reader, limit: int, after: Sequence[int | str] | None) -> list[Token]:
    """One page, newest first, the revoked ones too."""
    statement = _PAGE.limit(limit)
    if after is not None:
        statement = statement.where(tuple_(*_PLACE) < tuple_(*after))
    return [_token_of(row) for row in await reads.fetch(statement, {})]


async def read_live_tokens(reads: Reader, created_by: str) -> list[Token]:
    """What still opens something for which this account answers, newest first."""
    return [_token_of(row) for row in await reads.fetch(_LIVE_BY, {"b_by": created_by})]


def token_facts(token_id: str) -> Work[Facts | None]:
    """A revoked token counts as gone."""
    rows = yield Query(_ONE, {"b_id": token_id})
    return {"role": rows[0]["role"], "label": rows[0]["label"]} if rows and rows[0]["revoked_at"] is None else None


TOKEN: Final = Subject("token", token_facts)  # its id, never itself


def token_id_of(token: str) -> str:
    """Derived, so that running the work that adds it twice makes the same row."""
    return f"tok_{_digest(token)[:16]}"


def note_use(token_id: str, now: UnixMs) -> Work[None]:
    """`last_used_at`, at most once a minute."""
    yield Query(_NOTE_USE, {"b_id": token_id, "b_now": now, "b_before": now - USE_NOTED_EVERY_MS})


def revoke_token(token_id: str, now: UnixMs) -> Work[bool]:
    """Counts from the next request on. False: there is no such live token."""
    rows = yield Query(_LIVE, {"b_id": token_id})
    if rows:
        yield Query(_REVOKE, {"b_id": token_id, "b_now": now})
    return bool(rows)


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "surrogateescape")).hexdigest()


def _token_of(row: Row) -> Token:
    return Token(
        token_id=row["token_id"],
        role=Role(row["role"]),
        label=row["label"],
        created_at=row["created_at"],
        last_used_at=row["last_used_at"],
        revoked_at=row["revoked_at"],
        created_by=row["created_by"],
    )
