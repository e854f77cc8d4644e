"""Plays scenarios against real Asterisks and keeps what the manager port sent, with the truth beside it.

python -m tests.live.record [--asterisk 22] [--asterisk 16] [NAME...]
"""

from __future__ import annotations

import asyncio
import json
import sys
import traceback
from pathlib import Path
from typing import Annotated, Any

import typer

import tests.live.scene_direct
import tests.live.scene_handover
import tests.live.scene_outgoing
import tests.live.scene_queue
import tests.live.scene_transfer
import tests.live.scene_trouble  # noqa: F401 - each registers its scenarios
from tests.live.asterisk import Asterisk
from tests.live.scenarios import SCENARIOS, Scenario, Stage
from tests.live.trunk import Trunk

RECORDINGS = Path(__file__).parents[1] / "recordings"
SCENARIO_SECONDS = 60.0


def main(
    names: Annotated[list[str] | None, typer.Argument(help="Scenarios; none means all.")] = None,
    asterisk: Annotated[list[int] | None, typer.Option(help="Major version; repeat for more.")] = None,
) -> None:
    """Record scenarios into tests/recordings/asterisk-VERSION/."""
    chosen = [SCENARIOS[name] for name in names] if names else list(SCENARIOS.values())
    failed = [name for major in asterisk or [22, 16] for name in _record_all(major, chosen)]
    if failed:
        print("failed:", *failed, file=sys.stderr)  # noqa: T201 - a command line tool
        raise typer.Exit(1)


def _record_all(major: int, chosen: list[Scenario]) -> list[str]:
    folder = RECORDINGS / f"asterisk-{major}"
    folder.mkdir(parents=True, exist_ok=True)
    failed = []
    with Asterisk(major) as pbx:
        for scenario in chosen:
            try:
                asyncio.run(record(pbx, scenario, folder))
            except Exception:  # noqa: BLE001 - one broken scenario must not cost the others
                traceback.print_exc()
                failed.append(f"{major}/{scenario.name}")
                pbx.restart()
            else:
                print(f"{major} {scenario.name}", flush=True)  # noqa: T201
    return failed


async def record(pbx: Asterisk, scenario: Scenario, folder: Path) -> None:
    """Play one scenario and write `NAME.ami`, or `NAME.a.ami`, `NAME.b.ami` where the link was cut, and `NAME.json`."""
    number = list(SCENARIOS).index(scenario.name)
    async with Trunk.open(pbx) as trunk:
        stage = Stage(pbx, trunk, customer=f"+84901000{number:03}")
        try:
            await play(stage, scenario)
        finally:
            await stage.close()
    _write(stage, scenario, folder)


async def play(stage: Stage, scenario: Scenario) -> None:
    """The scenario with its phones and its manager connection, until the PBX is quiet again."""
    for user in scenario.agents:
        await (await stage.phone(user)).register()
    # The first qualify of a new contact would otherwise be part of some recordings and not of others.
    await asyncio.sleep(0.3)
    await stage.connect_manager()
    await asyncio.wait_for(scenario.play(stage), SCENARIO_SECONDS)
    await stage.quiet()
    await stage.cut_manager()


def _write(stage: Stage, scenario: Scenario, folder: Path) -> None:
    letters = [f".{letter}" for letter in "abcdef"] if len(stage.parts) > 1 else [""]
    parts = {f"{scenario.name}{letter}.ami": raw for letter, raw in zip(letters, stage.parts, strict=False)}
    for name, raw in parts.items():
        (folder / name).write_bytes(raw)
    truth = json.dumps(truth_of(stage, scenario, list(parts)), indent=1, ensure_ascii=False)
    (folder / f"{scenario.name}.json").write_text(truth + "\n")


def truth_of(stage: Stage, scenario: Scenario, parts: list[str]) -> dict[str, Any]:
    """What people outside the PBX knew, beside the names of the recording's parts."""
    return {
        "scenario": scenario.name,
        "asterisk": stage.pbx.version,
        "parts": parts,
        "agents": {str(user): [f"PJSIP/{user}"] for user in range(1001, 1001 + stage.pbx.agents)},
        "personal_numbers": stage.personal,
        "started_at": round(stage.started_at, 3),
        "calls": stage.truth(),
        "log": stage.log,
    }


if __name__ == "__main__":
    typer.run(main)
