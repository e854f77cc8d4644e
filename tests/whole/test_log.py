"""What the log of a running daemon says about calls: each line with its call's id, no number, never a secret."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import structlog

from daemon.app import Daemon
from daemon.clock import now_ms
from daemon.config import load_config
from daemon.log import configure_logging
from daemon.store.role import Role
from daemon.store.tokens import add_token, new_token
from tests.delivery.receiver import Receiver, Reply
from tests.whole.house import Api, api_client, config_text, simulated_pbx, until

ABOUT_CALLS = {"call_ended", "call_event", "ticket_opened", "ticket_took_in", "popup_decided", "delivery_attempt"}
CUSTOMER = "0901234567"


@pytest.fixture
def stream() -> Iterator[io.StringIO]:
    root = logging.getLogger()
    before = root.handlers[:], root.level
    yield io.StringIO()
    root.handlers[:] = before[0]
    root.setLevel(before[1])
    structlog.reset_defaults()


async def _day(tmp_path: Path, level: Any, stream: io.StringIO) -> tuple[list[dict[str, Any]], list[str]]:
    """An answered call whose popup and webhook fail and a missed one; the records, and every secret there is."""
    configure_logging(level, "json", stream)
    path, token = tmp_path / "callwarden.toml", new_token()
    async with simulated_pbx() as pbx, Receiver() as crm:
        crm.plan("/pop", Reply(status=500))
        crm.plan("/hook", Reply(status=500))
        path.write_text(config_text(tmp_path, pbx))
        async with Daemon(load_config(path)) as daemon, api_of(daemon, token) as api:
            await api.put("agents/an", {"name": "An", "endpoints": ["PJSIP/1001"]})
            await api.put("call-settings", {"popup_answer_url": crm.url + "/pop"})
            hook = await api.post("webhooks", {"url": crm.url + "/hook", "events": ["call.answered", "call.missed"]})
            await pbx.play("queue_answered", customer=CUSTOMER, speed=8)
            await pbx.play("queue_abandoned", customer=CUSTOMER, speed=20)
            await until(lambda: _requests(crm, 3))
            popup = daemon.secrets.popup_secret()
            assert popup is not None
            secrets = [token, hook["secret"], popup.reveal(), pbx.secret]
    records = [json.loads(line) for line in stream.getvalue().splitlines()]
    return [one for one in records if one["logger"] != "aiohttp.access"], secrets  # that is the CRM's


async def _requests(crm: Receiver, count: int) -> bool:
    return len(crm.requests) >= count


@asynccontextmanager
async def api_of(daemon: Daemon, token: str) -> AsyncIterator[Api]:
    await daemon.store.writer.change(lambda: add_token(token, Role.ADMIN, "test", now_ms()))
    async with api_client(daemon.web.port, token) as api:
        yield api


async def test_above_debug_a_call_is_a_line_with_its_id_and_no_number_is_shown(
    tmp_path: Path, stream: io.StringIO
) -> None:
    records, secrets = await _day(tmp_path, "info", stream)
    ended = [record for record in records if record["event"] == "call_ended"]
    assert [(one["outcome"], one["missed_reason"]) for one in ended] == [("answered", None), ("missed", "abandoned")]
    assert len({one["call_id"] for one in ended}) == 2
    assert {one["customer_number"] for one in ended} == {"*********567"}
    assert [one for one in records if one["event"] == "delivery_attempt"]
    assert all(one["call_id"] for one in records if one["event"] in ABOUT_CALLS)
    text = json.dumps(records)
    assert CUSTOMER[1:] not in text
    assert not [secret for secret in secrets if secret in text]


async def test_at_debug_the_way_of_a_call_can_be_followed_by_its_id_and_secrets_stay_secret(
    tmp_path: Path, stream: io.StringIO
) -> None:
    records, secrets = await _day(tmp_path, "debug", stream)
    (answered, _) = [record for record in records if record["event"] == "call_ended"]
    way = [one for one in records if one.get("call_id") == answered["call_id"]]
    assert {one["event"] for one in way} == ABOUT_CALLS - {"ticket_took_in"}
    assert {"CallStarted", "AgentRinging", "CallAnswered"} <= {one.get("happened") for one in way}
    assert answered["customer_number"] == "*********567"  # the line itself is info
    assert all(one["call_id"] for one in records if one["event"] in ABOUT_CALLS)
    assert not [secret for secret in secrets if secret in json.dumps(records)]
