"""Who changed what, from what to what: in the transaction of the change, by page and filter, without secrets."""

from __future__ import annotations

import dataclasses
from typing import Any
from urllib.parse import quote

import pytest

from daemon.errors import TryAgain
from daemon.store import audit as store_audit
from daemon.store.agents import read_agent
from daemon.store.built_in_ringtones import BUILT_IN
from daemon.store.role import Role
from daemon.web.services import SERVICES
from tests.web.browser import Browser
from tests.web.conftest import PASSWORD, House

PATH = "/api/v1/audit"
API = "/api/v1"


def _bare(entry: dict[str, Any]) -> tuple[Any, ...]:
    return entry["action"], entry["object"], entry["old"], entry["new"]


@pytest.mark.parametrize(
    ("path", "named", "first", "second", "difference"),
    [
        ("agents/an", "agent:an", {"name": "An", "endpoints": ["PJSIP/1"]}, {"name": "An", "endpoints": ["PJSIP/2"]},
         ({"endpoints": ["PJSIP/1"]}, {"endpoints": ["PJSIP/2"]})),
        ("queues/sales", "queue:sales", {"create_tickets": False}, {"create_tickets": False, "ringtone": "marimba"},
         ({"ringtone": None}, {"ringtone": "marimba"})),
        ("hotlines/1900", "hotline:1900", {"label": "<b>"}, {"label": "Kỹ thuật"},
         ({"label": "<b>"}, {"label": "Kỹ thuật"})),
    ],
)  # fmt: skip
async def test_what_is_put_changed_and_deleted_is_noted_with_what_differs(
    house: House, path: str, named: str, first: Any, second: Any, difference: Any
) -> None:
    for form in (first, first, second):  # the second time nothing differs
        await house.ask("PUT", f"{API}/{path}", json=form)
    await house.ask("DELETE", f"{API}/{path}")
    await house.ask("DELETE", f"{API}/{path}")
    deleted, changed, created = await house.audit()
    kind = named.partition(":")[0]
    assert _bare(changed) == (f"{kind}.change", named, *difference)
    assert (created["action"], created["old"], created["new"].items() >= first.items()) == (
        f"{kind}.create",
        None,
        True,
    )
    assert (deleted["action"], deleted["old"].items() >= second.items(), deleted["new"]) == (
        f"{kind}.delete",
        True,
        None,
    )


async def test_a_change_of_call_settings_is_noted_key_by_key_with_who_and_from_where(https_house: House) -> None:
    house = https_house
    headers = {**await house.sign_in_as(Role.ADMIN), "X-Forwarded-For": "198.51.100.7"}
    form = {"country": "DE", "sla_target_percent": 80}
    assert (await house.ask("PUT", f"{API}/call-settings", None, json=form, headers=headers)).status == 200
    (entry,) = await house.audit()
    assert _bare(entry) == ("call_settings.change", "call_settings", {"country": "VN"}, {"country": "DE"})
    assert (entry["by"], entry["remote"], entry["at"]) == ("admin", "198.51.100.7", "2026-11-22T09:33:20.000Z")


async def test_a_refused_change_is_not_noted(house: House) -> None:
    await house.ask("PUT", f"{API}/agents/an", json={"endpoints": ["PJSIP/1"]})
    before = await house.audit()
    await house.ask("PUT", f"{API}/agents/binh", json={"endpoints": ["PJSIP/1"]})
    await house.ask("PUT", f"{API}/call-settings", json={"country": "DE"}, headers={"If-Match": '"7"'})
    await house.ask("PUT", f"{API}/call-settings", json={"country": "XX"})
    await house.ask("PATCH", f"{API}/accounts/nobody", json={"disabled": True})
    await house.ask("POST", f"{API}/webhooks/wh_none/rotate-secret")
    await house.ask("PUT", f"{API}/queues/q", Role.AGENT, json={})
    assert await house.audit() == before


