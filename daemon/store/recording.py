"""The hot transaction: what call events changed and what the policies decided, with the deliveries they cause.

Doing a unit twice changes nothing and announces nothing. A call's whole group is read at once, worked out in Python
(the writer is alone in its transaction) and written with one statement a table.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from sqlalchemy import bindparam, literal_column, select
from sqlalchemy.dialects.sqlite import insert

from daemon.call.model import Call, CallId, CallState, PbxName, UserId
from daemon.call.signals import UnixMs
from daemon.policy.decision import AnnounceCall, PopScreen
from daemon.store.announcing import Announcement, Popup, announce, call_announcement, ticket_announcement
from daemon.store.call_story import keep_story
from daemon.store.closing import ClosedTicket, close_missed
from daemon.store.merging import CallKey, Ticketing, call_key, open_tickets
from daemon.store.row import call_row, compact_json
from daemon.store.statement import each_of
from daemon.store.tables import calls, screen_pops
from daemon.store.values import Committed, Unit
from daemon.store.work import Query, Work

PopKey = tuple[CallKey, UserId]

_new_call = insert(calls)
_UPSERT_CALL = _new_call.on_conflict_do_update(
    index_elements=[calls.c.pbx, calls.c.call_id],
    set_={column.name: _new_call.excluded[column.name] for column in calls.c if not column.primary_key},
    where=calls.c.state != literal_column(f"'{CallState.ENDED.value}'"),  # nothing about an ended call changes
)
_POPS_OF_CALLS = select(screen_pops.c.call_id, screen_pops.c.user_id).where(
    screen_pops.c.pbx == bindparam("pbx"), screen_pops.c.call_id.in_(each_of("ids"))
)
_INSERT_POP = insert(screen_pops).on_conflict_do_nothing()


def record(units: Sequence[Unit], told_at: UnixMs | None = None) -> Work[list[Committed]]:
    """Calls, then tickets, what is made good, pops and announcements; one `Committed` per unit, in order.

    It tells what is new in it. `told_at` is for what was read afterwards: webhooks are sent from then on.
    """
    known = list(_last_known(units))
    yield Query(_UPSERT_CALL, [call_row(call) for call in known])
    yield from keep_story(units, known)
    ticketings = yield from open_tickets(units)
    closings = yield from close_missed(units)
    pops = yield from _pop_screens(units)
    effects = [list(_effects(*each)) for each in zip(units, ticketings, closings, pops, strict=True)]
    deliveries = yield from announce(effects, told_at)
    return [
        Committed(
            unit,
            ticketing.ticket_id,
            ticketing.change,
            tuple(one.ticket for one in closed),
            made,
            tuple(pop.user_id for pop in popped),
        )
        for unit, ticketing, closed, popped, made in zip(units, ticketings, closings, pops, deliveries, strict=True)
    ]


def _last_known(units: Iterable[Unit]) -> Iterable[Call]:
    """Each call once, as its last unit knows it; the first end is final."""
    last: dict[CallKey, Call] = {}
    for unit in units:
        before = last.get(call_key(unit))
        if before is None or before.state is not CallState.ENDED:
            last[call_key(unit)] = unit.call
    return last.values()


def _pop_screens(units: Sequence[Unit]) -> Work[list[list[PopScreen]]]:
    """The pops of each unit that were not there before."""
    wanted = [[decision for decision in unit.decisions if isinstance(decision, PopScreen)] for unit in units]
    if not any(wanted):
        return wanted
    seen = yield from _known_pops(pop for pops in wanted for pop in pops)
    new = [[pop for pop in pops if _first_time(pop, seen)] for pops in wanted]
    rows = [_pop_row(pop, unit) for unit, pops in zip(units, new, strict=True) for pop in pops]
    yield Query(_INSERT_POP, rows)
    return new


def _known_pops(pops: Iterable[PopScreen]) -> Work[set[PopKey]]:
    ids: dict[PbxName, set[CallId]] = {}
    for pop in pops:
        ids.setdefault(pop.call.pbx, set()).add(pop.call.call_id)
    known: set[PopKey] = set()
    for pbx, call_ids in ids.items():
        rows = yield Query(_POPS_OF_CALLS, {"pbx": pbx, "ids": compact_json(list(call_ids))})
        known |= {((pbx, row["call_id"]), row["user_id"]) for row in rows}
    return known


def _first_time(pop: PopScreen, seen: set[PopKey]) -> bool:
    key = ((pop.call.pbx, pop.call.call_id), pop.user_id)
    if key in seen:
        return False
    seen.add(key)
    return True


def _pop_row(pop: PopScreen, unit: Unit) -> dict[str, object]:
    return {
        "pbx": pop.call.pbx,
        "call_id": pop.call.call_id,
        "user_id": pop.user_id,
        "url": pop.url,
        "time_answer": pop.time_answer,
        "to_desk": pop.to_desk,
        "at": unit.at,
    }


def _effects(
    unit: Unit, ticketing: Ticketing, closed: Iterable[ClosedTicket], pops: Iterable[PopScreen]
) -> Iterable[Popup | Announcement]:
    if ticketing.change is not None:
        yield ticket_announcement(ticketing.change, unit.call, unit.at)
    for one in closed:
        yield one.announcement(unit)
    for pop in pops:
        if pop.to_webhook:
            yield Popup(unit.at, pop, ticketing.ticket_id)
    for decision in unit.decisions:
        if isinstance(decision, AnnounceCall):
            yield call_announcement(decision, unit.at, ticketing.ticket_id)
