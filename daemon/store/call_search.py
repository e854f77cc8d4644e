"""Which calls fit: statements that choose a page of keys by an index, whatever is combined. It reads none itself.

There are three ways in: a customer's calls by his number, an agent's by `call_agents`, all others in the order of time
by `ix_calls_history`, which holds every column that is asked about. `tests/store/test_call_plans.py` holds them to it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import ColumnElement, Select, and_, exists, func, literal, literal_column, select, tuple_

from daemon.call.model import CallState
from daemon.call.signals import UnixMs
from daemon.store.call_figures import BEGAN
from daemon.store.number_search import NumberSearch
from daemon.store.tables import call_agents, calls

END_DIGITS: Final = 4
_SURE: Final = 8  # so many characters of a number leave few customers
_WINDOW: Final = 200_000  # calls; a page that has not filled itself by then says so, and the next one goes on
_AGENT_WINDOW: Final = 20_000  # each of them is looked up
_DIGITS: Final = re.compile(r"\+?[0-9]+", re.ASCII)
_EQUAL: Final = ("direction", "outcome", "missed_reason", "ended_by", "queue", "hotline")
_ENDED: Final[ColumnElement[str]] = literal_column(f"'{CallState.ENDED.value}'")
_WAIT_MS: Final = func.max(
    0,
    func.coalesce(calls.c.answered_at, calls.c.ended_at) - BEGAN,
)
_TALK_MS: Final = calls.c.ended_at - calls.c.answered_at
_PLACE: Final = (calls.c.started_at, calls.c.pbx, calls.c.call_id)
_SORTED_PLACE: Final[Sequence[ColumnElement[Any]]] = (literal_column("+calls.started_at"), *_PLACE[1:])
"""Says the same to SQLite, but leads into no index: a customer is looked for by his number on every page."""

_AGENT_PLACE: Final = (call_agents.c.started_at, call_agents.c.pbx, call_agents.c.call_id)
_END: Final = func.substr(calls.c.customer_number, literal_column(f"-{END_DIGITS}"))
_EVERYBODY: Final[Sequence[ColumnElement[bool] | None]] = (None,)

Keys = Select[tuple[Any, ...]]
Place = Sequence[int | str]


@dataclass(frozen=True, slots=True, kw_only=True)
class CallFilter:
    """None matches every call. What is `from` counts in, what is `before` does not; seconds are whole."""

    pbx: str | None = None
    direction: str | None = None
    state: str | None = None
    outcome: str | None = None
    missed_reason: str | None = None
    ended_by: str | None = None
    queue: str | None = None
    hotline: str | None = None
    user_id: str | None = None
    customer_number: str | None = None
    number: NumberSearch | None = None
    started_from: UnixMs | None = None
    started_before: UnixMs | None = None
    wait_from: int | None = None
    wait_before: int | None = None
    talk_from: int | None = None
    talk_before: int | None = None


def key_statements(wanted: CallFilter, limit: int, after: Place | None) -> list[Keys]:
    """Each gives keys (`started_at`, `pbx`, `call_id`), newest first; the page is the newest of them all, each once.

    Several, because one index cannot serve "this number, or one that ends so".
    """
    customers = list(_customers(wanted))
    if not customers and wanted.user_id is not None:
        return [_by_agent(wanted, wanted.user_id, limit, after)]
    return [_by_time(wanted, customer, limit, after) for customer in customers or _EVERYBODY]


def window_statement(wanted: CallFilter, after: Place | None) -> Keys | None:
    """Gives where the stretch begins that one page may look through. None: the page comes from an index in any case."""
    if wanted.user_id is not None and not _is_customers(wanted):
        place, size = _AGENT_PLACE, _AGENT_WINDOW
        statement = select(place[0]).where(call_agents.c.user_id == wanted.user_id)
    elif _is_choosy(wanted):
        place, size = _PLACE, _WINDOW
        statement = select(place[0])
    else:
        return None
    if wanted.started_before is not None:
        statement = statement.where(place[0] < wanted.started_before)
    if after is not None:
        statement = statement.where(tuple_(*place) < tuple_(*after))
    return statement.order_by(*(column.desc() for column in place)).limit(1).offset(size)


def _is_choosy(wanted: CallFilter) -> bool:
    """Whether calls are passed over in the order of time."""
    if _is_customers(wanted):
        return False
    chosen = (*_EQUAL, "pbx", "number", "wait_from", "wait_before", "talk_from", "talk_before")
    return any(getattr(wanted, name) is not None for name in chosen)


def _is_customers(wanted: CallFilter) -> bool:
    """Whether a number is asked for of which there are few: the whole of it, or much."""
    if wanted.number is None:
        return wanted.customer_number is not None
    return all(_leaves_few(pattern) for pattern in wanted.number.patterns)


def _leaves_few(pattern: str) -> bool:
    text = pattern.strip("%")
    if not _DIGITS.fullmatch(text):
        return False
    return len(text) >= (END_DIGITS if pattern.startswith("%") else _SURE)


def number_spellings(number: str) -> list[str]:
    """As given, and as E.164: an unescaped + in a query arrives as a space."""
    bare = number.strip()
    return [bare, f"+{bare}"] if bare.isdigit() else [bare]


def _by_time(wanted: CallFilter, customer: ColumnElement[bool] | None, limit: int, after: Place | None) -> Keys:
    conditions = [*_conditions(wanted), *([] if customer is None else [customer])]
    if wanted.user_id is not None:
        conditions.append(_took_part(wanted.user_id))
    if after is not None:
        place = _PLACE if customer is None else _SORTED_PLACE
        conditions.append(tuple_(*place) < tuple_(*after))
    return select(*_PLACE).where(*conditions).order_by(*(column.desc() for column in _PLACE)).limit(limit)


def _by_agent(wanted: CallFilter, user_id: str, limit: int, after: Place | None) -> Keys:
    """In the agent's own order of time; each of his calls is looked at for the rest."""
    statement = select(*_AGENT_PLACE).where(call_agents.c.user_id == user_id)
    if wanted.started_from is not None:
        statement = statement.where(call_agents.c.started_at >= wanted.started_from)
    if wanted.started_before is not None:
        statement = statement.where(call_agents.c.started_at < wanted.started_before)
    if after is not None:
        statement = statement.where(tuple_(*_AGENT_PLACE) < tuple_(*after))
    if rest := list(_conditions(wanted)):
        this = (calls.c.pbx == call_agents.c.pbx, calls.c.call_id == call_agents.c.call_id)
        statement = statement.where(exists(select(calls.c.pbx).where(*this, *rest)))
    return statement.order_by(*(column.desc() for column in _AGENT_PLACE)).limit(limit)


