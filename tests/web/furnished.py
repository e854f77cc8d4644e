"""A house with one of everything, and a good body for each address that takes one: what descriptions are held against.

A new address that takes a body has its sample in BODIES; a new kind of thing with a name in its path is made in
`furnish` and named under the first word of its path.
"""

from __future__ import annotations

import json
from typing import Any

from daemon.call.model import PbxName, UserId
from daemon.call.signals import UnixMs
from daemon.policy.decision import AnnounceCall, EventType, OpenTicket, PopScreen, Reason, TicketKind
from daemon.store.built_in_ringtones import built_in_sound
from daemon.store.outbox import Attempt, Settlement, record_settlements
from daemon.store.role import Role
from daemon.store.values import DeliveryStatus, Unit
from tests.factory import answered
from tests.web.conftest import NOW, PASSWORD, House

SUMMARY = "mailto://127.0.0.1:9?from=cw@example.com&to=boss@example.com"
HOOK = "https://crm.example.com/hook"

BODIES: dict[tuple[str, str], Any] = {
    ("PUT", "/call-settings"): {"sla_target_percent": 85, "popup_answer_url": "https://crm.example.com/{callId}"},
    ("PATCH", "/call-settings"): {"disconnect_timeout_seconds": 30},
    ("POST", "/call-settings/try-popup"): {"popup_answer_url": "https://crm.example.com/{callId}"},
    ("POST", "/call-settings/try-lookup"): {"customer_lookup_url": "https://crm.example.com/who/{customerNumber}"},
    ("PUT", "/agents/{user_id}"): {"name": "An", "phone_brand": "yealink", "personal_number": None},
    ("PUT", "/queues/{name}"): {"create_tickets": False, "ringtone": "marimba", "sla_target_percent": 95},
    ("POST", "/ringtones"): built_in_sound("harp").wide,
    ("PATCH", "/ringtones/{name}"): {"label": "Harp"},
    ("PUT", "/hotlines/{number}"): {"label": "Sales"},
    ("POST", "/agents/import"): b"user_id,name\nan,An\nbinh,\n",
    ("POST", "/queues/import"): b"name,create_tickets\nsupport,false\n",
    ("POST", "/hotlines/import"): b"number,label\n19001234,Sales\n",
    ("PATCH", "/tickets/{ticket_id}"): {"status": "closed", "assignee": "an", "note": "gọi lại"},
    ("POST", "/tickets/bulk"): {"ticket_ids": ["1", "2"], "status": "pending", "add_tags": ["VIP"]},
    ("POST", "/calls"): {"number": "0901 234 567", "user_id": "an", "hotline": "19001234"},
    ("POST", "/desk/pops/{pbx}/{call_id}/open"): {"browser": "window-1"},
    ("POST", "/desk/pops/{pbx}/{call_id}/blocked"): {"browser": "window-1"},
    ("PUT", "/desk/state"): {"state": "paused", "reason": "lunch"},
    ("POST", "/desk/calls/{pbx}/{call_id}/dtmf"): {"digits": "15#"},
    ("POST", "/desk/calls/{pbx}/{call_id}/transfer"): {"number": "1002"},
    ("POST", "/desk/calls/{pbx}/{call_id}/attended-transfer"): {"number": "0901234567"},
    ("POST", "/webhooks"): {"url": HOOK, "events": ["call.missed"]},
    ("PATCH", "/webhooks/{webhook_id}"): {"description": "CRM"},
    ("POST", "/summary/targets"): {"url": SUMMARY, "label": "Boss", "language": "en"},
    ("POST", "/accounts"): {"name": "binh", "role": "agent", "password": PASSWORD},
    ("PATCH", "/accounts/{name}"): {"language": "en"},
    ("PATCH", "/session"): {"language": "en"},
    ("POST", "/tokens"): {"role": "agent", "label": "CRM"},
    ("POST", "/wallboard/links"): {"label": "Hall"},
}


