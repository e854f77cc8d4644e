"""Reports: tables of figures, each also as a file."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Final

from pydantic import Field

from daemon.policy.report_span import HOURLY_DAYS, LONGEST_DAYS, Grain, Span
from daemon.web.description.answers import Time
from daemon.web.description.model import Answer, Description, Descriptions, Parameter, choice, path, text, time
from daemon.web.report_agent_times import MOST_REASONS
from daemon.web.report_query import USUAL, Report, Way
from daemon.web.report_tables import MOST_CUSTOMERS
from daemon.web.reports import LONGEST_NAME, ReportColumn
from daemon.web.table_file import XLSX

Cell = str | float | bool | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportTable:
    """One table about a stretch of time."""

    report: Report
    from_: Annotated[Time, Field(alias="from")]
    to: Time
    time_zone: Annotated[str, Field(description="In which hours, days, weeks and months are counted.")]
    by: Grain
    direction: Way
    columns: tuple[ReportColumn, ...]
    rows: Annotated[
        tuple[dict[str, Cell], ...],
        Field(description="Of reports over time every period, also those without calls; null: nothing to divide by."),
    ]
    total: Annotated[dict[str, Cell], Field(description="Of all rows, and what stands beside the table.")]


_TABLES: Final = (
    "`calls`: by outcome and reason, over time. `hours`: by weekday (1 is Monday) and hour. `waiting`: average wait of "
    "the answered (ASA), longest waits, and who gave up ÷ offered. `service-level`: as `/sla`, over time. `customers`: "
    f"who called in vain and was talked to in no call since, the last {MOST_CUSTOMERS:,}; `total` has how many. "
    "`agents`: rings and answers of incoming calls, calls they were the last to answer, and their talk. `call-backs`: "
    "missed callers by how soon somebody talked to them: within 15 minutes, an hour, the same day, later, never yet. "
    "`agent-times`: how long each agent was available, paused and in wrap-up by the PBX's queues, of all queues; two "
    f"columns (`paused_seconds: lunch`, `pauses: lunch`) for each of the {MOST_REASONS} longest reasons of a pause, "
    "`…_no_reason` and `…_others`. `not_known_seconds`: in no queue, or the PBX or Callwarden was away; of `estimated` "
    "periods the end was not seen: they count until they were last seen."
)
_NAME: Final = path("report", f"One of: {', '.join(Report)}.", LONGEST_NAME)
_ASKED: Final = (
    choice("span", f"Days in full, today as far as it has come. Without it and `from`: {USUAL.value}.", Span),
    time("from", f"Calls that began then or later: at most {LONGEST_DAYS} days. Instead of `span`."),
    time("to", "Calls that began before. Without it: now; without `from`: the seven days before."),
    choice("by", f"How long a period is, else what suits the span; hours of at most {HOURLY_DAYS} days.", Grain),
    choice("direction", "For `calls` and `hours`; incoming without it. The others know what they are about.", Way),
    text("queue", "Of this queue."),
    text("hotline", "Of this number of yours."),
    text(
        "user_id",
        "That this agent was the last to answer; of `agents` and `agent-times` only this one. Not for missed calls.",
    ),
)
_EXPORT: Final = Parameter(
    "export",
    "A name of yours for this file, to ask `/exports/{name}` how far it is.",
    {"type": "string", "maxLength": 40, "pattern": "^[0-9A-Za-z-]+$"},
)

REPORTS: Final[Descriptions] = {
    ("GET", "/reports/{report}"): Description(
        tag="Reports",
        summary="What happened in a stretch of time.",
        more=_TABLES,
        parameters=(_NAME, *_ASKED),
        answers={200: Answer("The table.", ReportTable)},
    ),
    ("GET", "/reports/{report}.csv"): Description(
        tag="Reports",
        summary="The rows of a report as CSV.",
        more="All of them, in the call centre's time. Those about customers and agents are noted in the audit log.",
        parameters=(_NAME, *_ASKED, _EXPORT),
        answers={200: Answer("The file.", media="text/csv")},
    ),
    ("GET", "/reports/{report}.xlsx"): Description(
        tag="Reports",
        summary="The same for Excel.",
        parameters=(_NAME, *_ASKED, _EXPORT),
        answers={200: Answer("The file.", media=XLSX)},
    ),
}
