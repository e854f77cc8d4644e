"""The popup URL keeps what the operator wrote and can never be bent by what a caller sent."""

from __future__ import annotations

from urllib.parse import parse_qsl, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.policy.popup_url import PARAMETERS, fill

VALUES = {
    "userId": "an",
    "hotline": "19001234",
    "customerNumber": "84901701234",
    "isCallOut": "false",
    "timeAnswer": "1795332861496",
    "callId": "1795332859.0",
}
ALL = (
    "userId=an&hotline=19001234&customerNumber=84901701234&isCallOut=false&timeAnswer=1795332861496&callId=1795332859.0"
)


@pytest.mark.parametrize(
    ("template", "url"),
    [
        ("https://crm.example/pop", f"https://crm.example/pop?{ALL}"),
        ("https://crm.example", f"https://crm.example/?{ALL}"),
        ("https://crm.example/pop?", f"https://crm.example/pop?{ALL}"),
        ("https://crm.example/pop?a=1&b=%20x", f"https://crm.example/pop?a=1&b=%20x&{ALL}"),
        ("https://crm.example/pop?a=1&", f"https://crm.example/pop?a=1&{ALL}"),
        ("https://crm.example/#/pop", f"https://crm.example/?{ALL}#/pop"),
        ("https://crm.example/pop?a#frag?x=1", f"https://crm.example/pop?a&{ALL}#frag?x=1"),
        ("https://crm.example/khách?tên=An", f"https://crm.example/kh%C3%A1ch?t%C3%AAn=An&{ALL}"),
        (
            "https://crm.example/c/{customerNumber}/{userId}?t={timeAnswer}",
            "https://crm.example/c/84901701234/an?t=1795332861496&hotline=19001234&isCallOut=false&callId=1795332859.0",
        ),
        (
            "https://crm.example/#/c/{customerNumber}?x={callId}",
            (
                "https://crm.example/?userId=an&hotline=19001234&isCallOut=false&timeAnswer=1795332861496"
                "#/c/84901701234?x=1795332859.0"
            ),
        ),
    ],
)
def test_parameters_are_placed_or_appended_in_order(template: str, url: str) -> None:
    assert fill(template, VALUES) == url


@given(values=st.fixed_dictionaries({name: st.text(max_size=40) for name in PARAMETERS}))
def test_whatever_a_caller_sends_stays_inside_its_parameter(values: dict[str, str]) -> None:
    values = {name: text.encode("utf-8", "replace").decode() for name, text in values.items()}
    url = fill("https://crm.example/pop?keep=me#end", values)
    parts = urlsplit(url)
    assert (parts.scheme, parts.netloc, parts.path, parts.fragment) == ("https", "crm.example", "/pop", "end")
    assert parse_qsl(parts.query, keep_blank_values=True) == [
        ("keep", "me"),
        *((name, values[name]) for name in PARAMETERS),
    ]
    assert url.isascii()
    assert url.isprintable()


@given(number=st.text(max_size=40))
def test_a_placed_value_can_add_no_segment_query_or_fragment(number: str) -> None:
    values = VALUES | {"customerNumber": number.encode("utf-8", "replace").decode()}
    parts = urlsplit(fill("https://crm.example/c/{customerNumber}/x", values))
    assert parts.path.count("/") == 3
    assert parts.path.endswith("/x")
    assert [name for name, _ in parse_qsl(parts.query, keep_blank_values=True)] == [
        name for name in PARAMETERS if name != "customerNumber"
    ]


def test_a_value_that_looks_like_a_placeholder_is_not_filled_again() -> None:
    values = VALUES | {"userId": "{callId}"}
    assert "%7BcallId%7D" in fill("https://crm.example/{userId}", values)
