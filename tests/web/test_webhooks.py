"""Webhook endpoints: secrets are shown once and nowhere else; deliveries are listed and replayed."""

from __future__ import annotations

import asyncio
import base64
import io
import json
from typing import Any

import pytest
from standardwebhooks import Webhook as Verifier

from daemon.call.signals import UnixMs
from daemon.log import configure_logging
from daemon.policy.decision import EventType
from daemon.store.outbox import expire_overdue
from daemon.store.role import Role
from daemon.store.settings import POPUP_SECRET, keep_inner, read_inner
from daemon.store.webhooks import WEBHOOK_LIMIT, read_webhook_secrets
from tests.web.conftest import House

PATH = "/api/v1/webhooks"


async def _create(house: House, **form: object) -> dict[str, Any]:
    answer = await house.ask("POST", PATH, json={"url": "https://crm.example/hook", **form})
    assert answer.status == 201
    created: dict[str, Any] = answer.body
    return created


async def test_a_new_webhook_gets_all_events_and_a_secret_that_signs(house: House) -> None:
    created = await _create(house)
    assert created["events"] == [event.value for event in EventType]
    assert len(base64.b64decode(created["secret"].removeprefix("whsec_"))) == 32
    Verifier(created["secret"])
    assert await read_webhook_secrets(house.store.reader) == {created["webhook_id"]: created["secret"]}


@pytest.mark.parametrize(
    ("form", "field"),
    [
        ({}, "url"),
        ({"url": "ftp://x.example"}, "url"),
        ({"url": "http://169.254.169.254/latest"}, "url"),
        ({"url": None}, "url"),
        ({"url": "http://x.example/", "events": []}, "events"),
        ({"url": "http://x.example/", "events": ["call.gone"]}, "events.0"),
        ({"url": "http://x.example/", "events": "call.ended"}, "events"),
        ({"url": "http://x.example/", "enabled": "yes"}, "enabled"),
        ({"url": "http://x.example/", "secret": "whsec_mine"}, "secret"),
        ({"url": "http://x.example/", "description": "a\nb"}, "description"),
    ],
)
async def test_a_wrong_webhook_is_refused(house: House, form: dict[str, object], field: str) -> None:
    answer = await house.ask("POST", PATH, json=form)
    assert answer.status == 422
    assert field in answer.fields()
    assert (await house.ask("GET", PATH)).body["items"] == []
    assert house.rules_changes == 0


async def test_a_webhook_is_changed_paused_enabled_rotated_and_deleted(house: House) -> None:
    created = await _create(house, events=["call.ended", "call.ended"])
    path = f"{PATH}/{created['webhook_id']}"
    assert created["events"] == ["call.ended"]
    paused = (await house.ask("PATCH", path, json={"enabled": False})).body
    assert (paused["enabled"], paused["disabled_reason"], paused["url"]) == (False, "paused", created["url"])
    assert (await house.ask("POST", f"{path}/replay-failed")).status == 409
    enabled = (await house.ask("PATCH", path, json={"enabled": True, "events": ["call.missed"]})).body
    assert (enabled["disabled_reason"], enabled["events"]) == (None, ["call.missed"])
    assert (await house.ask("PATCH", path, json={"url": "x"})).status == 422
    rotated = (await house.ask("POST", f"{path}/rotate-secret")).body["secret"]
    assert rotated != created["secret"]
    assert await read_webhook_secrets(house.store.reader) == {created["webhook_id"]: rotated}
    assert (await house.ask("DELETE", path)).status == 204
    for method, address in (
        ("GET", path),
        ("PATCH", path),
        ("DELETE", path),
        ("POST", f"{path}/test"),
        ("POST", f"{path}/rotate-secret"),
        ("POST", f"{path}/replay-failed"),
    ):
        options: dict[str, Any] = {"json": {}} if method == "PATCH" else {}
        assert (await house.ask(method, address, **options)).status == 404


async def test_a_test_message_goes_out_signed_with_the_endpoints_secret(house: House) -> None:
    created = await _create(house)
    answer = await house.ask("POST", f"{PATH}/{created['webhook_id']}/test")
    assert answer.body == {"status_code": 204, "latency_ms": 12, "error": None, "answer": ""}
    (target,) = house.targets
    assert (target.method, target.url, target.secret) == ("POST", created["url"], created["secret"])
    assert json.loads(target.body)["type"] == "webhook.test"
    assert created["secret"] not in repr(target)


async def test_a_new_url_is_that_of_what_is_still_to_be_delivered(house: House) -> None:
    created = await _create(house, events=["call.ended"])
    await house.miss(1)
    path = f"{PATH}/{created['webhook_id']}"
    assert (await house.ask("PATCH", path, json={"url": "https://new.example/hook"})).status == 200
    await house.ask("PATCH", path, json={"description": "the same address"})
    (listed,) = (await house.ask("GET", f"/api/v1/deliveries?webhook_id={created['webhook_id']}")).body["items"]
    assert (listed["status"], listed["url"]) == ("pending", "https://new.example/hook")


