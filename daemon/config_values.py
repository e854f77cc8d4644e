"""How single values of the configuration are read; what cannot be one raises ValueError, which pydantic reports.

And which places of records are one: nothing in a row says which PBX wrote it.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping
from typing import Final
from zoneinfo import ZoneInfo

# An SQLAlchemy URL without its driver, user, password (which may hold any character but @) and options.
_DATABASE: Final = re.compile(r"([a-z]+)(?:\+[a-z0-9]+)?://(?:[^@?]*@)?([^/?]*)/?([^?]*)")
_PORTS: Final[Mapping[str, str]] = {"postgresql": ":5432", "mysql": ":3306"}
_HERE: Final = frozenset({"", "localhost", "[::1]"})


def place_of_records(value: object) -> str:
    text = value if isinstance(value, str) else ""
    if (
        not text
        or not text.isprintable()
        or not re.match(r"/|(sqlite|postgresql|mysql|mariadb)(\+[a-z0-9]+)?://", text)
    ):
        raise ValueError('must be the path of Master.csv, or begin with "sqlite://", "postgresql://" or "mysql://"')
    return text


def iana_zone(value: object) -> str:
    try:
        return ZoneInfo(value if isinstance(value, str) else "").key
    except (KeyError, ValueError, OSError) as error:
        raise ValueError('must be an IANA time zone, as "Asia/Ho_Chi_Minh"') from error


def same_records(pbxs: Iterable[tuple[str, str | None, str]]) -> str | None:
    """Of (name, cdr, cdr_table): what to say of two that would read each other's calls as their own."""
    seen: dict[tuple[str, ...], str] = {}
    for name, cdr, table in pbxs:
        if cdr is not None and (other := seen.setdefault(_place(cdr, table), name)) != name:
            return (
                f'[[pbx]] "{other}" and "{name}" have the same cdr, and no row says which PBX wrote it; '
                "give each a file, a table or a view of its own rows (cdr, cdr_table)"
            )
    return None


def _place(cdr: str, table: str) -> tuple[str, ...]:
    """Equal for two spellings of one place, as far as they can be known without opening it."""
    found = _DATABASE.match(cdr)
    if found is None:
        return (os.path.realpath(cdr),)
    kind, host, database = found[1].replace("mariadb", "mysql"), found[2].lower(), found[3]
    if kind == "sqlite":
        return (os.path.realpath(database), table.lower())
    host = host.removesuffix(_PORTS[kind])
    return (kind, "127.0.0.1" if host in _HERE else host, database, table.lower())
