"""What people change, in words: one table of the audit log's kinds, fields and values, for every page that tells of it.

A kind or field that is not in the table is shown as the log spells it, so nothing is ever left out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import quote

from daemon.call.number import NumberFormat
from daemon.message import Message
from daemon.policy.call_settings import MissedCallMerge, PopupDelivery, Weekday
from daemon.web.vocabulary import EVENTS, LANGUAGES_CALLED, REASONS, ROLES
from daemon.web.words import Translate

Values = Mapping[object, Message]


@dataclass(frozen=True, slots=True)
class Kind:
    """`page` shows one of them, `{key}` is its key; `fields` are what of it can change."""

    word: Message
    page: str
    fields: Mapping[str, Message] = field(default_factory=dict)


_ON: Final[Values] = {True: Message("on"), False: Message("off")}
_YES: Final[Values] = {True: Message("yes"), False: Message("no")}
_RINGTONE: Final = Message("Ringtone")
_LANGUAGE: Final = Message("Language")
_ROLE: Final = Message("Role")

KINDS: Final[Mapping[str, Kind]] = {
    "call_settings": Kind(
        Message("Call settings"),
        "/settings/calls",
        {
            "auto_create_tickets": Message("Create tickets automatically"),
            "notify_incoming_calls": Message("Tell agents of incoming calls"),
            "notify_phone_message": Message("Message on the phone's display"),
            "missed_call_merge": Message("Missed calls of one customer, same day"),
            "popup_answer_url": Message("Page opened at the answer"),
            "popup_answer_delivery": Message("How that page is opened"),
            "incoming_iframe_url": Message("Page in the desk, incoming calls"),
            "outgoing_iframe_url": Message("Page in the desk, outgoing calls"),
            "webphone_embed_url": Message("Web phone"),
            "customer_lookup_url": Message("Who the customer is"),
            "recording_url": Message("Link to the recording"),
            "sla_target_percent": Message("SLA target"),
            "sla_answer_within_seconds": Message("SLA: answered within"),
            "sla_short_abandon_seconds": Message("SLA: gave up at once within"),
            "disconnect_timeout_seconds": Message("Hang up calls whose connection is lost"),
            "ringtone": _RINGTONE,
            "wallboard_waiting_alarm": Message("Wallboard: alarm at so many waiting calls"),
            "wallboard_wait_alarm_seconds": Message("Wallboard: alarm at a wait of"),
            "time_zone": Message("Time zone"),
            "country": Message("Country"),
            "language": _LANGUAGE,
            "number_format": Message("Numbers in popups"),
            "summary_time": Message("Daily summary: time"),
            "summary_days": Message("Daily summary: days"),
            "retention_days_calls": Message("Keep calls"),
            "retention_days_tickets": Message("Keep closed tickets"),
            "retention_days_notes": Message("Keep notes of closed tickets"),
            "retention_days_deliveries": Message("Keep deliveries"),
        },
    ),
    "agent": Kind(
        Message("Agent"),
        "/settings/agents/{key}",
        {
            "name": Message("Name"),
            "endpoints": Message("Phones"),
            "ringtone": _RINGTONE,
            "phone_brand": Message("Make of the phone"),
            "personal_number": Message("Own number"),
        },
    ),
    "queue": Kind(
        Message("Queue"),
        "/settings/queues",
        {
            "create_tickets": Message("Create tickets"),
            "ringtone": _RINGTONE,
            "sla_target_percent": Message("SLA target"),
            "sla_answer_within_seconds": Message("SLA: answered within"),
        },
    ),
    "hotline": Kind(Message("Hotline"), "/settings/hotlines", {"label": Message("Label"), "ringtone": _RINGTONE}),
    "ringtone": Kind(
        _RINGTONE,
        "/settings/ringtones",
        {"label": Message("Name"), "duration_ms": Message("Length"), "digest": Message("Checksum of the sound")},
    ),
    "webhook": Kind(
        Message("Webhook"),
        "/settings/webhooks/{key}",
        {
            "url": Message("URL"),
            "events": Message("Events"),
            "description": Message("Description"),
            "enabled": Message("Switched on"),
            "disabled_reason": Message("Why it is off"),
        },
    ),
    "delivery": Kind(Message("Delivery"), "/settings/deliveries/{key}"),
    "account": Kind(
        Message("Account"),
        "/settings/accounts/{key}",
        {
            "role": _ROLE,
            "user_id": Message("Agent"),
            "language": _LANGUAGE,
            "disabled": Message("Disabled"),
        },
    ),
    "summary_target": Kind(
        Message("Target of the daily summary"),
        "/settings/summary",
        {"label": Message("Name"), "kind": Message("Service"), "language": _LANGUAGE},
    ),
    "wall_link": Kind(Message("Link to the wallboard"), "/wallboard", {"label": Message("Label")}),
    "token": Kind(Message("API token"), "/settings/tokens", {"role": _ROLE, "label": Message("Label")}),
}

ACTIONS: Final[Mapping[str, Message]] = {
    "session.open": Message("Signed in"),
    "session.end": Message("Signed out in another browser"),
    "session.end_all": Message("Signed out everywhere"),
    "account.password": Message("New password"),
    "webhook.rotate_secret": Message("New secret"),
    "webhook.replay_failed": Message("What failed was sent again"),
    "delivery.replay": Message("Sent again"),
    "call_settings.rotate_popup_secret": Message("New popup secret"),
    "retention.run": Message("Deleted what was old"),
    "store.restore": Message("A backup was restored"),
    "customer.erase": Message("A customer's data was erased"),
    "token.create": Message("Made"),
    "token.delete": Message("Revoked"),
    "wall_link.create": Message("Made"),
    "wall_link.delete": Message("Revoked"),
}
VERBS: Final[Mapping[str, Message]] = {
    "create": Message("Added"),
    "change": Message("Changed"),
    "delete": Message("Deleted"),
}

_VALUES: Final[Mapping[str, Values]] = {
    "auto_create_tickets": _ON,
    "notify_incoming_calls": _ON,
    "notify_phone_message": _ON,
    "create_tickets": _ON,
    "enabled": _YES,
    "disabled": _YES,
    "role": {str(role): word for role, word in ROLES.items()},
    "language": {code: Message(word) for code, word in LANGUAGES_CALLED.items()},
    "disabled_reason": {str(reason): word for reason, word in REASONS.items()},
    "missed_call_merge": {
        MissedCallMerge.INCOMING.value: Message("All incoming calls in one ticket"),
        MissedCallMerge.NONE.value: Message("One ticket per call"),
        MissedCallMerge.INCOMING_AND_OUTGOING.value: Message("Incoming in one ticket, outgoing in another"),
        MissedCallMerge.INCOMING_PER_QUEUE_AND_OUTGOING.value: Message(
            "Incoming in one ticket per queue, outgoing in another"
        ),
    },
    "summary_days": {
        Weekday.MON.value: Message("Monday"),
        Weekday.TUE.value: Message("Tuesday"),
        Weekday.WED.value: Message("Wednesday"),
        Weekday.THU.value: Message("Thursday"),
        Weekday.FRI.value: Message("Friday"),
        Weekday.SAT.value: Message("Saturday"),
        Weekday.SUN.value: Message("Sunday"),
    },
    "popup_answer_delivery": {
        PopupDelivery.DESK_AND_WEBHOOK.value: Message("In the agent's browser and as a webhook"),
        PopupDelivery.DESK.value: Message("In the agent's browser only"),
        PopupDelivery.WEBHOOK.value: Message("As a webhook only"),
    },
    "number_format": {
        NumberFormat.E164_DIGITS.value: Message("International, digits only"),
        NumberFormat.E164.value: Message("International, with +"),
        NumberFormat.NATIONAL.value: Message("National"),
        NumberFormat.RAW.value: Message("As the trunk sends it"),
    },
}
_DAYS: Final = Message("{n} days")
_UNITS: Final[Mapping[str, Message]] = {
    "duration_ms": Message("{n} ms"),
    "sla_target_percent": Message("{n} %"),
    "sla_answer_within_seconds": Message("{n} seconds"),
    "sla_short_abandon_seconds": Message("{n} seconds"),
    "disconnect_timeout_seconds": Message("after {n} seconds"),
    "retention_days_calls": _DAYS,
    "retention_days_tickets": _DAYS,
    "retention_days_notes": _DAYS,
    "retention_days_deliveries": _DAYS,
    "wallboard_wait_alarm_seconds": Message("{n} seconds"),
}


def kind_word(kind: str, _: Translate) -> str:
    known = KINDS.get(kind)
    return _(known.word) if known else kind


def field_word(kind: str, name: str, _: Translate) -> str:
    """The label of a field; what the table does not know is spelled as in the API."""
    known = KINDS.get(kind)
    word = known.fields.get(name) if known else None
    return _(word) if word is not None else name


def action_word(action: str, _: Translate) -> str:
    """As `Changed` for `agent.change`."""
    word = ACTIONS.get(action) or VERBS.get(action.partition(".")[2])
    return _(word) if word is not None else action


def value_word(name: str, value: object, _: Translate) -> str:
    """A field's value for people; of a list each element."""
    if isinstance(value, list):
        return _several(name, value, _)
    if value is None or value == "":
        return _("nothing")
    if name == "disconnect_timeout_seconds" and value == 0:
        return _("off")
    if name in _UNITS:
        return _(_UNITS[name]).format(n=value)
    word = _VALUES.get(name, {}).get(value) if isinstance(value, str | bool) else None
    return _(word) if word is not None else str(value)


def value_words(name: str, _: Translate) -> list[tuple[str, str]]:
    """All values of a field that has a closed set of them, each with its word, as a page lets people choose."""
    return [(str(value), _(word)) for value, word in _VALUES[name].items()]


def object_page(kind: str, key: str) -> str | None:
    """The path of the page where this thing is changed."""
    known = KINDS.get(kind)
    return known.page.replace("{key}", quote(key, safe="")) if known else None


def _several(name: str, values: Sequence[object], _: Translate) -> str:
    texts = [str(value) for value in values]
    if name == "events" and set(EVENTS) <= set(texts):
        return _("All events")
    known: Mapping[Any, Message] = EVENTS if name == "events" else _VALUES.get(name, {})
    named = [_(known[text]) if text in known else text for text in texts]
    return ", ".join(named) or _("nothing")
