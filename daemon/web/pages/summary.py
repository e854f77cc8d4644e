"""`/settings/summary`: when and to whom the daily summary is sent, what it says, and whether it came."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from daemon.policy.summary import next_due, yesterday
from daemon.store.settings import read_settings
from daemon.store.summaries import Sending, read_last_sendings
from daemon.store.summary_targets import SummaryTarget, read_targets
from daemon.web.change_words import value_words
from daemon.web.page import language_of, show, words
from daemon.web.services import services
from daemon.web.vocabulary import LANGUAGES_CALLED, SUMMARY_REASONS, SUMMARY_STATUSES
from daemon.web.words import Translate


async def show_summary(request: web.Request) -> web.Response:
    parts, _ = services(request), words(request)
    stored = await read_settings(parts.reads)
    settings, now = stored.settings, parts.clock()
    sent, targets = await read_last_sendings(parts.reads), await read_targets(parts.reads)
    due = next_due(settings, now)
    return await show(
        request,
        "summary.html",
        settings=settings,
        version=stored.version,
        days=value_words("summary_days", _),
        chosen=[day.value for day in settings.summary_days],
        targets=[_row(one, sent.get(one.target_id), _) for one in targets],
        languages=list(LANGUAGES_CALLED.items()),
        installed=parts.summaries.installed,
        install=parts.summaries.how_to_install,
        next_at=due.moment if due is not None and targets else None,
        sample=await parts.summaries.text(yesterday(settings, now), language_of(request)),
    )


def _row(one: SummaryTarget, sent: Sending | None, _: Translate) -> dict[str, Any]:
    place = one.place.kind if one.place.host is None else f"{one.place.kind} · {one.place.host}"
    row: dict[str, Any] = {
        "id": one.target_id,
        "label": one.label,
        "place": place,
        "language": LANGUAGES_CALLED.get(one.language, one.language),
        "sent": None,
    }
    if sent is not None:
        word, colour = SUMMARY_STATUSES[sent.status]
        row["sent"] = {
            "day": f"{sent.day:%d/%m/%Y}",
            "word": _(word),
            "colour": colour,
            "why": "" if sent.reason is None else _(SUMMARY_REASONS[sent.reason]),
            "said": sent.said or "",
        }
    return row
