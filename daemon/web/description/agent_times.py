"""What agents did for how long."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Final

from pydantic import Field

from daemon.web.agent_times import AgentTimes
from daemon.web.description.answers import Time
from daemon.web.description.model import Answer, Description, Descriptions, time
from daemon.web.sla import LONGEST_DAYS

_TAG: Final = "Reports"
_XLSX: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_SPAN: Final = (
    time("from", f"At most {LONGEST_DAYS} days before `to`. Without it: today."),
    time("to", "Without it: now."),
)
_MORE: Final = (
    "Pauses, wrap-up and availability are as the PBX's queues had them, clipped to the span. "
    "`not_known_seconds` is the rest of it: the agent was in no queue, or the PBX was not connected, or Callwarden was "
    "not running. A pause whose end nobody saw counts until it was last seen (`estimated`). `ring_attempts`, `answers` "
    "and `talk_seconds` are of calls that began in the span; the last two of those he was the last to answer."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentTimesReport:
    """Only agents of whom there is something to tell, by name."""

    from_: Annotated[Time, Field(alias="from")]
    to: Time
    time_zone: str
    items: tuple[AgentTimes, ...]


AGENT_TIMES: Final[Descriptions] = {
    ("GET", "/reports/agent-times"): Description(
        tag=_TAG,
        summary="How long each agent was available, paused and in wrap-up, and his calls.",
        more=_MORE,
        parameters=_SPAN,
        answers={200: Answer("By agent.", AgentTimesReport)},
    ),
    ("GET", "/reports/agent-times.csv"): Description(
        tag=_TAG,
        summary="The same as CSV (UTF-8), a column for each reason of a pause.",
        more="Texts that a spreadsheet would take for a formula begin with an apostrophe.",
        parameters=_SPAN,
        answers={200: Answer("A header line, then a line for each agent.", media="text/csv")},
    ),
    ("GET", "/reports/agent-times.xlsx"): Description(
        tag=_TAG,
        summary="The same as a spreadsheet.",
        parameters=_SPAN,
        answers={200: Answer("One sheet, `agents`.", media=_XLSX)},
    ),
}
