"""`callwarden backup|restore|check-database`: what an operator does with the data itself."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from daemon.cli_options import ConfigFile, operator
from daemon.errors import CallwardenError

if TYPE_CHECKING:
    from daemon.store.check import DatabaseReport


def backup(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Where the backup goes.")],
    config: ConfigFile,
    force: Annotated[bool, typer.Option("--force", help="Overwrite FILE if it exists.")] = False,
) -> None:
    """Copy the database while it is in use; the copy is checked, and readable by you alone."""
    from daemon.store.backup import back_up

    path = database_file(config)
    with _progress("Backing up") as progress:
        report = back_up(path, file, force=force, progress=progress)
    typer.echo(f"{file}: {_size(report.size)}, checked; keep {config} and the secret files that it names as well")


def restore(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A file that `callwarden backup` made.")],
    config: ConfigFile,
) -> None:
    """Put a backup in the database's place; the daemon must be stopped. The old database stays beside it."""
    from daemon.clock import now_ms
    from daemon.store.backup import restore as put_back

    path = database_file(config)
    with _progress("Restoring") as progress:
        restored = put_back(file, path, operator(now_ms()), progress=progress)
    typer.echo(f"{path}: restored from {file}; everybody signs in anew, API tokens are as they were then")
    typer.echo(f"the next new ticket is number {restored.next_ticket}: none is given twice")
    if restored.kept is not None:
        typer.echo(f"{restored.kept}: the database as it was before; delete it when all is well")


def check_database(
    config: ConfigFile,
    full: Annotated[bool, typer.Option("--full", help="Also compare every index with its table; slower.")] = False,
) -> None:
    """Say whether the database is whole; the daemon may run. Exit code 1 when it is not."""
    from daemon.store.check import check_database as look

    report = look(database_file(config), full=full)
    for finding in report.findings():
        typer.echo(finding)
    if not report.sound:
        raise CallwardenError(
            f"{report.path}: the database is damaged; stop the daemon and callwarden restore FILE --config {config}"
        )
    typer.echo(f"{report.path}: fine ({_room(report)}, revision {report.revision})")


def database_file(config: Path) -> str:
    """Where the configuration keeps its data. Raises ConfigError where that is no file."""
    from daemon.config import load_config
    from daemon.errors import ConfigError
    from daemon.store.sqlite import MEMORY
    from daemon.store.store import database_path

    path = database_path(load_config(config).store.url)
    if path == MEMORY:
        raise ConfigError(f"{config}: store.url keeps everything in memory: there is nothing on disk")
    return path


def present_database(config: Path) -> str:
    """The same where it must be there already: an empty one made by mistake would answer for the real one."""
    path = database_file(config)
    if not Path(path).is_file():
        raise CallwardenError(f"{path}: there is no database; see store.url in {config}")
    return path


def _room(report: DatabaseReport) -> str:
    return f"{_size(report.size)}, {_size(report.free)} of it free for reuse" if report.free else _size(report.size)


def _size(count: int) -> str:
    return f"{count / 1_048_576:,.1f} MiB"


@contextmanager
def _progress(words: str) -> Iterator[Callable[[int, int], None] | None]:
    """A bar on stderr; None where nobody would see it."""
    if not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(words, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)
