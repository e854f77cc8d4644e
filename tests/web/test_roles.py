"""Every address with every role and none. A new address without an entry here fails."""

from __future__ import annotations

import re
from typing import Any

import pytest

from daemon.store.role import Role
from daemon.store.tokens import read_tokens, revoke_token
from daemon.web.auth import ACCESS
from daemon.web.routes import ENDLESS, ROUTES
from tests.web.conftest import House

EVERYBODY: set[Role | None] = {None, Role.AGENT, Role.SUPERVISOR, Role.ADMIN}
AGENTS: set[Role | None] = {Role.AGENT, Role.SUPERVISOR, Role.ADMIN}
SUPERVISORS: set[Role | None] = {Role.SUPERVISOR, Role.ADMIN}
ADMINS: set[Role | None] = {Role.ADMIN}
WITH_BODY = {"PUT", "PATCH", "POST"}

WHO_MAY = {
    "GET /healthz": EVERYBODY,
    "GET /readyz": EVERYBODY,
    "GET /metrics": SUPERVISORS,  # and whom the configuration names: test_metrics.py
    "GET /api/v1/openapi.json": EVERYBODY,
    "GET /api/v1/call-settings": SUPERVISORS,
    "PUT /api/v1/call-settings": ADMINS,
    "PATCH /api/v1/call-settings": ADMINS,
    "POST /api/v1/call-settings/try-popup": ADMINS,
    "POST /api/v1/call-settings/try-lookup": ADMINS,
    "POST /api/v1/call-settings/rotate-popup-secret": ADMINS,
    "GET /api/v1/agents": SUPERVISORS,
    "GET /api/v1/agents/{user_id}": SUPERVISORS,
    "PUT /api/v1/agents/{user_id}": ADMINS,
    "DELETE /api/v1/agents/{user_id}": ADMINS,
    "GET /api/v1/agents.csv": SUPERVISORS,
    "POST /api/v1/agents/import": ADMINS,
    "GET /api/v1/queues": SUPERVISORS,
    "GET /api/v1/queues/{name}": SUPERVISORS,
    "PUT /api/v1/queues/{name}": ADMINS,
    "DELETE /api/v1/queues/{name}": ADMINS,
    "GET /api/v1/queues.csv": SUPERVISORS,
    "POST /api/v1/queues/import": ADMINS,
    "GET /api/v1/hotlines": SUPERVISORS,
    "GET /api/v1/hotlines/{number}": SUPERVISORS,
    "PUT /api/v1/hotlines/{number}": ADMINS,
    "DELETE /api/v1/hotlines/{number}": ADMINS,
    "GET /api/v1/hotlines.csv": SUPERVISORS,
    "POST /api/v1/hotlines/import": ADMINS,
    "GET /api/v1/ringtones": SUPERVISORS,
    "POST /api/v1/ringtones": ADMINS,
    "GET /api/v1/ringtones/{name}": SUPERVISORS,
    "PATCH /api/v1/ringtones/{name}": ADMINS,
    "DELETE /api/v1/ringtones/{name}": ADMINS,
    "GET /api/v1/ringtones/{name}/audio": AGENTS,
    "GET /ringtones/{token}/{file}": EVERYBODY,
    "GET /api/v1/calls": AGENTS,
    "GET /api/v1/calls.csv": SUPERVISORS,
    "GET /api/v1/calls.xlsx": SUPERVISORS,
    "GET /api/v1/exports/{name}": SUPERVISORS,
    "GET /calls": AGENTS,
    "GET /calls/{call_id}": AGENTS,
    "GET /api/v1/sla": SUPERVISORS,
    "GET /service-level": SUPERVISORS,
    "GET /settings/summary": ADMINS,
    "GET /api/v1/summary": SUPERVISORS,
    "GET /api/v1/summary/targets": ADMINS,
    "POST /api/v1/summary/targets": ADMINS,
    "DELETE /api/v1/summary/targets/{target_id}": ADMINS,
    "POST /api/v1/summary/targets/{target_id}/test": ADMINS,
    "GET /reports": SUPERVISORS,
    "GET /api/v1/reports/{report}": SUPERVISORS,
    "GET /api/v1/reports/{report}.csv": SUPERVISORS,
    "GET /api/v1/reports/{report}.xlsx": SUPERVISORS,
    "GET /wallboard": SUPERVISORS,
    "GET /wall/{secret}": EVERYBODY,  # who has the secret; test_wall.py has those who have not
    "GET /wall/{secret}/events": EVERYBODY,
    "GET /api/v1/wallboard/events": SUPERVISORS,
    "GET /api/v1/wallboard/links": SUPERVISORS,
    "POST /api/v1/wallboard/links": SUPERVISORS,
    "DELETE /api/v1/wallboard/links/{link_id}": SUPERVISORS,
    "POST /api/v1/calls": AGENTS,
    "GET /api/v1/calls/{call_id}": AGENTS,
    "GET /api/v1/calls/{call_id}/decisions": SUPERVISORS,
    "GET /api/v1/tickets": AGENTS,
    "GET /api/v1/tickets/counts": AGENTS,
    "POST /api/v1/tickets/bulk": AGENTS,
    "GET /api/v1/tickets/{ticket_id}": AGENTS,
    "PATCH /api/v1/tickets/{ticket_id}": AGENTS,
    "GET /api/v1/webhooks": SUPERVISORS,
    "POST /api/v1/webhooks": ADMINS,
    "GET /api/v1/webhooks/{webhook_id}": SUPERVISORS,
    "PATCH /api/v1/webhooks/{webhook_id}": ADMINS,
    "DELETE /api/v1/webhooks/{webhook_id}": ADMINS,
    "POST /api/v1/webhooks/{webhook_id}/rotate-secret": ADMINS,
    "POST /api/v1/webhooks/{webhook_id}/test": ADMINS,
    "POST /api/v1/webhooks/{webhook_id}/replay-failed": ADMINS,
    "GET /api/v1/deliveries": SUPERVISORS,
    "GET /api/v1/deliveries/{delivery_id}": SUPERVISORS,
    "POST /api/v1/deliveries/{delivery_id}/replay": ADMINS,
    "GET /api/v1/events": SUPERVISORS,
    "GET /api/v1/session": AGENTS,
    "GET /api/v1/sessions": AGENTS,
    "DELETE /api/v1/sessions/{session_id}": AGENTS,
    "GET /api/v1/accounts": ADMINS,
    "POST /api/v1/accounts": ADMINS,
    "GET /api/v1/accounts/{name}": ADMINS,
    "PATCH /api/v1/accounts/{name}": ADMINS,
    "DELETE /api/v1/accounts/{name}/sessions": ADMINS,
    "GET /api/v1/tokens": ADMINS,
    "POST /api/v1/tokens": ADMINS,
    "DELETE /api/v1/tokens/{token_id}": ADMINS,
    "GET /api/v1/audit": ADMINS,
    "GET /api/v1/pbx": SUPERVISORS,
    "GET /api/v1/pbx/{name}": SUPERVISORS,
    "GET /api/v1/pbx/{name}/stanzas": ADMINS,
    "POST /api/v1/pbx/{name}/check": ADMINS,
    "GET /api/v1/discovery": ADMINS,
    "GET /api/v1/doctor": ADMINS,
    "PATCH /api/v1/session": AGENTS,
    "GET /api/v1/desk": AGENTS,
    "GET /api/v1/desk/events": AGENTS,
    "GET /api/v1/desk/state": AGENTS,
    "PUT /api/v1/desk/state": AGENTS,
    "GET /api/v1/desk/colleagues": AGENTS,
    "POST /api/v1/desk/calls/{pbx}/{call_id}/hangup": AGENTS,
    "POST /api/v1/desk/calls/{pbx}/{call_id}/answer": AGENTS,
    "POST /api/v1/desk/calls/{pbx}/{call_id}/hold": AGENTS,
    "POST /api/v1/desk/calls/{pbx}/{call_id}/unhold": AGENTS,
    "POST /api/v1/desk/calls/{pbx}/{call_id}/mute": AGENTS,
    "POST /api/v1/desk/calls/{pbx}/{call_id}/unmute": AGENTS,
    "POST /api/v1/desk/calls/{pbx}/{call_id}/dtmf": AGENTS,
    "POST /api/v1/desk/calls/{pbx}/{call_id}/transfer": AGENTS,
    "POST /api/v1/desk/calls/{pbx}/{call_id}/attended-transfer": AGENTS,
    "DELETE /api/v1/desk/calls/{pbx}/{call_id}/attended-transfer": AGENTS,
    "POST /api/v1/desk/pops/{pbx}/{call_id}/open": AGENTS,
    "POST /api/v1/desk/pops/{pbx}/{call_id}/blocked": AGENTS,
    "GET /assets/{version}/{name}": EVERYBODY,
    "GET /favicon.ico": EVERYBODY,
    "GET /": AGENTS,
    "GET /settings/calls": ADMINS,
    "POST /settings/calls/what-happens": ADMINS,
    "GET /settings/agents": ADMINS,
    "GET /settings/new-agent": ADMINS,
    "GET /settings/agents/{user_id}": ADMINS,
    "GET /settings/queues": ADMINS,
    "GET /settings/hotlines": ADMINS,
    "GET /settings/found/agents": ADMINS,
    "GET /settings/found/queues": ADMINS,
    "GET /settings/found/hotlines": ADMINS,
    "GET /desk": AGENTS,
    "GET /webphone": AGENTS,
    "GET /tickets": AGENTS,
    "GET /missed": AGENTS,
    "GET /tickets/{ticket_id}": AGENTS,
    "GET /sign-in": EVERYBODY,
    "POST /sign-in": EVERYBODY,
    "GET /set-up/{token}": EVERYBODY,
    "POST /set-up/{token}": EVERYBODY,
    "POST /sign-out": AGENTS,
    "POST /sign-out-everywhere": AGENTS,
    "GET /settings/webhooks": ADMINS,
    "GET /settings/new-webhook": ADMINS,
    "GET /settings/webhooks/{webhook_id}": ADMINS,
    "GET /settings/deliveries": ADMINS,
    "GET /settings/deliveries/{delivery_id}": ADMINS,
    "GET /settings/accounts": ADMINS,
    "GET /settings/new-account": ADMINS,
    "GET /settings/accounts/{name}": ADMINS,
    "GET /settings/tokens": ADMINS,
    "GET /settings/audit": ADMINS,
    "GET /settings/data": ADMINS,
    "GET /api/v1/retention": ADMINS,
    "GET /reference": AGENTS,
    "GET /settings/ringtones": ADMINS,
    "GET /settings/pbx": SUPERVISORS,
    "GET /settings/check-up": ADMINS,
    "GET /calls/{call_id}/decisions": SUPERVISORS,
    "GET /password": AGENTS,
    "POST /password": AGENTS,
}
PAGES = {f"{route.method} {route.path}" for route in ROUTES if route.page}


