"""Many agents, queues or hotlines changed together: what is to be written is worked out before the transaction.

So the one writer, for which calls wait, only looks whether all is as it was thought to be, and writes what differs.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import Any, Final

from sqlalchemy import bindparam, delete, insert, null, select, update

from daemon.store.audit import By, Facts, FactsByKey, noted_changes, write_notes
from daemon.store.queues import QUEUE_FIELDS
from daemon.store.ringtone_choice import require_ringtone
from daemon.store.row import compact_json
from daemon.store.statement import each_of
from daemon.store.tables import agent_endpoints, agents, hotlines, queues
from daemon.store.work import Query, Row, Work

Changed = Sequence[tuple[str, Facts | None, Facts]]
"""Key, how it is now (None: it is new), how it shall be."""

_AGENTS = select(agents).where(agents.c.user_id.in_(each_of("b_keys")))
_ENDPOINTS = (
    select(agent_endpoints)
    .where(agent_endpoints.c.user_id.in_(each_of("b_keys")))
    .order_by(agent_endpoints.c.user_id, agent_endpoints.c.position)
)
_QUEUES = select(queues).where(queues.c.name.in_(each_of("b_keys")))
_HOTLINES = select(hotlines).where(hotlines.c.number.in_(each_of("b_keys")))
_INSERT_AGENT = insert(agents)
_UPDATE_AGENT = (
    update(agents)
    .where(agents.c.user_id == bindparam("b_key"))
    .values(name=bindparam("b_name"), ringtone=bindparam("b_ringtone"), phone_brand=bindparam("b_phone_brand"))
)
_FREE_NUMBER = update(agents).where(agents.c.user_id == bindparam("b_key")).values(personal_number=null())
_SET_NUMBER = update(agents).where(agents.c.user_id == bindparam("b_key")).values(personal_number=bindparam("b_number"))
_DELETE_ENDPOINTS = delete(agent_endpoints).where(agent_endpoints.c.user_id == bindparam("b_key"))
_INSERT_ENDPOINT = insert(agent_endpoints)
_INSERT_QUEUE = insert(queues)
_UPDATE_QUEUE = (
    update(queues)
    .where(queues.c.name == bindparam("b_key"))
    .values({name: bindparam(f"b_{name}") for name in QUEUE_FIELDS})
)
_INSERT_HOTLINE = insert(hotlines)
_UPDATE_HOTLINE = (
    update(hotlines)
    .where(hotlines.c.number == bindparam("b_key"))
    .values(label=bindparam("b_label"), ringtone=bindparam("b_ringtone"))
)


def agent_facts_of(user_ids: Collection[str]) -> Work[FactsByKey]:
    """Those of them that there are."""
    keys = {"b_keys": compact_json(list(user_ids))}
    rows = yield Query(_AGENTS, keys)
    owned: dict[str, list[str]] = {row["user_id"]: [] for row in rows}
    for row in (yield Query(_ENDPOINTS, keys)):
        owned[row["user_id"]].append(row["endpoint"])
    return {
        row["user_id"]: {
            "name": row["name"],
            "endpoints": owned[row["user_id"]],
            "ringtone": row["ringtone"],
            "phone_brand": row["phone_brand"],
            "personal_number": row["personal_number"],
        }
        for row in rows
    }


def queue_facts_of(names: Collection[str]) -> Work[FactsByKey]:
    rows = yield Query(_QUEUES, {"b_keys": compact_json(list(names))})
    return {row["name"]: _without(row, "name") for row in rows}


def hotline_facts_of(numbers: Collection[str]) -> Work[FactsByKey]:
    rows = yield Query(_HOTLINES, {"b_keys": compact_json(list(numbers))})
    return {row["number"]: _without(row, "number") for row in rows}


def agent_queries(changed: Changed) -> Iterator[Query]:
    """First all give away what they lose, so that others may get it in whatever order they come."""
    new = [(key, after) for key, before, after in changed if before is None]
    old = [(key, before, after) for key, before, after in changed if before is not None]
    phones = [(key, after) for key, before, after in changed if before is None or _differs("endpoints", before, after)]
    numbers = [(key, after) for key, before, after in old if _differs("personal_number", before, after)]
    rest = [(key, after) for key, before, after in old if _differs(_PLAIN, before, after)]
    yield Query(
        _DELETE_ENDPOINTS, [{"b_key": key} for key, before, after in old if _differs("endpoints", before, after)]
    )
    yield Query(_FREE_NUMBER, [{"b_key": key} for key, _ in numbers])
    yield Query(_UPDATE_AGENT, [{"b_key": key, **{f"b_{name}": after[name] for name in _PLAIN}} for key, after in rest])
    yield Query(_SET_NUMBER, [{"b_key": key, "b_number": after["personal_number"]} for key, after in numbers])
    yield Query(_INSERT_AGENT, [{"user_id": key, **_without(after, "endpoints")} for key, after in new])
    yield Query(_INSERT_ENDPOINT, [values for key, after in phones for values in _endpoint_rows(key, after)])


def queue_queries(changed: Changed) -> Iterator[Query]:
    yield Query(_UPDATE_QUEUE, _updates(changed))
    yield Query(_INSERT_QUEUE, [{"name": key, **after} for key, before, after in changed if before is None])


def hotline_queries(changed: Changed) -> Iterator[Query]:
    yield Query(_UPDATE_HOTLINE, _updates(changed))
    yield Query(_INSERT_HOTLINE, [{"number": key, **after} for key, before, after in changed if before is None])


def prepare_puts(
    by: By,
    kind: str,
    changed: Changed,
    facts_of: Callable[[Collection[str]], Work[FactsByKey]],
    queries: Callable[[Changed], Iterator[Query]],
) -> Callable[[], Work[bool]]:
    """The work that writes them all, each with its entry in the audit log. Takes a while itself: not in the writer.

    The work is False, and changed nothing, when one of them is no longer as it was. It raises UnknownRingtone, and
    Conflict where one is to get what belongs to another who is not among them: look before.
    """
    before = {key: old for key, old, _ in changed if old is not None}
    keys = [key for key, *_ in changed]
    ringtones = sorted({str(after["ringtone"]) for *_, after in changed if after["ringtone"] is not None})
    writes = [*queries(changed), write_notes(noted_changes(by, kind, changed))]

    def work() -> Work[bool]:
        if (yield from facts_of(keys)) != before:
            return False
        for ringtone in ringtones:
            yield from require_ringtone(ringtone)
        for query in writes:  # noqa: UP028 - rows are sent back, which a list does not take
            yield query
        return True

    return work


_PLAIN: Final = ("name", "ringtone", "phone_brand")


def _differs(names: str | Sequence[str], before: Facts, after: Facts) -> bool:
    several = (names,) if isinstance(names, str) else names
    return any(before[name] != after[name] for name in several)


def _updates(changed: Changed) -> list[dict[str, object]]:
    return [
        {"b_key": key, **{f"b_{name}": value for name, value in after.items()}}
        for key, before, after in changed
        if before is not None
    ]


def _endpoint_rows(user_id: str, facts: Mapping[str, Any]) -> Iterator[dict[str, object]]:
    for position, endpoint in enumerate(facts["endpoints"]):
        yield {"endpoint": endpoint, "user_id": user_id, "position": position}


def _without(values: Row | Facts, name: str) -> dict[str, object]:
    return {key: value for key, value in values.items() if key != name}
