from __future__ import annotations

import socket
from ipaddress import IPv4Address, IPv6Address

import pytest
from aiohttp.abc import AbstractResolver, ResolveResult
from hypothesis import given
from hypothesis import strategies as st

from daemon.delivery.http_sender import Answer, HttpSender
from daemon.delivery.target_guard import AddressRefused, BadUrl, TargetGuard, guard_from_config
from daemon.errors import ConfigError
from daemon.policy.retry import Failure
from tests.delivery.receiver import Receiver, Reply

GUARD = TargetGuard()

REFUSED_ADDRESSES = [
    "0.0.0.0",  # noqa: S104
    "0.1.2.3",
    "169.254.0.1",
    "169.254.169.254",
    "169.254.170.2",
    "224.0.0.1",
    "239.255.255.250",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "fe80::1",
    "fe80::1%eth0",
    "febf::1",
    "ff02::1",
    "::ffff:169.254.169.254",
    "::ffff:a9fe:a9fe",
    "::ffff:0.0.0.0",
    "::ffff:224.0.0.1",
    "::169.254.169.254",
    "::ffff:0:169.254.169.254",
    "64:ff9b::169.254.169.254",
    "64:ff9b:1::a9fe:a9fe",
    "2002:a9fe:a9fe::1",
    "fd00:ec2::254",
    "100.100.100.200",
    "168.63.129.16",
    "",
    "localhost",
    "127.1",
    "0x7f000001",
    "2130706433",
    "0177.0.0.1",
    "127.0.0.1\x00",
]

ALLOWED_ADDRESSES = [
    "127.0.0.1",
    "::1",
    "10.0.0.5",
    "172.16.3.4",
    "192.168.1.20",
    "100.64.0.9",
    "fd12:3456::1",
    "203.0.113.7",
    "8.8.8.8",
    "2606:4700::1111",
    "::ffff:192.168.1.20",
    "169.253.255.255",
    "223.255.255.255",
]


@pytest.mark.parametrize("address", REFUSED_ADDRESSES)
def test_an_address_that_is_no_ones_crm_is_refused(address: str) -> None:
    with pytest.raises(AddressRefused):
        GUARD.check_address(address)


@pytest.mark.parametrize("address", ALLOWED_ADDRESSES)
def test_the_internet_and_the_lan_may_be_called(address: str) -> None:
    GUARD.check_address(address)


HOSTILE_URLS = [
    "",
    "x",
    "//crm.example/",
    "/path",
    "ftp://crm.example/",
    "file:///etc/passwd",
    "gopher://127.0.0.1:6379/_INFO",
    "javascript:alert(1)",
    "unix:/run/docker.sock",
    "http+unix://%2frun%2fdocker.sock/",
    "ws://crm.example/",
    "http:crm.example",
    "http://",
    "http:///x",
    "http://:80/",
    "http://crm.example:0/",
    "http://crm.example:65536/",
    "http://crm.example:http/",
    "http://user@crm.example/",
    "http://user:password@crm.example/",
    "http://:password@crm.example/",
    "http://crm.example@169.254.169.254/",
    "http://169.254.169.254#@crm.example/",
    "http://169.254.169.254/latest/meta-data/",
    "http://169.254.169.254./",
    "http://169.254.169.254:80/",
    "http://[::ffff:169.254.169.254]/",
    "http://[::ffff:a9fe:a9fe]/",
    "http://[::]/",
    "http://[fe80::1]/",
    "http://[fe80::1%25eth0]/",
    "http://[ff02::1]/",
    "http://[64:ff9b::a9fe:a9fe]/",
    "http://[::1/",
    "http://0/",
    "http://0.0.0.0/",
    "http://2852039166/",
    "http://0xa9fea9fe/",
    "http://0xA9.0xFE.0xA9.0xFE/",
    "http://0251.0376.0251.0376/",
    "http://0251.254.169.254/",
    "http://169.254.43518/",
    "http://169.16689662/",
    "http://127.1/",
    "http://0x7f.1/",
    "http://2130706433/",
    "http://127.0.0.1./",
    "http://crm.example.0x/",
    "http://①⑥⑨.②⑤④.①⑥⑨.②⑤④/",
    "http://169。254。169。254/",
    "http://%31%36%39.254.169.254/",
    "http://crm.example%00.evil/",
    "http://crm.example\\@169.254.169.254/",
    "http:\\\\crm.example\\",
    "http://crm.example/\r\nX-Injected: 1",
    "http://crm.example/a b",
    "http://crm.example/\x00",
    " http://crm.example/",
    "http://crm.example/\x7f",
    "http://crm..example/",
    "http://crm.example../",
    "http://.crm.example/",
    "http://crm,example/",
    "http://" + "a" * 9_000,
]