async def test_every_address_has_an_entry_and_every_entry_an_address(house: House) -> None:
    assert house.client.app is not None
    served = {
        f"{route.method} {route.resource.canonical}"
        for route in house.client.app.router.routes()
        if route.resource and route.method != "HEAD"
    }
    assert served == set(WHO_MAY)


@pytest.mark.parametrize("address", sorted(set(WHO_MAY) - PAGES))
async def test_an_address_answers_those_who_may_and_refuses_the_others(house: House, address: str) -> None:
    for role in (None, *Role):
        status = await _status(house, address, house.headers(role))
        expected_refusal = 401 if role is None else 403
        assert (status == expected_refusal) is (role not in WHO_MAY[address]), (address, role, status)
        assert status < 500


@pytest.mark.parametrize("address", WHO_MAY)
async def test_a_session_opens_what_its_accounts_role_may_and_nothing_else(house: House, address: str) -> None:
    for role in Role:
        status = await _status(house, address, await house.sign_in_as(role))
        public = None in WHO_MAY[address]
        assert public or (status == 403) is (role not in WHO_MAY[address]), (address, role, status)
        assert status not in (401, 405)
        assert status < 500


@pytest.mark.parametrize("address", sorted(address for address in PAGES if None not in WHO_MAY[address]))
async def test_a_page_leads_whoever_is_not_signed_in_there_and_takes_no_token(house: House, address: str) -> None:
    method, path = address.split(" ")
    for role in (None, *Role):
        answer = await house.ask(method, path, role)
        assert (answer.status, answer.headers["Location"].partition("?")[0]) == (303, "/sign-in")


