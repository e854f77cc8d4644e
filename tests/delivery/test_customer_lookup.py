"""Asking the company's own system who a customer is: what it may answer, and what it may not cost."""

from __future__ import annotations

import asyncio
import gzip
import json
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from ipaddress import ip_network
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from structlog.testing import capture_logs

from daemon.call.signals import UnixMs
from daemon.delivery.customer_answer import LONGEST_LINK, LONGEST_NAME, LONGEST_NOTE, Trouble, Unfit, read_answer
from daemon.delivery.customer_lookup import LOOKUP_TIMEOUT_S, CustomerLookup, LookUpLimits
from daemon.delivery.http_sender import MOST_READ_BYTES, Document, HttpSender
from daemon.delivery.signing import Secret
from daemon.delivery.target_guard import TargetGuard
from daemon.policy.customer_lookup import Customer
from daemon.policy.decision import LookUpCustomer, Reason
from daemon.policy.retry import Failure
from tests.delivery.receiver import Misbehaviour, Receiver, Reply, unix_ms
from tests.factory import ringing

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
LAN = {"name": "Nguyễn Thị Lan", "link": "https://crm.example/c/7?tab=1#top", "note": "VIP"}


@dataclass
class Scene:
    crm: Receiver
    lookup: CustomerLookup
    now: list[float] = field(default_factory=lambda: [1000.0])

    async def find(self, number: str = "84901701234") -> Customer | None:
        return await self.lookup.find(self.wanted(number))

    def wanted(self, number: str = "84901701234") -> LookUpCustomer:
        about = ("setting", number, "19001234")
        return LookUpCustomer(ringing(), f"{self.crm.url}/who?customerNumber={number}", about, Reason.SUBSCRIBED)

    def troubles(self) -> dict[Trouble, int]:
        return dict(self.lookup.counters.failed)


@asynccontextmanager
async def scene(
    *replies: Reply,
    guard: TargetGuard | None = None,
    timeout_s: float = 0.5,
    secret: Callable[[], Secret | None] = lambda: Secret(SECRET),
    **limits: Any,
) -> AsyncIterator[Scene]:
    now = [1000.0]
    sender = HttpSender(guard or TargetGuard(), "callwarden/1.2.3", timeout_s=timeout_s)
    async with Receiver() as crm, sender:
        crm.plan("/who", *(replies or (answer(LAN),)))
        limited = LookUpLimits(**limits)
        lookup = CustomerLookup(sender, secret, lambda: UnixMs(unix_ms()), limits=limited, steady=lambda: now[0])
        yield Scene(crm, lookup, now)
        await lookup.close()


def answer(body: object, **reply: Any) -> Reply:
    return Reply(body=body if isinstance(body, bytes) else json.dumps(body).encode(), **reply)


async def understood(body: object) -> Customer | None:
    async with scene(answer(body)) as here:
        found = await here.find()
        assert here.troubles() == {}
        return found


async def test_the_answer_is_understood_and_the_question_is_signed_as_popups_are() -> None:
    async with scene() as here:
        assert await here.find() == Customer(name="Nguyễn Thị Lan", link=LAN["link"], note="VIP")
        (got,) = here.crm.requests
        assert (got.method, got.query, got.body) == ("GET", "customerNumber=84901701234", b"")
        assert got.headers["accept"] == "application/json"
        assert got.headers["user-agent"] == "callwarden/1.2.3"
        got.verify(SECRET)


