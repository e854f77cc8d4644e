"""The pages of webhooks and deliveries: the state of each in words, every attempt, and that payloads stay text."""

from __future__ import annotations

import json
import re
from html import unescape

import pytest

from daemon.call.signals import UnixMs
from daemon.policy.decision import AnnounceCall, EventType, PopScreen, Reason
from daemon.store.outbox import Attempt, Settlement, disable_webhook, record_settlements
from daemon.store.role import Role
from daemon.store.values import DeliveryStatus, Unit
from tests.factory import answered
from tests.web.browser import Browser, has_no_inline_code, signed_in
from tests.web.conftest import NOW, House

HOSTILE = "<script>alert('Đỗ')</script>"
URL = "https://crm.example.com/hook?name=%3Cb%3E"


async def admin(house: House) -> Browser:
    browser = await signed_in(house, "boss", Role.ADMIN)
    await house.ask("PATCH", "/api/v1/accounts/boss", json={"language": "en"})
    return browser


async def read(browser: Browser, path: str) -> str:
    """The page's content as a reader sees it, after a look for code that a name brought in."""
    page = await browser.get(path)
    assert page.status == 200, page.text
    assert "<script>alert" not in page.text
    content = page.text.partition("<main")[2]
    assert has_no_inline_code(content)
    return " ".join(unescape(content).split())


async def webhook(house: House, **form: object) -> str:
    made = await house.ask("POST", "/api/v1/webhooks", json={"url": URL, **form})
    assert made.status == 201
    return str(made.body["webhook_id"])


async def settle(house: House, delivery_id: str, webhook_id: str, status: DeliveryStatus, error: str) -> None:
    tried = Attempt(at=NOW, status_code=None, latency_ms=1234, error="Connection refused", answer=None)
    settled = Settlement(
        delivery_id=delivery_id,
        webhook_id=webhook_id,
        url=URL,
        at=NOW,
        status=status,
        next_attempt_at=UnixMs(NOW + 60_000) if status is DeliveryStatus.PENDING else None,
        error=error,
        attempt=tried,
    )
    await house.store.writer.change(lambda: record_settlements([settled]))


async def delivery_ids(house: House, query: str = "") -> list[str]:
    return [one["delivery_id"] for one in (await house.ask("GET", f"/api/v1/deliveries?{query}")).body["items"]]


async def test_without_any_webhook_the_page_shows_the_popup_and_the_next_step(house: House) -> None:
    text = await read(await admin(house), "/settings/webhooks")
    assert "Not set up" in text
    assert "Add the first webhook" in text
    assert "rotate-popup-secret" not in text


async def test_each_webhook_says_its_state_and_who_paused_it(house: House) -> None:
    good, paused, gone = (
        await webhook(house, description=HOSTILE),
        await webhook(house, url="https://paused.example.com/"),
        await webhook(house, description="Old CRM"),
    )
    await house.ask("PATCH", f"/api/v1/webhooks/{paused}", json={"enabled": False})
    await house.store.writer.change(lambda: disable_webhook(gone, "endpoint_gone", NOW))
    text = await read(await admin(house), "/settings/webhooks")
    rows = {one: text.partition(f"/settings/webhooks/{one}")[2].partition("</tr>")[0] for one in (good, paused, gone)}
    assert HOSTILE in rows[good]
    assert "Active" in rows[good]
    assert "paused.example.com" in rows[paused]
    assert f"Paused by {house.named()}" in rows[paused]
    assert "gone for good (410)" in rows[gone]
    for off in (paused, gone):
        assert "is not kept for it" in await read(await admin(house), f"/settings/webhooks/{off}")
    assert "is not kept for it" not in await read(await admin(house), f"/settings/webhooks/{good}")
    page = await read(await admin(house), f"/settings/webhooks/{paused}")
    assert '{"enabled": true}' in page
    assert "replay-failed" not in page


async def test_what_failed_and_what_waits_is_counted_for_each_target(house: House) -> None:
    hook = await webhook(house, events=["call.ended"])
    for number in range(4):
        await house.miss(number)
    first, second, third, _ = await delivery_ids(house)
    await settle(house, first, hook, DeliveryStatus.FAILED, "bad_url")
    await settle(house, second, hook, DeliveryStatus.EXPIRED, "timeout")
    await settle(house, third, hook, DeliveryStatus.DELIVERED, "delivered")
    browser = await admin(house)
    row = (await read(browser, "/settings/webhooks")).partition(f"/settings/webhooks/{hook}")[2]
    assert "2 not delivered" in row
    assert "1 waiting" in row
    assert "Send all 2 failed messages again" in await read(browser, f"/settings/webhooks/{hook}")
    replayed = await house.ask("POST", f"/api/v1/webhooks/{hook}/replay-failed")
    assert replayed.body == {"replayed": 2}
    after = await read(browser, f"/settings/webhooks/{hook}")
    assert "replay-failed" not in after
    assert "3 waiting" in after


