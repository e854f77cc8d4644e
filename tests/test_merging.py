"""Any set of missed calls, in any order and doubled at will, ends up in exactly the tickets that the mode defines."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from daemon.call.events import CallEnded
from daemon.call.model import Call, Direction
from daemon.call.signals import UnixMs
from daemon.policy import ticket
from daemon.policy.call_settings import CallSettings, MissedCallMerge, Rulebook
from daemon.store.store import Store
from daemon.store.tables import ticket_calls, tickets
from daemon.store.values import Unit
from tests.factory import HANOI, NOON, missed

HOUR = 3_600_000
FORMS = ["0901701234", "84901701234", "+84901701234", "0084901701234", "0912345678", "anonymous", None]


@st.composite
def missed_calls(draw: st.DrawFn) -> list[Call]:
    rows = draw(
        st.lists(
            st.tuples(
                st.sampled_from([Direction.INCOMING, Direction.OUTGOING]),
                st.sampled_from(FORMS),
                st.sampled_from([None, "support", "sales"]),
                st.integers(-30, 30),
            ),
            min_size=1,
            max_size=12,
        )
    )
    return [
        missed(f"{index}.0", number=number, direction=direction, queue=queue, started_at=UnixMs(NOON + hours * HOUR))
        for index, (direction, number, queue, hours) in enumerate(rows)
    ]


def defined_groups(calls: Sequence[Call], mode: MissedCallMerge) -> set[frozenset[str]]:
    """The rule again in other words: which calls a person reading the settings page would put together."""
    groups: dict[object, set[str]] = defaultdict(set)
    for call in calls:
        day = datetime.fromtimestamp(call.started_at / 1000, HANOI).date()
        incoming = call.direction is Direction.INCOMING
        group: object = call.call_id
        if call.customer_number is not None and (
            (incoming and mode is not MissedCallMerge.NONE)
            or (
                not incoming
                and mode in (MissedCallMerge.INCOMING_AND_OUTGOING, MissedCallMerge.INCOMING_PER_QUEUE_AND_OUTGOING)
            )
        ):
            per_queue = incoming and mode is MissedCallMerge.INCOMING_PER_QUEUE_AND_OUTGOING
            group = (incoming, call.customer_number, day, (call.queue,) if per_queue else ())
        groups[group].add(call.call_id)
    return {frozenset(group) for group in groups.values()}


async def groups_in_store(units: Sequence[Unit]) -> tuple[set[frozenset[str]], dict[int, int]]:
    store = await Store.open("sqlite://")
    try:
        await asyncio.gather(*(store.writer.submit(unit) for unit in units))
        await store.writer.drain()
        groups: dict[int, set[str]] = defaultdict(set)
        for row in await store.reader.fetch(select(ticket_calls)):
            groups[row["ticket_id"]].add(row["call_id"])
        counts = {row["ticket_id"]: row["missed_count"] for row in await store.reader.fetch(select(tickets))}
    finally:
        await store.close()
    assert {key: len(group) for key, group in groups.items()} == counts
    return {frozenset(group) for group in groups.values()}, counts


@settings(max_examples=120, deadline=None, suppress_health_check=list(HealthCheck))
@given(calls=missed_calls(), mode=st.sampled_from(MissedCallMerge), data=st.data())
def test_any_interleaving_of_missed_calls_yields_exactly_the_tickets_of_the_mode(
    calls: list[Call], mode: MissedCallMerge, data: st.DataObject
) -> None:
    rulebook = Rulebook(CallSettings(missed_call_merge=mode))
    order = data.draw(st.permutations([*calls, *data.draw(st.lists(st.sampled_from(calls), max_size=4))]))
    units = [Unit(call.started_at, call, tuple(ticket.decide(CallEnded(NOON, call), rulebook, NOON))) for call in order]
    groups, _ = asyncio.run(groups_in_store(units))
    assert groups == defined_groups(calls, mode)
