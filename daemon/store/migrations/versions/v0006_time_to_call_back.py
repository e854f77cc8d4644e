"""Missed tickets: how long the customer waited to be reached. Popups: that a browser let no window open."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_BY_RULE = "('called_back', 'customer_got_through')"
_TALKS = f"what = 'status' AND reason IN {_BY_RULE}"


def _first_missed(talks: str) -> str:
    """When the first call was missed after the last of these talks with the customer."""
    return f"""
    SELECT min(calls.ended_at) FROM ticket_calls JOIN calls USING (pbx, call_id)
    WHERE ticket_calls.ticket_id = tickets.ticket_id AND calls.ended_at > coalesce(
      (SELECT max(at) FROM ticket_events WHERE ticket_events.ticket_id = tickets.ticket_id AND {talks}), 0)
    """  # noqa: S608 - nothing in it is from outside


_MADE_GOOD = f"""
UPDATE tickets SET reached_at = closed_at,
  call_back_seconds = max(0, closed_at - ({_first_missed(f"{_TALKS} AND at < tickets.closed_at")})) / 1000
WHERE kind LIKE 'missed_%' AND closed_reason IN {_BY_RULE}
"""  # noqa: S608
_WAITING = f"""
UPDATE tickets SET waiting_since = ({_first_missed(_TALKS)}) WHERE kind LIKE 'missed_%' AND reached_at IS NULL
"""  # noqa: S608
_TOLD = f"""
UPDATE ticket_events SET call_back_seconds = (
  SELECT call_back_seconds FROM tickets WHERE tickets.ticket_id = ticket_events.ticket_id)
WHERE {_TALKS} AND at = (SELECT reached_at FROM tickets WHERE tickets.ticket_id = ticket_events.ticket_id)
"""  # noqa: S608


def upgrade() -> None:
    op.add_column("tickets", sa.Column("waiting_since", sa.BigInteger()))
    op.add_column("tickets", sa.Column("reached_at", sa.BigInteger()))
    op.add_column("tickets", sa.Column("call_back_seconds", sa.Integer()))
    op.add_column("ticket_events", sa.Column("call_back_seconds", sa.Integer()))
    op.add_column("screen_pops", sa.Column("blocked_at", sa.BigInteger()))
    for statement in (_MADE_GOOD, _WAITING, _TOLD):
        op.execute(statement)


def downgrade() -> None:
    raise NotImplementedError("a store never goes back a version: restore a backup")
