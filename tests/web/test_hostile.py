"""Whatever is sent: never a 5xx, never a traceback, and what was not accepted is not stored."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any
from urllib.parse import quote, urlencode

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from daemon.web.csrf import csrf_token
from daemon.web.routes import ENDLESS, ROUTES
from tests.drawn import examples
from tests.web.conftest import House

_SETTINGS = settings(max_examples=examples(150), deadline=None, suppress_health_check=list(HealthCheck))
_TEXT = st.text(max_size=40)
_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | _TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_TEXT, inner, max_size=4),
    max_leaves=12,
)
_NAMES = """
auto_create_tickets popup_answer_url sla_target_percent disconnect_timeout_seconds time_zone country ringtone name
endpoints personal_number url events description enabled status assignee note label create_tickets role password user_id
language disabled
"""
_PARAMETERS = "cursor limit from to state status customer_number user_id webhook_id pbx types by action object next x"
_FIELDS = st.sampled_from(_NAMES.split())
_FORM = st.dictionaries(_FIELDS | _TEXT, _JSON, max_size=5)
_PART = st.text(min_size=1, max_size=30) | st.sampled_from(["..", ".", "%", "\x00", "1", "-1", "9" * 30, "a/b", "{x}"])
_PARAMETER = st.sampled_from(_PARAMETERS.split())
_QUERY = st.dictionaries(_PARAMETER, _TEXT | st.sampled_from(["1", "-1", "WzFd", "W10", "bnVsbA"]), max_size=3)
_ROUTE = st.sampled_from([route for route in ROUTES if route.path not in ENDLESS])


async def _in_thread(house: House, strategy: st.SearchStrategy[Any], send: Callable[[Any], Any]) -> None:
    """hypothesis calls plain functions; the loop of the server stays here."""
    loop = asyncio.get_running_loop()

    @_SETTINGS
    @given(strategy)
    def attempt(example: Any) -> None:
        answer = asyncio.run_coroutine_threadsafe(send(example), loop).result(30)
        assert answer.status < 500, (example, answer)

    await asyncio.to_thread(attempt)


async def test_no_route_breaks_whatever_its_names_query_and_body_are(house: House) -> None:
    await house.miss(1)

    async def send(example: tuple[Any, str, dict[str, str], Any]) -> Any:
        route, part, query, form = example
        encoded = quote(part.encode("utf-8", "surrogatepass"), safe="")
        path = route.path.split("{")[0] + (encoded + route.path.partition("}")[2] if "{" in route.path else "")
        pairs = "&".join(f"{k}={quote(v.encode('utf-8', 'surrogatepass'))}" for k, v in query.items())
        options: dict[str, Any] = {} if route.method in ("GET", "DELETE") else {"json": form}
        return await house.ask(route.method, f"{path}?{pairs}" if pairs else path, **options)

    await _in_thread(house, st.tuples(_ROUTE, _PART, _QUERY, _FORM), send)


async def test_no_bytes_break_the_reading_of_a_body(house: House) -> None:
    async def send(body: bytes) -> Any:
        return await house.ask(
            "PUT", "/api/v1/call-settings", data=body, headers={"Content-Type": "application/json; charset=utf-7"}
        )

    good = json.dumps({"sla_target_percent": 5, "popup_answer_url": "https://x.example/{userId}"}).encode()
    cut = st.builds(lambda a, b, c: good[:a] + b + good[a + c :], *[st.integers(0, len(good))], st.binary(max_size=6),
                    st.integers(0, 9))  # fmt: skip
    await _in_thread(house, st.binary(max_size=200) | cut, send)


async def test_a_setting_is_stored_only_if_it_was_accepted(house: House) -> None:
    async def send(form: dict[str, Any]) -> Any:
        before = (await house.ask("GET", "/api/v1/call-settings")).body
        answer = await house.ask("PUT", "/api/v1/call-settings", json=form)
        after = (await house.ask("GET", "/api/v1/call-settings")).body
        assert after == ({**before, **form} if answer.status == 200 else before)
        return answer

    url = st.builds("https://{}/{}".format, _TEXT, _TEXT) | _TEXT
    form = st.fixed_dictionaries(
        {},
        optional={"popup_answer_url": url, "sla_target_percent": st.integers(-5, 105), "ringtone": _TEXT | st.none()},
    )
    await _in_thread(house, form, send)


async def test_no_form_breaks_a_page_or_signs_anybody_in(house: House) -> None:
    await house.add_account("an")
    secret = "a" * 43
    headers = {"Content-Type": "application/x-www-form-urlencoded", "Cookie": f"callwarden-form={secret}"}

    async def send(example: tuple[str, dict[str, str] | bytes]) -> Any:
        path, form = example
        sent = urlencode({"csrf": csrf_token(secret), **form}).encode() if isinstance(form, dict) else form
        answer = await house.ask("POST", path, None, data=sent, headers=headers)
        assert "Set-Cookie" not in answer.headers or "callwarden=" not in answer.headers["Set-Cookie"]
        assert answer.status in (400, 403, 404, 413, 415, 422, 429)  # refused, in words
        assert "<h1" in str(answer.body)
        return answer

    known = st.sampled_from(["name", "password", "next", "csrf", "again", "language"])
    text = st.text(st.characters(codec="utf-8"), max_size=40)
    forms = st.dictionaries(known | text, text, max_size=5) | st.binary(max_size=80)
    await _in_thread(house, st.tuples(st.sampled_from(["/sign-in", "/set-up/" + "b" * 43]), forms), send)


async def test_raw_requests_cannot_add_a_header_or_split_an_answer(house: House) -> None:
    for path in (b"/api/v1/agents/a%0d%0aX-Evil:%201", b"/nowhere%0d%0aX-Evil:%201", b"/api/v1/calls?x=%0d%0aX-Evil:1"):
        for header in (b"", b"X-A: b\r\n", b"X-A: b\x00c\r\n", b"Expect: something\r\n", b"Content-Length: -1\r\n"):
            answer = await _raw(house, b"GET " + path + b" HTTP/1.1\r\nHost: x\r\n" + header + b"\r\n")
            head = answer.partition(b"\r\n\r\n")[0].lower()
            assert b"\nx-evil" not in head
            assert b"traceback" not in answer.lower()
            assert not head.startswith(b"http/1.1 5")


async def _raw(house: House, request: bytes) -> bytes:
    reader, writer = await asyncio.open_connection(house.client.host, house.client.port)
    writer.write(request)
    try:
        async with asyncio.timeout(1):
            return await reader.read(65536)
    finally:
        writer.close()
