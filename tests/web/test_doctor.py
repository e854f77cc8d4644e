"""The check-up and the story of a call as programs and people get them."""

from __future__ import annotations

from html import unescape

import pytest

from daemon.call.signals import UnixMs
from daemon.diagnosis import Area, Finding, State
from daemon.message import Message
from daemon.policy.decision import PopScreen, Reason
from daemon.store.role import Role
from daemon.store.values import Unit
from tests.factory import answered
from tests.web.browser import Browser, has_no_inline_code, signed_in
from tests.web.conftest import NOW, House

HOSTILE = "<script>alert('Đỗ')</script>"
PAGE = "/settings/check-up"


async def read(browser: Browser, path: str) -> str:
    page = await browser.get(path)
    assert page.status == 200, page.text
    content = page.text.partition("<main")[2]
    assert "<script>alert" not in page.text
    assert has_no_inline_code(content)
    return " ".join(unescape(content).split())


async def admin(house: House, role: Role = Role.ADMIN) -> Browser:
    browser = await signed_in(house, "boss", role)
    await house.ask("PATCH", "/api/v1/accounts/boss", json={"language": "en"})
    return browser


async def test_a_program_gets_the_worst_first_and_how_many_of_each(house: House) -> None:
    answer = await house.ask("GET", "/api/v1/doctor")
    assert (answer.status, answer.body["state"]) == (200, "problem")
    assert answer.body["counts"] == {"problem": 1, "warning": 1, "unknown": 1, "ok": 2}
    assert [one["check"] for one in answer.body["items"]][:2] == ["pbx.hang_up", "pbx.connected"]
    assert answer.body["items"][0] == {
        "check": "pbx.hang_up",
        "group": "pbx",
        "about": "1",
        "state": "warning",
        "what": "Not allowed.",
        "why": "Calls stay.",
        "fix": "Change it.",
    }


async def test_one_part_alone_can_be_asked_for(house: House) -> None:
    answer = await house.ask("GET", "/api/v1/doctor?group=machine")
    assert ([one["check"] for one in answer.body["items"]], answer.body["state"]) == (["machine.disk"], "ok")
    assert house.doctor.asked == [(Area.MACHINE,)]


async def test_the_page_looks_at_nothing_by_itself_and_at_a_part_when_asked(house: House) -> None:
    browser = await admin(house)
    text = await read(browser, PAGE)
    assert (text.count("Looking …"), house.doctor.asked) == (7, [])  # six parts and the words of the script
    text = await read(browser, f"{PAGE}?group=pbx")
    assert house.doctor.asked == [(Area.PBX,)]
    assert '<span class="state warn">Warning</span>' in text
    assert "<strong>1</strong> · Not allowed." in text
    assert "What to do:</span> Change it." in text
    assert "In order: 1" in text
    assert "nothing to look at" in await read(browser, f"{PAGE}?group=dialplan")


async def test_what_strangers_wrote_stays_text(house: House) -> None:
    said = Message("{name}", name=HOSTILE)
    house.doctor.found = [Finding(check="pbx.x", state=State.PROBLEM, what=said, why=said, fix=said, about=HOSTILE)]
    assert HOSTILE in await read(await admin(house), f"{PAGE}?group=pbx")


async def test_why_a_call_had_no_popup_is_told_to_programs_and_supervisors(house: House) -> None:
    call = answered("1795332900.7")
    pop = PopScreen(
        call, call.user_ids[0], "https://crm.example.com/?key=s3cret", NOW, True, False, Reason.AGENT_ANSWERED
    )
    await house.record(Unit(UnixMs(NOW + 5000), call, (pop,)))
    answer = await house.ask("GET", f"/api/v1/calls/{call.call_id}/decisions", Role.SUPERVISOR)
    (story,) = answer.body["items"]
    assert (story["pbx"], story["verdicts"][0]["state"]) == (call.pbx, "warning")
    assert story["steps"][0]["decision"] == "call_started"
    text = await read(await admin(house, Role.SUPERVISOR), f"/calls/{call.call_id}/decisions?pbx={call.pbx}")
    assert "no desk took it" in text
    assert "s3cret" not in text + str(answer.body)


@pytest.mark.parametrize("path", ["/api/v1/calls/none/decisions", "/api/v1/calls/1795332859.1/decisions?pbx=none"])
async def test_a_call_that_is_not_kept_is_not_found(house: House, path: str) -> None:
    await house.miss(1)
    assert (await house.ask("GET", path)).status == 404


async def test_a_ticket_leads_supervisors_to_the_story_of_each_call_and_agents_nowhere(house: House) -> None:
    call = await house.miss(1)
    link = f'href="/calls/{call.call_id}/decisions?pbx={call.pbx}"'
    assert link in await read(await admin(house), "/tickets/1")
    agent = await signed_in(house, "an", Role.AGENT)
    assert link not in await read(agent, "/tickets/1")
