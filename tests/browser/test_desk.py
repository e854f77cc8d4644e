"""The desk in real browsers beside a running daemon: who rings, who is told how, and what survives a lost line."""

from __future__ import annotations

import asyncio
import time

from playwright.async_api import Page, expect

from daemon.ami.clock import steady_ms
from daemon.ami.scenario import SCENARIOS
from daemon.call.model import PbxName
from daemon.call.signals import ChannelId, PacketsCounted, ReportReceived, Signal, SteadyMs, UnixMs
from tests.browser.accessible import assert_accessible
from tests.browser.at_the_desk import (
    NUMBER,
    SETTLED_MS,
    another_tab,
    furnish,
    open_desk,
    opened_at,
    sit_down,
    stage,
    there,
)
from tests.browser.house import NARROW, WIDE, House
from tests.browser.line import line_to
from tests.browser.staged_call import StagedCall
from tests.whole.house import until

_LISTEN_TO_SOUND = """
globalThis.sounds = [];
globalThis.Audio = class extends Audio { constructor(...all) { super(...all); sounds.push(this); } };
"""
LISTEN_TO_NOTES = """
globalThis.notes = [];
globalThis.Notification = class {
  static permission = "granted";
  constructor(title, options) { this.title = title; this.options = options; this.open = true; notes.push(this); }
  addEventListener(name, work) { this[name] = work; }
  close() { this.open = false; }
};
"""
_ASKED_FOR_NOTES = """
globalThis.asked = 0;
globalThis.Notification = class {
  static permission = "default";
  static async requestPermission() { asked += 1; return (Notification.permission = "denied"); }
};
"""


async def test_who_rings_is_on_the_desk_within_a_second_and_goes_the_moment_it_ends(house: House) -> None:
    await furnish(house)
    an = await sit_down(house)
    call = StagedCall(house.pbx, SCENARIOS["queue_abandoned"], name="Nguyễn Thị Lan")
    call.rings()
    began = time.monotonic()
    await expect(stage(an.page)).to_contain_text("Nguyễn Thị Lan")
    assert time.monotonic() - began < 1
    for words in (NUMBER, "support", "Chăm sóc khách hàng", "waits 0:0"):
        await expect(stage(an.page)).to_contain_text(words)
    await expect(an.page).to_have_title(f"☎ {NUMBER}")
    await expect(an.page.locator("#said")).to_have_text(
        f"Nguyễn Thị Lan, {NUMBER} calls. support · Chăm sóc khách hàng"
    )
    call.ends()
    await expect(stage(an.page)).to_contain_text("Ready for the next call")
    await expect(an.page).to_have_title("Desk · Callwarden")
    await expect(an.page.locator("#said")).to_be_empty()
    await expect(an.page.locator("#missed")).to_contain_text(NUMBER)


async def test_the_waiting_time_counts_by_the_servers_clock_when_this_computers_is_wrong(house: House) -> None:
    await furnish(house)
    wrong = "{ const real = Date.now; Date.now = () => real() + 3600000; }"
    an = await sit_down(house, script=wrong)
    StagedCall(house.pbx).rings()
    await expect(stage(an.page)).to_contain_text("waits 0:02")


async def test_a_phone_rings_on_the_desk_of_its_agent_only(house: House) -> None:
    await furnish(house)
    an, binh = await sit_down(house), await sit_down(house, "binh")
    StagedCall(house.pbx).rings()
    await expect(stage(an.page)).to_contain_text(NUMBER)
    await expect(stage(binh.page)).to_contain_text("Ready for the next call")


async def test_what_happened_while_the_line_was_cut_is_there_when_it_is_back(house: House) -> None:
    await furnish(house)
    an = await house.browser_of("an")
    async with line_to(house.daemon.web.port) as line:
        await open_desk(an.page, line.url)
        call = StagedCall(house.pbx)
        call.rings()
        await expect(stage(an.page)).to_contain_text("Incoming call")
        with an.watch.offline():
            line.cut()
            await expect(an.page.locator("#link-state")).to_have_text("Reconnecting …")
            await expect(an.page.get_by_text("calls go on as before")).to_be_visible()
            call.is_answered()
            await house.pbx.play("queue_abandoned", customer="+84912845672", speed=20)
            await an.page.wait_for_timeout(500)
            await expect(stage(an.page)).to_contain_text("Incoming call")
            line.mend()
            await expect(an.page.locator("#link-state")).to_have_text("Live")
        await expect(stage(an.page)).to_contain_text("Open the customer's page")
        await expect(an.page.locator("#missed")).to_contain_text("0912 845 672")
        await until(lambda: there(house, 1))
        await an.page.wait_for_timeout(SETTLED_MS)
        assert len(await opened_at(house)) == 1
        await an.page.close()


