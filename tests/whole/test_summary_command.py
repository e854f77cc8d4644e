"""`callwarden summary`, as an operator meets it: printed, sent once, and said where it does not get through."""

from __future__ import annotations

from pathlib import Path

import pytest

from daemon.call.signals import UnixMs
from daemon.store.store import Store
from daemon.store.summary_targets import add_target
from tests.fakes.mailbox import mailbox
from tests.store.made import answered_call
from tests.whole.test_account_commands import run


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "callwarden.toml"
    path.write_text(
        f'[http]\npublic_url = "https://cw.example.com"\n[store]\nurl = "sqlite:///{tmp_path / "callwarden.db"}"\n'
    )
    return path


async def filled(config: Path, url: str | None = None) -> None:
    store = await Store.open(f"sqlite:///{config.parent / 'callwarden.db'}")
    for unit in answered_call(1):
        await store.writer.submit(unit)
    if url is not None:
        await store.writer.change(lambda: add_target("sum_1", url, "Boss", "en", UnixMs(0)))
    await store.close()


async def test_a_day_is_printed_in_either_language(config: Path) -> None:
    await filled(config)
    code, out, _ = await run("summary", "--day", "2026-11-22", "--language", "en", "--config", config)
    assert code == 0
    assert out.startswith("Calls of Sunday, 22 November 2026: 100 % in time, 0 missed\n\n")
    assert "https://cw.example.com/missed" in out
    code, out, _ = await run("summary", "--config", config)
    assert (code, "Cuộc gọi ngày" in out) == (0, True)


async def test_a_day_is_sent_once_and_again_only_when_asked(config: Path) -> None:
    async with mailbox() as box:
        await filled(config, f"mailto://127.0.0.1:{box.port}?from=cw@example.com&to=boss@example.com")
        arguments = ("summary", "--day", "2026-11-22", "--send", "--config", config)
        assert (await run(*arguments))[:2] == (0, "Boss (E-mail): sent\n")
        assert "has it already" in (await run(*arguments))[1]
        assert (await run(*arguments, "--again"))[:2] == (0, "Boss (E-mail): sent\n")
        assert len(box.messages) == 2
        code, _, err = await run("summary", "--day", "2999-01-01", "--send", "--config", config)
        assert (code, "is not over" in err, len(box.messages)) == (1, True, 2)
        box.refuses = "550 nobody here"
        code, out, err = await run("summary", "--day", "2026-11-21", "--send", "--config", config)
        assert (code, "not sent" in out) == (1, True)
        assert "1 of 1 targets" in err


async def test_wrong_days_and_nobody_to_send_to_are_said_in_one_line(config: Path) -> None:
    code, _, err = await run("summary", "--config", config)
    assert (code, "there is no database" in err) == (1, True)
    await filled(config)
    assert (await run("summary", "--day", "22.11.2026", "--config", config))[0] == 2
    code, _, err = await run("summary", "--send", "--config", config)
    assert (code, "nobody to send it to" in err) == (1, True)
