"""The webphone's window: what is in it, whose it is, and what it may frame."""

from __future__ import annotations

from dataclasses import replace

from daemon.bus import CallHappened
from daemon.call.events import CallAnswered
from daemon.call.model import UserId
from daemon.store.role import Role
from daemon.web.services import PageHead
from tests.factory import answered
from tests.web.conftest import NOW, Answer, House
from tests.web.test_desk import agent


async def webphone(house: House, headers: dict[str, str]) -> Answer:
    answer = await house.ask("GET", "/webphone", None, headers=headers)
    assert answer.status == 200
    return answer


async def test_it_has_keys_hotlines_and_the_agents_name_escaped(house: House) -> None:
    an = await agent(house)
    await house.ask("PUT", "/api/v1/agents/an", json={"name": "<script>An", "endpoints": ["PJSIP/1001"]})
    await house.ask("PUT", "/api/v1/hotlines/19001234", json={"label": "Bán <b>hàng"})
    page = (await webphone(house, an)).body
    assert [f'data-key="{key}"' in page for key in "0123456789*#"] == [True] * 12
    assert '<option value="19001234">Bán &lt;b&gt;hàng · 1900 1234</option>' in page
    assert "&lt;script&gt;An" in page
    assert "<script>An" not in page
    assert "<iframe" not in page


async def test_who_is_no_agent_has_no_webphone(house: House) -> None:
    page = (await webphone(house, await house.sign_in_as(Role.ADMIN))).body
    assert "data-key" not in page


async def test_the_configured_page_is_framed_in_a_sandbox_with_the_parameters_of_the_current_call(house: House) -> None:
    an = await agent(house)
    url = "https://crm.example.com:8443/phone?c={customerNumber}"
    await house.ask("PUT", "/api/v1/call-settings", json={"webphone_embed_url": url})
    idle = await webphone(house, an)
    assert 'src="https://crm.example.com:8443/phone?c=&amp;userId=an&amp;hotline=&amp;' in idle.body
    assert idle.headers["Content-Security-Policy"].endswith("; frame-src https://crm.example.com:8443")
    call = replace(answered(started_at=NOW), user_id=UserId("an"), user_ids=(UserId("an"),))
    house.bus.publish(CallHappened(CallAnswered(house.now, call)))
    busy = (await webphone(house, an)).body
    assert "phone?c=84901234567&amp;" in busy or "phone?c=84901701234&amp;" in busy
    assert f"callId={call.call_id}" in busy
    assert 'sandbox="allow-scripts' in busy
    assert "allow-top-navigation" not in busy


async def test_a_page_that_forbids_frames_is_offered_as_a_window(house: House) -> None:
    an = await agent(house)
    house.page_head = PageHead("https://crm.example.com/phone", (("X-Frame-Options", "DENY"),))
    await house.ask("PUT", "/api/v1/call-settings", json={"webphone_embed_url": "https://crm.example.com/phone"})
    page = (await webphone(house, an)).body
    assert "<iframe" not in page
    assert 'href="https://crm.example.com/phone?' in page
