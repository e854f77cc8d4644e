"""The doctor's own session on a real Asterisk: all in order, a wrong password, and rights that lack."""

from __future__ import annotations

from pathlib import Path

from daemon.config import load_config
from daemon.diagnosis import Area, Finding, State
from daemon.doctor.own_session import open_doctor
from daemon.store.agents import Agent, put_agent
from daemon.store.store import Store
from tests.live.asterisk import Asterisk
from tests.live.conftest import PhoneMaker
from tests.live.test_pbx_desk import manager_conf

AREAS = (Area.PBX, Area.PHONES, Area.QUEUES)


async def examine(asterisk: Asterisk, folder: Path, secret: str) -> dict[str, Finding]:
    path = folder / "callwarden.toml"
    path.write_text(
        f'[store]\nurl = "sqlite:///{folder / "c.db"}"\n'
        f'[[pbx]]\nname = "main"\nport = {asterisk.ami_port}\nusername = "{asterisk.user}"\nsecret = "{secret}"\n'
    )
    async with open_doctor(load_config(path)) as examination:
        return {one.check: one for one in await examination.examine(AREAS)}


async def test_a_real_pbx_is_examined_with_the_rights_of_our_user(
    asterisk: Asterisk, phone: PhoneMaker, tmp_path: Path
) -> None:
    store = await Store.open(f"sqlite:///{tmp_path / 'c.db'}")
    agent = Agent(user_id="an", name="An", endpoints=("PJSIP/1001", "PJSIP/1003", "PJSIP/nowhere"))
    await store.writer.change(lambda: put_agent(agent))
    await store.close()
    await phone("1001")

    found = await examine(asterisk, tmp_path, asterisk.secret)
    assert {check for check, one in found.items() if one.state is not State.OK and check.startswith("pbx.")} <= {
        "pbx.events",  # nobody follows it
        "pbx.zone",
        "pbx.records",  # none is configured
    }
    assert "pbx.zone" in found  # it tells its zone
    assert found["phones.qualify"].state is State.OK
    assert "1 (PJSIP/nowhere an)" in found["phones.known"].what
    assert "1 of 2 (PJSIP/1003 an)" in found["phones.registered"].what
    assert "PJSIP/1002 support" in found["queues.members"].what

    refused = await examine(asterisk, tmp_path, "wrong")
    assert (refused["pbx.connected"].state, refused["pbx.login"].state) == (State.OK, State.PROBLEM)
    assert "the secret is wrong" in refused["pbx.login"].what

    async with manager_conf(asterisk, "write = call,originate,agent,reporting", "write = call"):
        weak = await examine(asterisk, tmp_path, asterisk.secret)
    assert {weak[name].state for name in ("pbx.list_calls", "pbx.originate")} == {State.PROBLEM, State.WARNING}
    assert "Click-to-call" in str(weak["pbx.originate"].why)
    assert weak["phones.registered"].what == found["phones.registered"].what
