"""What a company's system answered about a customer, made fit for agents' eyes. Nothing in it is believed."""

from __future__ import annotations

import json
from enum import StrEnum
from typing import Final

from daemon.delivery.http_sender import Document
from daemon.delivery.target_guard import TargetGuard
from daemon.errors import NeverAgain
from daemon.policy.customer_lookup import Customer
from daemon.policy.retry import Failure
from daemon.store.name import name_error

LONGEST_NAME: Final = 120
LONGEST_NOTE: Final = 500
LONGEST_LINK: Final = 2_048
_JOINERS: Final = "\u200c\u200d"  # parts of words in Persian and Indian scripts, and of emoji
_ANY_ADDRESS: Final = TargetGuard()  # the browser opens it, so the networks that we may not call are no matter


class Unfit(StrEnum):
    """Why an answer tells nothing, besides the failures of the network."""

    REDIRECT = "redirect_not_followed"
    STATUS = "odd_status"
    TOO_LONG = "answer_too_long"
    NO_JSON_OBJECT = "no_json_object"
    TOO_MANY = "too_many_at_once"


Trouble = Failure | Unfit

_UNKNOWN: Final = (204, 404)  # how many a system says that it knows nobody of this number


def read_answer(answer: Document) -> Customer | Trouble | None:
    """None: the system knows nothing of this customer."""
    if answer.failure is not None:
        return answer.failure
    if answer.status_code in _UNKNOWN:
        return None
    if answer.status_code != 200:
        is_elsewhere = answer.status_code is not None and 300 <= answer.status_code < 400
        return Unfit.REDIRECT if is_elsewhere else Unfit.STATUS
    if answer.body is None:
        return Unfit.TOO_LONG if answer.too_long else Failure.BROKEN_ANSWER
    given = _json_object(answer.body)
    return Unfit.NO_JSON_OBJECT if given is None else _customer(given)


def _customer(given: dict[str, object]) -> Customer | None:
    """Each field alone: one that is wrong does not take the others with it."""
    name, note = _line(given.get("name"), LONGEST_NAME), _lines(given.get("note"), LONGEST_NOTE)
    link = _link(given.get("link"))
    return Customer(name=name, link=link, note=note) if name or link or note else None


def _json_object(body: bytes) -> dict[str, object] | None:
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):  # RecursionError: brackets without end
        return None
    return found if isinstance(found, dict) else None


def _line(value: object, longest: int) -> str | None:
    return _cut(_seen(value), longest) if isinstance(value, str) else None


def _lines(value: object, longest: int) -> str | None:
    """Lines stay apart, empty ones go."""
    if not isinstance(value, str):
        return None
    lines = (_seen(line) for line in value.splitlines())
    return _cut("\n".join(line for line in lines if line), longest)


def _seen(text: str) -> str:
    """Nothing that moves, hides or turns around what stands beside it (UAX #9); each blank is one space."""
    kept = (char if char.isprintable() or char in _JOINERS else " " if char.isspace() else "" for char in text)
    return " ".join("".join(kept).split())


def _cut(text: str, longest: int) -> str | None:
    short = text if len(text) <= longest else text[: longest - 1].rstrip() + "…"
    return short if short and name_error(short.replace("\n", " ")) is None else None


def _link(value: object) -> str | None:
    """Exactly what a browser would open: an absolute http(s) URL without user name, blanks or turned letters."""
    if not isinstance(value, str) or len(value) > LONGEST_LINK or not value.isprintable():
        return None
    if not value.lower().startswith(("http://", "https://")):
        return None
    try:
        _ANY_ADDRESS.check_url(value)
    except NeverAgain:
        return None
    return value
