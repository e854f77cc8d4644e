"""Which number the next ticket gets: never one that was given before, also by a database that a backup has replaced.

Systems outside know tickets by their numbers, and messages about them by ids made of these: a number that is given
twice would be taken for the old ticket, and its message for one that came already.
"""

from __future__ import annotations

import sqlite3
from contextlib import suppress
from math import ceil
from pathlib import Path
from typing import Final

from sqlalchemy import Connection, Integer, cast, func, select
from sqlalchemy.dialects.sqlite import insert

from daemon.call.signals import UnixMs
from daemon.errors import CallwardenError
from daemon.store.check import looking
from daemon.store.live_calls import BEATS
from daemon.store.tables import calls, settings, tickets

_KEY: Final = "tickets_given"
_DAY_MS: Final = 86_400_000
_RATE_DAYS: Final = 28
_AT_LEAST_A_DAY: Final = 1_000
_TIMES: Final = 10  # as many as before: too many leave a gap in the numbers, too few give some twice

_GIVEN = select(cast(settings.c.value, Integer)).where(settings.c.key == _KEY).scalar_subquery()
_HIGHEST = select(func.max(tickets.c.ticket_id)).scalar_subquery()
LAST_GIVEN = select(func.max(func.coalesce(_HIGHEST, 0), func.coalesce(_GIVEN, 0)).label("last"))

_LATELY = select(func.count()).select_from(tickets)
_MOMENTS = (select(func.max(calls.c.started_at)), select(func.max(tickets.c.updated_at)))
_new = insert(settings)
_SET = _new.on_conflict_do_update(index_elements=[settings.c.key], set_={"value": _new.excluded.value})


def last_given_by(path: Path) -> int | None:
    """By the database that is to be replaced; None where it is gone or cannot be read."""
    with suppress(CallwardenError, sqlite3.Error), looking(str(path)) as opened:
        (highest,) = opened.execute("SELECT max(ticket_id) FROM tickets").fetchone()
        row = opened.execute("SELECT value FROM settings WHERE key = ?", (_KEY,)).fetchone()
        return max(int(highest or 0), int(row[0]) if row else 0)
    return None


def go_on_after(restored: Connection, replaced: int | None, now: UnixMs) -> int:
    """Remember in a restored database which numbers are taken; the next one is returned.

    Where the replaced database does not tell, far more are left out than can have been given since the backup.
    """
    own = int(restored.execute(LAST_GIVEN).scalar_one())
    last = max(own, replaced) if replaced is not None else own + _since(restored, now)
    if last > own:
        restored.execute(_SET, {"key": _KEY, "value": str(last), "changed_at": now})
    return last + 1


def _since(restored: Connection, now: UnixMs) -> int:
    moments = [restored.execute(one).scalar() or 0 for one in _MOMENTS]
    made = max(*moments, *(int(row.value) for row in restored.execute(BEATS)))
    lately = int(restored.execute(_LATELY.where(tickets.c.opened_at > made - _RATE_DAYS * _DAY_MS)).scalar_one())
    a_day = max(_AT_LEAST_A_DAY, _TIMES * lately / _RATE_DAYS)
    return ceil(a_day * max(0, now - made) / _DAY_MS)
