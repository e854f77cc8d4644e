"""The doctor as the command has it: sessions of its own on a simulated PBX, a real database that it only reads."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from daemon.call.model import PbxName
from daemon.clock import now_ms
from daemon.config import Config, load_config
from daemon.diagnosis import Area, Finding
from daemon.doctor.own_session import open_doctor
from daemon.policy.decision import EventType
from daemon.store.agents import Agent, put_agent
from daemon.store.live_calls import heartbeat
from daemon.store.settings import change_settings
from daemon.store.store import Store
from daemon.store.values import Unit
from daemon.store.webhooks import Webhook, add_webhook, new_secret
from tests.fakes.asterisk import FakeAsterisk


@dataclass
class Clinic:
    """One installation: `pbx` lives, `store` is what a daemon wrote. `http` and `delivery` are lines of tables."""

    folder: Path
    pbx: FakeAsterisk
    store: Store
    http: str = ""
    delivery: str = ""
    pbx_lines: dict[str, object] = field(default_factory=dict)

    def config(self) -> Config:
        """Written as an operator would."""
        pbx = {"host": "127.0.0.1", "port": self.pbx.port, "secret": self.pbx.secret, **self.pbx_lines}
        lines = "\n".join(f"{key} = {value!r}".replace("True", "true") for key, value in pbx.items())
        path = self.folder / "callwarden.toml"
        path.write_text(
            f'[http]\nlisten = "127.0.0.1:0"\n{self.http}\n[store]\nurl = "sqlite:///{self.folder / "c.db"}"\n'
            f'[delivery]\n{self.delivery}\n[[pbx]]\nname = "main"\nusername = "{self.pbx.username}"\n{lines}\n'
        )
        return load_config(path)

    async def examine(self, *areas: Area) -> dict[str, Finding]:
        """By check; the tests here make no two of the same."""
        found = await self.findings(*areas)
        return {finding.check: finding for finding in reversed(found)}

    async def findings(self, *areas: Area) -> Sequence[Finding]:
        await self.store.writer.drain()
        async with open_doctor(self.config()) as examination:
            return await examination.examine(areas or tuple(Area))

    async def agent(self, user_id: str, *endpoints: str) -> None:
        await self.store.writer.change(lambda: put_agent(Agent(user_id=user_id, name=user_id, endpoints=endpoints)))

    async def set(self, **values: Any) -> None:
        wanted: Mapping[str, object] = values
        await self.store.writer.change(lambda: change_settings(wanted, "boss", now_ms()))

    async def webhook(self, url: str, **changes: Any) -> None:
        known = {"webhook_id": "wh_1", "events": (EventType.CALL_MISSED,), "description": "CRM", "enabled": True}
        times = {"disabled_reason": None, "created_at": now_ms(), "updated_at": now_ms()}
        webhook = Webhook(**{**known, **times, "url": url, **changes})
        await self.store.writer.change(lambda: add_webhook(webhook, new_secret()))

    async def followed(self) -> None:
        """As the daemon writes every 15 s."""
        await self.store.writer.change(lambda: heartbeat(now_ms(), [PbxName("main")]))

    async def record(self, *units: Unit) -> None:
        for unit in units:
            await self.store.writer.submit(unit)
        await self.store.writer.drain()


@pytest.fixture
async def clinic(tmp_path: Path) -> AsyncIterator[Clinic]:
    pbx = FakeAsterisk()
    await pbx.start()
    store = await Store.open(f"sqlite:///{tmp_path / 'c.db'}")
    yield Clinic(tmp_path, pbx, store)
    await store.close()
    await pbx.close()
