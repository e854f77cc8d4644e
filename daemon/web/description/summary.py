"""The daily summary and whom it is sent to."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Annotated, Final, Literal

from pydantic import Field

from daemon.policy.summary import SummaryReason
from daemon.store.summaries import SummaryStatus
from daemon.store.summary_targets import MOST_TARGETS
from daemon.web.description.answers import Time
from daemon.web.description.model import Answer, Body, Description, Descriptions, ListOf, Parameter, path
from daemon.web.summary import ID_LIMIT, URL_SCHEMA, TargetForm

_TAG: Final = "Summary"
_WHICH: Final = path("target_id", "The target's id.", ID_LIMIT)
_LANGUAGE: Final = {"type": "string", "enum": ["vi", "en"]}


@dataclass(frozen=True, slots=True, kw_only=True)
class SummaryInWords:
    """The same lines as plain text and as HTML."""

    day: date
    language: Literal["vi", "en"]
    subject: str
    text: str
    html: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SummarySending:
    """What came of one day's summary. `pending` is tried again; `skipped`: it was too late for it."""

    day: date
    status: SummaryStatus
    attempts: int
    attempted_at: Time | None
    next_attempt_at: Time | None
    reason: SummaryReason | None
    said: Annotated[str | None, Field(description="What the service said, without secrets.")]


@dataclass(frozen=True, slots=True, kw_only=True)
class SummaryTargetAnswer:
    """Never its address. `host` is the mail or chat server, where it is no secret."""

    target_id: str
    label: str
    kind: str
    host: str | None
    language: Literal["vi", "en"]
    created_at: Time
    last: SummarySending | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SummaryTrial:
    """`words` say what came of it."""

    sent: bool
    reason: SummaryReason | None
    words: str
    said: str | None
    latency_ms: int


SUMMARY: Final[Descriptions] = {
    ("GET", "/summary"): Description(
        tag=_TAG,
        summary="A day in words, as it is sent each day.",
        more="Who is not called back and the open tickets are those of now, all else is of the day.",
        parameters=(
            Parameter("day", "Without it: yesterday.", {"type": "string", "format": "date"}),
            Parameter("language", "Without it: that of the call settings.", _LANGUAGE),
        ),
        answers={200: Answer("The summary.", SummaryInWords)},
    ),
    ("GET", "/summary/targets"): Description(
        tag=_TAG,
        summary="Whom the summary is sent to, and what came of the newest.",
        more="When it is sent stands in the call settings (`summary_time`, `summary_days`, `time_zone`).",
        answers={200: Answer("The targets, the oldest first.", ListOf(SummaryTargetAnswer))},
    ),
    ("POST", "/summary/targets"): Description(
        tag=_TAG,
        summary="Adds a mailbox or a messenger, by its apprise address.",
        more=(
            "Mail and messengers only, by list. The address is kept and never shown again: to change it, delete the "
            "target and add it anew."
        ),
        body=Body(TargetForm, refined={"url": URL_SCHEMA}),
        answers={201: Answer("The target.", SummaryTargetAnswer)},
        refusals={409: f"apprise is not installed, or there are {MOST_TARGETS} targets already."},
    ),
    ("DELETE", "/summary/targets/{target_id}"): Description(
        tag=_TAG,
        summary="Nothing is sent there any more.",
        parameters=(_WHICH,),
        answers={204: Answer("It is gone.")},
    ),
    ("POST", "/summary/targets/{target_id}/test"): Description(
        tag=_TAG,
        summary="Sends yesterday's summary there now.",
        more="It is noted nowhere, so that the day's own summary still comes.",
        parameters=(_WHICH,),
        answers={200: Answer("What came of it.", SummaryTrial)},
    ),
}