async def test_there_are_never_more_webhooks_than_the_limit_however_many_ask_at_once(house: House) -> None:
    for _ in range(WEBHOOK_LIMIT - 1):
        await _create(house)
    answers = await asyncio.gather(
        *(house.ask("POST", PATH, json={"url": "https://crm.example/hook"}) for _ in range(6))
    )
    assert sorted(answer.status for answer in answers) == [201, 409, 409, 409, 409, 409]
    assert len((await house.ask("GET", f"{PATH}?limit=200")).body["items"]) == WEBHOOK_LIMIT


async def test_sending_again_is_noted_with_who_asked(house: House) -> None:
    created = await _create(house, events=["call.ended"])
    await house.miss(1)
    (listed,) = (await house.ask("GET", f"/api/v1/deliveries?webhook_id={created['webhook_id']}")).body["items"]
    path = f"/api/v1/deliveries/{listed['delivery_id']}"
    again = f"{PATH}/{created['webhook_id']}/replay-failed"
    await house.ask("POST", f"{path}/replay")
    await house.ask("POST", again)
    assert await house.audit(object=f"webhook:{created['webhook_id']}", action="webhook.replay_failed") == []
    await house.store.writer.change(lambda: expire_overdue(UnixMs(house.now + 90_000_000)))
    assert (await house.ask("POST", again)).body == {"replayed": 1}
    (failed, one) = (await house.audit())[:2]
    assert (failed["action"], failed["object"]) == ("webhook.replay_failed", f"webhook:{created['webhook_id']}")
    assert (one["action"], one["object"]) == ("delivery.replay", f"delivery:{listed['delivery_id']}")
    assert (one["by"], one["remote"]) == (house.named(), "127.0.0.1")
    await house.ask("POST", "/api/v1/deliveries/none/replay")
    assert (await house.audit())[0] == failed


async def test_deliveries_show_attempts_and_are_replayed(house: House) -> None:
    created = await _create(house, events=["call.ended"])
    call = await house.miss(1)
    (listed,) = (await house.ask("GET", f"/api/v1/deliveries?webhook_id={created['webhook_id']}")).body["items"]
    assert json.loads(listed["body"])["data"]["call_id"] == call.call_id
    path = f"/api/v1/deliveries/{listed['delivery_id']}"
    assert (await house.ask("GET", path)).body == {**listed, "attempts": []}
    replayed = await house.ask("POST", f"{path}/replay")
    assert (replayed.status, replayed.body["status"]) == (202, "pending")
    assert (await house.ask("POST", "/api/v1/deliveries/none/replay")).status == 404
    assert (await house.ask("POST", f"{PATH}/{created['webhook_id']}/replay-failed")).body == {"replayed": 0}
    for query, count in (
        ("status=pending", 1),
        ("status=failed", 0),
        ("webhook_id=", 0),
        (f"call_id={call.call_id}", 1),
    ):
        assert len((await house.ask("GET", f"/api/v1/deliveries?{query}")).body["items"]) == count


async def test_no_secret_is_in_any_answer_but_the_one_that_made_it_nor_in_the_log(house: House) -> None:
    log = io.StringIO()
    configure_logging("debug", "json", log)
    created = await _create(house)
    path = f"{PATH}/{created['webhook_id']}"
    popup = (await house.ask("POST", "/api/v1/call-settings/rotate-popup-secret")).body["secret"]
    await house.miss(1)
    addresses = (
        PATH,
        path,
        "/api/v1/call-settings",
        "/api/v1/deliveries",
        "/api/v1/agents",
        "/api/v1/calls",
        f"{path}?token={house.tokens[Role.ADMIN]}",
        f"/api/v1/hotlines/{house.tokens[Role.ADMIN]}",
    )
    texts = [json.dumps((await house.ask("GET", address)).body) for address in addresses]
    texts.append(json.dumps((await house.ask("PATCH", path, json={"description": "x"})).body))
    for secret in (created["secret"], popup, house.tokens[Role.ADMIN]):
        assert not any(secret in text for text in texts)
        assert secret not in log.getvalue()


async def test_the_popup_secret_stays_until_it_is_rotated(house: House) -> None:
    change, now = house.store.writer.change, house.now
    assert await change(lambda: keep_inner(POPUP_SECRET, "whsec_one", None, now)) == "whsec_one"
    assert await change(lambda: keep_inner(POPUP_SECRET, "whsec_two", None, now)) == "whsec_one"
    rotated = (await house.ask("POST", "/api/v1/call-settings/rotate-popup-secret")).body["secret"]
    assert await read_inner(house.store.reader, POPUP_SECRET) == rotated
    assert house.rules_changes == 1
