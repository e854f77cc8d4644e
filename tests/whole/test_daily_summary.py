"""The daily summary of a daemon that is really running, and is killed: it comes at its time, and once."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from daemon.call.signals import UnixMs
from daemon.policy.call_settings import CallSettings
from daemon.store.settings import change_settings
from daemon.store.store import Store
from daemon.store.summaries import SummaryStatus, read_last_sendings
from daemon.store.summary_targets import add_target
from tests.fakes.mailbox import mailbox
from tests.live.ports import free_tcp_port
from tests.whole.house import DaemonProcess, config_text, simulated_pbx, until

A_WHILE_S = 3.0


async def test_it_comes_when_its_time_is_there_and_not_again_after_a_kill(tmp_path: Path) -> None:
    path, port = tmp_path / "callwarden.toml", free_tcp_port()
    async with simulated_pbx() as pbx, mailbox() as box:
        path.write_text(config_text(tmp_path, pbx, port))
        url = f"mailto://127.0.0.1:{box.port}?from=cw@example.com&to=boss@example.com"
        here = datetime.now(UTC).astimezone(ZoneInfo(CallSettings().time_zone))
        store = await Store.open(f"sqlite:///{tmp_path / 'callwarden.db'}")
        await store.writer.change(lambda: add_target("sum_1", url, "Boss", "en", UnixMs(0)))
        await store.writer.change(lambda: change_settings({"summary_time": f"{here:%H:%M}"}, "test", UnixMs(1)))
        await store.close()

        async def noted() -> bool:
            reading = await Store.open(f"sqlite:///{tmp_path / 'callwarden.db'}")
            try:
                sent = (await read_last_sendings(reading.reader)).get("sum_1")
                return sent is not None and sent.status is SummaryStatus.SENT
            finally:
                await reading.close()

        daemon = DaemonProcess(path, port)
        await daemon.start()
        await until(noted, deadline_s=40)
        await daemon.kill()
        await daemon.start()
        await daemon.ready()
        await asyncio.sleep(A_WHILE_S)
        assert await daemon.stop() == 0
        assert box.recipients == ["boss@example.com"]
        assert str(box.messages[0]["Subject"]).startswith("Calls of ")
