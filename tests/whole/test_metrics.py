"""What `/metrics` says after real calls over a real manager socket, and that dashboard and alerts speak of it."""

from __future__ import annotations

import asyncio
import json
import re
import shutil
import sys
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families

from daemon.ami.simulator import SimulatedPbx
from daemon.app import Daemon
from daemon.bus import CallHappened
from daemon.call.events import CallEnded
from daemon.call.model import CallState, HangupReason
from daemon.clock import now_ms
from daemon.config import load_config
from daemon.store.role import Role
from daemon.store.tokens import add_token, new_token
from tests.delivery.receiver import Receiver, Reply
from tests.factory import answered
from tests.whole.house import ROOT, Api, api_client, config_text, simulated_pbx, until

DASHBOARD = ROOT / "docs/grafana/callwarden.json"
ALERTS = ROOT / "docs/prometheus/callwarden.rules.yml"
OWN = re.compile(r"\b((?:callwarden|process)_[a-z_]+)\b(?:\{([^}]*)\})?")
LABELS = {
    "pbx", "direction", "outcome", "reason", "kind", "way", "result", "state", "stage", "what", "version", "le",
}  # fmt: skip


@dataclass
class House:
    daemon: Daemon
    pbx: SimulatedPbx
    crm: Receiver
    api: Api
    token: str

    async def text(self) -> str:
        address = f"http://127.0.0.1:{self.daemon.web.port}/metrics"
        headers = {"Authorization": f"Bearer {self.token}"}
        async with aiohttp.ClientSession(headers=headers) as session, session.get(address) as response:
            assert response.status == 200
            return await response.text()

    async def number(self, sample: str, **labels: str) -> float:
        """The sum over all samples of this name with these labels."""
        found = [one for one in samples(await self.text()) if one[0] == sample]
        return sum(value for _, own, value in found if labels.items() <= own.items())


def samples(text: str) -> list[tuple[str, dict[str, str], float]]:
    families = text_string_to_metric_families(text)
    return [(one.name, one.labels, one.value) for family in families for one in family.samples]


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    path, token = tmp_path / "callwarden.toml", new_token()
    async with simulated_pbx() as pbx, Receiver() as crm:
        path.write_text(config_text(tmp_path, pbx))
        async with Daemon(load_config(path)) as daemon:
            await daemon.store.writer.change(lambda: add_token(token, Role.ADMIN, "test", now_ms()))
            async with api_client(daemon.web.port, token) as api:
                await api.put("agents/an", {"name": "An", "endpoints": ["PJSIP/1001"]})
                await api.put("call-settings", {"popup_answer_url": crm.url + "/pop"})
                house = House(daemon, pbx, crm, api, token)
                await until(lambda: _is(house, "callwarden_pbx_connected", 1))
                yield house


async def _is(house: House, sample: str, wanted: float, **labels: str) -> bool:
    return await house.number(sample, **labels) == wanted


async def _played(house: House) -> None:
    await house.pbx.play("queue_answered", customer="0901234567", speed=8)
    for _ in range(2):
        await house.pbx.play("queue_abandoned", customer="0907654321", speed=20)
    await until(lambda: _is(house, "callwarden_calls_total", 3))
    await until(lambda: _is(house, "callwarden_popups_total", 2))
    await until(lambda: _is(house, "callwarden_deliveries_pending", 0))


async def test_calls_tickets_and_popups_are_counted(house: House) -> None:
    await _played(house)
    calls = {"pbx": "main", "direction": "incoming"}
    assert await house.number("callwarden_calls_total", outcome="answered", **calls) == 1
    assert await house.number("callwarden_calls_total", outcome="missed", **calls) == 2
    assert await house.number("callwarden_calls_missed_total", reason="abandoned", **calls) == 2
    assert await house.number("callwarden_answer_wait_seconds_count", pbx="main") == 1
    assert await house.number("callwarden_tickets_opened_total", kind="incoming") == 1
    assert await house.number("callwarden_tickets_opened_total", kind="missed_incoming") == 1
    assert await house.number("callwarden_tickets_merged_total", kind="missed_incoming") == 1
    assert await house.number("callwarden_popups_total", way="webhook", result="delivered") == 1
    assert await house.number("callwarden_popups_total", way="desk", result="told") == 1
    for way in ("webhook", "desk"):
        assert await house.number("callwarden_popup_seconds_count", way=way) == 1
        assert 0 <= await house.number("callwarden_popup_seconds_sum", way=way) < 5
    assert await house.number("callwarden_event_lag_seconds_count") >= 8
    assert await house.number("callwarden_store_commit_seconds_count") > 3
    assert await house.number("callwarden_store_writes_total", what="call") >= 8
    assert await house.number("callwarden_signals_total") > 20
    assert await house.number("callwarden_calls_live", pbx="main") == 0
    assert await house.number("process_resident_memory_bytes") > 10_000_000


async def test_a_call_that_we_hung_up_because_its_connection_was_lost_is_counted_and_no_other(house: House) -> None:
    for reason in (None, HangupReason.CONNECTION_LOST):
        ended = replace(answered(), state=CallState.ENDED, ended_at=now_ms(), hangup_reason=reason)
        house.daemon.bus.publish(CallHappened(CallEnded(now_ms(), ended)))
    assert await house.number("callwarden_lost_call_hangups_total", pbx="main") == 1


async def test_no_number_name_or_queue_is_among_the_labels(house: House) -> None:
    """A test that could not fail would not know what to look for: the calls' own words are looked for too."""
    await _played(house)
    text = await house.text()
    (call, *_) = await house.api.every("calls")
    for private in ("901234567", "907654321", call["hotline"], call["queue"], call["call_id"], "1001", '"an"'):
        assert private not in text, private
    assert {name for _, labels, _ in samples(text) for name in labels} <= LABELS
    assert {labels["pbx"] for _, labels, _ in samples(text) if "pbx" in labels} == {"main"}


