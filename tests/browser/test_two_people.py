"""Two people at the same thing, a line that breaks, a session that ends: nothing typed and nothing saved is lost."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.async_api import Request, Route, expect

from daemon.store.role import Role
from tests.browser.house import House, Person

LOOK_AGAIN_MS = 10_000
MALLORY = "/settings/accounts/mallory"


async def test_a_stale_page_enables_and_promotes_nobody_again(house: House, admin: Person) -> None:
    page = admin.page
    await house.account("mallory", Role.ADMIN)
    await admin.open(MALLORY)
    await house.api.patch("accounts/mallory", {"disabled": True, "role": "agent"})
    await page.get_by_label("Language").select_option("vi")
    admin.watch.expect(412, "/api/v1/accounts/mallory")
    await page.get_by_role("button", name="Save").click()
    alert = page.get_by_role("alert")
    await expect(alert).to_contain_text("token:test")
    await expect(alert).to_contain_text("Role: Agent")
    await expect(alert).to_contain_text("State: Disabled")
    await expect(page.get_by_label("Language")).to_have_value("vi")
    await expect(page.get_by_role("radio", name="Agent")).to_be_checked()
    await page.get_by_role("button", name="Save").click()
    await expect(page.locator("#toasts")).to_contain_text("Saved")
    kept = await house.api.get("accounts/mallory")
    assert (kept["role"], kept["disabled"], kept["language"]) == ("agent", True, "vi")


async def test_a_form_sends_only_what_was_changed_in_it(house: House, admin: Person) -> None:
    page, sent = admin.page, []
    await house.account("mallory", Role.SUPERVISOR)
    page.on("request", lambda one: sent.append((one.method, one.post_data_json)) if one.method != "GET" else None)
    await admin.open(MALLORY)
    await page.get_by_role("button", name="Save").click()
    await expect(page.locator("#toasts")).to_contain_text("Nothing is changed here")
    await page.get_by_label("Language").select_option("vi")
    await page.get_by_role("button", name="Save").click()
    await expect(page.locator("#toasts")).to_contain_text("Saved")
    await page.get_by_role("radio", name="Agent").check()
    await page.get_by_role("radio", name="Supervisor").check()
    await page.get_by_role("button", name="Save").click()
    await expect(page.locator("#toasts .toast")).to_have_count(3)
    assert sent == [("PATCH", {"language": "vi"})]


async def test_what_both_changed_is_told_beside_what_was_typed_and_theirs_can_be_loaded(
    house: House, admin: Person
) -> None:
    page = admin.page
    await house.account("mallory", Role.ADMIN)
    await admin.open(MALLORY)
    await house.api.patch("accounts/mallory", {"role": "agent"})
    await page.get_by_role("radio", name="Supervisor").check()
    admin.watch.expect(412, "/api/v1/accounts/mallory")
    await page.get_by_role("button", name="Save").click()
    await expect(page.get_by_role("alert")).to_contain_text("Role: Agent · yours: Supervisor")
    await expect(page.get_by_role("radio", name="Supervisor")).to_be_checked()
    await page.get_by_role("button", name="Load theirs").click()
    await expect(page.get_by_role("radio", name="Agent")).to_be_checked()
    await expect(page.get_by_role("alert")).to_have_count(0)
    assert (await house.api.get("accounts/mallory"))["role"] == "agent"


async def test_an_agents_page_undoes_nothing_that_was_saved_meanwhile(house: House, admin: Person) -> None:
    page = admin.page
    await admin.open("/settings/agents/an")
    await house.api.put("agents/an", {"name": "Nguyễn Văn An", "endpoints": ["PJSIP/1001", "PJSIP/1009"]})
    await page.get_by_label("Name").fill("An")
    admin.watch.expect(412, "/api/v1/agents/an")
    await page.get_by_role("button", name="Save").click()
    await expect(page.get_by_role("alert")).to_contain_text("Phones: PJSIP/1001, PJSIP/1009")
    await expect(page.get_by_label("Phone", exact=True)).to_have_count(2)
    await page.get_by_role("button", name="Save").click()
    await expect(page).to_have_url(f"{house.url}/settings/agents")
    kept = await house.api.get("agents/an")
    assert (kept["name"], kept["endpoints"]) == ("An", ["PJSIP/1001", "PJSIP/1009"])


async def test_a_webhooks_page_undoes_nothing_that_was_saved_meanwhile(house: House, admin: Person) -> None:
    page = admin.page
    made = await house.api.post("webhooks", {"url": f"{house.crm.url}/hook", "events": ["call.missed", "call.ended"]})
    await admin.open(f"/settings/webhooks/{made['webhook_id']}")
    await house.api.patch(f"webhooks/{made['webhook_id']}", {"events": ["call.ended"], "enabled": False})
    await page.get_by_label("Description").fill("CRM")
    admin.watch.expect(412, f"/api/v1/webhooks/{made['webhook_id']}")
    await page.get_by_role("button", name="Save").click()
    await expect(page.get_by_role("alert")).to_contain_text("State: Switched off")
    await expect(page.get_by_role("alert")).to_contain_text("Events:")
    await page.get_by_role("button", name="Save").click()
    await expect(page.locator("#toasts")).to_contain_text("Saved")
    kept = await house.api.get(f"webhooks/{made['webhook_id']}")
    assert (kept["description"], kept["events"], kept["enabled"]) == ("CRM", ["call.ended"], False)


@pytest.mark.parametrize(("choice", "label"), [("Load theirs", "Sales"), ("Save mine", "Bán hàng")])
async def test_a_label_that_somebody_else_wrote_meanwhile_is_not_lost_unseen(
    house: House, admin: Person, choice: str, label: str
) -> None:
    page = admin.page
    await house.api.put("hotlines/19001234", {"label": ""})
    await admin.open("/settings/hotlines")
    await house.api.put("hotlines/19001234", {"label": "Sales"})
    field = page.get_by_role("textbox", name="Label of 1900 1234")
    await field.fill("Bán hàng")
    await field.press("Enter")
    await expect(page.get_by_role("alert")).to_contain_text("There is now: Sales")
    await expect(field).to_have_value("Bán hàng")
    await page.get_by_role("button", name=choice).click()
    await expect(page.get_by_role("alert")).to_have_count(0)
    await expect(field).to_have_value(label)
    if choice == "Save mine":
        await expect(page.locator("#toasts")).to_contain_text("Saved")
    assert (await house.api.get("hotlines/19001234"))["label"] == label


async def test_two_who_change_one_row_at_the_same_moment_both_keep_theirs(house: House, admin: Person) -> None:
    page = admin.page
    once: list[Route] = []
    await house.api.put("queues/sales", {})
    await admin.open("/settings/queues")

    async def overtake(route: Route) -> None:
        if route.request.method == "PUT" and not once:
            once.append(route)
            await house.api.put("queues/sales", {"ringtone": "chime"})
        await route.continue_()

    await page.route("**/api/v1/queues/sales", overtake)
    admin.watch.expect(412, "/api/v1/queues/sales")
    await page.get_by_role("switch", name="Tickets for calls through sales").click()
    await expect(page.locator("#toasts")).to_contain_text("Saved")
    kept = await house.api.get("queues/sales")
    assert (kept["create_tickets"], kept["ringtone"]) == (False, "chime")


async def test_what_was_saved_is_said_to_be_saved_though_the_page_cannot_be_renewed(
    house: House, admin: Person
) -> None:
    page = admin.page
    await house.account("mallory", Role.SUPERVISOR)
    await admin.open(MALLORY)
    await page.get_by_label("Language").select_option("vi")
    with admin.watch.offline():
        await page.route(f"**{MALLORY}", lambda route: route.abort())
        await page.get_by_role("button", name="Save").click()
        await expect(page.locator("#toasts")).to_contain_text("Saved, but this page could not be renewed")
        await expect(page.locator("#toasts")).not_to_contain_text("Nothing was saved")
    assert (await house.api.get("accounts/mallory"))["language"] == "vi"


async def test_a_file_that_was_applied_is_not_said_to_have_failed(house: House, admin: Person) -> None:
    page = admin.page
    await admin.open("/settings/hotlines")
    await page.get_by_role("button", name="Import").click()
    file: Any = {"name": "h.csv", "mimeType": "text/csv", "buffer": b"number,label\n19001234,Sales\n"}
    await page.get_by_label("File", exact=True).set_input_files(file)
    await expect(page.locator("[data-preview]")).to_contain_text("New: 1")
    with admin.watch.offline():
        await page.route("**/settings/hotlines", lambda route: route.abort())
        await page.get_by_role("button", name="Apply").click()
        await expect(page.locator("#toasts")).to_contain_text("Saved, but this page could not be renewed")
    await expect(page.get_by_role("alert")).to_have_count(0)
    await expect(page.get_by_role("button", name="Apply")).to_be_hidden()
    assert (await house.api.get("hotlines/19001234"))["label"] == "Sales"


async def test_where_the_line_breaks_in_a_change_nobody_claims_to_know_and_saving_again_is_safe(
    house: House, admin: Person
) -> None:
    page = admin.page
    await house.account("mallory", Role.SUPERVISOR)
    await admin.open(MALLORY)

    async def saved_but_unanswered(route: Route) -> None:
        await route.fetch()
        await route.abort()

    await page.get_by_label("Language").select_option("vi")
    with admin.watch.offline():
        await page.route("**/api/v1/accounts/mallory", saved_but_unanswered)
        await page.get_by_role("button", name="Save").click()
        await expect(page.locator("#toasts")).to_contain_text("it is not known whether this was saved")
        await page.unroute("**/api/v1/accounts/mallory")
    await expect(page.get_by_label("Language")).to_have_value("vi")
    admin.watch.expect(412, "/api/v1/accounts/mallory")
    await page.get_by_role("button", name="Save").click()
    await expect(page.locator("#toasts")).to_contain_text("Saved")
    await expect(page.get_by_role("alert")).to_have_count(0)


async def test_without_a_line_nothing_was_saved_and_that_is_known(house: House, admin: Person) -> None:
    page = admin.page
    await house.account("mallory", Role.SUPERVISOR)
    await admin.open(MALLORY)
    await page.get_by_label("Language").select_option("vi")
    with admin.watch.offline():
        await admin.context.set_offline(True)
        await page.get_by_role("button", name="Save").click()
        await expect(page.locator("#toasts")).to_contain_text("Nothing was saved: the server cannot be reached")
        await admin.context.set_offline(False)
    assert (await house.api.get("accounts/mallory"))["language"] == "en"


@pytest.mark.parametrize("path", ["/settings/new-webhook", "/settings/calls", "/settings/pbx"])
async def test_a_session_that_ends_takes_nothing_that_was_typed(house: House, admin: Person, path: str) -> None:
    page = admin.page
    await page.clock.install()
    await admin.open(path)
    await page.evaluate("window.sameDocument = true")
    if path != "/settings/pbx":
        await page.get_by_role("textbox").first.fill("https://crm.example.com/typed")
    await house.api.delete("accounts/admin/sessions")
    admin.watch.any_refusals()
    await page.clock.run_for(2 * LOOK_AGAIN_MS)
    await expect(page.get_by_text("You are signed out here; sign in in another tab")).to_be_visible()
    assert await page.evaluate("window.sameDocument")
    if path != "/settings/pbx":
        await expect(page.get_by_role("textbox").first).to_have_value("https://crm.example.com/typed")


async def test_whoever_signs_in_in_another_tab_goes_on_where_he_was(house: House, admin: Person) -> None:
    page, url = admin.page, f"{house.crm.url}/hook"
    await page.clock.install()
    await admin.open("/settings/new-webhook")
    await page.get_by_label("URL").fill(url)
    await house.api.delete("accounts/admin/sessions")
    admin.watch.any_refusals()
    await page.get_by_role("button", name="Add the webhook").click()
    await expect(page.get_by_role("alert")).to_contain_text("you are signed out here")
    await expect(page.get_by_label("URL")).to_have_value(url)
    await admin.context.add_cookies([{"name": "callwarden", "value": await house.session("admin"), "url": house.url}])
    await page.clock.run_for(LOOK_AGAIN_MS)
    await expect(page.locator("#signed-out")).to_be_hidden()
    await page.get_by_role("button", name="Add the webhook").click()
    await expect(page.locator("#made, [data-field=secret]").first).to_be_visible()
    assert [one["url"] for one in await house.api.every("webhooks")] == [url]


async def test_a_page_of_one_person_saves_nothing_as_another(house: House, admin: Person) -> None:
    page = admin.page
    await page.clock.install()
    await house.account("other", Role.ADMIN)
    await house.account("mallory", Role.SUPERVISOR)
    await admin.open(MALLORY)
    await page.get_by_label("Language").select_option("vi")
    await admin.context.add_cookies([{"name": "callwarden", "value": await house.session("other"), "url": house.url}])
    admin.watch.any_refusals()
    await page.get_by_role("button", name="Save").click()
    await expect(page.get_by_text("other is signed in here now")).to_be_visible()
    await page.clock.run_for(LOOK_AGAIN_MS)
    await expect(page.get_by_text("other is signed in here now")).to_be_visible()
    assert (await house.api.get("accounts/mallory"))["language"] == "en"


@pytest.mark.parametrize("path", ["/settings/pbx", "/settings/calls", "/password"])
async def test_what_a_page_asks_by_itself_says_so(admin: Person, path: str) -> None:
    page = admin.page
    asked: list[Request] = []
    await page.clock.install()
    await admin.open(path)
    await page.wait_for_load_state("networkidle")
    page.on("request", lambda one: asked.append(one))  # noqa: PLW0108 - playwright takes no built-in method
    await page.clock.run_for(3 * LOOK_AGAIN_MS)
    await page.wait_for_load_state("networkidle")
    assert len(asked) >= 2
    assert [one.url for one in asked if one.headers.get("x-background") != "1"] == []
