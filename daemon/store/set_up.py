"""The one-time link that makes the first admin. It works while there is no account at all, and for a day."""

from __future__ import annotations

import hashlib
import secrets
from typing import Final

from sqlalchemy import bindparam, delete, insert, select

from daemon.call.signals import UnixMs
from daemon.store.accounts import ACCOUNT, Account, add_account, no_account
from daemon.store.audit import By, audited
from daemon.store.reader import Reader
from daemon.store.sessions import Opening, open_session
from daemon.store.tables import accounts, setup_links
from daemon.store.work import Query, Work

LINK_LIFE_MS: Final = 24 * 3_600_000
_INSERT = insert(setup_links)
_FORGET = delete(setup_links)
_LIVE = select(setup_links.c.digest).where(
    setup_links.c.digest == bindparam("b_digest"),
    setup_links.c.expires_at > bindparam("b_now"),
    ~select(accounts.c.name).exists(),
)


def new_link_token() -> str:
    """256 random bits, 43 characters."""
    return secrets.token_urlsafe(32)


def offer_set_up(token: str, now: UnixMs) -> Work[bool]:
    """Keeps the link's hash; links offered before open nothing any more. False: there is an account, none is needed."""
    yield Query(_FORGET)
    if not (yield from no_account()):
        return False
    yield Query(_INSERT, {"digest": _digest(token), "created_at": now, "expires_at": now + LINK_LIFE_MS})
    return True


async def is_open(reads: Reader, token: str, now: UnixMs) -> bool:
    return bool(await reads.fetch(_LIVE, {"b_digest": _digest(token), "b_now": now}))


def set_up(token: str, admin: Account, password_hash: str, opening: Opening, by: By) -> Work[bool]:
    """The first account, signed in at once. False: the link was used, is too old, or somebody was faster."""
    if not (yield Query(_LIVE, {"b_digest": _digest(token), "b_now": by.at})):
        return False
    yield Query(_FORGET)
    yield from audited(by, ACCOUNT, admin.name, lambda: add_account(admin, password_hash))
    yield from open_session(admin.name, opening, by)
    return True


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "surrogateescape")).hexdigest()