BAD_ANSWERS: dict[str, tuple[Reply, Trouble]] = {
    "hangs": (Reply(misbehaviour=Misbehaviour.HANG), Failure.TIMEOUT),
    "drips for ever": (Reply(misbehaviour=Misbehaviour.SLOW_BODY), Failure.TIMEOUT),
    "endless": (Reply(misbehaviour=Misbehaviour.ENDLESS_BODY), Unfit.TOO_LONG),
    "cuts the line": (Reply(misbehaviour=Misbehaviour.RESET), Failure.CONNECTION),
    "no HTTP": (Reply(misbehaviour=Misbehaviour.GARBAGE), Failure.BROKEN_ANSWER),
    "too long": (answer({"name": "Lan", "x": "y" * MOST_READ_BYTES}), Unfit.TOO_LONG),
    "elsewhere": (Reply(status=302, headers={"Location": "/other"}), Unfit.REDIRECT),
    "for good elsewhere": (Reply(status=308, headers={"Location": "http://169.254.169.254/"}), Unfit.REDIRECT),
    "error": (answer(LAN, status=500), Unfit.STATUS),
    "refused": (answer(LAN, status=401), Unfit.STATUS),
    "a page": (answer(b"<title>Sign in</title>"), Unfit.NO_JSON_OBJECT),
    "nothing": (answer(b""), Unfit.NO_JSON_OBJECT),
    "a list": (answer([LAN]), Unfit.NO_JSON_OBJECT),
    "a text": (answer("Lan"), Unfit.NO_JSON_OBJECT),
    "null": (answer(None), Unfit.NO_JSON_OBJECT),
    "brackets": (answer(b"[" * 60_000), Unfit.NO_JSON_OBJECT),
    "objects": (answer(b'{"a":' * 12_000), Unfit.NO_JSON_OBJECT),
    "a number without end": (answer(b'{"name": 1' + b"0" * 60_000 + b"}"), Unfit.NO_JSON_OBJECT),
    "no UTF-8": (answer(b'{"name": "\xff\xfe"}'), Unfit.NO_JSON_OBJECT),
    "packed": (
        answer(gzip.compress(json.dumps(LAN).encode()), headers={"Content-Encoding": "gzip"}),
        Unfit.NO_JSON_OBJECT,
    ),
}


@pytest.mark.parametrize("name", BAD_ANSWERS)
async def test_a_bad_answer_is_no_customer_and_is_counted_and_said_by_its_reason(name: str) -> None:
    reply, trouble = BAD_ANSWERS[name]
    with capture_logs() as log:
        async with scene(reply) as here:
            began = time.perf_counter()
            assert await here.find() is None
            assert time.perf_counter() - began < 1.5
            assert here.troubles() == {trouble: 1}
            assert {request.path for request in here.crm.requests} == {"/who"}  # nothing was followed
    (line,) = [line for line in log if line["event"] == "customer_not_looked_up"]
    assert (line["reason"], line["log_level"], line["call_id"]) == (trouble.value, "warning", "1795332859.0")


def test_nobody_waits_longer_than_two_seconds_for_an_answer() -> None:
    assert LOOKUP_TIMEOUT_S == 2.0


async def test_no_server_no_name_and_a_refused_network_are_told_apart() -> None:
    async with scene() as here:
        for url in ("http://127.0.0.1:1/who", "http://169.254.169.254/who", "http://crm.invalid/who", "ftp://crm/"):
            await here.lookup.find(LookUpCustomer(ringing(), url, (url, "", ""), Reason.SUBSCRIBED))
        wanted = {Failure.CONNECTION: 1, Failure.ADDRESS_REFUSED: 1, Failure.NAME_UNKNOWN: 1, Failure.BAD_URL: 1}
        assert here.troubles() == wanted


async def test_a_network_that_the_operator_denies_is_not_asked() -> None:
    async with scene(guard=TargetGuard(deny=(ip_network("127.0.0.0/8"),))) as here:
        assert await here.find() is None
        assert (here.troubles(), here.crm.requests) == ({Failure.ADDRESS_REFUSED: 1}, [])


@pytest.mark.parametrize("secret", [None, Secret("whsec_!")])
async def test_without_a_secret_nothing_is_asked(secret: Secret | None) -> None:
    async with scene(secret=lambda: secret) as here:
        assert await here.find() is None
        assert (here.troubles(), here.crm.requests) == ({Failure.NO_SECRET: 1}, [])


@pytest.mark.parametrize("reply", [Reply(status=404), Reply(status=204, body=b""), answer({}), answer({"id": 7})])
async def test_a_system_may_say_that_it_knows_nobody(reply: Reply) -> None:
    async with scene(reply) as here:
        assert await here.find() is None
        assert (here.troubles(), here.lookup.counters.unknown) == ({}, 1)


@pytest.mark.parametrize("longest", [True, False])
async def test_an_answer_may_be_as_long_as_the_limit(longest: bool) -> None:
    body = json.dumps({"name": "Lan", "x": ""})
    filled = body[:-2] + "y" * (MOST_READ_BYTES - len(body) + (not longest)) + '"}'
    async with scene(answer(filled.encode())) as here:
        assert ((await here.find()) is not None) is longest


async def test_every_field_may_be_missing_or_wrong_and_costs_no_other() -> None:
    assert await understood({"name": "Lan"}) == Customer(name="Lan")
    assert await understood({"name": 5, "link": None, "note": "VIP", "html": "<b>"}) == Customer(note="VIP")
    assert await understood({"name": ["Lan"], "link": LAN["link"], "note": {}}) == Customer(link=LAN["link"])
    assert await understood({"name": "", "note": " \n\t "}) is None


