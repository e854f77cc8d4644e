"""`callwarden summary`: a day in words on the terminal, or sent to whom the daily summary goes."""

from __future__ import annotations

import asyncio
from datetime import date
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from daemon.cli_data import present_database
from daemon.cli_options import ConfigFile
from daemon.errors import CallwardenError

if TYPE_CHECKING:
    from daemon.config import Config
    from daemon.store.store import Store
    from daemon.summaries import Summaries
    from daemon.web.services import SummaryOutcome


def _day(text: str) -> str:
    if text:
        try:
            date.fromisoformat(text)
        except ValueError as error:
            raise typer.BadParameter("must be a day as 2026-11-30") from error
    return text


def summary(
    config: ConfigFile,
    day: Annotated[str, typer.Option(help="As 2026-11-30; without: yesterday.", callback=_day)] = "",
    language: Annotated[
        Literal["vi", "en"] | None, typer.Option(help="Of what is printed; without: that of the call settings.")
    ] = None,
    send: Annotated[
        bool, typer.Option("--send", help="Send it to every target that has not had it, and note that.")
    ] = False,
    again: Annotated[bool, typer.Option("--again", help="With --send: also to whom it was sent already.")] = False,
) -> None:
    """Print the summary of a day, or send it. The daemon may run."""
    from daemon.config import load_config
    from daemon.log import configure_logging

    settings = load_config(config)
    configure_logging("error", "console")  # what came of it is printed
    present_database(config)
    asyncio.run(_summary(settings, day, language, send=send, again=again))


async def _summary(config: Config, day: str, language: str | None, *, send: bool, again: bool) -> None:
    from daemon.clock import now_ms
    from daemon.policy.summary import yesterday
    from daemon.store.settings import read_settings
    from daemon.store.store import Store

    store = await Store.open(config.store.url)
    try:
        settings = (await read_settings(store.reader)).settings
        wanted = date.fromisoformat(day) if day else yesterday(settings, now_ms())
        parts = _parts(config, store)
        if send and wanted > yesterday(settings, now_ms()):
            raise CallwardenError(f"{wanted} is not over; a day is sent once, so it can be sent from the day after on")
        if send:
            await _send(store, parts, wanted, again=again)
        else:
            made = await parts.text(wanted, language or settings.language)
            typer.echo(f"{made.subject}\n\n{made.text}", nl=False)
    finally:
        await store.close()


def _parts(config: Config, store: Store) -> Summaries:
    from daemon.clock import now_ms
    from daemon.delivery.summary_sender import SummarySender
    from daemon.delivery.target_guard import guard_from_config
    from daemon.summaries import Summaries

    networks = config.delivery
    guard = guard_from_config(map(str, networks.allow_networks), map(str, networks.deny_networks))
    return Summaries(lambda: store, SummarySender(guard), now_ms, config.http.public_url)


async def _send(store: Store, parts: Summaries, day: date, *, again: bool) -> None:
    from daemon.store.summary_targets import read_targets

    targets = await read_targets(store.reader)
    if not targets:
        raise CallwardenError("there is nobody to send it to: add a target on the page Settings, Daily summary")
    failed = 0
    for target in targets:
        found = await parts.send(target, day, again=again)
        failed += found is not None and not found.ok
        typer.echo(f"{target.label} ({target.place.kind}): {_words(found)}")
    if failed:
        raise CallwardenError(f"the summary of {day} was not sent to {failed} of {len(targets)} targets")


def _words(found: SummaryOutcome | None) -> str:
    from daemon.web.vocabulary import SUMMARY_REASONS

    if found is None:
        return "has it already, or is being sent it; --again sends once more what was sent"
    if found.reason is None:
        return "sent"
    said = f" ({found.said})" if found.said else ""
    return f"not sent: {SUMMARY_REASONS[found.reason]}{said}"
