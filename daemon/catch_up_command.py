"""`callwarden catch-up`: one span, by hand. It may run beside the daemon: both write through the same database."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from daemon.call.model import PbxName
from daemon.call.rendering import iso_utc
from daemon.call.signals import UnixMs
from daemon.catch_up import Outlet, Progress, Span, catch_up
from daemon.catch_ups import call_records, kept_since
from daemon.clock import now_ms
from daemon.config import Config
from daemon.errors import ConfigError
from daemon.rules import Rules
from daemon.store.store import Store
from daemon.store.values import Committed

Say = Callable[[str], None]
Told = Callable[[Progress], None]
"""How far it has come; called now and then."""


def _silent(_: Progress) -> None:
    """The last line says it all."""


async def catch_up_span(
    config: Config, since: str, until: str, pbx: str | None, *, dry: bool, say: Say, told: Told = _silent
) -> None:
    """`since` and `until` as typed; an empty `until` is now. What came of it is one line, what is odd others."""
    name = _chosen(config, pbx)
    store = await Store.open(config.store.url)
    try:
        rules = Rules()
        await rules.read(store)
        zone = ZoneInfo(rules.rulebook.settings.time_zone)
        now = now_ms()
        span = Span(pbx=name, since=_moment(since, zone), until=_moment(until, zone) if until else now)
        if span.since >= min(span.until, now):
            raise ConfigError("--from must be before --to, and in the past")
        kept_from = kept_since(rules.rulebook.settings, now)
        if span.since < kept_from:
            raise ConfigError(f"calls before {iso_utc(kept_from)} are not kept (page Data); --from must be later")
        outlet = Outlet(store, now_ms, _nobody_listens, told, dry=dry)
        done = await catch_up(call_records(config.pbx)[name], span, rules, outlet)
    finally:
        await store.close()
    for line in _lines(span, done, dry=dry):
        say(line)


@contextmanager
def on_terminal() -> Iterator[Told]:
    """A line on stderr that counts; nothing where nobody would see it."""
    if not sys.stderr.isatty():
        yield _silent
        return
    from rich.console import Console

    with Console(stderr=True).status("Reading the PBX's records …") as line:
        yield lambda done: line.update(
            f"Reading the PBX's records … {done.found} calls, {done.known} known, {done.tickets} tickets made"
        )


def _chosen(config: Config, wanted: str | None) -> PbxName:
    names = [pbx.name for pbx in config.pbx if pbx.cdr is not None and wanted in (None, pbx.name)]
    if not names:
        raise ConfigError('no PBX with records; write cdr = "/var/log/asterisk/cdr-csv/Master.csv" in its [[pbx]]')
    if len(names) > 1:
        raise ConfigError(f"say which PBX with --pbx NAME (with records: {', '.join(names)})")
    return PbxName(names[0])


def _moment(text: str, zone: ZoneInfo) -> UnixMs:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise ConfigError(f"{text!r} is no moment; write it as 2026-11-22T10:00") from error
    local = moment if moment.tzinfo is not None else moment.replace(tzinfo=zone)
    return UnixMs(round(local.astimezone(UTC).timestamp() * 1000))


def _lines(span: Span, done: Progress, *, dry: bool) -> list[str]:
    where = f"{iso_utc(span.since)} to {iso_utc(span.until)}"
    verb = "would be added" if dry else "added"
    seen = f"{span.pbx}, {where}: {done.found} calls in the records, {done.known} known"
    lines = [f"{seen}; {done.calls} calls and {done.tickets} tickets {verb}"]
    if done.broken:
        lines.append(f"{done.broken} rows are broken and were left out")
    if done.unlinked:
        lines.append(
            f"{done.unlinked} calls have no linkedid, so transfers and Local channels may count as calls of their own: "
            "set newcdrcolumns = yes in cdr.conf"
        )
    return lines


def _nobody_listens(_: Sequence[Committed]) -> None:
    """A running daemon sends what is due: it looks into the store every minute."""
