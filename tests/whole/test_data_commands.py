"""The commands about the data itself, as an operator meets them."""

from __future__ import annotations

from pathlib import Path

import pytest

from daemon.cli_data import database_file
from daemon.errors import ConfigError
from daemon.store.store import Store
from tests.store.made import answered_call
from tests.whole.test_account_commands import run


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "callwarden.toml"
    path.write_text(f'[store]\nurl = "sqlite:///{tmp_path / "callwarden.db"}"\n')
    return path


async def test_a_customer_is_told_of_and_then_erased(config: Path) -> None:
    store = await Store.open(f"sqlite:///{config.parent / 'callwarden.db'}")
    for unit in answered_call(1):
        await store.writer.submit(unit)
    await store.close()
    code, out, _ = await run("customer", "erase", "0901701234", "--config", config)
    assert (code, out) == (0, "would erase: 1 calls, 1 tickets, 1 screen pops, 1 deliveries; do it with --yes\n")
    code, out, _ = await run("customer", "erase", "+84 901 701 234", "--yes", "--config", config)
    assert (code, out.startswith("erased: 1 calls, 1 tickets")) == (0, True)
    assert b"901701234" not in (config.parent / "callwarden.db").read_bytes()


@pytest.mark.parametrize("command", [("compact",), ("customer", "export", "0901701234")])
async def test_no_database_is_made_by_mistake(config: Path, command: tuple[str, ...]) -> None:
    code, _, err = await run(*command, "--config", config)
    assert code == 1
    assert "there is no database" in err
    assert [path.name for path in config.parent.iterdir()] == ["callwarden.toml"]


def test_what_is_no_file_has_no_backup(tmp_path: Path) -> None:
    config = tmp_path / "pg.toml"
    for url, word in (("postgresql://x/y", "SQLite only"), ("sqlite://", "in memory")):
        config.write_text(f'[store]\nurl = "{url}"\n')
        with pytest.raises(ConfigError, match=word):
            database_file(config)
