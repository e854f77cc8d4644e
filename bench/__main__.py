"""`python -m bench [NAMES…] [--quick]`: runs the benchmarks and prints their tables. It judges nothing but targets."""

from __future__ import annotations

import os
import platform
import sys
import time
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from typing import Annotated

import typer
from rich.console import Console

NAMES = ("ingest", "answer", "store", "restart", "history", "reports")
_VERSIONS = ("callwarden", "panoramisk", "cacofonisk", "uvloop", "aiohttp", "SQLAlchemy")


def bench(
    names: Annotated[list[str] | None, typer.Argument(help=f"Which of: {', '.join(NAMES)}. None: all.")] = None,
    *,
    quick: Annotated[bool, typer.Option("--quick", help="Half a minute in all; the numbers are rougher.")] = False,
) -> None:
    """Measure Callwarden beside its peers on this machine. Ratios mean something, absolute numbers only here."""
    chosen = names or list(NAMES)
    if unknown := set(chosen) - set(NAMES):
        raise typer.BadParameter(f"no benchmark is called {', '.join(unknown)}; there are {', '.join(NAMES)}")
    # Wide enough for the longest table also where the output is a file.
    console = Console(width=None if sys.stdout.isatty() else 140)
    console.print(machine())
    began = time.monotonic()
    for name in chosen:
        with console.status(f"measuring {name} …"):
            tables = import_module(f"bench.{name}").run(quick=quick)
        for table in tables:
            console.print("", table)
    console.print(f"\n{time.monotonic() - began:.0f} s in all")


def machine() -> str:
    """What the numbers are worth: processors, Python, versions."""
    load = ", ".join(f"{one:.1f}" for one in os.getloadavg())
    found = ", ".join(f"{name} {_version(name)}" for name in _VERSIONS)
    return f"{os.cpu_count()} CPUs (load {load}), Python {platform.python_version()}; {found}"


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "absent"


if __name__ == "__main__":
    typer.run(bench)
