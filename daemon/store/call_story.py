"""What belongs to a call beside its row: who talked in it, and its moments. Written with it, read for its page."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from sqlalchemy import bindparam, func, select, true
from sqlalchemy.dialects.sqlite import insert

from daemon.call.model import Call, CallId, PbxName
from daemon.call.timeline import Moment, What
from daemon.store.reader import Reader
from daemon.store.tables import call_agents, call_moments, calls
from daemon.store.values import Unit
from daemon.store.work import Query, Work

_each_agent = func.json_each(calls.c.user_ids).table_valued("value")
_ADD_AGENTS = (
    insert(call_agents)
    .from_select(  # of the call as it is kept: a unit that came after its end changed nothing
        ["user_id", "started_at", "pbx", "call_id"],
        select(_each_agent.c.value, calls.c.started_at, calls.c.pbx, calls.c.call_id)
        .join_from(calls, _each_agent, true())
        .where(calls.c.pbx == bindparam("b_pbx"), calls.c.call_id == bindparam("b_call_id")),
    )
    .on_conflict_do_nothing()
)
_ADD_MOMENT = insert(call_moments).on_conflict_do_nothing()
_MOMENTS = (
    select(call_moments)
    .where(call_moments.c.pbx == bindparam("b_pbx"), call_moments.c.call_id == bindparam("b_call_id"))
    .order_by(call_moments.c.at)
    .limit(1000)
)


def keep_story(units: Sequence[Unit], known: Iterable[Call]) -> Work[None]:
    """Twice is harmless: a moment of a call is its own key."""
    talked = [{"b_pbx": call.pbx, "b_call_id": call.call_id} for call in known if call.user_ids]
    if talked:
        yield Query(_ADD_AGENTS, talked)
    moments = [_row(unit.call, moment) for unit in units for moment in unit.moments]
    if moments:
        yield Query(_ADD_MOMENT, moments)


async def read_moments(reads: Reader, pbx: PbxName, call_id: CallId) -> list[Moment]:
    """Of one call, in order of time."""
    return [
        Moment(row["at"], What(row["what"]), row["user_id"] or None, row["about"], row["until"])
        for row in await reads.fetch(_MOMENTS, {"b_pbx": pbx, "b_call_id": call_id})
    ]


def _row(call: Call, moment: Moment) -> dict[str, object]:
    return {
        "pbx": call.pbx,
        "call_id": call.call_id,
        "at": moment.at,
        "what": moment.what.value,
        "user_id": moment.user_id or "",
        "about": moment.about,
        "until": moment.until,
    }