GOOD_URLS = [
    ("http://crm.example/", "http://crm.example/"),
    ("https://crm.example:8443/hook?x=1&y=%2B%20a+b#frag", "https://crm.example:8443/hook?x=1&y=%2B%20a+b#frag"),
    ("HTTP://CRM.example/%7Euser", "http://CRM.example/%7Euser"),
    ("http://crm/", "http://crm/"),
    ("http://crm_1.lan./x", "http://crm_1.lan./x"),
    ("http://192.168.1.20:3000/pop", "http://192.168.1.20:3000/pop"),
    ("http://[::1]:8080/pop", "http://[::1]:8080/pop"),
    ("http://3com.example/", "http://3com.example/"),
    ("http://crm.example/?khách=Nguyễn", "http://crm.example/?kh%C3%A1ch=Nguy%E1%BB%85n"),
    ("http://bücher.example/", "http://xn--bcher-kva.example/"),
]


@pytest.mark.parametrize("url", HOSTILE_URLS)
def test_a_hostile_url_is_refused_before_anything_is_sent(url: str) -> None:
    with pytest.raises((BadUrl, AddressRefused)):
        GUARD.check_url(url)


@pytest.mark.parametrize(("url", "requested"), GOOD_URLS)
def test_a_good_url_is_requested_as_it_was_written(url: str, requested: str) -> None:
    assert str(GUARD.check_url(url)) == requested


@given(st.text(max_size=40) | st.text(max_size=30).map("http://{}".format))
def test_any_text_is_a_url_or_is_refused(url: str) -> None:
    try:
        parsed = GUARD.check_url(url)
    except (BadUrl, AddressRefused):
        return
    assert parsed.scheme in ("http", "https")
    assert parsed.host
    assert parsed.raw_user is None


@given(st.integers(0, 0xFFFF).map(lambda low: IPv4Address(0xA9FE0000 + low)), st.integers(0, 8))
def test_no_spelling_of_a_link_local_address_gets_through(address: IPv4Address, spelling: int) -> None:
    number, parts = int(address), str(address).split(".")
    spellings = [
        str(address),
        str(number),
        hex(number),
        oct(number).replace("o", ""),
        ".".join(hex(int(part)) for part in parts),
        ".".join(f"0{int(part):o}" for part in parts),
        f"{parts[0]}.{parts[1]}.{number & 0xFFFF}",
        f"[::ffff:{address}]",
        f"[64:ff9b::{address}]",
    ]
    with pytest.raises((BadUrl, AddressRefused)):
        GUARD.check_url(f"http://{spellings[spelling]}/")


@given(st.ip_addresses(v=6) | st.ip_addresses(v=4))
def test_what_passes_is_neither_link_local_nor_multicast_nor_unspecified(address: IPv4Address | IPv6Address) -> None:
    try:
        GUARD.check_address(str(address))
    except AddressRefused:
        return
    real = address.ipv4_mapped or address if isinstance(address, IPv6Address) else address
    assert not any([real.is_link_local, real.is_multicast, real.is_unspecified])


def test_denied_networks_are_refused_and_allowed_ones_are_their_exceptions() -> None:
    guard = guard_from_config(allow=["192.168.7.0/24", "fd00::/64"], deny=["0.0.0.0/0", "::/0"])
    guard.check_address("192.168.7.9")
    guard.check_address("fd00::9")
    for address in ("192.168.8.9", "127.0.0.1", "::1", "8.8.8.8", "::ffff:10.0.0.1"):
        with pytest.raises(AddressRefused):
            guard.check_address(address)


def test_no_config_makes_link_local_reachable() -> None:
    guard = guard_from_config(allow=["0.0.0.0/0", "::/0", "169.254.0.0/16"], deny=[])
    with pytest.raises(AddressRefused):
        guard.check_address("169.254.169.254")


