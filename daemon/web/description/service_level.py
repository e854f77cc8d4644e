"""Service levels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Final

from pydantic import Field

from daemon.policy.report_span import LONGEST_DAYS
from daemon.store.service_level import GroupBy
from daemon.web.description.answers import Time
from daemon.web.description.model import Answer, Description, Descriptions, Parameter, choice, text, time
from daemon.web.sla import FINE_DAYS, LONGEST_SECONDS, Figures, Group, QueueGoal


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceLevel:
    """Incoming calls of a span of time. Who hung up in the IVR waited for nobody and counts nowhere."""

    from_: Annotated[Time, Field(alias="from")]
    to: Time
    time_zone: Annotated[str, Field(description="In which days and hours are counted.")]
    by: GroupBy | None
    target_percent: Annotated[int, Field(description="Of the call settings; of the queue where `queue` is asked for.")]
    answer_within_seconds: Annotated[
        int, Field(description="A wait of exactly this long was in time. Also that of calls whose queue has no own.")
    ]
    short_abandon_seconds: Annotated[int, Field(description="Who gave up sooner is a short abandon.")]
    queues: Annotated[
        tuple[QueueGoal, ...],
        Field(description="Queues with a target or limit of their own: their calls were judged by it, also in sums."),
    ]
    total: Figures
    groups: Annotated[tuple[Group, ...], Field(description="Only those in which there was a call.")]


def _seconds(name: str, about: str, least: int) -> Parameter:
    return Parameter(name, about, {"type": "integer", "minimum": least, "maximum": LONGEST_SECONDS})


SERVICE_LEVEL: Final[Descriptions] = {
    ("GET", "/sla"): Description(
        tag="Reports",
        summary="How many calls were answered in time.",
        more=(
            "`percent` is answered in time ÷ answered, the figure that the target is about; beside it the share of all "
            "who were `offered` (answered and missed), and that without short abandons. Waiting begins in the queue, "
            "without one when the first agent's phone rings. A call is judged by the limit of its queue where that has "
            "one of its own. All is computed by the settings of now, also for the past."
        ),
        parameters=(
            time("from", f"Calls that began then or later: at most {LONGEST_DAYS} days. Without it: today."),
            time("to", "Calls that began before. Without it: now."),
            choice("by", f"One figure for each besides the total; hours of at most {FINE_DAYS} days.", GroupBy),
            text("queue", "Of this queue."),
            text("hotline", "Of this number of yours."),
            text("user_id", "That this agent was the last to answer."),
            _seconds("answer_within_seconds", "What one limit for all calls would give, instead of those set.", 1),
            _seconds("short_abandon_seconds", "Which abandons are short, instead of the setting's.", 0),
        ),
        answers={200: Answer("The figures.", ServiceLevel)},
    ),
}