HOSTILE_NAMES = {
    "<img src=x onerror=alert(1)>": "<img src=x onerror=alert(1)>",  # text, and shown as such
    "  Lan \t\r\n Anh  ": "Lan Anh",
    "Lan\u202eexe.gpj": "Lanexe.gpj",
    "\u2067L\u2066a\u2069n\u200e\u200f\u061c": "Lan",
    "L\x00a\x1b[31mn\x9b\x7f": "La[31mn",
    "Lan\u2028Anh\u00a0Thu": "Lan Anh Thu",
    "Lan\ufeff\u00ad\U000e0041": "Lan",
    "\ud800Lan\udfff": "Lan",
    "\u0645\u06cc\u200c\u062e\u0648": "\u0645\u06cc\u200c\u062e\u0648",
    "👩\u200d⚕\ufe0f": "👩\u200d⚕\ufe0f",
    "\u3164\u2800": None,
    "\u200b": None,
}


@pytest.mark.parametrize("name", HOSTILE_NAMES)
async def test_a_name_is_one_line_without_anything_that_hides_moves_or_turns_letters(name: str) -> None:
    found = await understood({"name": name, "note": "x"})
    assert found is not None
    assert found.name == HOSTILE_NAMES[name]


async def test_what_is_too_long_is_cut_where_one_sees_it() -> None:
    found = await understood({"name": "x" * 300, "note": "y" * 5_000})
    assert found is not None
    assert found.name == "x" * (LONGEST_NAME - 1) + "…"
    assert found.note == "y" * (LONGEST_NOTE - 1) + "…"


async def test_a_note_keeps_its_lines() -> None:
    assert await understood({"note": "VIP\r\n\n  owes 5 €\u202e\x00\n"}) == Customer(note="VIP\nowes 5 €")


@pytest.mark.parametrize(
    "link",
    [
        "javascript:alert(1)",
        "JaVaScRiPt:alert(1)//https://crm.example/",
        "data:text/html,<script>alert(1)</script>",
        "//crm.example/7",
        "/customers/7",
        "https:crm.example",
        "https:///crm.example",
        "https://user:secret@crm.example/",
        "https://crm.example\\@evil.example/",
        "https://crm.example/\n7",
        " https://crm.example/7",
        "\x01https://crm.example/7",
        "https://crm.example/\u202e7",
        "https://0x7f.1/",
        "ftp://crm.example/7",
        "https://",
        "https://crm.example/" + "a" * 2_048,
        ["https://crm.example/"],
        7,
        True,
    ],
)
async def test_a_link_is_an_absolute_web_address_or_nothing(link: object) -> None:
    assert await understood({"name": "Lan", "link": link}) == Customer(name="Lan")


@pytest.mark.parametrize("link", ["http://10.0.0.5:8080/c?id=7", "HTTPS://crm.example/khách/7#a", "https://[fd00::1]/"])
async def test_a_link_into_the_companys_own_network_is_good(link: str) -> None:
    assert await understood({"link": link}) == Customer(link=link)


async def test_what_was_answered_is_kept_for_ten_minutes_and_asked_again_after_them() -> None:
    async with scene(answer({"name": "Lan"}), answer({"name": "Anh"})) as here:
        assert await here.find() == Customer(name="Lan")
        here.now[0] += 599
        assert await here.find() == Customer(name="Lan")
        assert len(here.crm.requests) == 1
        here.now[0] += 2
        assert await here.find() == Customer(name="Anh")
        assert here.lookup.counters.from_memory == 1


@pytest.mark.parametrize("first", [Reply(status=500), Reply(status=404)])
async def test_a_failure_and_an_unknown_number_are_kept_for_half_a_minute_only(first: Reply) -> None:
    async with scene(first, answer(LAN)) as here:
        assert await here.find() is None
        here.now[0] += 29
        assert await here.find() is None
        assert len(here.crm.requests) == 1
        here.now[0] += 2
        assert await here.find() is not None


async def test_what_is_kept_is_bounded_and_the_oldest_goes_first() -> None:
    async with scene(kept=2) as here:
        for number in ("1", "2", "3", "2", "1"):
            await here.find(number)
        assert [request.query[-1] for request in here.crm.requests] == ["1", "2", "3", "1"]


