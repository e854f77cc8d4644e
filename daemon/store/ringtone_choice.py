"""A ringtone can only be chosen if there is one of that name; looked at in the transaction that chooses it."""

from __future__ import annotations

from sqlalchemy import bindparam, select

from daemon.errors import CallwardenError
from daemon.message import Message
from daemon.store.built_in_ringtones import BUILT_IN
from daemon.store.reader import Reader
from daemon.store.tables import ringtones
from daemon.store.work import Query, Work

_NAMES = select(ringtones.c.name)
_ONE = select(ringtones.c.name).where(ringtones.c.name == bindparam("b_name"))


class UnknownRingtone(CallwardenError):
    """There is no ringtone of this name; nothing was changed."""

    def __init__(self, name: str) -> None:
        super().__init__(Message("there is no ringtone {name}", name=name))


async def read_ringtone_names(reads: Reader) -> frozenset[str]:
    """All that can be chosen."""
    return frozenset(BUILT_IN).union(row["name"] for row in await reads.fetch(_NAMES, {}))


def require_ringtone(name: str | None) -> Work[None]:
    """None chooses no ringtone of ours, so it is always there. Raises UnknownRingtone."""
    if name is None or name in BUILT_IN:
        return
    if not (yield Query(_ONE, {"b_name": name})):
        raise UnknownRingtone(name)
