from __future__ import annotations

import asyncio
import gzip
import ssl

import aiohttp
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from standardwebhooks import Webhook
from standardwebhooks.webhooks import WebhookVerificationError

from daemon.call.signals import UnixMs
from daemon.delivery.http_sender import Answer, HttpSender
from daemon.delivery.signing import BadSecret, Secret, signed_headers
from daemon.delivery.target_guard import TargetGuard
from daemon.delivery.try_out import try_target
from daemon.policy.retry import Failure
from tests.delivery.receiver import Misbehaviour, Receiver, Reply, unix_ms
from tests.drawn import examples

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


def new_sender(timeout_s: float = 1.0) -> HttpSender:
    return HttpSender(TargetGuard(), "callwarden/1.2.3", timeout_s=timeout_s)


async def answer_to(reply: Reply, method: str = "POST", body: str = "{}") -> Answer:
    async with Receiver() as crm, new_sender() as sender:
        crm.plan("/hook", reply)
        return await sender.send(method, f"{crm.url}/hook", {}, body)


async def test_a_post_carries_json_and_our_name_and_verifies_with_the_library() -> None:
    body = '{"type":"call.answered","data":{"name":"Nguyễn Thị Ánh"}}'
    async with Receiver() as crm, new_sender() as sender:
        now = UnixMs(unix_ms())
        answer = await sender.send("POST", f"{crm.url}/hook", signed_headers(Secret(SECRET), "dlv_1", now, body), body)
        (got,) = crm.requests
    assert answer.status_code == 200
    assert answer.text == "ok"
    assert got.headers["content-type"] == "application/json"
    assert got.headers["user-agent"] == "callwarden/1.2.3"
    assert got.webhook_id == "dlv_1"
    assert got.body.decode() == body
    got.verify(SECRET)


async def test_a_get_signs_the_empty_body() -> None:
    async with Receiver() as crm, new_sender() as sender:
        url = f"{crm.url}/pop?customerNumber=84901701234&x=%2B1"
        await sender.send("GET", url, signed_headers(Secret(SECRET), "dlv_2", UnixMs(unix_ms()), ""), "ignored")
        (got,) = crm.requests
    assert (got.method, got.body, got.query) == ("GET", b"", "customerNumber=84901701234&x=%2B1")
    assert "content-type" not in got.headers
    got.verify(SECRET)


def test_the_signature_covers_id_time_and_body() -> None:
    now = UnixMs(unix_ms())
    headers = dict(signed_headers(Secret(SECRET), "dlv_3", now, "{}"))
    Webhook(SECRET).verify("{}", headers)
    stale = str(int(headers["webhook-timestamp"]) + 1)
    for forged in ({**headers, "webhook-id": "dlv_4"}, {**headers, "webhook-timestamp": stale}):
        with pytest.raises(WebhookVerificationError):
            Webhook(SECRET).verify("{}", forged)


def test_a_secret_shows_itself_to_nobody() -> None:
    secret = Secret(SECRET)
    assert f"{secret} {secret!r} {[secret]} {secret!s:>5}".count(SECRET[8:]) == 0
    assert secret.reveal() == SECRET


@pytest.mark.parametrize("value", ["", "whsec_", "whsec_!", "whsec_x", "não"])
def test_a_bad_secret_is_told_without_showing_it(value: str) -> None:
    with pytest.raises(BadSecret) as caught:
        signed_headers(Secret(value), "dlv_5", UnixMs(0), "")
    assert caught.value.__cause__ is None
    assert str(caught.value) == BadSecret.__doc__


@pytest.mark.parametrize("status", [200, 204, 301, 302, 307, 308, 400, 404, 410, 429, 500, 503, 599])
async def test_every_status_comes_back_as_it_is_and_no_redirect_is_followed(status: int) -> None:
    answer = await answer_to(Reply(status, {"Location": "/elsewhere", "Retry-After": "7"}, b""))
    assert answer.status_code == status
    assert answer.outcome.retry_after == "7"
    assert answer.outcome.failure is None