def _took_part(user_id: str) -> ColumnElement[bool]:
    pairs = zip(_AGENT_PLACE, _PLACE, strict=True)
    same = (one == other for one, other in pairs)
    return exists(select(call_agents.c.user_id).where(call_agents.c.user_id == user_id, *same))


def _conditions(wanted: CallFilter) -> Iterator[ColumnElement[bool]]:
    for name in _EQUAL:
        if (value := getattr(wanted, name)) is not None:
            yield calls.c[name] == value
    if wanted.pbx is not None:
        yield func.coalesce(calls.c.pbx, "") == wanted.pbx  # bare, it would look like a way in by the primary key
    if wanted.state is not None:
        yield calls.c.state == wanted.state
        if wanted.state != CallState.ENDED.value:
            yield calls.c.state != _ENDED  # in the words of the small index of what lives
    if wanted.started_from is not None:
        yield calls.c.started_at >= wanted.started_from
    if wanted.started_before is not None:
        yield calls.c.started_at < wanted.started_before
    yield from _spans(_WAIT_MS, wanted.wait_from, wanted.wait_before)
    yield from _spans(_TALK_MS, wanted.talk_from, wanted.talk_before)


def _spans(ms: ColumnElement[int], least: int | None, before: int | None) -> Iterator[ColumnElement[bool]]:
    if least is not None:
        yield ms >= 1000 * least
    if before is not None:
        yield ms < 1000 * before


def _customers(wanted: CallFilter) -> Iterator[ColumnElement[bool]]:
    """The alternatives that say whose calls are meant; none says everybody's."""
    column = calls.c.customer_number
    if wanted.customer_number is not None:
        yield from (column == number for number in number_spellings(wanted.customer_number))
    if wanted.number is None:
        return
    if wanted.number.exact:
        yield column == wanted.number.exact
    for pattern in wanted.number.patterns:
        text = pattern.strip("%")
        if not _DIGITS.fullmatch(text):
            yield func.coalesce(column, "").like(pattern, escape="\\")
        elif pattern.startswith("%"):
            yield _ends(text)
        else:
            yield _begins(text)


def _begins(text: str) -> ColumnElement[bool]:
    """Of a few digits there are too many customers to sort their calls: those are met soon in the order of time."""
    column: ColumnElement[str] = calls.c.customer_number
    if len(text) < _SURE:
        column = func.coalesce(column, "")
    return (column >= text) & (column < text[:-1] + chr(ord(text[-1]) + 1))


def _ends(text: str) -> ColumnElement[bool]:
    whole: ColumnElement[bool] = func.substr(calls.c.customer_number, -len(text)) == text
    return whole if len(text) < END_DIGITS else and_(literal(text[-END_DIGITS:]) == _END, whole)