async def test_a_line_that_fell_silent_is_found_dead_and_made_anew(house: House) -> None:
    await furnish(house)
    an = await house.browser_of("an")
    await an.page.clock.install()
    async with line_to(house.daemon.web.port) as line:
        await open_desk(an.page, line.url)
        line.fall_silent()
        StagedCall(house.pbx).rings()
        await asyncio.sleep(0.5)
        await expect(stage(an.page)).to_contain_text("Ready for the next call")
        an.watch.is_offline = True
        for _ in range(8):  # of the idle connections that are dead too each is tried once
            await an.page.clock.run_for(12_000)
        await expect(stage(an.page)).to_contain_text("Incoming call")
        await an.page.close()


async def test_no_desk_rings_longer_than_a_phone_does_though_nobody_told_the_end(house: House) -> None:
    await furnish(house)
    who = await house.browser_of("an")
    await who.page.clock.install()
    await open_desk(who.page)
    StagedCall(house.pbx).rings()
    await expect(stage(who.page)).to_contain_text("Incoming call")
    with who.watch.offline():
        await who.context.set_offline(True)
        await who.page.clock.run_for(181_000)
        await expect(stage(who.page)).to_contain_text("Ready for the next call")
        await expect(who.page).to_have_title("Desk · Callwarden")
        await who.context.set_offline(False)


async def test_one_tab_rings_where_the_agent_wants_it_and_stops_with_the_phone(house: House) -> None:
    await furnish(house)
    an = await sit_down(house, script=_LISTEN_TO_SOUND)
    second = await another_tab(an)
    for page in (an.page, second):  # the browser lets a page sound in which somebody has clicked
        await page.get_by_role("link", name="Alerts and popups").click()
    await an.page.get_by_label("Ring in the browser too").check()
    call = StagedCall(house.pbx, SCENARIOS["queue_abandoned"])
    call.rings()
    await expect(stage(second)).to_contain_text("Incoming call")
    await expect_playing(an.page, second, 1)
    call.ends()
    await expect_playing(an.page, second, 0)


async def test_nothing_sounds_unless_it_was_wanted(house: House) -> None:
    await furnish(house)
    an = await sit_down(house, script=_LISTEN_TO_SOUND)
    StagedCall(house.pbx).rings()
    await expect(stage(an.page)).to_contain_text("Incoming call")
    assert await an.page.evaluate("sounds.length") == 0


async def test_one_notification_tells_who_rings_and_is_taken_back_with_the_ringing(house: House) -> None:
    await furnish(house)
    an = await sit_down(house, script=LISTEN_TO_NOTES)
    second = await another_tab(an)
    call = StagedCall(house.pbx, name="Nguyễn Thị Lan")
    call.rings()
    await expect(stage(second)).to_contain_text("Incoming call")
    told = [
        await page.evaluate("notes.map(one => [one.title, one.options.body, one.open])") for page in (an.page, second)
    ]
    assert told == [[["☎ Nguyễn Thị Lan", f"{NUMBER}\nsupport · Chăm sóc khách hàng", True]], []]
    call.is_answered()
    await expect(stage(an.page)).to_contain_text("Open the customer's page")
    assert await an.page.evaluate("notes.some(one => one.open)") is False


async def test_nobody_is_asked_for_notifications_unless_he_clicks_and_a_refusal_is_explained(house: House) -> None:
    await furnish(house)
    an = await sit_down(house, script=_ASKED_FOR_NOTES)
    StagedCall(house.pbx).rings()
    await expect(stage(an.page)).to_contain_text("Incoming call")
    await an.page.get_by_role("link", name="Alerts and popups").click()
    assert await an.page.evaluate("asked") == 0
    await an.page.get_by_role("button", name="Allow notifications").click()
    await expect(an.page.get_by_text("This browser has refused them")).to_be_visible()
    assert await an.page.evaluate("asked") == 1


async def test_a_callers_name_is_text_and_never_a_script(house: House) -> None:
    await furnish(house)
    an = await sit_down(house)
    name = "<img src=x onerror=alert(1)><script>alert(2)</script>\"'&"
    call = StagedCall(house.pbx, name=name)
    call.rings()
    await expect(stage(an.page)).to_contain_text(name)
    call.is_answered()
    await expect(stage(an.page)).to_contain_text("Open the customer's page")
    call.ends()
    await expect(an.page.locator("#recent")).to_contain_text(name)
    assert await an.page.locator("#content img, #content script").count() == 0


