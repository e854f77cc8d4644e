"""Which sites can be shown in a frame of ours, and that asking them tells nothing of a customer."""

from __future__ import annotations

import pytest

from daemon.web.framing import Origin, refuses_framing
from daemon.web.services import PageHead

OURS = Origin("https", "calls.example.com", 443)
SITE = "https://crm.example.com/customer"
CSP = "Content-Security-Policy"
XFO = "X-Frame-Options"


def refuses(*headers: tuple[str, str], url: str = SITE, ours: Origin = OURS) -> bool:
    return refuses_framing(PageHead(url, headers), ours)


@pytest.mark.parametrize(
    "sources",
    [
        "*",
        "https:",
        "https://calls.example.com",
        "calls.example.com",
        "https://*.example.com",
        "http://calls.example.com",
        "https://calls.example.com:443",
        "https://calls.example.com:*",
        "'self' https://calls.example.com/desk",
        "HTTPS://CALLS.EXAMPLE.COM",
    ],
)
def test_a_policy_that_names_us_lets_us(sources: str) -> None:
    assert not refuses((CSP, f"default-src 'self'; frame-ancestors {sources}"), (XFO, "DENY"))


@pytest.mark.parametrize(
    "sources",
    ["'none'", "", "'self'", "https://example.com", "https://*.calls.example.com", "calls.example.com:8443", "data:"],
)
def test_a_policy_that_does_not_name_us_keeps_us_out(sources: str) -> None:
    assert refuses((CSP, f"frame-ancestors {sources}"))


def test_every_policy_must_allow_whether_in_one_header_or_several() -> None:
    assert refuses((CSP, "frame-ancestors *, frame-ancestors 'none'"))
    assert refuses((CSP, "frame-ancestors *"), (CSP.lower(), "frame-ancestors 'self'"))


@pytest.mark.parametrize(
    ("value", "refused"),
    [
        ("DENY", True),
        ("SAMEORIGIN", True),
        ("sameorigin, deny", True),
        ("ALLOW-FROM https://calls.example.com", False),
        ("ALLOWALL", False),
    ],
)
def test_the_old_header_counts_where_no_policy_says_more(value: str, refused: bool) -> None:
    assert refuses((XFO, value)) is refused
    assert refuses((CSP, "default-src 'self'"), (XFO, value)) is refused


def test_a_policy_that_only_reports_and_silence_forbid_nothing() -> None:
    assert not refuses(("Content-Security-Policy-Report-Only", "frame-ancestors 'none'"))
    assert not refuses()


def test_a_site_of_our_own_origin_is_self() -> None:
    assert not refuses((CSP, "frame-ancestors 'self'"), url="https://calls.example.com/x")
    assert not refuses((XFO, "SAMEORIGIN"), url="https://calls.example.com/x")


def test_an_origin_on_http_with_a_port_is_told_apart() -> None:
    lan = Origin.of("http://192.168.0.5:8088")
    assert not refuses((CSP, "frame-ancestors http://192.168.0.5:8088"), ours=lan)
    assert refuses((CSP, "frame-ancestors https://192.168.0.5:8088"), ours=lan)