def test_a_wrong_network_in_the_config_is_named() -> None:
    with pytest.raises(ConfigError, match=r"192\.168\.0\.1/16"):
        guard_from_config(allow=[], deny=["192.168.0.1/16"])


class ScriptedResolver(AbstractResolver):
    """Names as an attacker's name server answers them: something else each time."""

    def __init__(self, *answers: list[str]) -> None:
        self.answers = list(answers)
        self.asked: list[str] = []

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        self.asked.append(host)
        found = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        return [
            ResolveResult(hostname=host, host=one, port=port, family=socket.AF_INET, proto=0, flags=0) for one in found
        ]

    async def close(self) -> None:
        """Nothing to close."""


async def get(url: str, resolver: AbstractResolver | None = None, guard: TargetGuard = GUARD) -> Answer:
    async with HttpSender(guard, "callwarden/test", timeout_s=2, resolver=resolver) as sender:
        return await sender.send("GET", url, {}, "")


@pytest.mark.parametrize("address", ["169.254.169.254", "::ffff:169.254.169.254", "0.0.0.1", "fe80::1", "224.0.0.1"])
async def test_a_name_that_leads_to_a_refused_address_is_not_connected_to(address: str) -> None:
    answer = await get("http://innocent.example/", ScriptedResolver([address]))
    assert answer.outcome.failure is Failure.ADDRESS_REFUSED
    assert answer.status_code is None


async def test_a_name_that_changes_its_address_is_judged_by_the_address_connected_to() -> None:
    """DNS rebinding: loopback when asked first, an address nobody may call when asked again."""
    guard = guard_from_config(allow=[], deny=["127.0.0.2/32"])
    async with Receiver() as crm:
        resolver = ScriptedResolver(["127.0.0.1"], ["127.0.0.2"])
        url = f"http://rebinding.example:{crm.port}/"
        assert (await get(url, resolver, guard)).status_code == 200
        answer = await get(url, resolver, guard)
        assert answer.outcome.failure is Failure.ADDRESS_REFUSED
        assert len(crm.requests) == 1


async def test_a_name_with_a_good_and_a_refused_address_is_called_at_the_good_one() -> None:
    async with Receiver() as crm:
        resolver = ScriptedResolver(["169.254.169.254", "127.0.0.1"])
        answer = await get(f"http://both.example:{crm.port}/", resolver)
        assert answer.status_code == 200


async def test_the_socket_itself_checks_its_address_even_if_the_name_lookup_did_not() -> None:
    info = (socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", ("169.254.169.254", 80))
    with pytest.raises(AddressRefused):
        GUARD.open_socket(info)


async def test_a_resolver_that_answers_with_a_name_does_not_get_it_resolved_again() -> None:
    answer = await get("http://innocent.example/", ScriptedResolver(["metadata.internal"]))
    assert answer.outcome.failure is Failure.ADDRESS_REFUSED


async def test_a_denied_literal_address_is_not_connected_to() -> None:
    async with Receiver() as crm:
        answer = await get(crm.url, guard=guard_from_config([], ["127.0.0.0/8"]))
        assert answer.outcome.failure is Failure.ADDRESS_REFUSED
        assert crm.requests == []


async def test_localhost_resolves_by_the_system_and_is_allowed() -> None:
    async with Receiver() as crm:
        answer = await get(f"http://localhost:{crm.port}/")
        assert answer.status_code == 200


async def test_an_unknown_name_is_a_failure_that_may_pass() -> None:
    answer = await get("http://no-such-host.invalid/")
    assert answer.outcome.failure is Failure.NAME_UNKNOWN


async def test_a_name_no_name_server_can_be_asked_for_is_a_bad_url() -> None:
    answer = await get(f"http://{'a' * 70}.example/")
    assert answer.outcome.failure in (Failure.BAD_URL, Failure.NAME_UNKNOWN)


async def test_a_redirect_to_link_local_is_not_followed() -> None:
    async with Receiver() as crm:
        crm.plan("/", Reply(302, {"Location": "http://169.254.169.254/latest/meta-data/"}))
        answer = await get(f"{crm.url}/")
        assert answer.status_code == 302
        assert len(crm.requests) == 1