async def test_the_ticket_opens_by_itself_and_its_note_can_be_finished_after_the_call(house: House) -> None:
    await furnish(house)
    an = await sit_down(house)
    call = StagedCall(house.pbx)
    call.rings()
    ticket = an.page.get_by_role("region", name="Ticket of the call")
    await expect(ticket).to_be_hidden()
    call.is_answered()
    await ticket.get_by_label("Note").fill("Khách hỏi giá")
    call.ends()
    await expect(stage(an.page)).to_contain_text("Last call")
    await expect(ticket.get_by_label("Note")).to_have_value("Khách hỏi giá")
    await ticket.get_by_label("Note").press("End")
    await an.page.keyboard.type(" tủ lạnh")

    async def kept() -> bool:
        return bool((await house.api.get("tickets/1"))["note"] == "Khách hỏi giá tủ lạnh")

    await until(kept)
    await ticket.get_by_role("button", name="Put it away").click()
    await expect(ticket).to_be_hidden()


async def test_a_missed_call_that_one_agent_claims_leaves_the_other_ones_desk(house: House) -> None:
    await furnish(house)
    an, binh = await sit_down(house), await sit_down(house, "binh")
    await house.play("queue_abandoned", customer="+84912845672")
    for who in (an, binh):
        await expect(who.page.locator("#missed")).to_contain_text("0912 845 672")
    await an.page.get_by_role("button", name="Claim").click()
    await expect(an.page.locator("#tickets")).to_contain_text("0912 845 672")
    await expect(binh.page.locator("#missed")).to_contain_text("Nobody waits to be called back.")


async def test_call_back_rings_the_agents_own_phone_and_then_the_customer_is_on_the_desk(house: House) -> None:
    await furnish(house)
    an = await sit_down(house)
    await house.play("queue_abandoned", customer="+84912845672")
    await an.page.get_by_role("button", name="Call back").click()
    await expect(an.page.get_by_text("Your phone rings; pick it up")).to_be_visible()
    (order,) = [action for action in house.pbx.actions if action["Action"] == "Originate"]
    assert "PJSIP/1001" in order["Channel"]
    await expect(stage(an.page)).to_contain_text("0912 845 672")
    await expect(an.page.locator("#missed")).to_contain_text("Nobody waits to be called back.")


async def test_whose_session_ended_is_led_to_the_sign_in(house: House) -> None:
    await furnish(house)
    an = await sit_down(house)
    an.watch.expect(401, "/api/v1/desk")
    an.watch.expect(401, "/api/v1/desk/events")
    await house.api.delete("accounts/an/sessions")
    await expect(an.page).to_have_url(f"{house.url}/sign-in?next=%2Fdesk")


async def test_every_state_of_the_desk_is_for_everybody_and_fits_a_phone(house: House) -> None:
    await furnish(house)
    await house.play("queue_abandoned", customer="+84912845672")
    an = await sit_down(house)
    await an.page.emulate_media(reduced_motion="reduce")
    await an.page.get_by_role("link", name="Alerts and popups").click()
    call = StagedCall(house.pbx, name="Nguyễn Thị Lan " * 5)
    for happens, words in (
        (call.rings, "Incoming call"),
        (call.is_answered, "Open the customer's page"),
        (call.ends, "Last call"),
    ):
        happens()
        await expect(stage(an.page)).to_contain_text(words)
        for width in (NARROW, WIDE):
            await an.size(width)
            for theme in ("dark", "light"):
                await an.page.emulate_media(color_scheme=theme)
                await assert_accessible(an.page, colours_only=theme == "dark")
            await an.settle()


async def expect_playing(one: Page, other: Page, wanted: int) -> None:
    async def so() -> bool:
        playing = [await page.evaluate("sounds.filter(one => !one.paused).length") for page in (one, other)]
        return bool(sum(playing) == wanted)

    await until(so)
    await asyncio.sleep(0.2)
    assert await so()


async def test_a_lost_connection_stands_on_the_card_with_its_time_until_it_is_heard_again(house: House) -> None:
    await furnish(house)
    an = await sit_down(house)
    call = StagedCall(house.pbx)
    call.rings()
    call.is_answered()
    dead = stage(an.page).locator("[data-dead]")
    await expect(stage(an.page).locator(".talk")).to_be_visible()
    await expect(dead).to_be_hidden()
    [trunk] = [row["Uniqueid"] for row in house.pbx.channels.talking() if "/trunk-" in row["Channel"]]
    channel, now = ChannelId(trunk), steady_ms()
    looks: list[Signal] = [ReportReceived(SteadyMs(UnixMs(now + at)), channel) for at in (1_000, 5_000)]
    looks += [PacketsCounted(SteadyMs(UnixMs(now + at)), channel, 400) for at in (30_000, 32_000)]
    for signal in looks:
        await house.daemon.dispatcher.tell(PbxName("main"), signal)
    await expect(dead).to_contain_text("The customer's connection is lost: 0:0")
    await assert_accessible(an.page)
    await house.daemon.dispatcher.tell(PbxName("main"), ReportReceived(SteadyMs(UnixMs(now + 40_000)), channel))
    await expect(dead).to_be_hidden()
