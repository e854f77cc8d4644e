"""The daily summary in words: a subject, a plain text, and a simple HTML with the same lines. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from html import escape
from typing import Final

from babel.dates import format_date
from babel.numbers import format_decimal

from daemon.policy.report import percent
from daemon.policy.service_level import Tally
from daemon.store.summary_figures import SummaryFigures
from daemon.web.words import Translate, translator

_LOCALES: Final = {"en": "en_GB"}  # day before month, as all but one country
_CELL: Final = "padding:4px 16px 4px 0;vertical-align:top;text-align:left"


@dataclass(frozen=True, slots=True)
class SummaryText:
    subject: str
    text: str
    html: str


@dataclass(frozen=True, slots=True)
class _Words:
    """A language and how it writes numbers."""

    translate: Translate
    locale: str

    def number(self, value: float) -> str:
        return format_decimal(round(value, 1), locale=self.locale)

    def percent(self, value: float | None) -> str:
        return "-" if value is None else f"{self.number(value)} %"


def summary_text(figures: SummaryFigures, language: str, missed_url: str | None) -> SummaryText:
    """`missed_url` is where those wait who are to be called back; None: it is not known how people reach us."""
    words = _Words(translator(language), _LOCALES.get(language, language))
    _ = words.translate
    day = format_date(figures.day, "full", locale=words.locale)
    title = _("Calls of {day}").format(day=day)
    rows = list(_rows(figures, words))
    agents = [(one.name, _agent(one.answered, one.talk, words)) for one in figures.agents]
    return SummaryText(
        subject=f"{title}: {_headline(figures, words)}",
        text=_plain(title, rows, agents, missed_url, _),
        html=_html(title, rows, agents, missed_url, language, _),
    )


def _headline(figures: SummaryFigures, words: _Words) -> str:
    _ = words.translate
    if not figures.level.offered:
        return _("nobody called")
    return _("{percent} in time, {missed} missed").format(
        percent=words.percent(figures.shown_percent), missed=words.number(figures.level.missed)
    )


def _rows(figures: SummaryFigures, words: _Words) -> Iterator[tuple[str, str]]:
    _, level, incoming = words.translate, figures.level, figures.incoming.total
    yield _("Service level"), _level(figures, words)
    yield _("Incoming"), _incoming(figures, words)
    if level.offered:
        yield _("Missed of all who called"), words.percent(percent(level.missed, level.offered))
    if incoming.answered:
        seconds = _("{n} s")
        yield _("Average wait (ASA)"), seconds.format(n=words.number(incoming.average_wait_seconds or 0))
        yield _("Longest wait"), seconds.format(n=words.number(incoming.longest / 1000))
    if figures.busiest is not None:
        hour, count = figures.busiest
        began = datetime.fromisoformat(hour)
        yield _("Busiest hour"), _("{hour}, {n} calls").format(hour=f"{began:%H:%M}", n=words.number(count))
    if figures.outgoing.calls:
        said = _("{answered} reached, {missed} not reached")
        reached, not_reached = words.number(figures.outgoing.answered), words.number(figures.outgoing.missed)
        yield _("Outgoing"), said.format(answered=reached, missed=not_reached)
    if figures.internal.calls:
        yield _("Internal"), words.number(figures.internal.calls)
    if figures.missed.customers:
        not_served, all_ = words.number(figures.missed.not_served), words.number(figures.missed.customers)
        yield _("Customers not served yet"), _("{n} of {all}").format(n=not_served, all=all_)
    yield _("Open tickets"), words.number(figures.open_tickets)


def _level(figures: SummaryFigures, words: _Words) -> str:
    """In words, against the target, by the formula of the service level's page."""
    _, total = words.translate, figures.level
    if total.percent is None:
        return _("No call was answered.")
    within_one = _("{percent}: {within} of {answered} answered calls within {seconds} s.")
    within_each = _("{percent}: {within} of {answered} answered calls within the limit of their queue.")
    said = (within_each if figures.has_several_limits else within_one).format(
        percent=words.percent(figures.shown_percent),
        within=words.number(total.within),
        answered=words.number(total.answered),
        seconds=figures.within_seconds,
    )
    return f"{said} {_verdict(total, figures.target_percent, _)}"


def _verdict(total: Tally, target: int, _: Translate) -> str:
    said = _("Target of {n} % met.") if total.meets(target) else _("Below the target of {n} %.")
    return said.format(n=target)


def _incoming(figures: SummaryFigures, words: _Words) -> str:
    _, total = words.translate, figures.level
    said = _("{answered} answered, {missed} missed").format(
        answered=words.number(total.answered), missed=words.number(total.missed)
    )
    if not figures.left_in_ivr:
        return said
    return said + _(", {n} left in the menu").format(n=words.number(figures.left_in_ivr))


def _agent(answered: int, talk: int, words: _Words) -> str:
    _, minutes = words.translate, words.number(round(talk / 60_000))
    return _("{n} answered, {minutes} min of talk").format(n=words.number(answered), minutes=minutes)


def _plain(
    title: str, rows: list[tuple[str, str]], agents: list[tuple[str, str]], missed_url: str | None, _: Translate
) -> str:
    lines = [title, "", *(f"{label}: {value}" for label, value in rows)]
    if missed_url:
        lines += [_("Call them back: {url}").format(url=missed_url)]
    if agents:
        lines += ["", _("Most calls answered"), *(f"- {_one_line(name)}: {value}" for name, value in agents)]
    return "\n".join(lines) + "\n"


def _html(
    title: str,
    rows: list[tuple[str, str]],
    agents: list[tuple[str, str]],
    missed_url: str | None,
    language: str,
    _: Translate,
) -> str:
    """Tables and few styles: what mail programs show alike, in light and in dark."""
    parts = [f"<h2>{escape(title)}</h2>", _table(rows)]
    if missed_url:
        parts.append(f'<p><a href="{escape(missed_url)}">{escape(_("Call them back"))}</a></p>')
    if agents:
        parts += [f"<h3>{escape(_('Most calls answered'))}</h3>", _table(agents)]
    return f'<!DOCTYPE html><html lang="{language}"><body style="font-family:sans-serif">{"".join(parts)}</body></html>'


def _table(rows: list[tuple[str, str]]) -> str:
    lines = (
        f'<tr><th scope="row" style="{_CELL};font-weight:normal">{escape(_one_line(label))}</th>'
        f'<td style="{_CELL}"><b>{escape(value)}</b></td></tr>'
        for label, value in rows
    )
    return f'<table role="presentation" style="border-collapse:collapse">{"".join(lines)}</table>'


def _one_line(text: str) -> str:
    return " ".join(text.split())