@pytest.mark.parametrize(
    ("misbehaviour", "failure"),
    [
        (Misbehaviour.HANG, Failure.TIMEOUT),
        (Misbehaviour.RESET, Failure.CONNECTION),
        (Misbehaviour.GARBAGE, Failure.BROKEN_ANSWER),
    ],
)
async def test_misbehaviour_is_an_answer_too(misbehaviour: Misbehaviour, failure: Failure) -> None:
    answer = await answer_to(Reply(misbehaviour=misbehaviour))
    assert answer.outcome.failure is failure
    assert answer.error
    assert "\n" not in answer.error


async def test_nobody_listening_is_a_connection_failure() -> None:
    async with Receiver() as crm:
        url = crm.url
    async with new_sender() as sender:
        answer = await sender.send("POST", url, {}, "{}")
    assert answer.outcome.failure is Failure.CONNECTION


async def test_plain_http_where_tls_is_spoken_to_is_a_tls_failure() -> None:
    async with Receiver() as crm, new_sender() as sender:
        answer = await sender.send("POST", f"https://127.0.0.1:{crm.port}/", {}, "{}")
    assert answer.outcome.failure in (Failure.TLS, Failure.CONNECTION)
    assert ssl.OPENSSL_VERSION


@pytest.mark.parametrize("misbehaviour", [Misbehaviour.SLOW_BODY, Misbehaviour.ENDLESS_BODY])
async def test_a_good_status_counts_whatever_becomes_of_its_body(misbehaviour: Misbehaviour) -> None:
    answer = await answer_to(Reply(200, misbehaviour=misbehaviour))
    assert answer.status_code == 200
    assert answer.text
    assert len(answer.text) <= 1_000
    assert answer.latency_ms < 500


async def test_the_first_thousand_characters_of_an_answer_are_kept() -> None:
    answer = await answer_to(Reply(500, {}, "lỗi máy chủ ".encode() * 10_000))
    assert answer.text == ("lỗi máy chủ " * 100)[:1_000]


async def test_an_answer_in_no_known_encoding_is_kept_readable() -> None:
    answer = await answer_to(Reply(500, {}, b"\xff\xfe\x00 bad \x1b[31m\r\n fine"))
    assert answer.text is not None
    assert "\x00" not in answer.text
    assert "\x1b" not in answer.text
    assert answer.text.endswith("fine")


async def test_a_compressed_answer_is_not_unpacked() -> None:
    bomb = gzip.compress(b"0" * 10_000_000)
    answer = await answer_to(Reply(200, {"Content-Encoding": "gzip"}, bomb))
    assert answer.status_code == 200
    assert answer.text is not None
    assert "000000" not in answer.text


async def test_cookies_are_not_kept_and_proxies_of_the_environment_not_obeyed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    async with Receiver() as crm, new_sender() as sender:
        crm.plan("/", Reply(headers={"Set-Cookie": "session=1; Path=/"}))
        for _ in range(3):
            assert (await sender.send("POST", f"{crm.url}/", {}, "{}")).status_code == 200
        assert all("cookie" not in one.headers for one in crm.requests)
        assert len(crm.connections) == 1


async def test_a_body_larger_than_we_read_does_not_spoil_the_next_request() -> None:
    async with Receiver() as crm, new_sender() as sender:
        crm.plan("/", Reply(body=b"x" * 300_000), Reply(body=b"second"))
        assert (await sender.send("POST", f"{crm.url}/", {}, "{}")).text == "x" * 1_000
        assert (await sender.send("POST", f"{crm.url}/", {}, "{}")).text == "second"


async def test_trying_a_target_sends_a_signed_sample_and_tells_what_it_said() -> None:
    async with Receiver() as crm, new_sender() as sender:
        crm.plan("/hook", Reply(403, body=b"who are you?"))
        result = await try_target(f"{crm.url}/hook", sender=sender, secret=Secret(SECRET), now=UnixMs(unix_ms()))
        (got,) = crm.requests
    got.verify(SECRET)
    assert b"webhook.test" in got.body
    assert (result.ok, result.status_code, result.answer, result.error) == (False, 403, "who are you?", None)


