"""The desk's page as the server makes it: for whom there is one, and what it tells the browser."""

from __future__ import annotations

import html
import json
import re

from daemon.store.role import Role
from tests.web.conftest import House

HOSTILE = '<script>alert("x")</script>\'&'


async def page(house: House, role: Role, user_id: str | None = None) -> str:
    await house.add_account(role.value, role, user_id=user_id, language="en")
    answer = await house.ask("GET", "/desk", None, headers=await house.open_session(role.value))
    assert answer.status == 200
    return str(answer.body)


async def test_an_agent_comes_to_his_desk_after_signing_in(house: House) -> None:
    await house.ask("PUT", "/api/v1/agents/an", json={"endpoints": ["PJSIP/1001"]})
    await house.add_account("an", Role.AGENT, user_id="an")
    headers = await house.open_session("an")
    answer = await house.ask("GET", "/", None, headers=headers)
    assert (answer.status, answer.headers["Location"]) == (303, "/desk")


async def test_whose_account_belongs_to_no_agent_reads_how_to_get_a_desk(house: House) -> None:
    text = await page(house, Role.AGENT)
    assert "Ask an admin to say which phone is yours" in text
    assert "desk.js" not in text


async def test_an_admin_without_a_desk_is_led_to_the_agents_and_has_no_link_to_one(house: House) -> None:
    text = await page(house, Role.ADMIN)
    assert "/settings/agents" in text
    assert '<a href="/desk"' not in text


async def test_a_supervisor_who_takes_calls_has_a_desk_and_a_link_to_it(house: House) -> None:
    await house.ask("PUT", "/api/v1/agents/an", json={"endpoints": ["PJSIP/1001"]})
    text = await page(house, Role.SUPERVISOR, "an")
    assert "desk.js" in text
    assert '<a href="/desk" aria-current="page"' in text


async def test_names_on_the_page_are_never_markup(house: House) -> None:
    await house.ask("PUT", "/api/v1/agents/an", json={"endpoints": ["PJSIP/1001"]})
    await house.ask("PUT", "/api/v1/hotlines/19001234", json={"label": HOSTILE})
    text = await page(house, Role.AGENT, "an")
    assert "<script>alert" not in text
    found = re.search(r'data-hotlines="([^"]*)"', text)
    assert found is not None
    assert json.loads(html.unescape(found[1])) == {"19001234": HOSTILE}


async def test_the_page_knows_how_numbers_are_written_in_the_country(house: House) -> None:
    await house.ask("PUT", "/api/v1/agents/an", json={"endpoints": ["PJSIP/1001"]})
    assert 'data-code="+84" data-prefix="0"' in await page(house, Role.AGENT, "an")


async def test_the_page_says_when_ringing_is_not_shown_and_when_no_page_opens(house: House) -> None:
    await house.ask("PUT", "/api/v1/agents/an", json={"endpoints": ["PJSIP/1001"]})
    await house.ask("PATCH", "/api/v1/call-settings", json={"notify_incoming_calls": False})
    text = await page(house, Role.AGENT, "an")
    assert "Ringing phones are not shown here" in text
    assert "No page is set to open on answer" in text


async def test_an_agent_hears_the_ringtones_that_he_may_choose(house: House) -> None:
    await house.ask("PUT", "/api/v1/agents/an", json={"endpoints": ["PJSIP/1001"]})
    text = await page(house, Role.AGENT, "an")
    names = re.findall(r'<option value="([^"]+)"', text.partition('id="sound-tone"')[2])
    assert names
    answer = await house.ask(
        "GET", f"/api/v1/ringtones/{names[0]}/audio", None, headers=await house.open_session("agent")
    )
    assert (answer.status, answer.headers["Content-Type"]) == (200, "audio/wav")
