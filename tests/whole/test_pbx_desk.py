"""The PBXs as the API shows them, with the whole daemon: one is down, one is there, and neither harms the other."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from daemon import pbx_desk
from daemon.app import Daemon
from daemon.call.model import PbxName
from daemon.clock import now_ms
from daemon.config import load_config
from daemon.message import Message
from daemon.pbx import Inventory
from daemon.store.role import Role
from daemon.store.tokens import add_token, new_token
from tests.whole.house import api_client, config_text, simulated_pbx, until

DOWN = '\n[[pbx]]\nname = "branch"\nhost = "127.0.0.1"\nport = 1\nsecret = "branch-secret"\n'


async def test_a_pbx_that_is_down_fails_neither_state_nor_discovery_of_the_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pbx_desk, "SAMPLE_EVERY_S", 0.1)
    config, token = tmp_path / "callwarden.toml", new_token()
    async with simulated_pbx() as pbx:
        config.write_text(config_text(tmp_path, pbx) + DOWN)
        async with Daemon(load_config(config)) as daemon:
            await daemon.store.writer.change(lambda: add_token(token, Role.ADMIN, "test", now_ms()))
            async with api_client(daemon.web.port, token) as api:

                async def main_is_there() -> bool:
                    return bool((await api.get("pbx/main"))["state"] == "connected")

                await until(main_is_there)
                main, branch = (await api.get("pbx"))["items"]
                assert (main["name"], main["version"], main["last_error"]) == ("main", "11.0.0", None)
                assert (branch["name"], branch["state"]) == ("branch", "lost")
                assert branch["last_error"].startswith("Nobody listens at 127.0.0.1:1")
                assert branch["connected_since"] is None

                found = await api.get("discovery")
                assert {entry["pbx"] for entry in found["endpoints"]} == {"main"}
                assert [problem["pbx"] for problem in found["problems"]] == ["branch"]
                assert "branch-secret" not in str(await api.get("pbx/branch/stanzas"))
                findings = {test["name"]: test["ok"] for test in (await api.post("pbx/branch/check"))["items"]}
                assert findings == {"connected": False, "login": None}

                asked = len(pbx.actions)
                await asyncio.gather(*(api.get("discovery") for _ in range(5)))
                assert not [a for a in pbx.actions[asked:] if a["Action"] == "DeviceStateList"]  # kept for a while

                await pbx.play("queue_answered", speed=100.0)

                async def counted() -> bool:
                    return bool((await api.get("pbx/main"))["events_per_second"])

                await until(counted)


async def test_a_pbx_that_hangs_keeps_no_second_visitor_waiting_until_somebody_asks_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config, asked = tmp_path / "callwarden.toml", 0

    async def hanging(pbx: PbxName, *_: object) -> Inventory:
        nonlocal asked
        asked += 1
        return Inventory(pbx=pbx, problems=(Message("The PBX took too long to answer."),))

    monkeypatch.setattr(pbx_desk, "explore", hanging)
    monkeypatch.setattr(pbx_desk, "FRESH_S", 0.0)
    async with simulated_pbx() as pbx:
        config.write_text(config_text(tmp_path, pbx))
        async with Daemon(load_config(config)) as daemon:

            async def main_is_there() -> bool:
                return daemon.pbx_desk.states()[0].state == "connected"

            await until(main_is_there)
            for _ in range(3):
                (found,) = await daemon.pbx_desk.inventories(())
                assert found.problems
            assert asked == 1
            await daemon.pbx_desk.inventories((), again=True)
            assert asked == 2
            monkeypatch.setattr(pbx_desk, "UNTOLD_S", 0.0)
            await daemon.pbx_desk.inventories(())
            assert asked == 3
