"""Agents, queues and hotlines: each is listed, read, replaced and removed in the same way."""

from __future__ import annotations

from typing import Final

from daemon.web.agents import USER_ID_LIMIT, AgentForm
from daemon.web.description import answers
from daemon.web.description.model import (
    PAGING,
    Answer,
    Body,
    Description,
    Descriptions,
    ListOf,
    Parameter,
    path,
)
from daemon.web.queues import HOTLINE_LIMIT, QUEUE_LIMIT, HotlineForm, QueueForm

_TAKEN: Final = {409: "An endpoint or the number belongs to another agent, whom `agent` names. Nothing was changed."}


def _things(
    tag: str,
    thing: str,
    address: str,
    key: Parameter,
    shown: type,
    form: type,
    *,
    more: str = "",
    refusals: dict[int, str] | None = None,
) -> Descriptions:
    """`thing` with its article."""
    one = f"{address}/{{{key.name}}}"
    saved = {
        200: Answer("As it is now; it replaced what was there.", shown),
        201: Answer("As it is now; it is new.", shown),
    }
    return {
        ("GET", address): Description(
            tag=tag,
            summary=f"{tag}, by {key.name}.",
            parameters=PAGING,
            answers={200: Answer(f"A page of {tag.lower()}.", ListOf(shown))},
        ),
        ("GET", one): Description(
            tag=tag, summary=f"What is set for {thing}.", parameters=(key,), answers={200: Answer("As it is.", shown)}
        ),
        ("PUT", one): Description(
            tag=tag,
            summary=f"Makes or replaces {thing}; what is left out is back to its default.",
            more=more,
            parameters=(key,),
            body=Body(form),
            answers=saved,
            refusals=refusals or {},
        ),
        ("DELETE", one): Description(
            tag=tag, summary=f"Removes {thing} from the settings.", parameters=(key,), answers={204: Answer("Removed.")}
        ),
    }


TEAM: Final[Descriptions] = {
    **_things(
        "Agents",
        "an agent",
        "/agents",
        path("user_id", "The agent.", USER_ID_LIMIT),
        answers.Agent,
        AgentForm,
        more="An endpoint belongs to one agent.",
        refusals=_TAKEN,
    ),
    **_things(
        "Queues",
        "a queue",
        "/queues",
        path("name", "The queue as the PBX names it.", QUEUE_LIMIT),
        answers.Queue,
        QueueForm,
        more="A queue without an entry makes tickets.",
    ),
    **_things(
        "Hotlines",
        "a hotline",
        "/hotlines",
        path("number", "The number as the PBX reports it.", HOTLINE_LIMIT),
        answers.Hotline,
        HotlineForm,
    ),
}