async def test_calls_of_one_customer_at_once_ask_once_and_all_are_told() -> None:
    async with scene(answer(LAN, delay_s=0.1)) as here:
        found = await asyncio.gather(*(here.find() for _ in range(20)))
        assert {one and one.name for one in found} == {LAN["name"]}
        assert (len(here.crm.requests), here.lookup.counters.shared) == (1, 19)


async def test_whoever_stops_waiting_takes_the_answer_from_nobody() -> None:
    async with scene(answer(LAN, delay_s=0.1)) as here:
        first, second = (asyncio.create_task(here.find()) for _ in range(2))
        await asyncio.sleep(0.02)
        first.cancel()
        assert (await second) is not None
        assert len(here.crm.requests) == 1


async def test_at_most_eight_are_asked_at_once_a_few_wait_and_the_rest_is_dropped_and_counted() -> None:
    async with scene(answer(LAN, delay_s=0.1), waiting=4) as here:
        began = time.perf_counter()
        found = await asyncio.gather(*(here.find(str(number)) for number in range(30)))
        assert time.perf_counter() - began < 2
        assert sum(one is not None for one in found) == 12
        assert here.crm.most_at_once == 8
        assert here.troubles() == {Unfit.TOO_MANY: 18}
        assert await here.find("29") is not None  # what was dropped is not held against the customer


async def test_nobody_waits_for_his_turn_longer_than_for_an_answer() -> None:
    async with scene(Reply(misbehaviour=Misbehaviour.HANG), timeout_s=0.4, wait_s=0.2) as here:
        began = time.perf_counter()
        await asyncio.gather(*(here.find(str(number)) for number in range(12)))
        assert time.perf_counter() - began < 0.8
        assert here.troubles() == {Failure.TIMEOUT: 8, Unfit.TOO_MANY: 4}


async def test_a_system_that_is_down_is_said_once_a_minute_and_counted_each_time() -> None:
    with capture_logs() as log:
        async with scene(Reply(status=500)) as here:
            for number in range(5):
                await here.find(str(number))
            here.now[0] += 61
            await here.find("6")
    lines = [line for line in log if line["event"] == "customer_not_looked_up"]
    assert [line["times"] for line in lines if line["log_level"] == "warning"] == [1, 6]
    assert "84901701234" not in str(lines)


async def test_a_trial_tells_what_was_understood_or_why_nothing_and_keeps_nothing() -> None:
    async with scene(answer(LAN), Reply(status=302), answer(LAN)) as here:
        url = f"{here.crm.url}/who"
        first, second = await here.lookup.try_out(url), await here.lookup.try_out(url)
        assert (first.customer and first.customer.name, first.trouble, first.status_code) == (LAN["name"], None, 200)
        assert (second.customer, second.trouble, second.status_code) == (None, Unfit.REDIRECT, 302)
        assert here.lookup.counters.from_memory == 0


async def test_what_is_under_way_ends_with_the_daemon() -> None:
    async with scene(Reply(misbehaviour=Misbehaviour.HANG), timeout_s=30) as here:
        asking = asyncio.create_task(here.find())
        await here.crm.wait_for(1)
        began = time.perf_counter()
        await here.lookup.close()
        assert time.perf_counter() - began < 0.5
        with pytest.raises(asyncio.CancelledError):
            await asking


_JSON = st.recursive(st.none() | st.booleans() | st.integers() | st.text(max_size=700), st.lists, max_leaves=4)
_ANSWERS = st.dictionaries(st.sampled_from(["name", "link", "note", "x"]), _JSON).map(
    lambda found: json.dumps(found).encode()
)


@given(status=st.sampled_from([200, 200, 200, 204, 302, 404, 500]), body=_ANSWERS | st.binary(max_size=300))
def test_whatever_is_answered_is_a_customer_fit_to_be_shown_or_a_reason(status: int, body: bytes) -> None:
    found = read_answer(Document(status_code=status, latency_ms=1, body=body))
    if not isinstance(found, Customer):
        assert found is None or isinstance(found, Trouble)
        return
    assert found.name or found.note or found.link
    for text, longest in ((found.name, LONGEST_NAME), (found.note, LONGEST_NOTE), (found.link, LONGEST_LINK)):
        kept = (text or "").replace("\n", "").replace("\u200c", "").replace("\u200d", "")
        assert kept.isprintable()
        assert len(text or "") <= longest
    assert found.link is None or found.link.lower().startswith(("http://", "https://"))
