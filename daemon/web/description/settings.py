"""The call settings, and the description of this description."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from daemon.policy.call_settings import CallSettings
from daemon.store.retention import Keeping
from daemon.web.call_settings import LookUpTrial, PopupTrial
from daemon.web.description import answers
from daemon.web.description.model import Answer, Body, Description, Descriptions, Parameter, Schema
from daemon.web.retention import NAMES
from daemon.web.settings_rules import RINGTONE, TIME_OF_DAY, URL_FIELDS, URL_LIMIT

_TAG: Final = "Call settings"
_URL: Final[Schema] = {"format": "uri", "maxLength": URL_LIMIT, "examples": ["https://crm.example.com/pop"]}
_REFINED: Final[dict[str, Schema]] = {
    **dict.fromkeys(URL_FIELDS, _URL),
    "disconnect_timeout_seconds": {
        "description": "0 is off.",
        "anyOf": [{"const": 0}, {"minimum": 5, "maximum": 3600}],
    },
    "ringtone": {"pattern": RINGTONE},
    "summary_time": {"description": "When the summary of the day before is sent.", "pattern": TIME_OF_DAY},
    "summary_days": {"description": "On which days of the week it is sent."},
    "time_zone": {"description": "An IANA time zone.", "examples": ["Asia/Ho_Chi_Minh"]},
    "country": {"description": "ISO 3166.", "pattern": "^[A-Z]{2}$", "examples": ["VN"]},
}
_DAYS: Final[Schema] = {"type": "integer", "minimum": 1, "maximum": 36_500}
_ETAG: Final = {"ETag": "The version of the settings, for `If-Match`."}
_IF_MATCH: Final = Parameter(
    "If-Match",
    "The `ETag` of your GET: 412 when somebody else was faster. Left out: the last one wins.",
    {"type": "string"},
    "header",
)


def _change(summary: str, more: str = "") -> Description:
    return Description(
        tag=_TAG,
        summary=summary,
        more=more,
        parameters=(_IF_MATCH,),
        body=Body(CallSettings, partial=True, refined=_REFINED),
        answers={200: Answer("All settings as they are now.", CallSettings, _ETAG)},
        refusals={412: "Somebody changed the settings meanwhile; read them again."},
    )


CALL_SETTINGS: Final[Descriptions] = {
    ("GET", "/call-settings"): Description(
        tag=_TAG,
        summary="All call settings.",
        answers={200: Answer("The settings.", CallSettings, _ETAG)},
    ),
    ("PUT", "/call-settings"): _change(
        "Changes the settings that are given and no others, all or none of them.",
        "They count from the next event of every call, running ones too.",
    ),
    ("PATCH", "/call-settings"): _change("The same as PUT."),
    ("POST", "/call-settings/try-popup"): Description(
        tag=_TAG,
        summary="Sends one signed popup with sample values now; nothing is kept or tried again.",
        body=Body(PopupTrial, refined={"popup_answer_url": _URL}),
        answers={200: Answer("What came of it.", answers.PopupTryAnswer)},
    ),
    ("POST", "/call-settings/try-lookup"): Description(
        tag=_TAG,
        summary="Asks now who a sample customer is; nothing is kept.",
        body=Body(LookUpTrial, refined={"customer_lookup_url": _URL}),
        answers={200: Answer("What was understood of the answer.", answers.LookUpTryAnswer)},
    ),
    ("POST", "/call-settings/rotate-popup-secret"): Description(
        tag=_TAG,
        summary="Makes a new secret for the signature of popups and look-ups; the old one signs nothing more.",
        answers={200: Answer("The secret.", answers.PopupSecret)},
    ),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class DoomedKind:
    """What would be deleted now of one kind. A kind without a period is not here."""

    kind: Keeping
    days: int
    before: answers.Time
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Retention:
    items: tuple[DoomedKind, ...]


RETENTION: Final[Descriptions] = {
    ("GET", "/retention"): Description(
        tag=_TAG,
        summary="What the periods of the settings would delete now; it deletes nothing.",
        more="What is too old goes each night at three. The periods are call settings; null keeps for ever.",
        parameters=tuple(
            Parameter(name, "What this period would delete, instead of the settings'; empty: for ever.", _DAYS)
            for name in NAMES
        ),
        answers={200: Answer("How much of each kind.", Retention)},
    ),
}

ITSELF: Final[Descriptions] = {
    ("GET", "/openapi.json"): Description(
        tag="This description",
        summary="This description, as OpenAPI 3.1.",
        answers={200: Answer("An OpenAPI document.", {"type": "object"})},
    ),
}
