"""Refusals are problem+json that say what to do; an error of ours shows an id and nothing else."""

from __future__ import annotations

import asyncio
import dataclasses
import json

import pytest
from structlog.testing import capture_logs

from daemon.errors import TryAgain
from daemon.web import server
from daemon.web.services import SERVICES
from tests.web.conftest import House

PATH = "/api/v1/call-settings"


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/nowhere", 404),
        ("GET", "/api/v1", 404),
        ("GET", "/api/v1/agents/", 404),
        ("GET", "/api/v1/agents/%00", 404),
        ("GET", "/api/v1/agents/" + "a" * 129, 404),
        ("GET", "/api/v1/tickets/x", 404),
        ("GET", "/api/v1/tickets/99999999999999999999", 404),
        ("GET", "/../../etc/passwd", 404),
        ("DELETE", PATH, 405),
        ("GET", f"{PATH}?x=1", 422),
        ("GET", "/api/v1/calls?limit=0", 422),
        ("GET", "/api/v1/calls?limit=201", 422),
        ("GET", "/api/v1/calls?limit=%D9%A1", 422),
        ("GET", "/api/v1/calls?limit=1&limit=2", 422),
        ("GET", "/api/v1/calls?cursor=x", 422),
        ("GET", "/api/v1/calls?cursor=WzEsMiwzXQ", 422),
        ("GET", "/api/v1/calls?from=yesterday", 422),
        ("GET", "/api/v1/calls?from=2026-01-01T00:00:00", 422),
        ("GET", "/api/v1/calls?state=gone", 422),
        ("GET", "/api/v1/events?types=call.nothing", 422),
    ],
)
async def test_a_refusal_is_a_problem(house: House, method: str, path: str, status: int) -> None:
    answer = await house.ask(method, path)
    assert answer.status == status
    assert answer.headers["Content-Type"].startswith("application/problem+json")
    assert answer.body["status"] == status
    assert answer.body["detail"]


async def test_405_names_the_methods(house: House) -> None:
    assert "PUT" in (await house.ask("DELETE", PATH)).headers["Allow"]


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 400),
        (b"{", 400),
        (b"\xff{}", 400),
        (b'{"country": NaN}', 400),
        (b'{"country": 1e999}', 400),
        (b'{"sla_target_percent": ' + b"9" * 5000 + b"}", 400),
        (b'{"country": "DE", "country": "FR"}', 400),
        (b'{"country": "\\ud800"}', 400),
        (b'{"\\udfff": 1}', 400),
        (b'{"country": "a\\u0000"}', 400),
        (b'{"country": ' + b"[" * 100_000 + b"]" * 100_000 + b"}", 400),
        (b'{"a":' * 20 + b"1" + b"}" * 20, 400),
        (b"[]", 422),
        (b'"x"', 422),
        (b"null", 422),
        (b"{}", 200),
    ],
)
async def test_json_that_is_built_to_hurt_is_refused(house: House, body: bytes, status: int) -> None:
    answer = await house.ask("PUT", PATH, data=body, headers={"Content-Type": "application/json"})
    assert answer.status == status


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "x"])
async def test_another_type_than_json_is_refused(house: House, kind: str) -> None:
    assert (await house.ask("PUT", PATH, data=b"{}", headers={"Content-Type": kind})).status == 415


async def test_a_body_over_1_mib_is_refused(house: House) -> None:
    body = json.dumps({"country": "a" * 1024 * 1024}).encode()
    assert (await house.ask("PUT", PATH, data=body, headers={"Content-Type": "application/json"})).status == 413


async def test_an_error_of_ours_shows_an_id_that_is_in_the_log_and_no_traceback(house: House) -> None:
    async def broken() -> None:
        raise RuntimeError("/secret/path")

    _replace(house, rules_changed=broken)
    with capture_logs() as logs:
        answer = await house.ask("PUT", PATH, json={"country": "DE"})
    assert answer.status == 500
    assert "/secret/path" not in json.dumps(answer.body)
    assert [entry["incident"] for entry in logs if entry["event"] == "request_broke"] == [answer.body["id"]]


async def test_a_store_that_cannot_write_now_says_try_again(house: House) -> None:
    async def full() -> None:
        raise TryAgain("disk full")

    _replace(house, rules_changed=full)
    answer = await house.ask("PUT", PATH, json={"country": "DE"})
    assert (answer.status, answer.headers["Retry-After"]) == (503, "5")


async def test_what_takes_too_long_is_ended(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    async def forever() -> None:
        await asyncio.sleep(60)

    monkeypatch.setattr(server, "REQUEST_TIMEOUT_S", 0.1)
    _replace(house, readiness=forever)
    assert (await house.ask("GET", "/readyz", None)).status == 503


async def test_what_was_committed_is_answered_though_the_time_was_over(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def slow() -> None:
        await asyncio.sleep(0.4)

    monkeypatch.setattr(server, "REQUEST_TIMEOUT_S", 0.2)
    _replace(house, rules_changed=slow)
    assert (await house.ask("PUT", "/api/v1/queues/night", json={})).status == 201


def _replace(house: House, **parts: object) -> None:
    assert house.client.app is not None
    state = house.client.app._state
    state[SERVICES] = dataclasses.replace(house.client.app[SERVICES], **parts)  # type: ignore[arg-type]


async def test_every_answer_carries_the_security_headers_and_no_versions(house: House) -> None:
    for path in ("/healthz", PATH, "/nowhere"):
        headers = (await house.ask("GET", path)).headers
        assert headers["Server"] == "callwarden"
        assert headers["Cache-Control"] == "no-store"
        assert "default-src 'none'" in headers["Content-Security-Policy"]


async def test_readiness_tells_what_is_missing(house: House) -> None:
    assert (await house.ask("GET", "/readyz", None)).status == 200
    house.checks[1] = dataclasses.replace(house.checks[1], ok=False, reason="not connected")
    answer = await house.ask("GET", "/readyz", None)
    assert (answer.status, answer.body["reasons"]) == (503, ["pbx main: not connected"])
    assert (await house.ask("GET", "/healthz", None)).status == 200
