"""What the phones were really told to play: read in the INVITE that each of them got."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path

import aiohttp

from daemon.ami import dialplan
from daemon.policy.alert_info import brand_of
from daemon.store.phone_brands import GENERIC, phone_brands
from tests.live.asterisk import Asterisk
from tests.live.conftest import PhoneMaker, printed_stanza
from tests.live.daemon_house import House, daemon_inside
from tests.live.desk_of import desk_of
from tests.live.lab import Lab
from tests.live.phone import RING, Phone, PhoneCall
from tests.live.trunk import Trunk
from tests.whole.house import until

CUSTOMER = "+84901234567"


def sound(name: str) -> str:
    """How a Yealink is told."""
    return rf"<http://127\.0\.0\.1:8088/ringtones/[\w-]{{22}}/{name}\.8k\.wav>"


def named(name: str) -> str:
    """How a Grandstream is told."""
    return rf"<http://127\.0\.0\.1>;info={name}"


def told(call: PhoneCall, pattern: str | None) -> None:
    header = call.header("Alert-Info")
    assert header is None if pattern is None else re.fullmatch(pattern, header or ""), (header, pattern)


async def rung(trunk: Trunk, hotline: str, *phones: Phone) -> list[PhoneCall]:
    """The calls that these phones got when a customer dialled the hotline; he has hung up again."""
    customer = await trunk.call(hotline, CUSTOMER)
    calls = [await phone.next_call() for phone in phones]
    await customer.hangup()
    await asyncio.gather(*(call.disconnected() for call in calls))
    return calls


async def fetched(house: House, call: PhoneCall) -> bytes:
    """What the phone gets at the address it was told, as phones ask: plain http, nobody signed in."""
    path = re.sub(r"^<http://[^/]+|>$", "", call.header("Alert-Info") or "")
    async with aiohttp.ClientSession() as phone, phone.get(f"http://127.0.0.1:{house.port}{path}") as answer:
        assert (answer.status, answer.content_type) == (200, "audio/wav")
        assert "immutable" in answer.headers["Cache-Control"]
        return await answer.read()


async def choose(house: House, what: str, **body: object) -> None:
    await house.api.put(what, dict(body))


async def entry(lab: Lab, key: str, value: str | None) -> None:
    """Wait until the PBX's database says so."""

    async def says() -> bool:
        return await lab.ringtone_entry(key) == value

    await until(says, deadline_s=8)


async def agent(house: House, user: str, brand: str, ringtone: str | None = None) -> None:
    await choose(house, f"agents/{user}", name=user, endpoints=[f"PJSIP/{user}"], phone_brand=brand, ringtone=ringtone)


async def test_every_phone_is_told_by_the_nearest_choice_in_its_own_way(
    house: House, phone: PhoneMaker, trunk: Trunk, lab: Lab
) -> None:
    first, second, third = await phone("1001"), await phone("1002"), await phone("1003")
    for one in (first, second, third):
        await one.on_call(RING)
    await agent(house, "1001", "yealink")
    await agent(house, "1002", "grandstream")
    await entry(lab, "all", None)
    told((await rung(trunk, "1901", second))[0], None)

    await choose(house, "call-settings", ringtone="chime")
    await entry(lab, "all", "chime")
    told((await rung(trunk, "1901", second))[0], named("chime"))  # for all calls
    internal = await second.call("1001")
    told(await first.next_call(), sound("chime"))
    await internal.hangup()

    await choose(house, "hotlines/1901", ringtone="bird")
    await entry(lab, "hotline/1901", "bird")
    told((await rung(trunk, "1901", second))[0], named("bird"))  # the hotline's
    told((await rung(trunk, "1902", first))[0], sound("chime"))

    await choose(house, "hotlines/1904", ringtone="dawn")
    await choose(house, "queues/sales", ringtone="harp")
    await choose(house, "queues/local", ringtone="marimba")
    await choose(house, "queues/local-optimised", ringtone="bamboo")
    await agent(house, "1001", "yealink", "pulse")
    await entry(lab, "agent/PJSIP/1001", "pulse")
    calls = await rung(trunk, "1904", first, second, third)  # one ringall queue: the agent's own, and the queue's twice
    told(calls[0], sound("pulse"))
    told(calls[1], named("harp"))
    told(calls[2], sound("harp"))  # nobody said of which make it is: the general form
    assert (await fetched(house, calls[2]))[:4] == b"RIFF"

    await agent(house, "1001", "yealink")
    await entry(lab, "agent/PJSIP/1001", None)
    for hotline, queues in (("1905", "marimba"), ("1906", "bamboo")):
        told((await rung(trunk, hotline, first))[0], sound(queues))  # a Local member, kept and optimised away
    assert [call["hotline"] for call in await house.quiet(7)] == [
        "1901",
        "1901",
        "1901",
        "1902",
        "1904",
        "1905",
        "1906",
    ]


