"""Agents, queues and hotlines: each is listed, read, replaced and removed in the same way."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from daemon.store.name import KEY
from daemon.web.agents import USER_ID_LIMIT, AgentForm
from daemon.web.csv_file import DELIMITERS, ROW_LIMIT
from daemon.web.csv_kinds import AGENTS, HOTLINES, QUEUES, Kind
from daemon.web.description import answers
from daemon.web.description.model import (
    PAGING,
    Answer,
    Body,
    Description,
    Descriptions,
    ListOf,
    Parameter,
    Schema,
    path,
)
from daemon.web.description.seen import ETAG, IF_MATCH, OVERTAKEN
from daemon.web.queues import HOTLINE_LIMIT, QUEUE_LIMIT, HotlineForm, QueueForm

_TAKEN: Final = {409: "An endpoint or the number belongs to another agent, whom `agent` names. Nothing was changed."}

_AGENT: Final[dict[str, Schema]] = {
    "name": {"description": "Left out: the user id.", "examples": ["An"]},
    "endpoints": {"description": "The phones, as the PBX names them: `PJSIP/1001`."},
    "ringtone": {"description": "Instead of that of the queue, hotline or call settings."},
    "phone_brand": {
        "description": "How the phone is told of a ringtone; null: as the phone's User-Agent says.",
        "examples": ["yealink"],
    },
    "personal_number": {"description": "A mobile that counts as a phone of the agent; E.164."},
}
_IF_NONE_MATCH: Final = Parameter(
    "If-None-Match", "`*` only makes: 412 when there is one already.", {"type": "string"}, "header"
)


def _new(key: Parameter) -> Parameter:
    """What nothing can be called yet; what is called so already may still be replaced."""
    about = f"{key.about} A new one begins and ends with a visible character, holds no invisible one, is not . or .."
    return replace(key, about=about, schema={**key.schema, "pattern": KEY})


def _things(
    tag: str,
    thing: str,
    address: str,
    key: Parameter,
    shown: type,
    form: type,
    *,
    more: str = "",
    refined: dict[str, Schema] | None = None,
    refusals: dict[int, str] | None = None,
) -> Descriptions:
    """`thing` with its article."""
    one = f"{address}/{{{key.name}}}"
    saved = {
        200: Answer("As it is now; it replaced what was there.", shown, ETAG),
        201: Answer("As it is now; it is new.", shown, ETAG),
    }
    return {
        ("GET", address): Description(
            tag=tag,
            summary=f"{tag}, by {key.name}.",
            parameters=PAGING,
            answers={200: Answer(f"A page of {tag.lower()}.", ListOf(shown))},
        ),
        ("GET", one): Description(
            tag=tag,
            summary=f"What is set for {thing}.",
            parameters=(key,),
            answers={200: Answer("As it is.", shown, ETAG)},
        ),
        ("PUT", one): Description(
            tag=tag,
            summary=f"Makes or replaces {thing}; what is left out is back to its default.",
            more=more,
            parameters=(_new(key), IF_MATCH, _IF_NONE_MATCH),
            body=Body(form, refined=refined or {}),
            answers=saved,
            refusals={
                412: f"`If-None-Match: *` was sent, and there is one already; or `If-Match` was. {OVERTAKEN}",
                **(refusals or {}),
            },
        ),
        ("DELETE", one): Description(
            tag=tag,
            summary=f"Removes {thing} from the settings.",
            parameters=(key, IF_MATCH),
            answers={204: Answer("Removed.")},
            refusals={412: OVERTAKEN},
        ),
    }


_DELIMITER: Final = Parameter(
    "delimiter", "What parts the cells.", {"type": "string", "enum": list(DELIMITERS), "default": "comma"}
)
_PREVIEW: Final = Parameter(
    "preview",
    "`false` changes what the answer says; else nothing is changed.",
    {"type": "string", "enum": ["true", "false"], "default": "true"},
)
_IF_MATCH: Final = Parameter(
    "If-Match",
    "The `ETag` of the preview: 412 when the same file would no longer come to the same.",
    {"type": "string"},
    "header",
)
_IMPORT_ETAG: Final = {"ETag": "Stands for the file and what it changes, for `If-Match`."}


def _sheet(tag: str, kind: Kind) -> Descriptions:
    """The file of all of them, and back."""
    return {
        ("GET", f"/{kind.name}.csv"): Description(
            tag=tag,
            summary=f"All {kind.name} as a CSV file.",
            more=(
                "UTF-8 with its mark. An apostrophe keeps cells from being computed or shortened; import takes it away."
            ),
            parameters=(_DELIMITER,),
            answers={200: Answer("The file.", media="text/csv")},
        ),
        ("POST", f"/{kind.name}/import"): Description(
            tag=tag,
            summary=f"Makes and changes {kind.name} from a CSV file, or tells what it would do.",
            more=(
                f"All rows or none, at most {ROW_LIMIT}. The first line names the columns: "
                f"`{'`, `'.join(kind.names)}`. "
                "A column that is not there leaves its field as it is; nothing is ever removed."
            ),
            parameters=(_PREVIEW, _IF_MATCH),
            body=Body(media="text/csv", schema={"type": "string"}),
            answers={200: Answer("Each row, and what comes of it.", answers.Import, _IMPORT_ETAG)},
            refusals={
                409: "Somebody else is changing them at the same moment. Nothing was changed; try again.",
                412: "This is no longer what the preview said. Nothing was changed.",
            },
        ),
    }


TEAM: Final[Descriptions] = {
    **_sheet("Agents", AGENTS),
    **_sheet("Queues", QUEUES),
    **_sheet("Hotlines", HOTLINES),
    **_things(
        "Agents",
        "an agent",
        "/agents",
        path("user_id", "The agent.", USER_ID_LIMIT),
        answers.Agent,
        AgentForm,
        more="An endpoint belongs to one agent.",
        refined=_AGENT,
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
