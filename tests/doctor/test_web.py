"""What the doctor says of targets, frames, messages and our own address, and what it never does to find out."""

from __future__ import annotations

import asyncio
import shutil
import ssl
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import select

from daemon.call.signals import UnixMs
from daemon.clock import now_ms
from daemon.config import Listen
from daemon.diagnosis import Area, State
from daemon.doctor.own_session import open_doctor
from daemon.policy.decision import AnnounceCall, EventType, Reason
from daemon.store.outbox import Attempt, Settlement, record_settlements
from daemon.store.tables import deliveries
from daemon.store.values import DeliveryStatus, Unit
from tests.ami.test_link import certificate
from tests.delivery.receiver import Receiver, Reply
from tests.doctor.conftest import Clinic
from tests.factory import missed

TOKEN = "xoxb-0123456789"


@pytest.fixture
async def crm() -> AsyncIterator[Receiver]:
    async with Receiver() as receiver:
        yield receiver


async def test_targets_are_asked_for_nothing_but_a_head_and_told_nothing(clinic: Clinic, crm: Receiver) -> None:
    base = f"http://127.0.0.1:{crm.port}"
    await clinic.webhook(f"{base}/hooks/{TOKEN}?key={TOKEN}")
    await clinic.set(popup_answer_url=f"{base}/pop/{TOKEN}", customer_lookup_url=f"{base}/who?key={TOKEN}")
    await clinic.record(Unit(now_ms(), missed(number="0901701234"), ()))
    found = [one for one in await clinic.findings(Area.WEB) if one.check == "web.targets"]
    assert [one.state for one in found] == [State.OK] * 3
    asked = [(one.method, one.path, one.query, one.body) for one in crm.requests]
    assert asked == [("HEAD", "/", "", b"")]  # one host, one question
    assert TOKEN not in " ".join(f"{one.what}{one.why}{one.fix}{one.about}" for one in found)


@pytest.mark.parametrize("status", [200, 401, 404, 405, 500])
async def test_whatever_a_target_answers_it_is_there(clinic: Clinic, crm: Receiver, status: int) -> None:
    crm.plan("/", Reply(status=status))
    await clinic.webhook(f"http://127.0.0.1:{crm.port}/hook")
    assert (await clinic.examine(Area.WEB))["web.targets"].state is State.OK


async def test_a_proxy_before_nothing_is_a_warning(clinic: Clinic, crm: Receiver) -> None:
    crm.plan("/", Reply(status=502))
    await clinic.webhook(f"http://127.0.0.1:{crm.port}/hook")
    found = (await clinic.examine(Area.WEB))["web.targets"]
    assert (found.state, "502" in found.what) == (State.WARNING, True)


async def test_a_target_that_cannot_be_reached_is_a_problem_with_a_command_that_tells_more(clinic: Clinic) -> None:
    await clinic.webhook(f"http://127.0.0.1:9/{TOKEN}")
    found = (await clinic.examine(Area.WEB))["web.targets"]
    assert (found.state, found.about) == (State.PROBLEM, "wh_1")
    assert "curl -I http://127.0.0.1:9/ " in str(found.fix)


async def test_the_look_obeys_the_guard_of_deliveries(clinic: Clinic, crm: Receiver) -> None:
    clinic.delivery = 'deny_networks = ["127.0.0.0/8"]'
    await clinic.webhook(f"http://127.0.0.1:{crm.port}/hook")
    await clinic.set(incoming_iframe_url=f"http://127.0.0.1:{crm.port}/page")
    found = await clinic.examine(Area.WEB)
    assert "nothing may be sent" in found["web.targets"].what
    assert found["web.frames"].state is State.UNKNOWN
    assert crm.requests == []


async def test_a_webhook_that_switched_itself_off_is_told_and_one_an_admin_paused_is_not(clinic: Clinic) -> None:
    await clinic.webhook("http://127.0.0.1:9/", enabled=False, disabled_reason="paused")
    assert "web.targets" not in await clinic.examine(Area.WEB)
    await clinic.webhook("http://127.0.0.1:9/", webhook_id="wh_2", enabled=False, disabled_reason="endpoint_gone")
    found = (await clinic.examine(Area.WEB))["web.targets"]
    assert (found.state, found.about, "410" in found.what) == (State.WARNING, "wh_2", True)