async def test_click_to_call_tells_the_agents_own_phone(house: House, phone: PhoneMaker, lab: Lab) -> None:
    first = await phone("1001")
    await first.on_call(RING)
    await choose(house, "hotlines/842873097777", ringtone="bird")
    await agent(house, "1001", "yealink")
    async with desk_of(house, "1001") as desk:
        for ringtone, hotline, expected in (
            (None, None, None),
            (None, "842873097777", sound("bird")),
            ("harp", "842873097777", sound("harp")),
        ):
            await agent(house, "1001", "yealink", ringtone)
            await entry(lab, "agent/PJSIP/1001", ringtone)
            body = {"number": CUSTOMER} | ({"hotline": hotline} if hotline else {})
            await desk.good("POST", "calls", body)
            call = await first.next_call()
            told(call, expected)
            await call.reject()
            await house.quiet(0)


async def test_a_phone_exchanged_for_one_of_another_make_is_told_in_its_own_way_at_its_next_call(
    asterisk: Asterisk, house: House, trunk: Trunk, lab: Lab
) -> None:
    """Nobody said of which make it is, and nobody looks: its registration is enough."""
    await choose(house, "call-settings", ringtone="chime")
    await entry(lab, "all", "chime")
    for user_agent, expected in (
        ("Bench phone 1.0", sound("chime")),
        ("Grandstream GXP2135 1.0.11.74", named("chime")),
    ):
        async with Phone(asterisk, "1002", user_agent=user_agent) as exchanged:
            await exchanged.register()
            await exchanged.on_call(RING)
            await entry(lab, "phone/PJSIP/1002", brand_of(user_agent, phone_brands()) or GENERIC)
            told((await rung(trunk, "1901", exchanged))[0], expected)
            await exchanged.unregister()


# As FreePBX makes it: every channel runs func-apply-sipheaders before it rings, which begins with a line for the log.
# 1950 is a queue, 1952 an intercom or a page, 1953 one to phones that take the order from Call-Info, 1954 a queue or a
# route with an Alert-Info of its own.
FREEPBX = """
[func-apply-sipheaders]
exten => s,1,NoOp(Applying)
 same => n,Set(keys=${HASHKEYS(SIPHEADERS)})
 same => n(next),GotoIf($["${SET(key=${SHIFT(keys)})}" = ""]?done)
 same => n,Set(PJSIP_HEADER(add,${key})=${HASH(SIPHEADERS,${key})})
 same => n,Goto(next)
 same => n(done),Return()
[autoanswer]
exten => s,1,Set(HASH(__SIPHEADERS,${ARG1})=${ARG2})
 same => n,Gosub(func-apply-sipheaders,s,1())
 same => n,Return()
[hotline]
exten => 1950,1,Set(__NODEST=400)
 same => n,Dial(PJSIP/1001&PJSIP/1002,8,b(func-apply-sipheaders^s^1))
exten => 1952,1,Dial(PJSIP/1001&PJSIP/1002,8,b(autoanswer^s^1(Alert-Info,Ring Answer)))
exten => 1953,1,Dial(PJSIP/1001&PJSIP/1002,8,b(autoanswer^s^1(Call-Info,<uri>\\;answer-after=0)))
exten => 1954,1,Set(__NODEST=400)
 same => n,Set(HASH(__SIPHEADERS,Alert-Info)=its-own)
 same => n,Dial(PJSIP/1001&PJSIP/1002,8,b(func-apply-sipheaders^s^1))
"""
# A dialplan that takes whatever is dialled, one that has the b() where only a trunk is dialled, and operators' own b()
# before ours: an Alert-Info, and the two other ways to say that the phone shall answer by itself.
OPEN = """
[from-trunk]
exten => _196!,1,Dial(PJSIP/1002,8,b(callwarden-ringtone^s^1))
exten => 1951,1,Dial(PJSIP/0901111001@trunk,8,b(callwarden-ringtone^s^1))
exten => 1955,1,Dial(PJSIP/1001&PJSIP/1002,8,b(operators^s^1(Alert-Info,Auto Answer)))
exten => 1956,1,Dial(PJSIP/1001&PJSIP/1002,8,b(operators^s^1(Call-Info,<sip:x>\\;Answer-After=0)))
exten => 1957,1,Dial(PJSIP/1001&PJSIP/1002,8,b(operators^s^1(Answer-Mode,Auto)))
exten => 1958,1,Dial(PJSIP/1001,8,b(operators^s^1(Call-Info,<http://crm/photo>\\;purpose=icon)))
[operators]
exten => s,1,Set(PJSIP_HEADER(add,${ARG1})=${ARG2})
 same => n,Gosub(callwarden-ringtone,s,1)
 same => n,Return()
"""
HOSTILE = "196%29%7D,$%7BDB%28pbx/UUID%29%7D%22%5C%5E;x=1"


