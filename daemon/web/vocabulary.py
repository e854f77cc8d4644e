"""The words of closed sets, as pages say them: roles, events, what became of a delivery and why. It decides nothing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from daemon.message import Message
from daemon.policy.decision import EventType
from daemon.policy.retry import RetryReason
from daemon.policy.summary import SummaryReason
from daemon.store.outbox import POPUP
from daemon.store.role import Role
from daemon.store.summaries import SummaryStatus
from daemon.store.values import DeliveryStatus
from daemon.store.webhooks import PAUSED

ROLES: Final[Mapping[str, Message]] = {
    Role.ADMIN: Message("Admin"),
    Role.SUPERVISOR: Message("Supervisor"),
    Role.AGENT: Message("Agent"),
}
ROLES_MEAN: Final[Mapping[str, Message]] = {
    Role.ADMIN: Message("Sees and changes everything, accounts and settings too."),
    Role.SUPERVISOR: Message("Sees all calls and tickets, follows them live; changes no settings."),
    Role.AGENT: Message("Sees calls and works on tickets; no settings."),
}
EVENTS: Final[Mapping[str, Message]] = {
    EventType.CALL_RINGING: Message("A phone rings"),
    EventType.CALL_ANSWERED: Message("Call answered"),
    EventType.CALL_ENDED: Message("Call ended"),
    EventType.CALL_MISSED: Message("Call missed"),
    EventType.CALL_CONNECTION_LOST: Message("Connection of a call lost or back"),
    EventType.TICKET_CREATED: Message("Ticket made"),
    EventType.TICKET_MERGED: Message("Call merged into a ticket"),
    EventType.TICKET_CLOSED: Message("Ticket closed"),
}
MESSAGES: Final[Mapping[str, Message]] = {**EVENTS, POPUP: Message("Popup")}
"""What a delivery can be about."""

STATUSES: Final[Mapping[str, tuple[Message, str]]] = {
    DeliveryStatus.PENDING: (Message("Waiting"), "warn"),
    DeliveryStatus.DELIVERED: (Message("Delivered"), "good"),
    DeliveryStatus.FAILED: (Message("Given up"), "bad"),
    DeliveryStatus.EXPIRED: (Message("Ran out of time"), "bad"),
}
"""The word and its colour."""

REASONS: Final[Mapping[str, Message]] = {
    RetryReason.RETRY_AFTER_HONOURED: Message("The target asked to wait."),
    RetryReason.REDIRECT_NOT_FOLLOWED: Message("The target answered with another address; redirects are not followed."),
    RetryReason.CLIENT_ERROR: Message("The target refused the message."),
    RetryReason.SERVER_ERROR: Message("The target had an error of its own."),
    RetryReason.ODD_STATUS: Message("The target answered with a status that means nothing."),
    RetryReason.TIMEOUT: Message("The target did not answer in time."),
    RetryReason.CONNECTION_FAILED: Message("The target could not be reached."),
    RetryReason.NAME_UNKNOWN: Message("The host's name is not known."),
    RetryReason.TLS_FAILED: Message("The target's certificate is not valid, or TLS failed."),
    RetryReason.BROKEN_ANSWER: Message("The target's answer was broken."),
    RetryReason.ENDPOINT_GONE: Message("The target said that it is gone for good (410)."),
    RetryReason.BAD_URL: Message("The URL is not usable."),
    RetryReason.ADDRESS_REFUSED: Message("The address is one to which nothing may be sent."),
    RetryReason.NO_SECRET: Message("There is no secret to sign with; the webhook was probably deleted."),
    RetryReason.OUT_OF_TIME: Message("Its time was over before it could be sent."),
    PAUSED: Message("Paused"),
}
"""Why a delivery goes on as it does, or why a webhook is switched off."""

LOOKUP_TROUBLES: Final[Mapping[str, Message]] = {
    **REASONS,
    RetryReason.NO_SECRET: Message("There is no secret to sign with yet; try again."),
    RetryReason.ODD_STATUS: Message("Only 200 tells who it is, and 204 or 404 that nobody is known."),
    "answer_too_long": Message("The answer is longer than 64 KiB."),
    "no_json_object": Message("The answer is no JSON object."),
}
"""Why the question who a customer is was of no use."""

SUMMARY_REASONS: Final[Mapping[str, Message]] = {
    SummaryReason.NOT_INSTALLED: Message("apprise is not installed, which sends mail and messages."),
    SummaryReason.NOT_USABLE: Message("apprise does not understand the address."),
    SummaryReason.NOT_ALLOWED: Message("The address is one to which nothing may be sent."),
    SummaryReason.REFUSED: Message("It could not be reached, or did not take the message."),
    SummaryReason.TIMEOUT: Message("It did not answer in time."),
    SummaryReason.BROKEN: Message("The program that sends it broke; see the log."),
    SummaryReason.TOO_LATE: Message("Callwarden was not running at its time, and it was too late afterwards."),
}
SUMMARY_STATUSES: Final[Mapping[str, tuple[Message, str]]] = {
    SummaryStatus.PENDING: (Message("Not yet sent"), "warn"),
    SummaryStatus.SENT: (Message("Sent"), "good"),
    SummaryStatus.FAILED: (Message("Not sent"), "bad"),
    SummaryStatus.SKIPPED: (Message("Left out"), "warn"),
}
LANGUAGES_CALLED: Final = {"vi": "Tiếng Việt", "en": "English"}
"""Each in itself: whoever looks for his language cannot read the other."""
