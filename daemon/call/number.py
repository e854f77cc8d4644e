"""Telephone numbers: one customer is one number, however the trunk or the agent wrote it."""

from __future__ import annotations

import re
from enum import StrEnum
from functools import lru_cache

import phonenumbers
from phonenumbers import NumberParseException, PhoneNumberFormat

_ANONYMOUS = frozenset({"anonymous", "unknown", "unavailable", "restricted", "private", "withheld", "asterisk", "s"})
_DECORATION = re.compile(r"[\s().\-/]")
_DIALLABLE = re.compile(r"\+?[0-9]+")
_URI = re.compile(r"^(?:sips?|tel):", re.IGNORECASE)
_MAX_LENGTH = 64  # longer than any number; what a hostile From header may reach the store with
_TELEPHONE_DIGITS = 7  # extensions and service codes are shorter, subscriber numbers are not


class NumberFormat(StrEnum):
    """How customer numbers are written in URLs: +84901701234, 84901701234, 0901701234, as received."""

    E164 = "e164"
    E164_DIGITS = "e164_digits"
    NATIONAL = "national"
    RAW = "raw"


def bare_number(raw: str | None) -> str | None:
    """Take the number out of a SIP user part: no scheme, parameters or decoration; None where there is none."""
    if raw is None:
        return None
    user = _URI.sub("", raw.strip()).split("@", 1)[0].split(";", 1)[0]
    text = "".join(c for c in user if c.isprintable())[:_MAX_LENGTH].strip()
    digits = _DECORATION.sub("", text)
    return digits if _DIALLABLE.fullmatch(digits) else text or None


def is_anonymous(raw: str | None) -> bool:
    """No number at all, one of the words that stand for none, or only zeros."""
    bare = bare_number(raw)
    return bare is None or bare.lower() in _ANONYMOUS or not bare.strip("+0")


def is_telephone(raw: str | None) -> bool:
    """Long enough to be a subscriber's number rather than an extension or a feature code."""
    bare = bare_number(raw)
    return bare is not None and _DIALLABLE.fullmatch(bare) is not None and len(bare.strip("+")) >= _TELEPHONE_DIGITS


@lru_cache(maxsize=16384)
def customer_number(raw: str | None, country: str) -> str | None:
    """E.164 where `raw` is a telephone number in `country` or of a named one; else as received; None: anonymous.

    Service numbers (1900, 113) and names (`alice`) stay as they are, so that they still identify a customer.
    """
    if is_anonymous(raw):
        return None
    bare = bare_number(raw)
    assert bare is not None
    valid = _valid(bare, country)
    return phonenumbers.format_number(valid, PhoneNumberFormat.E164) if valid else bare


def hotline_number(raw: str | None) -> str | None:
    """Take the company's number as dialled or shown; None for the dialplan's own `s` and for a hidden number."""
    return None if is_anonymous(raw) else bare_number(raw)


def first_dialled(candidates: tuple[str, ...], country: str) -> str | None:
    """Choose what was really called among the PBX's candidates: a valid number first, else the first number."""
    numbers = [bare for c in candidates if (bare := bare_number(c)) and _DIALLABLE.fullmatch(bare)]
    return next((n for n in numbers if _valid(n, country)), numbers[0] if numbers else None)


def write_number(number: str | None, raw: str | None, form: NumberFormat, country: str) -> str:
    """Write a number from `customer_number` in the operator's format; '' for an anonymous caller."""
    if form is NumberFormat.RAW:
        return "" if is_anonymous(raw) else (raw or "")
    if number is None:
        return ""
    if form is NumberFormat.E164 or not number.startswith("+"):
        return number
    if form is NumberFormat.E164_DIGITS:
        return number[1:]
    return _national(number, country)


def _national(number: str, country: str) -> str:
    parsed = _valid(number, country)
    if parsed is None or phonenumbers.region_code_for_number(parsed) != country:
        return number
    return bare_number(phonenumbers.format_number(parsed, PhoneNumberFormat.NATIONAL)) or number


def _valid(bare: str, country: str) -> phonenumbers.PhoneNumber | None:
    """Valid as dialled in `country`, or with a missing + supplied (trunks drop it), or at least of possible length.

    The last step keeps 84…, 0…, +84…, 0084… one customer in ranges newer than our numbering plan.
    """
    as_dialled = _parse(bare, country)
    if as_dialled and phonenumbers.is_valid_number(as_dialled):
        return as_dialled
    with_plus = _parse("+" + bare, country) if bare[0] not in "+0" and len(bare) > _TELEPHONE_DIGITS else None
    if with_plus and phonenumbers.is_valid_number(with_plus):
        return with_plus
    return as_dialled if as_dialled and _possible(as_dialled) else None


def _parse(text: str, country: str) -> phonenumbers.PhoneNumber | None:
    try:
        return phonenumbers.parse(text, country)
    except NumberParseException:
        return None


def _possible(number: phonenumbers.PhoneNumber) -> bool:
    return phonenumbers.is_possible_number_with_reason(number) == phonenumbers.ValidationResult.IS_POSSIBLE