async def test_on_freepbx_each_phone_is_told_once_and_a_ring_or_an_order_of_somebody_else_is_left_alone(
    tmp_path: Path,
) -> None:
    own, override = (snippet.text for snippet in dialplan.snippets(dialplan.Kind.FREEPBX))
    ours = own + override.replace("#include extensions_callwarden.conf", "") + FREEPBX + OPEN
    pbx = Asterisk(extra_dialplan=ours, manager_stanza=printed_stanza)
    await asyncio.to_thread(pbx.__enter__)
    try:
        async with (
            daemon_inside(tmp_path, pbx) as house,
            Lab.open(pbx) as lab,
            Trunk.open(pbx) as trunk,
            Phone(pbx, "1001") as first,
            Phone(pbx, "1002") as second,
        ):
            for one in (first, second):
                await one.register()
                await one.on_call(RING)
            for call in await rung(trunk, "1950", first, second):
                told(call, None)
            await agent(house, "1001", "yealink", "pulse")
            await choose(house, "queues/400", ringtone="harp")
            await entry(lab, "queue/400", "harp")
            calls = await rung(trunk, "1950", first, second)
            for call, name in zip(calls, ("pulse", "harp"), strict=True):
                told(call, sound(name))
                assert call.invite.count("Alert-Info") == 1
            await choose(house, "call-settings", ringtone="chime")
            await entry(lab, "all", "chime")
            for number, header, value in (
                ("1952", "Alert-Info", "Ring Answer"),  # FreePBX's intercom and paging
                ("1953", "Call-Info", "<uri>;answer-after=0"),
                ("1954", "Alert-Info", "its-own"),
                ("1955", "Alert-Info", "Auto Answer"),  # the same in a dialplan without FreePBX
                ("1956", "Call-Info", "<sip:x>;Answer-After=0"),
                ("1957", "Answer-Mode", "Auto"),
            ):
                for call in await rung(trunk, number, first, second):
                    assert (call.header(header), call.invite.count("Alert-Info")) == (value, header == "Alert-Info")
            told((await rung(trunk, "1958", first))[0], sound("pulse"))  # a caller's picture is no order to answer
            told((await rung(trunk, HOSTILE, second))[0], sound("chime"))  # what is dialled is a key, or nothing
            await trunk.on_call(RING)
            customer = await trunk.call("1951", CUSTOMER)
            told(await trunk.next_call(), None)  # no trunk is told where our sounds are
            await customer.hangup()
            stanzas = (await house.api.get("pbx/main/stanzas"))["items"]
            assert stanzas[-1]["file"] == "/etc/asterisk/extensions_override_freepbx.conf"
    finally:
        await asyncio.to_thread(pbx.__exit__, None, None, None)


async def test_the_choice_outlives_daemon_and_asterisk_and_costs_no_calls(
    asterisk: Asterisk, tmp_path: Path, phone: PhoneMaker, trunk: Trunk, lab: Lab
) -> None:
    async with daemon_inside(tmp_path, asterisk) as house:
        await choose(house, "call-settings", ringtone="chime")
        await agent(house, "1002", "snom")
        await entry(lab, "all", "chime")
        found = {one["name"]: one for one in (await house.api.post("pbx/main/check"))["items"]}
        assert (found["ringtone_dialplan"]["ok"], found["ringtones"]["ok"]) == (True, True)
        assert await house.api.every("calls") == []  # what wrote it was no call of anybody's
        assert not [m for m in lab.messages() if m.get("Event") == "Cdr"]
    second = await phone("1002")
    await second.on_call(RING)
    told((await rung(trunk, "1901", second))[0], sound("chime"))  # nobody is there who could be asked
    await asyncio.to_thread(asterisk.restart)
    await second.register()
    told((await rung(trunk, "1901", second))[0], sound("chime"))
