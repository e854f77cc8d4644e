"""State, discovery and check against a real Asterisk: registered and silent phones, queues, wrong rights, no way in."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from tests.live.asterisk import Asterisk
from tests.live.conftest import PhoneMaker
from tests.live.daemon_house import House, Json
from tests.live.phone import answer
from tests.live.trunk import Trunk
from tests.whole.house import until


async def test_a_healthy_pbx_passes_every_test_and_shows_its_state(
    house: House, phone: PhoneMaker, trunk: Trunk
) -> None:
    before = await checked(house)
    assert {name for name, test in before.items() if test["ok"] is not True} <= {"events", "reports", "phone_keys"}
    agent = await phone("1001")
    await agent.on_call(answer(after=0.1))
    customer = await trunk.call("1900", "+84901000301")
    await (await agent.next_call()).confirmed()
    await customer.hangup()
    await house.quiet(1)
    after = await checked(house)
    assert {name for name, test in after.items() if test["ok"] is not True} <= {"reports", "phone_keys"}
    assert after["phone_keys"]["ok"] is None  # nobody needs it
    assert house.pbx.version.split(".")[0] in after["version"]["words"]
    (state,) = (await house.api.get("pbx"))["items"]
    assert (state["state"], state["last_error"], state["counters"]["logins"]) == ("connected", None, 1)
    assert state["counters"]["events"] > 5
    assert len(await house.calls()) == 1  # no test made or ended a call


async def test_phones_trunk_and_queues_are_discovered_with_the_rights_of_our_user(
    house: House, phone: PhoneMaker
) -> None:
    await without_phones(house, "1001", "1003")
    await phone("1001")
    found = await discovered(house)
    phones = {entry["endpoint"]: entry for entry in found["endpoints"]}
    assert found["problems"] == []
    assert {f"PJSIP/{number}" for number in range(1001, 1006)} | {"PJSIP/trunk"} <= set(phones)
    silent, there, trunk, known = (phones[f"PJSIP/{name}"] for name in ("1003", "1001", "trunk", "1002"))
    assert (there["registered"], there["like_agent"], there["trunk"]) == (True, True, False)
    assert (there["user_agent"], there["suggested_name"]) == ("Bench phone 1.0", "Agent 1001")
    assert (silent["registered"], silent["like_agent"], silent["agent"]) == (False, True, None)
    assert (silent["suggested_name"], "queue sales" in silent["why"]) == ("Agent 1003", True)
    assert (trunk["trunk"], trunk["like_agent"]) == (True, False)
    assert (known["agent"], known["like_agent"]) == ("1002", False)
    queues = {queue["name"]: queue for queue in found["queues"]}
    assert {"support", "sales", "local", "mobile", "empty"} <= set(queues)
    assert [member["endpoint"] for member in queues["local"]["members"]] == ["PJSIP/1001"]
    assert [member["endpoint"] for member in queues["mobile"]["members"]] == [None]
    assert queues["empty"]["members"] == []


async def test_a_forgotten_phone_that_rings_is_found(house: House, phone: PhoneMaker, trunk: Trunk) -> None:
    """Agent 1005 is in no queue."""
    await without_phones(house, "1005")
    forgotten = await phone("1005")
    customer = await trunk.call("1919", "+84901000302")
    await forgotten.next_call()
    await customer.hangup()
    await house.quiet(1)
    found = await discovered(house)
    (entry,) = [entry for entry in found["endpoints"] if entry["endpoint"] == "PJSIP/1005"]
    assert (entry["like_agent"], entry["why"]) == (
        True,
        "A call from outside made it ring, and it belongs to no agent.",
    )
    assert not [entry for entry in found["endpoints"] if entry["trunk"] and entry["like_agent"]]


async def test_a_wrong_right_is_named_and_found_again_once_given(house: House) -> None:
    async with manager_conf(house.pbx, "write = call,originate,agent,reporting", "write = call"):
        assert (await checked(house))["originate"]["ok"] is True  # a session keeps the rights of its login
        await logged_in_again(house)
        weak = await checked(house)
        assert {name for name, test in weak.items() if test["ok"] is False} >= {"list_calls", "originate"}
        assert (weak["hang_up"]["ok"], weak["variables"]["ok"], weak["queues"]["ok"]) == (True, True, True)
        assert "write = call,originate,agent,reporting" in weak["originate"]["fix"]
        assert (await discovered(house))["problems"] == []  # device states need `call` only
    again = await checked(house)
    assert {again[name]["ok"] for name in ("list_calls", "originate")} == {True}


async def test_an_address_that_may_not_come_is_refused_and_told(house: House) -> None:
    async with manager_conf(house.pbx, "permit = 127.0.0.1/255.255.255.255", "permit = 192.0.2.1/255.255.255.255"):
        await cut(house)
        await until(lambda: in_state(house, "refused"))
        (state,) = (await house.api.get("pbx"))["items"]
        assert "permit" in state["last_error"]
        found = await checked(house)
        assert (found["connected"]["ok"], found["login"]["ok"]) == (True, False)
        assert "not connected" not in str(found)
        assert "no connection" in str((await discovered(house))["problems"])


async def test_the_text_to_paste_lets_nobody_in_until_the_secret_is_written(house: House) -> None:
    general, user, *dialplan = (await house.api.get("pbx/main/stanzas"))["items"]
    assert house.pbx.secret not in str((general, user, dialplan))
    assert [one["file"].rpartition("/")[2] for one in dialplan] == ["extensions_callwarden.conf", "extensions.conf"]
    assert "permit = 127.0.0.1/255.255.255.255" in user["text"]
    async with manager_conf(house.pbx, "[lab]", user["text"].replace("[callwarden]", "[pasted]") + "[lab]"):
        assert await login(house.pbx, "pasted", "") == "Error"
        assert await login(house.pbx, "pasted", "write here the secret") == "Error"
    written = user["text"].replace("[callwarden]", "[pasted]\nsecret = s3cret")
    async with manager_conf(house.pbx, "[lab]", written + "[lab]"):
        assert await login(house.pbx, "pasted", "s3cret") == "Success"


async def checked(house: House) -> dict[str, Json]:
    return {test["name"]: test for test in (await house.api.post("pbx/main/check"))["items"]}


async def discovered(house: House) -> Json:
    return await house.api.get("discovery")


async def without_phones(house: House, *users: str) -> None:
    for user in users:
        await house.api.put(f"agents/{user}", {"name": f"Agent {user}", "endpoints": []})


async def in_state(house: House, state: str) -> bool:
    return bool((await house.api.get("pbx/main"))["state"] == state)


async def cut(house: House) -> None:
    """End the session as an operator of the PBX can."""
    for line in (await asyncio.to_thread(house.pbx.cli, "manager show connected")).splitlines():
        if line.split()[:1] == ["callwarden"]:
            await asyncio.to_thread(house.pbx.cli, f"manager kick session {line.split()[4]}")


async def logged_in_again(house: House) -> None:
    logins = (await house.api.get("pbx/main"))["counters"]["logins"]
    await cut(house)

    async def there() -> bool:
        state = await house.api.get("pbx/main")
        return bool(state["counters"]["logins"] > logins and state["state"] == "connected")

    await until(there)


@asynccontextmanager
async def manager_conf(pbx: Asterisk, old: str, new: str) -> AsyncIterator[None]:
    """Another manager.conf for a while; the sessions of before live on."""
    path = pbx.folder / "etc/manager.conf"
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))
    await asyncio.to_thread(pbx.cli, "manager reload")
    try:
        yield
    finally:
        path.write_text(text)
        await asyncio.to_thread(pbx.cli, "manager reload")


async def login(pbx: Asterisk, user: str, secret: str) -> str:
    """What Asterisk answers to a plain login."""
    reader, writer = await asyncio.open_connection(pbx.host, pbx.ami_port)
    writer.write(f"Action: Login\r\nUsername: {user}\r\nSecret: {secret}\r\n\r\n".encode())
    async with asyncio.timeout(10):
        await reader.readuntil(b"\r\n")
        answer = await reader.readuntil(b"\r\n\r\n")
    writer.close()
    return answer.split(b"\r\n")[0].removeprefix(b"Response: ").decode()
