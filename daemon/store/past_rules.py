"""The rules as they were at a moment: today's, with every change since then taken back as the audit log has it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from daemon.call.signals import UnixMs
from daemon.policy.call_settings import QueueSettings, Rulebook
from daemon.store.audit import AuditFilter, read_audit
from daemon.store.queues import QUEUE, read_queue
from daemon.store.reader import Reader
from daemon.store.settings import SETTINGS, read_settings, settings_from, settings_json

_MOST: Final = 1_000
"""Changes that are taken back; nobody saves settings so often."""


async def read_rules_at(reads: Reader, at: UnixMs, queue: str | None) -> Rulebook:
    """The call settings, and of the queues the one that is asked about."""
    values = settings_json((await read_settings(reads)).settings)
    for old in await _olds(reads, SETTINGS.kind, at):
        values.update(old or {})
    rules = Rulebook(settings_from(values))
    if queue is None:
        return rules
    found = await _queue_at(reads, at, queue)
    return replace(rules, queues={queue: found}) if found is not None else rules


async def _queue_at(reads: Reader, at: UnixMs, name: str) -> QueueSettings | None:
    """None: nobody had set anything for it."""
    kept = await read_queue(reads, name)
    creates = None if kept is None else kept.create_tickets
    for old in await _olds(reads, f"{QUEUE.kind}:{name}", at):
        creates = None if old is None else bool(old.get("create_tickets", creates))
    return None if creates is None else QueueSettings(create_tickets=creates)


async def _olds(reads: Reader, named: str, since: UnixMs) -> list[Mapping[str, object] | None]:
    """What each change since then replaced, the newest first; None: it was made new by it."""
    rows = await read_audit(reads, AuditFilter(object=named, since=since), _MOST, None)
    return [json.loads(row["old"]) if row["old"] else None for row in rows]
