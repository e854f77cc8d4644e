"""What a call counts for in figures, in the words of the database: the same for service level, reports and summary."""

from __future__ import annotations

from typing import Final

from sqlalchemy import and_, func, null

from daemon.call.model import MissedReason, Outcome
from daemon.store.tables import calls

BEGAN: Final = func.coalesce(calls.c.queued_at, calls.c.rung_at, calls.c.started_at)
"""Since when somebody waits: from the queue, without one from the first ring."""

IS_ANSWERED: Final = and_(calls.c.outcome == Outcome.ANSWERED.value, calls.c.answered_at != null())
IS_MISSED: Final = calls.c.outcome == Outcome.MISSED.value
WAITED_IN_VAIN: Final = and_(IS_MISSED, func.coalesce(calls.c.missed_reason, "") != MissedReason.LEFT_IN_IVR.value)
"""Who hangs up in the IVR never waited for anybody."""

WAIT: Final = func.max(0, calls.c.answered_at - BEGAN)
