"""What was saved comes into force, however many save at once and however slow that is."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from daemon import app
from daemon.app import Daemon
from daemon.clock import now_ms
from daemon.config import load_config
from daemon.store.role import Role
from daemon.store.tokens import add_token, new_token
from tests.whole.house import Api, api_client, until


@pytest.fixture
async def daemon(tmp_path: Path) -> AsyncIterator[Daemon]:
    config = tmp_path / "callwarden.toml"
    config.write_text(f'[http]\nlisten = "127.0.0.1:0"\n[store]\nurl = "sqlite:///{tmp_path}/store.db"\n')
    async with Daemon(load_config(config)) as daemon:
        yield daemon


@pytest.fixture
async def api(daemon: Daemon) -> AsyncIterator[Api]:
    token = new_token()
    await daemon.store.writer.change(lambda: add_token(token, Role.ADMIN, "test", now_ms()))
    async with api_client(daemon.web.port, token) as api:
        yield api


async def test_what_is_saved_is_in_force_when_it_is_answered_and_only_what_changed_is_read(
    daemon: Daemon, api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    fetched: list[str] = []
    fetch = daemon.store.reader.fetch

    async def noted(statement: object, values: object = {}) -> object:
        fetched.append(str(statement))
        return await fetch(statement, values)  # type: ignore[arg-type]

    await api.put("agents/an", {"endpoints": ["PJSIP/1"], "personal_number": "+84901234567"})
    assert daemon._rules.directory.agent_with("0901234567") == "an"
    monkeypatch.setattr(daemon.store.reader, "fetch", noted)
    await api.put("hotlines/1900", {"label": "Sales"})
    assert not [text for text in fetched if "agent" in text or "FROM queues" in text]
    await api.put("queues/night", {"create_tickets": False})
    assert not daemon._rules.rulebook.queues["night"].create_tickets
    assert not [text for text in fetched if "agent" in text]
    await api.put("agents/an", {"endpoints": ["PJSIP/2"]})
    assert dict(daemon._rules.directory.endpoints) == {"PJSIP/2": "an"}


async def test_many_who_save_at_once_share_the_reading(
    daemon: Daemon, api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    reads, ready = 0, asyncio.Event()
    read = daemon._rules.read

    async def slow(store: object) -> bool:
        nonlocal reads
        reads += 1
        await ready.wait()
        return await read(store)  # type: ignore[arg-type]

    monkeypatch.setattr(daemon._rules, "read", slow)
    saving = [asyncio.create_task(api.put(f"agents/a{n}", {"endpoints": [f"PJSIP/{n}"]})) for n in range(45)]

    async def all_are_saved() -> bool:
        return daemon.store.writer.numbers.changes >= 46  # with the token

    await until(all_are_saved)
    ready.set()
    await asyncio.gather(*saving)
    assert reads <= 3  # the last to be told of its commit may ask when the second has begun
    assert len(daemon._rules.directory.endpoints) == 45


async def test_a_secret_is_shown_even_when_what_follows_hangs(
    daemon: Daemon, api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    webhook = await api.post("webhooks", {"url": "https://crm.example.com/", "events": ["call.ended"]})
    hangs = asyncio.Event()
    load = daemon.secrets.load

    async def hang(*given: object) -> None:
        await hangs.wait()
        await load(*given)  # type: ignore[arg-type]

    monkeypatch.setattr(app, "_IN_FORCE_WITHIN_S", 0.05)
    monkeypatch.setattr(daemon.secrets, "load", hang)
    secret = (await api.post(f"webhooks/{webhook['webhook_id']}/rotate-secret"))["secret"]
    assert secret != webhook["secret"]
    hangs.set()
    await daemon.rules_changed()
    now = daemon.secrets.webhook_secret(webhook["webhook_id"])
    assert now is not None
    assert now.reveal() == secret