async def _status(house: House, address: str, headers: dict[str, str]) -> int:
    method, path = address.split(" ")
    path = re.sub(r"\{\w+\}", "1", path)
    if path in ENDLESS:  # the answer does not end; its first line tells
        async with house.client.request(method, path, headers=headers) as response:
            return response.status
    body: dict[str, Any] = {"data": {"x": "1"}} if address in PAGES else {"json": {}}
    return (await house.ask(method, path, None, headers=headers, **(body if method in WITH_BODY else {}))).status


async def test_an_address_that_is_missing_in_the_access_table_is_closed(house: House) -> None:
    assert house.client.app is not None
    access = house.client.app[ACCESS]
    assert set(access) == {(route.method, route.path) for route in ROUTES}
    del access["GET", "/api/v1/calls"]  # type: ignore[attr-defined]
    assert (await house.ask("GET", "/api/v1/calls", Role.ADMIN)).status == 403


@pytest.mark.parametrize(
    "header",
    [
        "",
        "Bearer",
        "Bearer ",
        "Basic YTpi",
        "Bearer nonsense",
        "bearer\tx",
        "Bearer " + "x" * 5000,
        "Bearer \u00e9\u1ea1",
    ],
)
async def test_a_wrong_token_is_refused_with_a_challenge(house: House, header: str) -> None:
    answer = await house.ask("GET", "/api/v1/calls", None, headers={"Authorization": header})
    assert answer.status == 401
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")


async def test_a_revoked_token_opens_nothing_from_the_next_request_on(house: House) -> None:
    known = [token for token in await read_tokens(house.store.reader, 10, None) if token.role is Role.AGENT]
    assert (await house.ask("GET", "/api/v1/calls", Role.AGENT)).status == 200
    assert await house.store.writer.change(lambda: revoke_token(known[0].token_id, house.now))
    assert (await house.ask("GET", "/api/v1/calls", Role.AGENT)).status == 401
    assert not await house.store.writer.change(lambda: revoke_token(known[0].token_id, house.now))


async def test_the_last_use_of_a_token_is_noted_at_most_once_a_minute(house: House) -> None:
    async def used() -> int | None:
        await house.store.writer.drain()
        return next(t.last_used_at for t in await read_tokens(house.store.reader, 10, None) if t.role is Role.AGENT)

    began = house.now
    for later, expected in ((0, began), (59_000, began), (60_000, began + 60_000)):
        house.now = type(began)(began + later)
        await house.ask("GET", "/api/v1/calls", Role.AGENT)
        assert await used() == expected