async def test_trying_a_refused_target_says_why() -> None:
    async with new_sender() as sender:
        result = await try_target("http://169.254.169.254/", sender=sender, secret=Secret(SECRET), now=UnixMs(0))
    assert not result.ok
    assert result.error is not None
    assert "169.254.169.254" in result.error


def test_the_installed_aiohttp_lets_us_check_the_address_at_connect_time() -> None:
    assert tuple(map(int, aiohttp.__version__.split(".")[:2])) >= (3, 12)


async def head_of(*replies: Reply, path: str = "/page") -> tuple[str, dict[str, str]] | None:
    """Where redirects led and the headers, of the first page."""
    async with Receiver() as crm, new_sender() as sender:
        for number, reply in enumerate(replies):
            crm.plan(path if not number else f"{path}{number}", reply)
        found = await sender.read_head(f"{crm.url}{path}")
        return None if found is None else (found[0].removeprefix(crm.url), {k.lower(): v for k, v in found[1]})


async def test_the_head_of_a_page_is_read_without_the_page() -> None:
    for misbehaviour in (None, Misbehaviour.ENDLESS_BODY, Misbehaviour.SLOW_BODY):
        found = await head_of(Reply(headers={"X-Frame-Options": "DENY"}, misbehaviour=misbehaviour))
        assert found is not None
        assert found[0] == "/page"
        assert misbehaviour or found[1]["x-frame-options"] == "DENY"


async def test_the_head_is_that_of_the_page_to_which_redirects_lead() -> None:
    found = await head_of(Reply(302, {"Location": "/page1"}), Reply(headers={"X-Frame-Options": "SAMEORIGIN"}))
    assert found is not None
    assert (found[0], found[1]["x-frame-options"]) == ("/page1", "SAMEORIGIN")


@pytest.mark.parametrize(
    "reply",
    [
        Reply(302, {"Location": "/page"}),
        Reply(302, {"Location": "http://169.254.169.254/latest/meta-data"}),
        Reply(302, {"Location": "file:///etc/passwd"}),
        Reply(302, {"Location": "//user:password@127.0.0.1/"}),
        Reply(misbehaviour=Misbehaviour.RESET),
        Reply(misbehaviour=Misbehaviour.GARBAGE),
        Reply(misbehaviour=Misbehaviour.HANG),
    ],
)
async def test_a_page_that_cannot_be_asked_or_leads_where_nobody_may_go_has_no_head(reply: Reply) -> None:
    assert await head_of(reply) is None


_HEADER = st.builds(lambda name, value: name + b": " + value, st.sampled_from([
    b"Content-Length", b"Transfer-Encoding", b"Content-Encoding", b"Retry-After", b"Location", b"Content-Type", b"X",
]), st.sampled_from([b"5", b"-1", b"chunked", b"gzip", b"\xff", b"text/plain; charset=\x00", b"9" * 40]))  # fmt: skip
_STATUS = st.sampled_from([b"200", b"204", b"302", b"410", b"429", b"500", b"999", b"0", b"x", b"99999"])
_ANSWERS = st.builds(
    lambda status, headers, body: b"\r\n".join([b"HTTP/1.1 " + status + b" x", *headers]) + b"\r\n\r\n" + body,
    _STATUS, st.lists(_HEADER, max_size=3), st.binary(max_size=50),
)  # fmt: skip


async def test_whatever_bytes_come_back_are_an_answer_or_a_failure_by_name() -> None:
    said, loop = [b""], asyncio.get_running_loop()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(said[0])
        writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server, new_sender() as sender:
        address = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/hook"

        @settings(max_examples=examples(60), suppress_health_check=list(HealthCheck))
        @given(_ANSWERS | st.binary(max_size=100))
        def attempt(answer: bytes) -> None:
            said[0] = answer
            found = asyncio.run_coroutine_threadsafe(sender.send("POST", address, {}, "{}"), loop).result(30)
            assert found.status_code is not None or found.outcome.failure is not None
            assert found.status_code is not None or found.error

        await asyncio.to_thread(attempt)
