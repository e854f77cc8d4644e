"""Phones of the PBX become agents, and what an admin does by mistake or at the same time as another is not lost."""

from __future__ import annotations

from playwright.async_api import expect

from daemon.ami.simulated_house import SimulatedMember, SimulatedPhone
from tests.browser.house import House, Person

AGENTS = "/settings/agents"


async def test_all_that_behave_like_agents_are_adopted_at_once_and_the_others_stay(house: House, admin: Person) -> None:
    page = admin.page
    await house.api.delete("agents/an")
    await house.api.delete("agents/binh")
    await admin.open(AGENTS)
    await expect(page.get_by_role("link", name="3 phones behave like agents")).to_be_visible()
    await page.get_by_role("button", name="Adopt all 3").click()
    await expect(page.locator("#toasts")).to_contain_text("3 agents added")
    await expect(page.locator("#agents tbody tr")).to_have_count(3)
    await expect(page.locator("#found")).to_contain_text("PJSIP/1004")
    agents = {one["user_id"]: (one["name"], one["endpoints"]) for one in await house.api.every("agents")}
    assert agents == {str(n): (f"Agent {n}", [f"PJSIP/{n}"]) for n in (1001, 1002, 1003)}


async def test_adopting_never_replaces_an_agent_whom_somebody_added_meanwhile(house: House, admin: Person) -> None:
    page = admin.page
    await admin.open(AGENTS)
    button = page.get_by_role("button", name="Adopt PJSIP/1003")
    await expect(button).to_be_visible()
    await house.api.put("agents/1003", {"name": "Somebody else", "endpoints": ["PJSIP/1009"]})
    admin.watch.expect(412, "/api/v1/agents/1003")
    await button.click()
    await expect(page.locator("#toasts")).to_contain_text("is there already")
    assert (await house.api.get("agents/1003"))["endpoints"] == ["PJSIP/1009"]


async def test_a_name_from_the_pbx_that_is_code_stays_words(house: House, admin: Person) -> None:
    page = admin.page
    name = "<img src=x onerror=alert(1)>"
    house.pbx.house.phones.append(SimulatedPhone("1005", "", True, f'"><script>{name}'))
    house.pbx.house.queues["sales"].append(SimulatedMember(name, "PJSIP/1005", "PJSIP/1005"))
    await admin.open(AGENTS)
    row = page.locator("#found tr", has_text="PJSIP/1005")
    await expect(row).to_contain_text(name)
    await row.get_by_role("link", name="Edit first").click()
    await expect(page.get_by_label("Name", exact=True)).to_have_value(name)
    await expect(page.get_by_label("Phone", exact=True)).to_have_value("PJSIP/1005")


async def test_a_new_agent_of_a_user_id_that_is_taken_is_refused_beside_the_field(house: House, admin: Person) -> None:
    page = admin.page
    await admin.open("/settings/new-agent")
    await page.get_by_label("User id").fill("binh")
    await page.get_by_label("Name", exact=True).fill("Another Bình")
    admin.watch.expect(412, "/api/v1/agents/binh")
    await page.get_by_role("button", name="Add the agent").click()
    await expect(page.get_by_label("User id")).to_have_attribute("aria-invalid", "true")
    await expect(page.get_by_label("Name", exact=True)).to_have_value("Another Bình")
    await page.get_by_role("link", name="Open the agent Trần Thị Bình").click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("Trần Thị Bình")


async def test_the_wrong_one_of_several_phones_is_marked_and_what_was_typed_stays(house: House, admin: Person) -> None:
    page = admin.page
    await admin.open("/settings/agents/an")
    await page.get_by_role("button", name="Add a phone").click()
    await page.get_by_label("Phone", exact=True).last.fill("pjsip/1002")
    await expect(page.locator(".line").last).to_contain_text("belongs to binh")
    admin.watch.expect(409, "/api/v1/agents/an")
    await page.get_by_role("button", name="Save").click()
    first, last = page.get_by_label("Phone", exact=True).first, page.get_by_label("Phone", exact=True).last
    await expect(last).to_have_attribute("aria-invalid", "true")
    await expect(first).not_to_have_attribute("aria-invalid", "true")
    await expect(last).to_have_value("pjsip/1002")
    await expect(page.get_by_role("link", name="Open the agent Trần Thị Bình")).to_be_visible()


