"""The whole flow in one process: calls over a real AMI socket become tickets, popups and signed webhooks."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import pytest

from daemon.ami.simulator import SimulatedPbx
from daemon.app import Daemon
from daemon.clock import now_ms
from daemon.config import load_config
from daemon.store.role import Role
from daemon.store.tokens import add_token, new_token
from tests.delivery.receiver import Receiver
from tests.whole.house import Api, api_client, config_text, simulated_pbx, until

EVENTS = ["call.ringing", "call.answered", "call.ended", "call.missed", "ticket.created", "ticket.merged"]


@dataclass
class House:
    daemon: Daemon
    pbx: SimulatedPbx
    crm: Receiver
    api: Api
    secret: str

    def popups(self) -> list[dict[str, str]]:
        """The queries of the popup requests, each signature checked."""
        secret = self.daemon.secrets.popup_secret()
        assert secret is not None
        found = [request for request in self.crm.requests if request.path == "/pop"]
        for request in found:
            assert request.method == "GET"
            request.verify(secret.reveal())
        return [{name: values[0] for name, values in parse_qs(r.query, keep_blank_values=True).items()} for r in found]

    def events(self) -> list[dict[str, Any]]:
        """The bodies of the webhook posts, each signature checked."""
        found = [request for request in self.crm.requests if request.path == "/hook"]
        for request in found:
            request.verify(self.secret)
        return [json.loads(request.body) for request in found]

    async def quiet(self) -> None:
        """Wait until no call lives and nothing waits to be sent."""

        async def settled() -> bool:
            await self.daemon.store.writer.drain()
            pending = await self.api.get("deliveries?status=pending")
            return not list(self.daemon.dispatcher.calls()) and not pending["items"]

        await asyncio.sleep(0.05)
        await until(settled)


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    path = tmp_path / "callwarden.toml"
    token = new_token()
    async with simulated_pbx() as pbx, Receiver() as crm:
        path.write_text(config_text(tmp_path, pbx))
        async with Daemon(load_config(path)) as daemon:
            await daemon.store.writer.change(lambda: add_token(token, Role.ADMIN, "test", now_ms()))
            async with api_client(daemon.web.port, token) as api:
                await api.put("agents/an", {"name": "An", "endpoints": ["PJSIP/1001"]})
                await api.put("agents/binh", {"name": "Bình", "endpoints": ["PJSIP/1002"]})
                await api.put("call-settings", {"popup_answer_url": crm.url + "/pop"})
                hook = await api.post("webhooks", {"url": crm.url + "/hook", "events": EVENTS})
                await until(lambda: _connected(daemon))
                yield House(daemon, pbx, crm, api, hook["secret"])


async def _connected(daemon: Daemon) -> bool:
    return all(link.state.value == "connected" for link in daemon.links.values())


def kinds(events: list[dict[str, Any]]) -> list[str]:
    return sorted(event["type"] for event in events)


async def test_an_answered_queue_call_is_a_ticket_a_popup_and_three_webhooks(house: House) -> None:
    truth = await house.pbx.play("queue_answered", customer="0901234567", speed=8)
    await house.quiet()
    (popup,) = house.popups()
    assert popup["userId"] == "an"
    assert popup["customerNumber"] == "84901234567"
    assert popup["hotline"] == truth.hotline
    assert popup["isCallOut"] == "false"
    assert popup["callId"] == truth.call_id
    assert kinds(house.events()) == ["call.answered", "call.ended", "call.ringing", "ticket.created"]
    (call,) = await house.api.every("calls")
    (ticket,) = await house.api.every("tickets")
    assert call["outcome"] == "answered"
    assert call["ticket_id"] == ticket["ticket_id"]
    assert int(popup["timeAnswer"]) == pytest.approx(_ms(call["answered_at"]))
    assert (ticket["kind"], ticket["call_ids"]) == ("incoming", [truth.call_id])


async def test_missed_calls_of_a_customer_are_one_ticket_and_the_integrator_hears_of_each(house: House) -> None:
    for _ in range(3):
        await house.pbx.play("queue_abandoned", customer="0901234567", speed=20)
    await house.quiet()
    (ticket,) = await house.api.every("tickets")
    assert ticket["missed_count"] == 3
    assert kinds(house.events()).count("call.missed") == 3
    assert kinds(house.events()).count("ticket.created") == 1
    assert kinds(house.events()).count("ticket.merged") == 2
    assert house.popups() == []


async def test_a_settings_change_is_obeyed_at_the_next_call(house: House) -> None:
    await house.api.put("call-settings", {"missed_call_merge": "none"})
    for _ in range(2):
        await house.pbx.play("queue_abandoned", customer="0901234567", speed=20)
    await house.quiet()
    assert len(await house.api.every("tickets")) == 2
    await house.api.put("call-settings", {"auto_create_tickets": False, "popup_answer_url": None})
    await house.pbx.play("queue_answered", customer="0901234567", speed=20)
    await house.quiet()
    assert len(await house.api.every("tickets")) == 2
    assert house.popups() == []


async def test_a_queue_switched_off_makes_no_ticket(house: House) -> None:
    await house.api.put("queues/support", {"create_tickets": False, "ringtone": None})
    await house.pbx.play("queue_abandoned", speed=20)
    await house.pbx.play("direct_missed", speed=20)
    await house.quiet()
    (ticket,) = await house.api.every("tickets")
    assert ticket["queue"] is None


async def test_a_closed_ticket_is_reopened_by_a_further_missed_call(house: House) -> None:
    await house.pbx.play("queue_abandoned", customer="0901234567", speed=20)
    await house.quiet()
    (ticket,) = await house.api.every("tickets")
    await house.api.patch(f"tickets/{ticket['ticket_id']}", {"status": "closed"})
    await house.pbx.play("queue_abandoned", customer="0901234567", speed=20)
    await house.quiet()
    (again,) = await house.api.every("tickets")
    assert (again["status"], again["missed_count"], again["closed_at"]) == ("open", 2, None)


async def test_who_takes_over_by_transfer_gets_a_popup_too_and_only_once(house: House) -> None:
    for scenario in ("blind_transfer", "attended_transfer"):
        house.crm.requests.clear()
        await house.pbx.play(scenario, speed=8)
        await house.quiet()
        assert [popup["userId"] for popup in house.popups()] == ["an", "binh"]


@pytest.mark.parametrize("scenario", ["outgoing_answered", "click_to_call"])
async def test_when_the_customer_answers_the_caller_gets_the_popup_and_nobody_before(
    house: House, scenario: str
) -> None:
    await house.pbx.play(scenario, customer="0901234567", speed=8)
    await house.quiet()
    (popup,) = house.popups()
    (call,) = await house.api.every("calls")
    assert (popup["userId"], popup["isCallOut"]) == ("an", "true")
    assert int(popup["timeAnswer"]) == pytest.approx(_ms(call["answered_at"]))


async def test_every_scenario_at_once_is_understood(house: House) -> None:
    truths = await asyncio.gather(*(house.pbx.play(name, speed=8) for name in house.pbx.scenarios for _ in range(5)))
    await house.quiet()
    calls = {call["call_id"]: call for call in await house.api.every("calls")}
    for truth in truths:
        call = calls[truth.call_id]
        assert (call["direction"], call["outcome"], call["queue"]) == (truth.direction, truth.outcome, truth.queue)
        assert call["hotline"] == truth.hotline
    answered = [truth for truth in truths if truth.outcome == "answered"]
    wanted = sorted((truth.call_id, endpoint) for truth in answered for endpoint in truth.answered_by)
    users = {"an": "PJSIP/1001", "binh": "PJSIP/1002"}
    assert sorted((popup["callId"], users[popup["userId"]]) for popup in house.popups()) == wanted


async def test_the_live_feed_tells_what_happens(house: House) -> None:
    seen: list[str] = []

    async def listen() -> None:
        async for event in house.daemon.feed.listen(None):
            seen.append(event.event_type)  # noqa: PERF401 - it never ends

    listening = asyncio.create_task(listen())
    await asyncio.sleep(0)
    await house.pbx.play("queue_answered", speed=20)
    await house.quiet()
    listening.cancel()
    for wanted in ("agent.ringing", "agent.ringing_ended", "call.answered", "popup", "ticket.created", "call.ended"):
        assert wanted in seen
    assert seen.index("agent.ringing") < seen.index("agent.ringing_ended") < seen.index("call.ended")


def _ms(iso: str) -> int:
    return round(datetime.fromisoformat(iso).timestamp() * 1000)
