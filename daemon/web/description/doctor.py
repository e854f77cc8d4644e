"""The check-up, and the story of a call."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Final

from pydantic import Field

from daemon.diagnosis import Area, State
from daemon.web.calls import CALL_ID_LIMIT
from daemon.web.description.answers import Time
from daemon.web.description.model import Answer, Description, Descriptions, ListOf, choice, path, text


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckupFinding:
    """One thing that was looked at."""

    check: Annotated[str, Field(description="Its group and name, as `pbx.login`. Stable; the texts are not.")]
    group: Area
    about: Annotated[str | None, Field(description="Which PBX, webhook, setting or agent; null: the whole.")]
    state: Annotated[State, Field(description="`unknown`: it cannot be told now, and `what` says why.")]
    what: str
    why: Annotated[str | None, Field(description="Why it matters.")]
    fix: Annotated[str | None, Field(description="What to do about it.")]


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkup:
    """Everything that was found, by group, the worst first."""

    state: Annotated[State, Field(description="The worst of them.")]
    counts: Annotated[dict[State, int], Field(description="How many are in each state.")]
    items: tuple[CheckupFinding, ...]
    next: Annotated[None, Field(description="Always null: these are all.")]


@dataclass(frozen=True, slots=True, kw_only=True)
class CallStep:
    """One thing that was decided or done about a call."""

    at: Time | None
    decision: Annotated[str, Field(description="As `pop_screen`, `skip_pop`, `popup_opened`, `delivery`.")]
    reason: Annotated[str | None, Field(description="Why it was decided so, in a word.")]
    user_id: str | None
    what: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CallStory:
    """Why a popup opened for this call, or none."""

    pbx: str
    call_id: str
    verdicts: Annotated[tuple[CheckupFinding, ...], Field(description="What became of the popups, agent by agent.")]
    steps: Annotated[tuple[CallStep, ...], Field(description="In order.")]


DOCTOR: Final[Descriptions] = {
    ("GET", "/doctor"): Description(
        tag="Check-up",
        summary="Looks at everything and says what is wrong, why it matters and what to do; takes up to 15 seconds.",
        more="Nothing is changed and no event is sent: targets are asked for `HEAD /`. A look is shared by all who ask "
        "within two seconds.",
        parameters=(choice("group", "Only this part.", Area),),
        answers={200: Answer("All findings.", Checkup)},
    ),
    ("GET", "/calls/{call_id}/decisions"): Description(
        tag="Calls",
        summary="What was decided about a call and why, in order; above all why it had a popup or none.",
        more="Decisions not to act are not kept: they are made again of the call as it is kept, by the "
        "settings of that moment. What was done, and what became of it, is read.",
        parameters=(
            path("call_id", "The id of a call.", CALL_ID_LIMIT),
            text("pbx", "Chooses when several PBXs have a call with this id."),
        ),
        answers={200: Answer("One story for each PBX that had such a call.", ListOf(CallStory))},
    ),
}
