"""`python -m tests.faults [NAMES…] [--short]`: runs the rows and writes what they counted into docs/faults.md.

A row keeps its last result in docs/faults.json, so that rows may be run one by one.
"""

from __future__ import annotations

import asyncio
import json
import os
import platform
import tempfile
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from tests.faults.page import page
from tests.faults.rows import ROWS, Row
from tests.faults.tally import Tally
from tests.whole.house import ROOT

RESULTS, PAGE = ROOT / "docs/faults.json", ROOT / "docs/faults.md"


def faults(
    names: Annotated[list[str] | None, typer.Argument(help="Which rows; none: all of them.")] = None,
    *,
    short: Annotated[bool, typer.Option("--short", help="A minute a row; the page says that it was so.")] = False,
    trials: Annotated[int, typer.Option(help="At most so many trials a row; 0: all.")] = 0,
    only_page: Annotated[
        bool, typer.Option("--page", help="Run nothing, write the page from the last results.")
    ] = False,
) -> None:
    """Do harm to whole installations while calls come and go, and count what was lost, doubled or wrong."""
    known = {row.name: row for row in ROWS}
    if unknown := set(names or ()) - set(known):
        raise typer.BadParameter(f"no row is called {', '.join(sorted(unknown))}; there are {', '.join(known)}")
    results = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    for row in () if only_page else ROWS:
        if names and row.name not in names:
            continue
        tally = asyncio.run(_run(row, short=short, trials=trials))
        results[row.name] = asdict(tally) | {"at": f"{datetime.now(UTC):%Y-%m-%d %H:%M}", "machine": machine()}
        results[row.name]["did"] = "the short form" if short else row.did
        RESULTS.write_text(json.dumps(results, indent=1, sort_keys=True) + "\n")
        typer.echo(f"{row.name}: {tally}")
    PAGE.write_text(page(results))
    if any(result["lost"] or result["doubled"] or result["wrong"] for result in results.values()):
        raise typer.Exit(1)


async def _run(row: Row, *, short: bool, trials: int) -> Tally:
    total = Tally()
    trial = row.short if short else row.long
    if trial is None:
        return Tally(skipped="its short form are the live tests")
    for seed in list(row.seeds)[: 1 if short else trials or None]:
        with tempfile.TemporaryDirectory(prefix="callwarden-faults-") as folder:
            total.add(await trial(Path(folder), seed))
    return total


def machine() -> str:
    """What the numbers are worth."""
    load = os.getloadavg()[0]
    return f"{os.cpu_count()} CPUs (load {load:.0f}), Python {platform.python_version()}, {platform.system()}"


if __name__ == "__main__":
    typer.run(faults)
