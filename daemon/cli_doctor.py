"""`callwarden doctor`: what is wrong with this installation, or why a call had no popup, in plain words."""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from daemon.cli_options import ConfigFile
from daemon.errors import CallwardenError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Console

    from daemon.config import Config
    from daemon.diagnosis import Finding, Story

_CALL_ID_LIMIT = 150


def doctor(
    config: ConfigFile,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object, for programs.")] = False,
    call: Annotated[
        str | None, typer.Option("--call", metavar="ID", help="Tell of this call what was decided, and why.")
    ] = None,
) -> None:
    """Say what is wrong, why it matters and what to do; change nothing. Exits with 1 where there is a problem."""
    from daemon.log import configure_logging

    settings = _loaded(config)
    configure_logging("error", "console")  # a link that fails is told below, in better words
    if call is not None:
        _tell(settings, call, as_json=as_json)
    else:
        _examine(settings, as_json=as_json)


def _loaded(path: Path) -> Config:
    """Raises ConfigError also for what only `serve` would refuse."""
    from daemon.app import ami_config
    from daemon.config import load_config
    from daemon.store.store import database_path

    settings = load_config(path)
    database_path(settings.store.url)
    for pbx in settings.pbx:
        ami_config(pbx)
    return settings


def _examine(settings: Config, *, as_json: bool) -> None:
    from daemon.diagnosis import State, in_english, report_json, worst

    with _console(sys.stderr).status("Looking …"):
        findings = asyncio.run(_findings(settings))
    if as_json:
        typer.echo(json.dumps(report_json(findings, in_english)))
    else:
        from daemon.doctor.printed import print_findings

        print_findings(findings, _console(sys.stdout))
    if worst(findings) is State.PROBLEM:
        raise typer.Exit(1)


def _tell(settings: Config, call_id: str, *, as_json: bool) -> None:
    from daemon.diagnosis import in_english

    stories = asyncio.run(_stories(settings, call_id)) if 0 < len(call_id) <= _CALL_ID_LIMIT else []
    if not stories:
        raise CallwardenError(
            "no call with this id is kept: it is the call_id of webhooks, API and popups; a call that came while "
            "Callwarden was not running or not connected is not known"
        )
    if as_json:
        typer.echo(json.dumps({"items": [story.as_json(in_english) for story in stories], "next": None}))
        return
    from daemon.doctor.printed import print_stories

    print_stories(stories, _console(sys.stdout))


async def _findings(settings: Config) -> Sequence[Finding]:
    from daemon.doctor.own_session import open_doctor

    async with open_doctor(settings) as examination:
        return await examination.examine()


async def _stories(settings: Config, call_id: str) -> Sequence[Story]:
    from daemon.doctor.call_story import tell_stories
    from daemon.doctor.own_session import open_stories

    async with open_stories(settings) as reads:
        return await tell_stories(reads, call_id, None)


def _console(file: object) -> Console:
    from rich.console import Console

    return Console(file=file, highlight=False, markup=False, emoji=False, soft_wrap=False)  # type: ignore[arg-type]
