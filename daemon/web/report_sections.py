"""Each report as a part of the page: its figures, charts and table, for one reader. It reads nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from daemon.call.model import MissedReason
from daemon.policy.report import REASONS
from daemon.policy.report_span import Grain
from daemon.web.charts import Series, Shape, Unit
from daemon.web.report_pictures import Painter, Picture
from daemon.web.report_query import Report
from daemon.web.report_table import Cell, ColumnKind, Row, Table
from daemon.web.report_tables import measured, unix_ms
from daemon.web.report_words import NONE, PLACES, TITLES, Words

_LEVELS: Final = 5
_MOST_LYING: Final = 12
_STATES: Final = {"available_seconds": "available", "wrap_up_seconds": "wrap-up", "paused_seconds": "paused"}
"""That are known, with the classes of their bars, as below."""

_RINGS: Final = {"rings": "other", "answers": "answered"}

MOST_ROWS: Final = 20
"""Of customers on the page; a file has them all."""


@dataclass(frozen=True, slots=True)
class Heat:
    """Counts by row and column, each with its level from 0 (none) to 5 (the most)."""

    rows: Sequence[str]
    columns: Sequence[str]
    cells: Sequence[Sequence[tuple[str, int]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """`columns` are words and whether numbers stand below; a cell of the first column may lead to an address.

    `empty` is what is said instead of all when there is nothing to show.
    """

    report: Report
    title: str
    about: str
    columns: Sequence[tuple[str, bool]] = ()
    rows: Sequence[Sequence[str]] = ()
    links: Sequence[str] = ()
    total: Sequence[str] = ()
    figures: Sequence[tuple[str, str, str]] = ()
    pictures: Sequence[Picture] = ()
    heats: Sequence[tuple[str, Heat]] = ()
    is_open: bool = False
    empty: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class Maker:
    """Makes sections of one page."""

    words: Words
    grain: Grain
    names: Mapping[str, str] = field(default_factory=dict)

    @property
    def painter(self) -> Painter:
        return Painter(self.words, self.grain)

    def calls(self, table: Table) -> Section:
        _ = self.words._
        if not table.total["calls"]:
            return self._nothing(Report.CALLS, _("No call in this time."))
        shown = [name for name in table.columns if name not in set(REASONS) or table.total[name]]
        other = [one for one in REASONS if one not in (MissedReason.ABANDONED, MissedReason.QUEUE_TIMEOUT)]
        column = self.words.column
        series = [
            Series("answered", column("answered"), _numbers(table, "answered")),
            Series("abandoned", column("abandoned"), _numbers(table, "abandoned")),
            Series("late", column("queue_timeout"), _numbers(table, "queue_timeout")),
            Series("other", _("Missed otherwise"), [sum(_number(row[one]) for one in other) for row in table.rows]),
        ]
        total, axis = table.total, self.painter.over_time(table, self.words.number, Unit.WHOLE)
        figures = [
            (column(name), self.words.cell(total[name], ColumnKind.COUNT), self._share(total[name], total["calls"]))
            for name in ("answered", "missed")
        ]
        figures.insert(0, (column("calls"), self.words.cell(total["calls"], ColumnKind.COUNT), ""))
        return self._section(
            Report.CALLS,
            table,
            _("What became of the calls that began in this time; calls that still ring are not among them."),
            shown=shown,
            figures=figures,
            pictures=[self.painter.wide("calls", Shape.STACKED, axis, series)],
        )

    def hours(self, table: Table) -> Section:
        _ = self.words._
        if not table.total["calls"]:
            return self._nothing(Report.HOURS, _("No call in this time."))
        most = max((_number(row["calls"]) for row in table.rows), default=0)
        cells = [
            (self.words.cell(row["calls"], ColumnKind.COUNT), _level(_number(row["calls"]), most)) for row in table.rows
        ]
        week = [cells[start : start + 24] for start in range(0, len(cells), 24)]
        days, hours = self.words.weekdays(), [f"{hour:02}" for hour in range(24)]
        turned = [list(one) for one in zip(*week, strict=True)]
        return self._section(
            Report.HOURS,
            table,
            _("All calls of this time by weekday and hour: the darker, the more."),
            heats=[("wide", Heat(days, hours, week)), ("narrow", Heat(hours, days, turned))],
        )

    def waiting(self, table: Table) -> Section:
        _ = self.words._
        if not table.total["offered"]:
            return self._nothing(Report.WAITING, _("Nobody waited in this time."))
        column, lasts = self.words.column, self.words.lasts
        total, painter = table.total, self.painter
        lasting = painter.over_time(table, lasts, Unit.SECONDS)
        wait = Series("answered", column("average_wait_seconds"), _numbers(table, "average_wait_seconds"))
        longest = Series("other", column("longest_wait_seconds"), _numbers(table, "longest_wait_seconds"))
        gave_up = Series("abandoned", _("Gave up"), _numbers(table, "abandoned_percent"))
        return self._section(
            Report.WAITING,
            table,
            _(
                "Incoming calls. Waiting counts from the queue, without a queue from the first ring. The average is "
                "that of answered calls; who gave up is measured against all who wanted to talk to somebody."
            ),
            figures=[
                (column("average_wait_seconds"), lasts(_maybe(total["average_wait_seconds"])), ""),
                (column("longest_wait_seconds"), lasts(_maybe(total["longest_wait_seconds"])), ""),
                (
                    _("Gave up"),
                    self.words.percent(_maybe(total["abandoned_percent"])),
                    self._of(total["abandoned"], total["offered"]),
                ),
            ],
            pictures=[
                painter.small("waits", lasting, wait),
                painter.small("longest", lasting, longest),
                painter.small("gave-up", painter.over_time(table, self.words.percent), gave_up),
            ],
        )

    def level(self, table: Table) -> Section:
        _ = self.words._
        if not table.total["answered"]:
            return self._nothing(Report.SERVICE_LEVEL, _("No call was answered in this time."))
        table = measured(table)
        target, total = _number(table.total["target_percent"]), table.total
        share = Series("answered", _("Answered in time"), _numbers(table, "percent"))
        line = Series("target", _("Target"), [target] * len(table.rows))
        met, axis = total["target_met"], self.painter.over_time(table, self.words.percent, top=100)
        said = "" if met is None else _("Target {n} % met") if met else _("Below the target of {n} %")
        return self._section(
            Report.SERVICE_LEVEL,
            table,
            _("Of the answered incoming calls, the share answered within the limit: a queue's own, else that of all."),
            figures=[
                (
                    _("Answered in time"),
                    self.words.percent(_maybe(total["percent"])),
                    said.format(n=self.words.number(target)),
                ),
                (
                    _("Of all who called"),
                    self.words.percent(_maybe(total["percent_of_offered"])),
                    self._of(total["answered_within"], total["offered"]),
                ),
            ],
            pictures=[self.painter.wide("level", Shape.LINES, axis, [share, line])],
        )

    def customers(self, table: Table, number: Callable[[str], str], calls_of: Callable[[str], str]) -> Section:
        _ = self.words._
        if not table.total["not_served"] and not table.total["anonymous_calls"]:
            return self._nothing(Report.CUSTOMERS, _("Everybody who called in this time was served."))
        total, formats = table.total, self.words.formats
        rows = table.rows[:MOST_ROWS]
        return self._section(
            Report.CUSTOMERS,
            table,
            _(
                "Customers with a missed incoming call in this time to whom nobody talked in any call that began "
                "later, up to now: neither did an agent call and reach them, nor did they get through."
            ),
            figures=[
                (
                    _("Not served yet"),
                    self.words.cell(total["not_served"], ColumnKind.COUNT),
                    self._of(total["not_served"], total["customers"]),
                ),
                (
                    _("Calls without a number"),
                    self.words.cell(total["anonymous_calls"], ColumnKind.COUNT),
                    _("missed; nobody can be called back"),
                ),
            ],
            cells=[
                [
                    number(str(row["customer_number"])),
                    self.words.cell(row["missed_calls"], ColumnKind.COUNT),
                    formats.moment(unix_ms(str(row["last_missed_at"]))),
                ]
                for row in rows
            ],
            links=[calls_of(str(row["customer_number"])) for row in rows],
            is_open=True,
            note=_("The last {n} of {all}; the file has them all.").format(
                n=len(rows), all=self.words.cell(total["not_served"], ColumnKind.COUNT)
            )
            if len(rows) < _number(total["not_served"])
            else "",
        )

    def call_backs(self, table: Table) -> Section:
        _ = self.words._
        if not table.total["callers"]:
            return self._nothing(Report.CALL_BACKS, _("No missed call of this time has a ticket."))
        total, places = table.total, [_(PLACES[str(row["reached"])]) for row in table.rows]
        callers = Series("answered", self.words.column("callers"), _numbers(table, "callers"))
        return self._section(
            Report.CALL_BACKS,
            table,
            _(
                "Of missed incoming calls with a ticket: how long after the first missed call somebody talked to the "
                "customer, whoever called whom. Who was not talked to yet has no time."
            ),
            figures=[
                (_("Half were reached within"), self.words.lasts(_maybe(total["median_seconds"])), ""),
                (
                    _("Nine of ten were reached within"),
                    self.words.lasts(_maybe(total["ninety_percent_seconds"])),
                    "",
                ),
                (
                    _("Reached"),
                    self.words.percent(_maybe(total["reached_percent"])),
                    _("{called} called back, {through} got through").format(
                        called=self.words.cell(total["called_back"], ColumnKind.COUNT),
                        through=self.words.cell(total["got_through"], ColumnKind.COUNT),
                    ),
                ),
            ],
            pictures=[self.painter.places("call-backs", places, callers)],
            cells=[
                [place, self.words.cell(row["callers"], ColumnKind.COUNT), self.words.percent(_maybe(row["percent"]))]
                for place, row in zip(places, table.rows, strict=True)
            ],
        )

    def agents(self, table: Table, calls_of: Callable[[str], str]) -> Section:
        _ = self.words._
        if not table.rows:
            return self._nothing(Report.AGENTS, _("No agent was rung or talked in this time."))
        shown = [name for name in table.columns if name != "user_id"]
        rows = self._with_names(table)
        top = rows[:_MOST_LYING]
        return self._section(
            Report.AGENTS,
            table,
            _(
                "Each ringing of each phone by an incoming call counts, and each time somebody was put through. A call "
                "and its talk belong to the agent who was the last to answer it. Who is given a customer after he was "
                "asked about him rang in that call between colleagues, which is not counted."
            ),
            shown=shown,
            cells=[[self.words.cell(row[name], table.columns[name]) for name in shown] for row in rows],
            links=[calls_of(str(row["user_id"])) for row in rows],
            pictures=[
                self.painter.lying("rings", top, _RINGS, self.words.number, Unit.WHOLE),
                self.painter.lying("talk", top, {"talk_seconds": "answered"}, self.words.lasts, Unit.SECONDS),
            ],
            is_open=True,
        )

    def agent_times(self, table: Table) -> Section:
        """Reasons stand beside what they add up to."""
        _ = self.words._
        if not table.rows:
            said = _("Nothing is known of this time. What agents are is kept while they are members of a queue.")
            return self._nothing(Report.AGENT_TIMES, said)
        lasts, rows, total = self.words.lasts, self._with_names(table), table.total
        known = sum(_number(total[name]) for name in _STATES)
        reasons = [name for name in table.columns if name.startswith("paused_seconds") and name != "paused_seconds"]
        shown = ["name", *_STATES, *reasons, "not_known_seconds"]
        told = [{**{name: row[name] or None for name in shown}, "paused_seconds": self._paused(row)} for row in rows]
        return self._section(
            Report.AGENT_TIMES,
            replace(table, rows=told),
            _(
                "As the PBX's queues had it, all queues together. Not known is when an agent was in no queue, or the "
                "PBX or Callwarden was away."
            ),
            shown=shown,
            figures=[
                (self.words.column(name), lasts(_maybe(total[name])), self._share(total[name], known))
                for name in _STATES
            ],
            pictures=[
                self.painter.shares("times", rows[:_MOST_LYING], _STATES, lasts, Unit.SECONDS),
            ],
            is_open=True,
            note=_("≥ is at least: somebody was paused when the PBX or Callwarden went away.")
            if total["estimated"]
            else "",
        )

    def _paused(self, row: Row) -> str:
        """How long and how often."""
        if not row["pauses"]:
            return NONE
        least, often = "≥ " if row["estimated"] else "", self.words.cell(row["pauses"], ColumnKind.COUNT)
        return f"{least}{self.words.lasts(_maybe(row['paused_seconds']))} · {often}\N{MULTIPLICATION SIGN}"

    def _with_names(self, table: Table) -> list[Row]:
        return [{**row, "name": self.names.get(str(row["user_id"])) or row["user_id"]} for row in table.rows]

    def _nothing(self, report: Report, said: str) -> Section:
        return Section(report=report, title=self.words._(TITLES[report]), about="", empty=said)

    def _section(
        self,
        report: Report,
        table: Table,
        about: str,
        *,
        shown: Sequence[str] = (),
        cells: Sequence[Sequence[str]] | None = None,
        **more: object,
    ) -> Section:
        _ = self.words._
        names = list(shown or table.columns)
        plain = [[self.words.cell(row[name], table.columns[name]) for name in names] for row in self._named(table)]
        has_total = cells is None and all(name in table.total for name in names[1:])
        total = [self.words.cell(table.total[name], table.columns[name]) for name in names[1:]] if has_total else []
        return Section(
            report=report,
            title=_(TITLES[report]),
            about=about,
            columns=[(self._column(name), table.columns[name] is not ColumnKind.TEXT) for name in names],
            rows=plain if cells is None else cells,
            total=[_("In all"), *total] if total else [],
            **more,  # type: ignore[arg-type]
        )

    def _column(self, name: str) -> str:
        _ = self.words._
        return {"weekday": _("Weekday"), "hour": _("Hour")}.get(name) or self.words.column(name)

    def _named(self, table: Table) -> list[Row]:
        """Periods in words."""
        if "period" in table.columns:
            names = self.words.names([str(row["period"]) for row in table.rows], self.grain)
            return [{**row, "period": name} for row, name in zip(table.rows, names, strict=True)]
        if "weekday" in table.columns:
            days = self.words.weekdays()
            return [
                {**row, "weekday": days[int(_number(row["weekday"])) - 1], "hour": f"{row['hour']:02}:00"}
                for row in table.rows
                if row["calls"]
            ]
        return list(table.rows)

    def _of(self, part: Cell, whole: Cell) -> str:
        _ = self.words._
        return _("{n} of {all}").format(
            n=self.words.cell(part, ColumnKind.COUNT), all=self.words.cell(whole, ColumnKind.COUNT)
        )

    def _share(self, part: Cell, whole: Cell) -> str:
        return self.words.percent(100 * _number(part) / _number(whole)) if whole else ""


def _numbers(table: Table, name: str) -> list[float | None]:
    return [_maybe(row[name]) for row in table.rows]


def _number(value: Cell) -> float:
    return 0 if value is None or isinstance(value, str) else value


def _maybe(value: Cell) -> float | None:
    return None if value is None or isinstance(value, str) else value


def _level(count: float, most: float) -> int:
    return 0 if not count else max(1, -(-int(count * _LEVELS) // int(most)))
