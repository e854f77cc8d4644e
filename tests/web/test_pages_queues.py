"""The pages of queues and hotlines: switches and what overrules them, numbers and the calls they had."""

from __future__ import annotations

from urllib.parse import quote

from daemon.call.signals import UnixMs
from daemon.pbx import MemberSeen, QueueSeen
from tests.web.conftest import House
from tests.web.pbxs import inventory
from tests.web.test_pages_agents import HOSTILE, admin, put, read, row_of

OVERRULED = "off, because tickets are switched off for all calls"


async def set_queue(house: House, name: str, **form: object) -> None:
    assert (await house.ask("PUT", f"/api/v1/queues/{quote(name, safe='')}", json=form)).status in (200, 201)


async def test_a_queue_shows_its_switch_and_its_way_back_to_the_default(house: House) -> None:
    await set_queue(house, HOSTILE, create_tickets=False, ringtone="marimba")
    await set_queue(house, "sales")
    text = await read(await admin(house), "/settings/queues")
    row = row_of(text, f"<strong>{HOSTILE}<")
    assert "data-word>off<" in row
    assert '<option value="marimba" selected>' in row
    assert f"DELETE /api/v1/queues/{quote(HOSTILE, safe='')}" in row
    assert "data-word>on<" in row_of(text, "<strong>sales<")
    assert "No queue gets tickets now" not in text


async def test_a_queue_shows_its_own_target_and_limit_and_what_an_empty_field_means(house: House) -> None:
    await house.ask("PATCH", "/api/v1/call-settings", json={"sla_target_percent": 85})
    await set_queue(house, HOSTILE, sla_target_percent=0)
    await set_queue(house, "sales", sla_answer_within_seconds=10)
    text = await read(await admin(house), "/settings/queues")
    assert "an empty field counts as for all calls, 85 % within 20 s" in text
    night, sales = row_of(text, f"<strong>{HOSTILE}<"), row_of(text, "<strong>sales<")
    assert 'placeholder="85" value="0"' in night
    assert 'placeholder="20" value=""' in night
    assert 'placeholder="20" value="10"' in sales
    found = await read(await admin(house), "/settings/found/queues")
    assert 'placeholder="85"' in found


async def test_the_switch_over_all_calls_is_named_where_it_overrules(house: House) -> None:
    await set_queue(house, "sales")
    await set_queue(house, "night", create_tickets=False)
    await house.ask("PUT", "/api/v1/call-settings", json={"auto_create_tickets": False})
    text = await read(await admin(house), "/settings/queues")
    assert "No queue gets tickets now" in text
    assert 'href="/settings/calls#setting-auto_create_tickets"' in text
    row = row_of(text, "<strong>sales<")
    assert OVERRULED in row
    assert "checked" in row
    assert OVERRULED not in row_of(text, "<strong>night<")


async def test_queues_of_the_pbx_count_as_on_until_somebody_sets_them(house: House) -> None:
    await put(house, "an", endpoints=["PJSIP/1001"])
    await set_queue(house, "Sales", create_tickets=False)
    members = (MemberSeen("PJSIP/1001", "An", "PJSIP/1001"), MemberSeen("Local/9@x", "Ngoài", None))
    house.pbxs.found = [
        inventory(queues=[QueueSeen("Sales", members), QueueSeen(HOSTILE)]),
        inventory(pbx="2", queues=[QueueSeen("Sales", members[:1])]),
    ]
    text = await read(await admin(house), "/settings/found/queues")
    free = row_of(text, f"<strong>{HOSTILE}<")
    assert "not set: on" in free
    assert "0 members" in free
    sales = row_of(text, "<strong>Sales<")
    assert "data-word>off<" in sales
    assert "3 members" in sales
    assert "1 belongs to no agent" in sales
    assert "data-complete" in text


async def test_a_pbx_that_told_only_half_calls_no_queue_absent(house: House) -> None:
    text = await read(await admin(house), "/settings/found/queues")  # the fixture's PBX has a problem
    assert "took too long" in text
    assert "<strong>sales<" in text
    assert "data-complete" not in text


async def test_hotlines_are_grouped_as_people_read_them_and_copied_as_calls_show_them(house: House) -> None:
    for number, label in (("19001234", "Sales"), ("842838221234", "Quận 1"), ("a/b", HOSTILE)):
        path = f"/api/v1/hotlines/{quote(number, safe='')}"
        assert (await house.ask("PUT", path, json={"label": label})).status == 201
    text = await read(await admin(house), "/settings/hotlines")
    assert "<strong>1900 1234</strong>" in row_of(text, ">19001234<")
    district = row_of(text, ">842838221234<")
    assert "<strong>028 3822 1234</strong>" in district
    assert "<code" in district
    assert f'value="{HOSTILE}"' in row_of(text, 'data-row="/api/v1/hotlines/a%2Fb"')


async def test_numbers_that_were_dialled_are_offered_until_they_have_a_name(house: House) -> None:
    for number in range(3):
        await house.miss(number, hotline="19001234")
    await house.miss(4, hotline=HOSTILE)
    house.wait(60_000)
    browser = await admin(house)
    text = await read(browser, "/settings/found/hotlines")
    assert "3 calls" in row_of(text, ">19001234<")
    assert HOSTILE in text
    await house.ask("PUT", "/api/v1/hotlines/19001234", json={"label": "Sales"})
    text = await read(browser, "/settings/found/hotlines")
    assert "<strong>1900 1234<" not in text
    assert "3 calls" in text.partition('<template data-number="19001234">')[2].partition("</template>")[0]
    house.now = UnixMs(house.now + 31 * 86_400_000)
    assert "Nobody has called yet" in await read(await admin(house), "/settings/found/hotlines")