async def test_no_page_holds_a_secret(house: House) -> None:
    made = await house.ask("POST", "/api/v1/webhooks", json={"url": URL})
    popup = await house.ask("POST", "/api/v1/call-settings/rotate-popup-secret")
    browser = await admin(house)
    hook = made.body["webhook_id"]
    for path in ("webhooks", f"webhooks/{hook}", "deliveries", "audit", "audit?kind=webhook"):
        text = await read(browser, f"/settings/{path}")
        assert made.body["secret"] not in text
        assert popup.body["secret"] not in text


@pytest.mark.parametrize("path", ["webhooks/wh_none", "webhooks/%00", "deliveries/msg_none", "deliveries/..%2f.."])
async def test_what_is_not_there_is_a_page_that_says_so(house: House, path: str) -> None:
    page = await (await admin(house)).get(f"/settings/{path}", Accept="text/html")
    assert page.status == 404
    assert page.headers["Content-Type"].startswith("text/html")


async def _three_kinds(house: House) -> str:
    """Two webhooks' deliveries and a popup; the id of the first webhook."""
    hook = await webhook(house, description="CRM", events=["call.ended"])
    await webhook(house, description="Chat", events=["call.answered"])
    await house.miss(1)
    call = answered("2.2")
    pop = PopScreen(call, call.user_ids[0], URL, NOW, False, True, Reason.AGENT_ANSWERED)
    told = AnnounceCall(EventType.CALL_ANSWERED, call, None, "", Reason.SUBSCRIBED)
    await house.record(Unit(NOW, call, (pop, told)))
    return hook


@pytest.mark.parametrize(
    ("query", "events"),
    [
        ("", {"Call ended", "Call answered", "Popup"}),
        ("webhook=popup", {"Popup"}),
        ("webhook=HOOK", {"Call ended"}),
        ("event=call.answered", {"Call answered"}),
        ("call=2.2", {"Call answered", "Popup"}),
        ("call=2.2&event=popup", {"Popup"}),
        ("status=pending", {"Call ended", "Call answered"}),
        ("status=not-delivered", {"Popup"}),
        ("status=delivered", set()),
        ("webhook=&event=&call=%20", {"Call ended", "Call answered", "Popup"}),
        ("status=%3Cscript%3E", set()),
    ],
)
async def test_deliveries_are_found_by_every_filter(house: House, query: str, events: set[str]) -> None:
    hook = await _three_kinds(house)
    (popup,) = await delivery_ids(house, "webhook_id=")
    await settle(house, popup, "", DeliveryStatus.EXPIRED, "timeout")
    text = await read(await admin(house), f"/settings/deliveries?{query.replace('HOOK', hook)}")
    found = re.findall(r'class="row" href="/settings/deliveries/[^"]+">([^<]+)<', text)
    assert set(found) == events
    assert len(found) == len(events)


async def test_deliveries_come_in_pages_that_keep_the_filter_and_miss_none(house: House) -> None:
    await webhook(house, events=["call.ended"])
    for number in range(55):
        await house.miss(number)
    browser = await admin(house)
    first = await read(browser, "/settings/deliveries?event=call.ended&status=pending")
    following = first.partition('rel="next" href="')[2].partition('"')[0]
    assert "event=call.ended" in following
    second = await read(browser, following)
    shown = re.findall(r'class="row" href="/settings/deliveries/([^"]+)"', first + second)
    assert shown == await delivery_ids(house, "limit=200")
    assert 'rel="next"' not in second


async def test_a_delivery_shows_its_payload_its_attempts_and_why_it_waits(house: House) -> None:
    hook = await webhook(house, description=HOSTILE, events=["call.ended"])
    await house.miss(1, customer_name="</pre><script>alert('Đỗ')</script>")
    (delivery,) = await delivery_ids(house)
    await settle(house, delivery, hook, DeliveryStatus.PENDING, "connection_failed")
    browser = await admin(house)
    page = await browser.get(f"/settings/deliveries/{delivery}")
    text = await read(browser, f"/settings/deliveries/{delivery}")
    assert "The target could not be reached." in text
    assert "Connection refused" in text
    assert "1,234 ms" in text
    payload = unescape(page.text.partition('id="payload">')[2].partition("</pre>")[0])
    sent = (await house.ask("GET", f"/api/v1/deliveries/{delivery}")).body["body"]
    assert json.loads(payload) == json.loads(sent)
    assert "alert('Đỗ')" in payload


async def test_a_popup_shows_its_parameters_and_the_agent(house: House) -> None:
    await _three_kinds(house)
    (popup,) = await delivery_ids(house, "webhook_id=")
    text = await read(await admin(house), f"/settings/deliveries/{popup}")
    assert "Popup for an" in text
    assert "<dt><code>name</code></dt><dd><code><b></code></dd>" in text


async def test_a_delivery_of_a_deleted_webhook_stays_readable(house: House) -> None:
    hook = await webhook(house, events=["call.ended"])
    await house.miss(1)
    await house.ask("DELETE", f"/api/v1/webhooks/{hook}")
    (delivery,) = await delivery_ids(house)
    browser = await admin(house)
    for path in ("/settings/deliveries", f"/settings/deliveries/{delivery}"):
        text = await read(browser, path)
        assert "crm.example.com (webhook deleted)" in text
        assert f"/settings/webhooks/{hook}" not in text
