"""Plays the scenarios against a real Asterisk and keeps what it writes of its calls: CDR, queue_log, and what it told.

python -m tests.live.record_cdr [NAME...]
"""

from __future__ import annotations

import asyncio
import gzip
import json
import shutil
import sys
import traceback
from pathlib import Path
from typing import Annotated

import typer

from tests.live.asterisk import Asterisk
from tests.live.record import RECORDINGS, play, truth_of
from tests.live.scenarios import SCENARIOS, Scenario, Stage
from tests.live.trunk import Trunk

FOLDER = RECORDINGS / "cdr" / "asterisk-22"
_WRITTEN = {"cdr-csv/Master.csv": "csv", "queue_log": "queue_log"}


def main(names: Annotated[list[str] | None, typer.Argument(help="Scenarios; none means all.")] = None) -> None:
    """Record scenarios into tests/recordings/cdr/asterisk-22/."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    failed = []
    with Asterisk(22) as pbx:
        for name in names or list(SCENARIOS):
            try:
                asyncio.run(_record(pbx, SCENARIOS[name]))
            except Exception:  # noqa: BLE001 - one broken scenario must not cost the others
                traceback.print_exc()
                failed.append(name)
                pbx.restart()
            else:
                print(name, flush=True)  # noqa: T201 - a command line tool
        shutil.copy(pbx.folder / "log/master.db", FOLDER / "master.db")
    if failed:
        print("failed:", *failed, file=sys.stderr)  # noqa: T201
        raise typer.Exit(1)


async def _record(pbx: Asterisk, scenario: Scenario) -> None:
    before = {name: _size(pbx.folder / "log" / name) for name in _WRITTEN}
    number = list(SCENARIOS).index(scenario.name)
    async with Trunk.open(pbx) as trunk:
        stage = Stage(pbx, trunk, customer=f"+84901000{number:03}")
        try:
            await play(stage, scenario)
        finally:
            await stage.close()
    await asyncio.sleep(0.5)
    for name, ending in _WRITTEN.items():
        added = (pbx.folder / "log" / name).read_bytes()[before[name] :]
        (FOLDER / f"{scenario.name}.{ending}").write_bytes(added)
    parts = [f"{scenario.name}.{letter}.ami.gz" for letter in "abcdef"[: len(stage.parts)]]
    for part, raw in zip(parts, stage.parts, strict=True):
        (FOLDER / part).write_bytes(gzip.compress(raw, mtime=0))
    text = json.dumps(truth_of(stage, scenario, parts), indent=1, ensure_ascii=False)
    (FOLDER / f"{scenario.name}.json").write_text(text + "\n")


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


if __name__ == "__main__":
    typer.run(main)
