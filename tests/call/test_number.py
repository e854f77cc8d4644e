"""One customer is one number, however it was written; what is no number identifies nobody wrongly."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.call.number import (
    NumberFormat,
    bare_number,
    customer_number,
    first_dialled,
    hotline_number,
    is_anonymous,
    is_telephone,
    write_number,
)


@pytest.mark.parametrize(
    "raw",
    [
        "0901701234",
        "84901701234",
        "+84901701234",
        "0084901701234",
        "+84 (90) 170-12.34",
        "sip:0901701234@10.0.0.1;user=phone",
        "tel:+84-901701234",
        "0901701234;npdi",
    ],
)
def test_every_way_to_write_a_vietnamese_mobile_is_one_customer(raw: str) -> None:
    assert customer_number(raw, "VN") == "+84901701234"


def test_a_range_newer_than_the_numbering_plan_is_still_one_customer() -> None:
    written = ["0123456789", "84123456789", "+84123456789", "0084123456789"]
    assert {customer_number(raw, "VN") for raw in written} == {"+84123456789"}


@pytest.mark.parametrize("raw", ["+4915112345001", "4915112345001", "004915112345001"])
def test_a_foreign_caller_keeps_the_country_code(raw: str) -> None:
    assert customer_number(raw, "VN") == "+4915112345001"


@pytest.mark.parametrize(("raw", "kept"), [("1900", "1900"), ("113", "113"), ("alice", "alice"), ("1001", "1001")])
def test_service_numbers_extensions_and_names_stay_as_they_are(raw: str, kept: str) -> None:
    assert customer_number(raw, "VN") == kept


@pytest.mark.parametrize(
    "raw", [None, "", "  ", "anonymous", "Anonymous", "unknown", "Restricted", "0", "+", "0000", "s"]
)
def test_no_number_is_no_customer(raw: str | None) -> None:
    assert is_anonymous(raw)
    assert customer_number(raw, "VN") is None
    assert all(write_number(None, raw, form, "VN") == "" for form in NumberFormat)


@pytest.mark.parametrize(
    ("candidates", "chosen"),
    [
        (("90901701234", "0901701234", "s"), "0901701234"),  # with a prefix for the outside line
        (("s", "0901701234", "0901701234"), "0901701234"),  # dialled from a subroutine
        (("1900",), "1900"),
        (("s", "h"), None),
        ((), None),
    ],
)
def test_the_number_really_dialled_is_found_among_the_candidates(
    candidates: tuple[str, ...], chosen: str | None
) -> None:
    assert first_dialled(candidates, "VN") == chosen


@pytest.mark.parametrize(
    ("exten", "hotline"), [("19001234", "19001234"), ("+842838123455", "+842838123455"), ("s", None)]
)
def test_a_hotline_is_kept_as_dialled_and_the_dialplans_s_is_none(exten: str, hotline: str | None) -> None:
    assert hotline_number(exten) == hotline


def test_extensions_are_not_telephone_numbers() -> None:
    assert [is_telephone(raw) for raw in ("1001", "*8", "123456", "0901701", "+84901701234", None)] == [
        False, False, False, True, True, False,
    ]  # fmt: skip


@given(raw=st.text(max_size=300), country=st.sampled_from(["VN", "DE", "US"]))
def test_hostile_numbers_never_raise_and_never_grow(raw: str, country: str) -> None:
    number = customer_number(raw, country)
    assert number is None or (0 < len(number) <= 64 and number.isprintable())
    bare = bare_number(raw)
    assert bare is None or len(bare) <= 64
    for form in NumberFormat:
        assert isinstance(write_number(number, raw, form, country), str)