async def test_a_server_that_refuses_popups_is_counted(house: House) -> None:
    house.crm.plan("/pop", Reply(status=500))
    await house.pbx.play("queue_answered", customer="0901234567", speed=8)

    async def retried() -> bool:
        return await house.number("callwarden_popups_total", way="webhook", result="retried") >= 1

    await until(retried)
    assert await house.number("callwarden_popup_seconds_count", way="webhook") == 0
    assert await house.number("callwarden_deliveries_pending") == 1


async def test_a_pbx_that_goes_and_comes_is_seen(house: House) -> None:
    await house.pbx.close()
    await until(lambda: _is(house, "callwarden_pbx_connected", 0))
    assert (
        await house.number("callwarden_pbx_state", state="lost")
        + await house.number("callwarden_pbx_state", state="connecting")
        == 1
    )
    await house.pbx.start(house.pbx.port)
    await until(lambda: _is(house, "callwarden_pbx_reconnects_total", 1))


async def test_a_desk_that_listens_is_counted_until_it_leaves(house: House) -> None:
    listening = house.daemon.feed.listen(None, user_id="an")
    waiting = asyncio.ensure_future(anext(listening))
    await until(lambda: _is(house, "callwarden_desks_connected", 1))
    waiting.cancel()
    await until(lambda: _is(house, "callwarden_desks_connected", 0))


# -- dashboard and alert rules ---------------------------------------------------------------------------------------


def dashboard_expressions() -> Iterator[tuple[str, str]]:
    for panel in json.loads(DASHBOARD.read_text())["panels"]:
        for target in panel.get("targets", ()):
            yield panel["title"], target["expr"]


def alert_rules() -> list[dict[str, Any]]:
    groups: list[dict[str, Any]] = yaml.safe_load(ALERTS.read_text())["groups"]
    return [rule for group in groups for rule in group["rules"]]


def test_the_dashboard_is_one_that_grafana_takes() -> None:
    board = json.loads(DASHBOARD.read_text())
    assert board["uid"] == "callwarden"
    assert board["schemaVersion"] >= 30
    ids = [panel["id"] for panel in board["panels"]]
    assert len(ids) == len(set(ids)) >= 12
    for panel in board["panels"]:
        place = panel["gridPos"]
        assert 0 <= place["x"] < place["x"] + place["w"] <= 24
        if panel["type"] != "row":
            assert panel["datasource"]["uid"] == "${datasource}"
            assert panel["targets"]
    assert {variable["name"] for variable in board["templating"]["list"]} == {"datasource", "pbx"}


def test_each_alert_says_what_it_is_about_and_how_bad() -> None:
    rules = alert_rules()
    assert len({rule["alert"] for rule in rules}) == len(rules) >= 10
    for rule in rules:
        assert rule["labels"]["severity"] in {"critical", "warning"}
        assert rule["annotations"]["summary"]
        assert rule["annotations"]["description"]


async def test_dashboard_and_alerts_speak_only_of_what_is_exported(house: House) -> None:
    """Every metric in them exists, with the labels they choose by."""
    await _played(house)
    known: dict[str, set[str] | None] = {
        f"{family.name}_total": None for family in text_string_to_metric_families(await house.text())
    }  # some count by kinds of which there was none yet
    for name, labels, _ in samples(await house.text()):
        known[name] = (known.get(name) or set()) | set(labels)
    expressions = [*dashboard_expressions(), *((rule["alert"], rule["expr"]) for rule in alert_rules())]
    named = [(where, *found) for where, text in expressions for found in OWN.findall(text)]
    assert len({name for _, name, _ in named}) > 20
    for where, name, chosen in named:
        assert name in known, f"{where}: {name} is not exported"
        labels_of = known[name]
        wanted = set(re.findall(r"([a-z_]+)\s*[=!]", chosen)) - {"job", "instance"}
        assert labels_of is None or wanted <= labels_of, f"{where}: {name} has no label {wanted - (labels_of or set())}"


PROMTOOL = shutil.which("promtool") or shutil.which("promtool", path=str(Path(sys.executable).parent))
needs_promtool = pytest.mark.skipif(PROMTOOL is None, reason="no promtool: make ops-tools, or install Prometheus")


async def promtool(*arguments: object, text: str = "") -> tuple[int | None, str]:
    """Exit code and everything that was said."""
    assert PROMTOOL is not None
    process = await asyncio.create_subprocess_exec(PROMTOOL, *map(str, arguments), stdin=-1, stdout=-1, stderr=-2)
    said, _ = await asyncio.wait_for(process.communicate(text.encode()), 30)
    return process.returncode, said.decode()


@needs_promtool
async def test_promtool_takes_the_alert_rules() -> None:
    code, said = await promtool("check", "rules", ALERTS)
    assert code == 0, said
    assert f"{len(alert_rules())} rules found" in said


@needs_promtool
async def test_promtool_takes_every_expression_of_the_dashboard(tmp_path: Path) -> None:
    """As recording rules, with the dashboard's variables filled in."""
    expressions = [text.replace("$__rate_interval", "5m") for _, text in dashboard_expressions()]
    rules = [{"record": f"panel:{number}", "expr": text} for number, text in enumerate(expressions)]
    path = tmp_path / "dashboard.yml"
    path.write_text(yaml.safe_dump({"groups": [{"name": "dashboard", "rules": rules}]}))
    code, said = await promtool("check", "rules", path)
    assert code == 0, said


@needs_promtool
async def test_promtool_finds_nothing_amiss_in_the_metrics(house: House) -> None:
    await _played(house)
    assert await promtool("check", "metrics", text=await house.text()) == (0, "")
