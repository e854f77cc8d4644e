"""`callwarden retention` and `callwarden customer …`: what is kept of people, and for how long."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from daemon.cli_data import present_database
from daemon.cli_options import ConfigFile, operator

if TYPE_CHECKING:
    from daemon.store.audit import By
    from daemon.store.customer import Customer, Found
    from daemon.store.store import Store

T = TypeVar("T")
Number = Annotated[str, typer.Argument(metavar="NUMBER", help="The customer's number, in any form.")]

customer_app = typer.Typer(help="What is kept of one customer.", no_args_is_help=True)


def retention(
    config: ConfigFile,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would be deleted.")] = False,
) -> None:
    """Delete now what the settings keep no longer; the daemon does it each night, and may run meanwhile."""

    async def work(store: Store, by: By) -> list[str]:
        from daemon.call.rendering import iso_utc
        from daemon.retention import clean
        from daemon.store.retention import count_old, periods
        from daemon.store.settings import read_settings

        wanted = periods((await read_settings(store.reader)).settings, by.at)
        counted = {period.kind: await count_old(store.reader, period) for period in wanted}
        done = counted if dry_run else await clean(store, by)
        verb = "would delete" if dry_run else "deleted"
        return [f"{verb} {done[one.kind]:,} {one.kind} before {str(iso_utc(one.before))[:10]}" for one in wanted]

    lines = _with_store(config, work)
    typer.echo("\n".join(lines) if lines else "everything is kept for ever: no period is set")


def compact(config: ConfigFile) -> None:
    """Write the database anew without its unused room; the daemon must be stopped."""
    from daemon.customer_data import compact as write_anew
    from daemon.store.lock import StoreLock

    path = present_database(config)
    before = Path(path).stat().st_size
    with StoreLock.take(path):
        write_anew(path)
    typer.echo(f"{path}: {before:,} bytes before, {Path(path).stat().st_size:,} now")


@customer_app.command("export")
def export_customer(number: Number, config: ConfigFile) -> None:
    """Print everything that is kept of one customer, as JSON."""

    async def work(store: Store, by: By) -> dict[str, object]:
        from daemon.customer_data import export, find

        return export(*await find(store, number), by)

    typer.echo(json.dumps(_with_store(config, work), ensure_ascii=False, indent=2))


@customer_app.command("erase")
def erase_customer(
    number: Number,
    config: ConfigFile,
    yes: Annotated[bool, typer.Option("--yes", help="Do it; without it only says what would be erased.")] = False,
) -> None:
    """Take one customer's numbers, names and notes out of everything; calls and tickets stay, without him."""
    from daemon.customer_data import clean_disk, erase, find

    async def work(store: Store, by: By) -> tuple[Customer, Found, int]:
        customer, found = await find(store, number)
        changed = await erase(store, customer, found, by) if yes else 0
        return customer, found, changed

    customer, found, changed = _with_store(config, work)
    told = ", ".join(f"{count:,} {name.replace('_', ' ')}" for name, count in found.counts().items() if count)
    if not yes:
        typer.echo(f"would erase: {told}; do it with --yes" if told else "nothing is kept of this number")
        return
    left = clean_disk(present_database(config), customer)
    typer.echo(f"erased: {told} ({changed:,} rows)" if changed else "nothing is kept of this number")
    if left.bytes_left and not left.compacted:
        typer.echo("unused room of the file still holds the number: stop the daemon once and run callwarden compact")
    elif left.bytes_left:
        typer.echo("the number's digits still stand somewhere in the file, perhaps within another number")
    typer.echo("backups and the PBX's own records hold it still: see to them yourself")


def _with_store(config: Path, work: Callable[[Store, By], Awaitable[T]]) -> T:
    from daemon.store.store import Store

    path = present_database(config)

    async def run() -> T:
        from daemon.clock import now_ms

        store = await Store.open(f"sqlite:///{path}")
        try:
            return await work(store, operator(now_ms()))
        finally:
            await store.close()

    return asyncio.run(run())
