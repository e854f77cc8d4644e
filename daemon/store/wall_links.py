"""Links to the wallboard for screens: 256 random bits shown once, only their SHA-256 is kept.

They are no tokens of the API: whoever has one may look at the wallboard and do nothing else.
"""

from __future__ import annotations

import hashlib
import re
import secrets
from dataclasses import dataclass
from typing import Final

from sqlalchemy import bindparam, delete, func, insert, select

from daemon.call.rendering import iso_utc
from daemon.call.signals import UnixMs
from daemon.errors import CallwardenError
from daemon.store.audit import Facts, Subject
from daemon.store.reader import Reader
from daemon.store.tables import wall_links
from daemon.store.work import Query, Row, Work

MOST_LINKS: Final = 50
_PREFIX: Final = "cw_wall_"  # the log masks what begins like this, wherever it stands
_SECRET: Final = re.compile(rf"{_PREFIX}[A-Za-z0-9_-]{{43}}")


class TooManyLinks(CallwardenError):
    """There are as many links to the wallboard as there may be; revoke one that no screen needs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WallLink:
    """A link as lists show it: never its secret."""

    link_id: str
    label: str
    created_at: UnixMs
    created_by: str

    def as_json(self) -> dict[str, object]:
        return {
            "link_id": self.link_id,
            "label": self.label,
            "created_at": iso_utc(self.created_at),
            "created_by": self.created_by,
        }


_INSERT = insert(wall_links)
_ALL = select(wall_links).order_by(wall_links.c.created_at.desc(), wall_links.c.link_id.desc())
_ONE = select(wall_links).where(wall_links.c.link_id == bindparam("b_id"))
_BY_DIGEST = select(wall_links).where(wall_links.c.digest == bindparam("b_digest"))
_COUNT = select(func.count().label("count")).select_from(wall_links)
_DELETE = delete(wall_links).where(wall_links.c.link_id == bindparam("b_id"))


def new_wall_secret() -> str:
    """Give it to `add_wall_link` and show it once; it cannot be found again."""
    return _PREFIX + secrets.token_urlsafe(32)


def wall_link_id(secret: str) -> str:
    """Derived, so that running the work that adds it twice makes the same row."""
    return f"wall_{_digest(secret)[:16]}"


def add_wall_link(secret: str, label: str, now: UnixMs, by: str) -> Work[None]:
    """Raises TooManyLinks."""
    rows = yield Query(_COUNT)
    if int(rows[0]["count"]) >= MOST_LINKS:
        raise TooManyLinks
    link_id, by = wall_link_id(secret), by[:128]
    values = {"link_id": link_id, "digest": _digest(secret), "label": label, "created_at": now, "created_by": by}
    yield Query(_INSERT, values)


def revoke_wall_link(link_id: str) -> Work[bool]:
    """False: there is no such link. The log of changes remembers it."""
    rows = yield Query(_ONE, {"b_id": link_id})
    if rows:
        yield Query(_DELETE, {"b_id": link_id})
    return bool(rows)


async def find_wall_link(reads: Reader, secret: str) -> WallLink | None:
    """By digest: nothing an attacker can time depends on the secret's characters."""
    if not _SECRET.fullmatch(secret):
        return None
    rows = await reads.fetch(_BY_DIGEST, {"b_digest": _digest(secret)})
    return _link(rows[0]) if rows else None


async def read_wall_links(reads: Reader) -> list[WallLink]:
    """All that open something, newest first; they are few."""
    return [_link(row) for row in await reads.fetch(_ALL, {})]


def wall_link_facts(link_id: str) -> Work[Facts | None]:
    rows = yield Query(_ONE, {"b_id": link_id})
    return {"label": rows[0]["label"]} if rows else None


WALL_LINK: Final = Subject("wall_link", wall_link_facts)  # its id, never its secret


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8", "surrogateescape")).hexdigest()


def _link(row: Row) -> WallLink:
    return WallLink(
        link_id=row["link_id"], label=row["label"], created_at=row["created_at"], created_by=row["created_by"]
    )
