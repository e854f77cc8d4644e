"""The way in and out: the printed link, passwords right and wrong, the end of a session."""

from __future__ import annotations

from playwright.async_api import expect

from tests.browser.house import PASSWORD, House


async def test_the_printed_link_leads_to_the_first_admin_and_works_once(house: House) -> None:
    link = await house.daemon.set_up_link()
    assert link is not None
    who = await house.visitor()
    page = who.page
    await page.goto(link)
    await expect(page.get_by_label("Account")).to_be_focused()
    await page.keyboard.type("chị.lan")  # all of it by keyboard
    for text in (PASSWORD, "another one"):
        await page.keyboard.press("Tab")
        await page.keyboard.type(text)
    who.watch.expect(422, link.removeprefix(house.url))
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("alert")).to_be_visible()
    await expect(page.get_by_label("Account")).to_have_value("chị.lan")
    await page.get_by_label("Password", exact=True).fill(PASSWORD)
    await page.get_by_label("Password again").fill(PASSWORD)
    await page.get_by_label("Language").select_option("vi")
    await page.get_by_role("button", name="Make the account").click()
    await expect(page).to_have_url(f"{house.url}/settings/calls")
    await expect(page.locator("html")).to_have_attribute("lang", "vi")
    await expect(page.get_by_role("link", name="chị.lan")).to_be_visible()
    assert await house.daemon.set_up_link() is None
    other = await house.visitor()
    other.watch.expect(404, link.removeprefix(house.url))
    await other.page.goto(link)
    await expect(other.page.get_by_label("Account")).to_have_count(0)


async def test_a_wrong_password_is_refused_and_the_right_one_leads_where_one_wanted_to_go(house: House) -> None:
    await house.account("lan")
    who = await house.visitor()
    page = who.page
    await who.open("/password")
    await expect(page).to_have_url(f"{house.url}/sign-in?next=%2Fpassword")
    await page.get_by_label("Account").fill("lan")
    await page.get_by_label("Password").fill("wrong but long enough")
    who.watch.expect(403, "/sign-in")
    await page.get_by_role("button", name="Sign in").click()
    await expect(page.get_by_role("alert")).to_be_visible()
    await expect(page.get_by_label("Account")).to_have_value("lan")
    await expect(page.get_by_label("Password")).to_have_value("")
    await page.get_by_label("Password").fill(PASSWORD)
    await page.keyboard.press("Enter")
    await expect(page).to_have_url(f"{house.url}/password")
    await expect(page.get_by_role("heading", name="Your account")).to_be_visible()


async def test_after_signing_out_the_page_before_shows_nothing(house: House) -> None:
    who = await house.person(name="lan")
    page = who.page
    await who.open("/settings/calls")
    await who.open("/password")
    await page.get_by_role("button", name="Sign out", exact=True).click()
    await expect(page).to_have_url(f"{house.url}/sign-in")
    await page.go_back()
    await expect(page.get_by_role("button", name="Sign in")).to_be_visible()
    await who.open("/settings/calls")
    await expect(page).to_have_url(f"{house.url}/sign-in?next=%2Fsettings%2Fcalls")


async def test_a_new_password_ends_the_sessions_elsewhere(house: House) -> None:
    await house.account("lan")
    here, there = await house.visitor(), await house.visitor()
    for who in (here, there):
        await who.open("/sign-in?next=/password")
        await who.page.get_by_label("Account").fill("lan")
        await who.page.get_by_label("Password").fill(PASSWORD)
        await who.page.get_by_role("button", name="Sign in").click()
        await expect(who.page).to_have_url(f"{house.url}/password")
    await here.page.get_by_label("Present password").fill(PASSWORD)
    await here.page.get_by_label("New password", exact=True).fill("a new and better one")
    await here.page.get_by_label("New password again").fill("a new and better one")
    await here.page.get_by_role("button", name="Change the password").click()
    await expect(here.page.get_by_role("status").first).to_contain_text("changed")
    await there.page.reload()
    await expect(there.page.get_by_role("button", name="Sign in")).to_be_visible()
