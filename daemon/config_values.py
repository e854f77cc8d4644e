"""How single values of the configuration are read; what cannot be one raises ValueError, which pydantic reports."""

from __future__ import annotations

import re
from zoneinfo import ZoneInfo


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