async def test_a_change_that_cannot_be_noted_does_not_happen(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise TryAgain

    monkeypatch.setattr(store_audit, "note", fail)
    assert (await house.ask("PUT", f"{API}/agents/an", json={})).status == 503
    assert await read_agent(house.store.reader, "an") is None


async def test_secrets_are_never_noted(house: House) -> None:
    made = (await house.ask("POST", f"{API}/webhooks", json={"url": "https://crm.example/hook"})).body
    path = f"{API}/webhooks/{made['webhook_id']}"
    rotated = (await house.ask("POST", f"{path}/rotate-secret")).body["secret"]
    popup = (await house.ask("POST", f"{API}/call-settings/rotate-popup-secret")).body["secret"]
    token = (await house.ask("POST", f"{API}/tokens", json={"role": "agent", "label": "x"})).body
    await house.ask("POST", f"{API}/accounts", json={"name": "an", "role": "agent", "password": PASSWORD})
    await house.ask("PATCH", f"{API}/accounts/an", json={"password": "a new long one", "role": "supervisor"})
    browser = Browser(house)
    await browser.sign_in("an", "a new long one")
    await house.ask("PATCH", path, json={"enabled": False})
    await house.ask("DELETE", path)
    await house.ask("DELETE", f"{API}/tokens/{token['token_id']}")
    entries = (await house.ask("GET", PATH)).body["items"]
    assert [entry["action"] for entry in reversed(entries)] == [
        "webhook.create", "webhook.rotate_secret", "call_settings.rotate_popup_secret", "token.create",
        "account.create", "account.password", "account.change", "session.open", "webhook.change", "webhook.delete",
        "token.delete",
    ]  # fmt: skip
    secrets = (
        made["secret"],
        rotated,
        popup,
        token["token"],
        PASSWORD,
        "a new long one",
        browser.cookies["callwarden"],
    )
    assert not any(secret in str(entries) for secret in (*secrets, "argon2"))
    changed = next(entry for entry in entries if entry["action"] == "webhook.change")
    assert changed["new"] == {"enabled": False, "disabled_reason": "paused"}
    assert all(entry["by"] in (house.named(), "an") for entry in entries)


TONES = sorted(BUILT_IN)[:7]


async def test_the_log_is_read_by_page_and_filter_newest_first(house: House) -> None:
    for n in range(7):
        house.now = type(house.now)(house.now + 1000)
        await house.ask("PUT", f"{API}/queues/q{n % 2}", json={"ringtone": TONES[n]})
    seen: list[str] = []
    cursor: str | None = ""
    while cursor is not None:
        page = (await house.ask("GET", f"{PATH}?limit=3{cursor and '&cursor=' + cursor}")).body
        seen += [entry["new"]["ringtone"] for entry in page["items"]]
        cursor = page["next"]
        await house.ask("PUT", f"{API}/hotlines/1", json={"label": str(cursor)})
    assert seen == list(reversed(TONES))
    for query, count in (
        ("object=queue:q1", 3),
        ("action=queue.create", 2),
        ("action=queue.create&object=queue:q0", 1),
        (f"by={quote(house.named())}&action=queue.change", 5),
        ("by=nobody", 0),
        ("from=2026-11-22T09:33:26Z&to=2026-11-22T09:33:27Z", 1),
        ("to=2026-11-22T09:33:21Z", 0),
    ):
        assert len((await house.ask("GET", f"{PATH}?{query}")).body["items"]) == count, query
    for wrong in ("x=1", "cursor=x", "from=now", "limit=0", "by=%0a"):
        assert (await house.ask("GET", f"{PATH}?{wrong}")).status == 422


async def test_a_reader_who_hangs_up_does_not_undo_the_entry(house: House) -> None:
    async def broken() -> None:
        raise RuntimeError

    assert house.client.app is not None
    state = house.client.app._state
    state[SERVICES] = dataclasses.replace(house.client.app[SERVICES], rules_changed=broken)
    assert (await house.ask("PUT", f"{API}/queues/q", json={})).status == 500
    assert [entry["object"] for entry in await house.audit()] == ["queue:q"]
