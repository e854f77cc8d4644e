"""The guide for integrators is right: its samples have the real fields, its code verifies real signatures."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from aiohttp.test_utils import TestServer
from standardwebhooks import Webhook

from daemon.clock import now_ms
from daemon.delivery.customer_lookup import CustomerLookup
from daemon.delivery.http_sender import HttpSender
from daemon.delivery.signing import Secret
from daemon.delivery.target_guard import TargetGuard
from daemon.policy.decision import EventType
from daemon.policy.popup_url import LOOKUP_PARAMETERS, fill
from daemon.store.webhooks import new_secret
from daemon.web.routes import ROUTES
from tests.web.conftest import House

GUIDE = (Path(__file__).parents[2] / "docs" / "integrators.md").read_text("utf-8")


def _samples() -> dict[str, dict[str, Any]]:
    blocks = [json.loads(text) for text in re.findall(r"```json\n(.*?)```", GUIDE, re.DOTALL)]
    return {block["type"]: block for block in blocks if "data" in block}


async def test_every_event_has_a_sample_with_the_fields_of_the_api(house: House) -> None:
    call = await house.miss(1)
    shown = {
        "call": (await house.ask("GET", f"/api/v1/calls/{call.call_id}")).body,
        "ticket": (await house.ask("GET", "/api/v1/tickets/1")).body,
    }
    samples = _samples()
    assert set(samples) == set(EventType)
    for kind, sample in samples.items():
        assert set(sample["data"]) - {"ringing_user_id", "connection"} == set(shown[kind.split(".")[0]])


def test_the_code_of_the_guide_takes_genuine_messages_only() -> None:
    (code,) = re.findall(r"```python\n(.*?)```", GUIDE, re.DOTALL)
    names: dict[str, Any] = {}
    exec(code, names)  # noqa: S102 -- our own document
    secret, now = new_secret(), datetime.now(UTC)
    for body in (b'{"a": "\xc3\xa1"}', b""):
        signature = Webhook(secret).sign("msg_1", now, body.decode())
        headers = {
            "webhook-id": "msg_1",
            "webhook-timestamp": str(int(now.timestamp())),
            "webhook-signature": f"v1,AAAA {signature}",
        }
        genuine = names["is_genuine"]
        assert genuine(secret, headers, body)
        assert not genuine(new_secret(), headers, body)
        assert not genuine(secret, headers, body + b" ")
        assert not genuine(secret, {**headers, "webhook-timestamp": "1"}, body)
        assert not genuine(secret, {}, body)


def test_the_popup_examples_are_what_is_called() -> None:
    values = {
        "userId": "an",
        "hotline": "842871081234",
        "customerNumber": "84901701234",
        "isCallOut": "false",
        "timeAnswer": "1795323603000",
        "callId": "1795332859.0",
    }
    examples = re.findall(r"^\| `(https://crm[^`]*)` \| `([^`]*)` \|$", GUIDE, re.MULTILINE)
    assert len(examples) == 2
    assert all(fill(template, values) == called for template, called in examples)


def test_the_look_up_examples_are_what_is_asked() -> None:
    values = {
        "customerNumber": "84901701234",
        "hotline": "842871081234",
        "isCallOut": "false",
        "callId": "1795332859.0",
    }
    examples = re.findall(r"^\| `(https://erp[^`]*)` \| `([^`]*)` \|$", GUIDE, re.MULTILINE)
    assert len(examples) == 2
    assert all(fill(template, values, LOOKUP_PARAMETERS) == asked for template, asked in examples)


async def test_the_answering_service_of_the_guide_tells_who_calls_and_answers_nobody_else() -> None:
    names: dict[str, Any] = {}
    for block in (
        *re.findall(r"```python\n(.*?)```", GUIDE, re.DOTALL),
        *re.findall(r"```py\n(.*?)```", GUIDE, re.DOTALL),
    ):
        exec(block, names)  # noqa: S102 -- our own document
    names["SECRET"] = new_secret()
    async with TestServer(names["app"]) as server, HttpSender(TargetGuard(), "test") as sender:
        for secret, status in ((names["SECRET"], 200), (new_secret(), 401)):
            lookup = CustomerLookup(sender, lambda secret=secret: Secret(secret), now_ms)  # type: ignore[misc]
            known = await lookup.try_out(str(server.make_url("/who?customerNumber=84901701234")))
            unknown = await lookup.try_out(str(server.make_url("/who?customerNumber=84901701235")))
            assert (known.status_code, unknown.status_code, unknown.customer) == (status, status, None)
            assert (known.customer is not None and known.customer.name == "Nguyễn Thị Lan") is (status == 200)


def test_every_address_is_in_the_guide() -> None:
    own = ("/assets/", "/favicon.ico")  # what our pages ask for
    for route in (route for route in ROUTES if not route.page and not route.path.startswith(own)):
        assert f"`{route.path.removeprefix('/api/v1')}`" in GUIDE, route.path