async def test_without_its_pbx_the_page_still_works_and_says_what_is_missing(house: House, admin: Person) -> None:
    page = admin.page
    await house.pbx.close()
    await house.connected(False)
    for path in (AGENTS, "/settings/queues"):
        await admin.open(path)
        await expect(page.locator("#found").get_by_role("link", name="See the PBX")).to_be_visible()
    await admin.open(AGENTS)
    await expect(page.locator("#agents")).to_contain_text("Nguyễn Văn An")
    await expect(page.locator("#agents")).not_to_contain_text("not on the PBX")


async def test_what_cannot_be_loaded_says_so_and_is_loaded_again(admin: Person) -> None:
    page = admin.page
    await page.route("**/settings/found/agents", lambda route: route.fulfill(status=503, body="{}"))
    admin.watch.expect(503, "/settings/found/agents")
    await admin.open(AGENTS)
    await expect(page.locator("#found").get_by_role("alert")).to_contain_text("could not be loaded")
    await page.unroute("**/settings/found/agents")
    await page.get_by_role("button", name="Try again").click()
    await expect(page.locator("#found")).to_contain_text("PJSIP/1003")


async def test_a_search_finds_agents_without_their_diacritics(house: House, admin: Person) -> None:
    page = admin.page
    for number in range(11):
        await house.api.put(f"agents/x{number}", {"name": f"Đặng Gia {number}"})
    await admin.open(AGENTS)
    rows = page.locator("#agents tbody tr:visible")
    await expect(rows).to_have_count(13)
    await page.get_by_role("main").get_by_role("searchbox").fill("nguyen AN 1001")
    await expect(rows).to_have_count(1)
    await page.get_by_role("main").get_by_role("searchbox").fill("dang")
    await expect(rows).to_have_count(11)
    await page.get_by_role("main").get_by_role("searchbox").fill("nobody")
    await expect(page.get_by_text("holds these words")).to_be_visible()


async def test_an_account_is_linked_and_taken_away_beside_a_form_that_is_half_typed(
    house: House, admin: Person
) -> None:
    page = admin.page
    await admin.open("/settings/agents/an")
    await page.get_by_label("Name", exact=True).fill("Half typed")
    await page.get_by_label("Or one that is there").select_option("admin")
    await page.get_by_role("button", name="Use it").click()
    await expect(page.locator("#account").get_by_role("link", name="admin")).to_be_visible()
    assert (await house.api.get("agents/an"))["account"] == "admin"
    await page.get_by_role("button", name="Not this person's account").click()
    await expect(page.locator("#account")).to_contain_text("Nobody signs in")
    await expect(page.get_by_label("Name", exact=True)).to_have_value("Half typed")


async def test_a_deleted_agent_is_gone_after_a_question(house: House, admin: Person) -> None:
    page = admin.page
    await admin.open("/settings/agents/an")
    await page.get_by_role("button", name="Delete agent").click()
    await expect(page.get_by_role("dialog")).to_contain_text("Earlier calls and tickets stay")
    await page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    await expect(page).to_have_url(house.url + AGENTS)
    assert [one["user_id"] for one in await house.api.every("agents")] == ["binh"]


async def test_the_ringtone_that_is_chosen_can_be_heard_before_it_is_saved(admin: Person) -> None:
    page = admin.page
    await admin.open("/settings/agents/an")
    await expect(page.get_by_role("button", name="Listen")).to_be_hidden()
    await page.get_by_label("Ringtone").select_option("marimba")
    async with page.expect_response("**/api/v1/ringtones/marimba/audio") as answer:
        await page.get_by_role("button", name="Listen").click()
    assert (await answer.value).ok
    await page.get_by_role("button", name="Stop").click()
    await expect(page.get_by_role("button", name="Listen")).to_be_visible()