async def furnish(house: House) -> dict[str, str]:
    """Fills the house; the name of its things by the first word of their address."""
    made = await house.ask("POST", "/api/v1/webhooks", json={"url": HOOK})
    await house.ask("POST", "/api/v1/call-settings/rotate-popup-secret")
    await house.ask("PUT", "/api/v1/agents/an", json={"endpoints": ["PJSIP/1001"], "personal_number": "+84901000001"})
    await house.ask("PUT", "/api/v1/queues/support", json={})
    await house.ask("PUT", "/api/v1/hotlines/19001234", json={})
    await house.ask("POST", "/api/v1/ringtones?name=sea", data=built_in_sound("dawn").wide)
    await house.add_account("an", Role.AGENT, user_id="an")
    await house.ask("PUT", "/api/v1/call-settings", json={"retention_days_calls": 3650})
    call = await house.miss(1, queue="support")
    await _answer(house)
    await _pop(house)
    token = await house.ask("POST", "/api/v1/tokens", json={"role": "agent"})
    link = await house.ask("POST", "/api/v1/wallboard/links", json={})
    target = await house.ask("POST", "/api/v1/summary/targets", json={"url": SUMMARY})
    return {
        "summary": target.body["target_id"],
        "agents": "an",
        "queues": "support",
        "hotlines": "19001234",
        "ringtones": "sea",
        "calls": call.call_id,
        "tickets": "1",
        "webhooks": made.body["webhook_id"],
        "deliveries": await _deliver(house),
        "accounts": "an",
        "pbx": "1",
        "tokens": token.body["token_id"],
        "wallboard": link.body["link_id"],
        "reports": "calls",
    }


async def another_browser(house: House, headers: dict[str, str]) -> str:
    """The id of a second session of whoever these headers sign in."""
    name = (await house.ask("GET", "/api/v1/session", None, headers=headers)).body["name"]
    await house.open_session(name)
    found = (await house.ask("GET", "/api/v1/sessions", None, headers=headers)).body["items"]
    return next(str(one["session_id"]) for one in found if not one["current"])


async def _answer(house: House) -> None:
    """A call with everything that comes of one: ticket, popup, webhook."""
    call = answered("1795332900.5", queue="support")
    made = (
        OpenTicket(call, TicketKind.INCOMING, "answered", Reason.CALL_ANSWERED),
        PopScreen(call, call.user_ids[0], HOOK, UnixMs(NOW), True, True, Reason.AGENT_ANSWERED),
        AnnounceCall(EventType.CALL_ANSWERED, call, None, "", Reason.SUBSCRIBED),
    )
    await house.record(Unit(UnixMs(NOW + 5000), call, made))


async def _pop(house: House) -> None:
    """The popup of `mai`, whose desk is asked for."""
    mai = UserId("mai")
    call = answered("x", pbx=PbxName("x"))
    popup = PopScreen(call, mai, HOOK, UnixMs(NOW), True, False, Reason.AGENT_ANSWERED)
    await house.record(Unit(UnixMs(NOW + 5000), call, (popup,)))


async def _deliver(house: House) -> str:
    """One attempt of the newest delivery, refused."""
    (newest, *_) = (await house.ask("GET", "/api/v1/deliveries?webhook_id=")).body["items"]
    tried = Attempt(at=UnixMs(NOW + 6000), status_code=500, latency_ms=12, error=None, answer="no")
    settled = Settlement(
        delivery_id=newest["delivery_id"],
        webhook_id="",
        url=newest["url"],
        at=UnixMs(NOW + 6000),
        status=DeliveryStatus.FAILED,
        next_attempt_at=None,
        error="HTTP 500",
        attempt=tried,
    )
    await house.store.writer.change(lambda: record_settlements([settled]))
    return str(newest["delivery_id"])


def body_of(method: str, path: str, media: str | None) -> dict[str, Any]:
    """The options of a request with the sample of this address."""
    if media is None:
        return {}
    assert (method, path) in BODIES, f"give {method} {path} a sample in tests/web/furnished.py"
    sample = BODIES[method, path]
    data = sample if isinstance(sample, bytes) else json.dumps(sample).encode()
    return {"data": data, "headers": {"Content-Type": media}}
