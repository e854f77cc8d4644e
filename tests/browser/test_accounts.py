"""People and programs: accounts from the first password to the last session, tokens, and what each role sees."""

from __future__ import annotations

import aiohttp
from playwright.async_api import expect

from daemon.store.role import Role
from tests.browser.house import PASSWORD, House, Person


async def test_somebody_new_can_sign_in_with_the_suggested_password_until_he_is_disabled(
    house: House, admin: Person
) -> None:
    page = admin.page
    await admin.open("/settings/accounts")
    await page.get_by_role("link", name="Add an account").click()
    await page.get_by_label("Name to sign in with").fill("lan")
    await page.get_by_role("radio", name="Supervisor").check()
    await page.get_by_role("button", name="Suggest").click()
    password = await page.get_by_label("First password").input_value()
    assert len(password) >= 20
    await page.get_by_label("Language").select_option("en")
    await page.get_by_role("button", name="Add the account").click()
    await expect(page).to_have_url(f"{house.url}/settings/accounts")
    lan = await house.visitor()
    await lan.open("/sign-in")
    await lan.page.get_by_label("Account").fill("lan")
    await lan.page.get_by_label("Password").fill(password)
    await lan.page.get_by_role("button", name="Sign in").click()
    await expect(lan.page.get_by_role("link", name="lan")).to_be_visible()
    await page.get_by_role("link", name="lan", exact=True).click()
    await page.get_by_role("button", name="Disable the account").click()
    await page.get_by_role("dialog").get_by_role("button", name="Disable").click()
    await expect(page.get_by_text("In no browser.")).to_be_visible()
    await lan.page.reload()
    await expect(lan.page.get_by_role("button", name="Sign in")).to_be_visible()


async def test_the_last_admin_cannot_lock_everybody_out(house: House, admin: Person) -> None:
    page = admin.page
    await admin.open("/settings/accounts/admin")
    await page.get_by_role("radio", name="Agent").check()
    admin.watch.expect(409, "/api/v1/accounts/admin")
    await page.get_by_role("button", name="Save").click()
    await expect(page.get_by_role("alert")).to_contain_text("last admin")
    assert (await house.api.get("accounts/admin"))["role"] == "admin"


async def test_wrong_names_and_passwords_are_told_beside_their_fields(house: House, admin: Person) -> None:
    page = admin.page
    await admin.open("/settings/new-account")
    for name, password, field in (("không được", PASSWORD, "name"), ("lan", "lan lan lan", "password"),
                                  ("admin", PASSWORD, "name")):  # fmt: skip
        await page.get_by_label("Name to sign in with").fill(name)
        await page.get_by_label("First password").fill(password)
        admin.watch.expect(409 if name == "admin" else 422, "/api/v1/accounts")
        await page.get_by_role("button", name="Add the account").click()
        await expect(page.get_by_role("alert")).to_be_visible()
        if name != "admin":
            await expect(page.locator(f"#{field}")).to_have_attribute("aria-invalid", "true")
        await page.reload()
    assert [one["name"] for one in await house.api.every("accounts")] == ["admin"]


async def test_a_token_is_shown_once_works_and_is_refused_once_revoked(house: House, admin: Person) -> None:
    page = admin.page
    await admin.open("/settings/tokens")
    add = page.locator("#add")
    if await add.get_attribute("open") is None:
        await add.locator("summary").click()
    await add.get_by_label("Label").fill("CRM")
    await add.get_by_role("radio", name="Supervisor").check()
    await add.get_by_role("button", name="Make the token").click()
    await expect(page.locator("#made")).to_be_visible()
    token = await page.locator("#made-text").inner_text()
    assert await _status(house, token) == 200
    await page.reload()
    assert token not in await page.content()
    await page.get_by_role("button", name="Revoke CRM").click()
    await page.get_by_role("dialog").get_by_role("button", name="Revoke").click()
    await expect(page.get_by_role("button", name="Revoke CRM")).to_have_count(0)
    assert await _status(house, token) == 401


async def test_agents_and_supervisors_see_no_settings_and_get_none_by_address(house: House) -> None:
    for role in (Role.AGENT, Role.SUPERVISOR):
        who = await house.person(role)
        await who.open("/")
        await expect(who.page.get_by_role("link", name="Webhooks")).to_have_count(0)
        for path in ("/settings/calls", "/settings/accounts", "/settings/audit"):
            who.watch.expect(403, path)
            await who.open(path)
            await expect(who.page.get_by_role("link", name="To the start page")).to_be_visible()
            await expect(who.page.get_by_role("textbox")).to_have_count(0)


async def _status(house: House, token: str) -> int:
    headers = {"Authorization": f"Bearer {token}"}
    async with aiohttp.ClientSession() as session, session.get(house.url + "/api/v1/agents", headers=headers) as answer:
        return answer.status
