"""One customer's number in every form in which it may be kept, and where in the store it stands."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote

import phonenumbers
from sqlalchemy import Table, and_, bindparam, exists, func, or_, select, update

from daemon.call.number import bare_number, customer_number, is_telephone
from daemon.errors import CallwardenError, ConfigError
from daemon.store.reader import Reader
from daemon.store.row import compact_json
from daemon.store.statement import each_of
from daemon.store.tables import (
    agents,
    audit_log,
    calls,
    deliveries,
    delivery_attempts,
    hotlines,
    screen_pops,
    ticket_calls,
    ticket_events,
    tickets,
)
from daemon.store.work import Row

_BETWEEN: Final = r"[\s().\-/]*"
_SHORTEST_LITERAL: Final = 3
NUMBERS: Final = frozenset({"customer_number", "customer_number_raw"})
"""Where a call, a ticket and a payload of ours say whose they are."""


class OwnNumber(CallwardenError):
    """This is a number of your own, an agent's or a hotline, and no customer's."""


@dataclass(frozen=True, slots=True)
class Customer:
    """`forms` are the values that a column may have, `digits` the ones that every form ends with ('': not a number)."""

    number: str
    forms: tuple[str, ...]
    digits: str
    pattern: re.Pattern[str]

    @property
    def like(self) -> str:
        """For LIKE: too much, never too little; `pattern` decides."""
        return f"%{'%'.join(self.digits)}%"

    def also(self, literals: Iterable[str]) -> re.Pattern[str]:
        """The pattern with other spellings that stand for this customer, as a SIP user's name."""
        known = sorted({one for one in literals if len(one) >= _SHORTEST_LITERAL}, key=len, reverse=True)
        spelled = [re.escape(form) for one in known for form in dict.fromkeys((one, quote(one, safe="")))]
        return re.compile("|".join([*spelled, self.pattern.pattern]), re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Place:
    """Columns of a table in which a number may be written; rows are named by their primary key."""

    table: Table
    texts: tuple[str, ...]

    @property
    def keys(self) -> tuple[str, ...]:
        return tuple(column.name for column in self.table.primary_key)

    def find(self) -> Any:
        columns = [self.table.c[name] for name in (*self.keys, *self.texts)]
        return select(*columns).where(or_(*(self.table.c[name].like(bindparam("b_like")) for name in self.texts)))

    def read(self) -> Any:
        return select(self.table).where(self._is())

    def write(self, names: Iterable[str]) -> Any:
        return update(self.table).where(self._is()).values({name: bindparam(f"v_{name}") for name in names})

    def _is(self) -> Any:
        return and_(*(self.table.c[name] == bindparam(f"k_{name}") for name in self.keys))


CALLS: Final = Place(calls, ("customer_number_raw", "customer_name"))
TICKETS: Final = Place(tickets, ("note", "tags"))
EVENTS: Final = Place(ticket_events, ("old", "new"))
POPS: Final = Place(screen_pops, ("url",))
DELIVERIES: Final = Place(deliveries, ("url", "body", "last_error"))
ATTEMPTS: Final = Place(delivery_attempts, ("answer", "error"))
AUDIT: Final = Place(audit_log, ("object", "old", "new"))
PLACES: Final = (CALLS, TICKETS, EVENTS, POPS, DELIVERIES, ATTEMPTS, AUDIT)

Rows = Mapping[Place, Sequence[Row]]


@dataclass(frozen=True, slots=True)
class Found:
    """`own` is the customer's: his calls and tickets, and what was made of them. `mentions` only name the number."""

    own: Rows
    mentions: Rows

    def counts(self) -> dict[str, int]:
        own = {place.table.name: len(rows) for place, rows in self.own.items()}
        return {**own, "mentions": sum(len(rows) for rows in self.mentions.values())}

    @property
    def nothing(self) -> bool:
        return not any(self.counts().values())


def customer_of(typed: str, country: str) -> Customer:
    """Raises ConfigError for what is no number, or stands for none."""
    number = customer_number(typed, country)
    bare = bare_number(typed)
    if number is None or bare is None:
        raise ConfigError(f"{typed!r} is no customer's number")
    if not (number.startswith("+") and is_telephone(number)):
        word = rf"(?<!\w){re.escape(number)}(?!\w)"
        return Customer(number, tuple(dict.fromkeys((number, bare))), "", re.compile(word, re.IGNORECASE))
    parsed = phonenumbers.parse(number)
    code, digits = str(parsed.country_code), phonenumbers.national_significant_number(parsed)
    forms = (number, number[1:], f"00{number[1:]}", f"0{digits}", digits, bare)
    return Customer(number, tuple(dict.fromkeys(forms)), digits, _pattern(code, digits))


def _pattern(code: str, digits: str) -> re.Pattern[str]:
    """However it is written, also percent-encoded; never as the middle of a longer number."""
    spaced = _BETWEEN.join(digits)
    prefix = rf"(?:(?:(?:\+|%2B|00){_BETWEEN})?{_BETWEEN.join(code)}{_BETWEEN}(?:\(0\))?{_BETWEEN}|0{_BETWEEN})?"
    return re.compile(rf"(?:(?<!\d)|(?<=%[0-9A-F]{{2}}))(?:\+|%2B)?{prefix}{spaced}(?!\d)", re.IGNORECASE)


_IN_FORMS = each_of("b_forms")
_OWN_NUMBERS = (
    select(agents.c.user_id).where(agents.c.personal_number.in_(_IN_FORMS)),
    select(hotlines.c.number).where(hotlines.c.number.in_(_IN_FORMS)),
)
_CALLS = select(calls).where(calls.c.customer_number.in_(_IN_FORMS))
_TICKETS = select(tickets).where(tickets.c.customer_number.in_(_IN_FORMS))
_TICKETS_OF_CALLS = (
    select(tickets)
    .join(ticket_calls, ticket_calls.c.ticket_id == tickets.c.ticket_id)
    .where(ticket_calls.c.pbx == bindparam("b_pbx"), ticket_calls.c.call_id.in_(each_of("b_ids")))
)


def _of_call(table: Table) -> Any:
    return select(table).where(table.c.pbx == bindparam("b_pbx"), table.c.call_id.in_(each_of("b_ids")))


_POPS_OF_CALLS, _DELIVERIES_OF_CALLS = _of_call(screen_pops), _of_call(deliveries)
_DELIVERIES_OF_TICKETS = select(deliveries).where(deliveries.c.ticket_id.in_(each_of("b_ids")))
_SPELLED = func.json_each(bindparam("b_spelled")).table_valued("value")
_DELIVERIES_NAMING = select(deliveries).where(
    exists(select(_SPELLED.c.value).where(func.instr(deliveries.c.body, _SPELLED.c.value) > 0))
)
_DELIVERIES_OUTLIVING = select(deliveries).where(  # the call and the ticket of which they told
    or_(*(deliveries.c[name].like(bindparam("b_like")) for name in DELIVERIES.texts)),
    or_(deliveries.c.call_id.is_not(None), deliveries.c.ticket_id.is_not(None)),
    ~exists().where(calls.c.pbx == deliveries.c.pbx, calls.c.call_id == deliveries.c.call_id),
    ~exists().where(tickets.c.ticket_id == deliveries.c.ticket_id),
)
_EVENTS_OF_TICKETS = select(ticket_events).where(ticket_events.c.ticket_id.in_(each_of("b_ids")))
_ATTEMPTS_OF = select(delivery_attempts).where(delivery_attempts.c.delivery_id.in_(each_of("b_ids")))


async def find_customer(reads: Reader, customer: Customer) -> Found:
    """Everything that is kept of him. Raises OwnNumber."""
    forms = {"b_forms": compact_json(customer.forms)}
    for statement in _OWN_NUMBERS:
        if await reads.fetch(statement, forms):
            raise OwnNumber
    his_calls = await reads.fetch(_CALLS, forms)
    his_tickets = [*await reads.fetch(_TICKETS, forms), *await _of_calls(reads, _TICKETS_OF_CALLS, his_calls)]
    of_tickets = {"b_ids": compact_json([row["ticket_id"] for row in his_tickets])}
    sent = await _of_calls(reads, _DELIVERIES_OF_CALLS, his_calls)
    sent += await reads.fetch(_DELIVERIES_OF_TICKETS, of_tickets)
    sent += await _by_what_they_say(reads, customer)
    own = {
        CALLS: his_calls,
        TICKETS: _once(TICKETS, his_tickets),
        EVENTS: await reads.fetch(_EVENTS_OF_TICKETS, of_tickets),
        POPS: await _of_calls(reads, _POPS_OF_CALLS, his_calls),
        DELIVERIES: _once(DELIVERIES, sent),
        ATTEMPTS: await reads.fetch(_ATTEMPTS_OF, {"b_ids": compact_json([row["delivery_id"] for row in sent])}),
    }
    return Found(own, await _mentions(reads, customer, own))


async def _by_what_they_say(reads: Reader, customer: Customer) -> list[Row]:
    """Deliveries that are his by what they say: his call or ticket may be cleaned away before them."""
    spelled = compact_json([compact_json(form) for form in customer.forms])
    naming = await reads.fetch(_DELIVERIES_NAMING, {"b_spelled": spelled})
    outliving = await reads.fetch(_DELIVERIES_OUTLIVING, {"b_like": customer.like}) if customer.digits else []
    return [
        *(row for row in naming if any(one in customer.forms for one in _whose(row["body"]))),
        *(row for row in outliving if not _whose(row["body"]) and _mentioned(DELIVERIES, row, customer)),
    ]


def _mentioned(place: Place, row: Row, customer: Customer) -> bool:
    return any(customer.pattern.search(row[name] or "") for name in place.texts)


def _whose(body: str) -> list[object]:
    """The customers whose a payload of ours says that it is; it may mention others."""
    try:
        return [one for one in _values(json.loads(body), NUMBERS) if one]
    except ValueError:
        return []


def _values(value: Any, names: frozenset[str]) -> Iterator[object]:
    """What stands under these names, however deep."""
    for name, each in value.items() if isinstance(value, dict) else ():
        if name in names:
            yield each
        yield from _values(each, names)
    for each in value if isinstance(value, list) else ():
        yield from _values(each, names)


async def _mentions(reads: Reader, customer: Customer, own: Rows) -> Rows:
    """Everywhere else. A name or a short number is too common a word to be looked for in what people write."""
    found: dict[Place, Sequence[Row]] = {}
    for place in PLACES if customer.digits else ():
        known = {_key(place, row) for row in own.get(place, ())}
        rows = await reads.fetch(place.find(), {"b_like": customer.like})
        found[place] = [row for row in rows if _key(place, row) not in known and _mentioned(place, row, customer)]
    return found


async def _of_calls(reads: Reader, statement: Any, his_calls: Sequence[Row]) -> list[Row]:
    found: list[Row] = []
    for pbx in {row["pbx"] for row in his_calls}:
        ids = compact_json([row["call_id"] for row in his_calls if row["pbx"] == pbx])
        found += await reads.fetch(statement, {"b_pbx": pbx, "b_ids": ids})
    return found


def _once(place: Place, rows: Iterable[Row]) -> list[Row]:
    return list({_key(place, row): row for row in rows}.values())


def _key(place: Place, row: Row) -> tuple[object, ...]:
    return tuple(row[name] for name in place.keys)