@pytest.mark.parametrize(
    ("headers", "state"),
    [({}, State.OK), ({"X-Frame-Options": "DENY"}, State.PROBLEM), ({"X-Frame-Options": "SAMEORIGIN"}, State.PROBLEM)],
)
async def test_sites_that_refuse_a_frame_are_named(
    clinic: Clinic, crm: Receiver, headers: dict[str, str], state: State
) -> None:
    crm.plan("/page", Reply(headers=headers))
    await clinic.set(incoming_iframe_url=f"http://127.0.0.1:{crm.port}/page?token={TOKEN}")
    found = (await clinic.examine(Area.WEB))["web.frames"]
    assert (found.state, found.about) == (state, "incoming_iframe_url")
    assert TOKEN not in found.what
    assert "customerNumber=&" in crm.requests[0].query  # as for a caller without a number


async def test_an_http_page_in_our_https_one_is_refused_without_asking(clinic: Clinic, crm: Receiver) -> None:
    clinic.http = 'public_url = "https://127.0.0.1:9"'
    await clinic.set(webphone_embed_url=f"http://127.0.0.1:{crm.port}/phone")
    found = await clinic.examine(Area.WEB)
    assert (found["web.frames"].state, crm.requests) == (State.PROBLEM, [])
    assert found["web.address"].state is State.WARNING
    assert found["web.tls"].state is State.UNKNOWN


async def test_a_public_address_without_tls_is_a_warning(clinic: Clinic, crm: Receiver) -> None:
    clinic.http = f'public_url = "http://127.0.0.1:{crm.port}"'
    assert "web.tls" not in await clinic.examine(Area.WEB)  # of this machine alone
    clinic.http = 'public_url = "http://calls.invalid"'
    found = await clinic.examine(Area.WEB)
    assert (found["web.tls"].state, "Passwords" in str(found["web.tls"].why)) == (State.WARNING, True)


@pytest.mark.parametrize("runs", [True, False])
async def test_whether_a_daemon_runs_is_told(clinic: Clinic, crm: Receiver, runs: bool) -> None:
    config = clinic.config()
    config = replace(config, http=replace(config.http, listen=Listen("", crm.port if runs else 9)))
    async with open_doctor(config) as examination:
        found = {one.check: one for one in await examination.examine((Area.WEB,))}
    assert found["web.daemon"].state is (State.OK if runs else State.PROBLEM)


async def test_messages_that_pile_up_or_were_given_up_are_counted_with_why(clinic: Clinic) -> None:
    await clinic.webhook("http://127.0.0.1:9/")
    for number in range(3):
        call = missed(f"17953328{number}.0")
        told = AnnounceCall(EventType.CALL_MISSED, call, None, "", Reason.SUBSCRIBED)
        await clinic.record(Unit(UnixMs(now_ms() - 10 * 60_000), call, (told,)))
    rows = await clinic.store.reader.fetch(select(deliveries))
    settled = Settlement(
        delivery_id=rows[0]["delivery_id"],
        webhook_id="wh_1",
        url="http://127.0.0.1:9/",
        at=now_ms(),
        status=DeliveryStatus.FAILED,
        next_attempt_at=None,
        error="client_error",
        attempt=Attempt(at=now_ms(), status_code=400, latency_ms=1, error=None, answer=""),
    )
    await clinic.store.writer.change(lambda: record_settlements([settled]))
    found = (await clinic.examine(Area.WEB))["web.deliveries"]
    assert found.state is State.PROBLEM
    assert ("minutes: 2," in found.what, "hours: 1." in found.what, "refused the message" in found.what) == (True,) * 3


@pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl makes the certificate")
async def test_a_certificate_that_is_not_valid_or_ends_soon_is_told(
    clinic: Clinic, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cert, key = certificate(tmp_path)  # its own, for two days
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert, key)
    proxy = await asyncio.start_server(lambda _, writer: writer.close(), "127.0.0.1", 0, ssl=context)
    clinic.http = f'public_url = "https://127.0.0.1:{proxy.sockets[0].getsockname()[1]}"'
    doubted = (await clinic.examine(Area.WEB))["web.tls"]
    assert (doubted.state, "self-signed" in doubted.what) == (State.PROBLEM, True)
    monkeypatch.setenv("SSL_CERT_FILE", str(cert))
    ending = (await clinic.examine(Area.WEB))["web.tls"]
    assert (ending.state, "valid: 1." in ending.what) == (State.WARNING, True)
    proxy.close()
