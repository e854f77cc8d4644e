"""The objects of the API's answers, field by field. A test compares them with what the handlers really send."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import Field, WithJsonSchema

from daemon.call.model import CallState, Direction, EndedBy, HangupReason, LostSide, MissedReason, Outcome
from daemon.policy.decision import EventType, TicketKind
from daemon.store.ringtones import Kind
from daemon.store.values import DeliveryStatus, TicketStatus
from daemon.web.csv_plan import Action

Time = Annotated[
    str,
    WithJsonSchema(
        {
            "type": "string",
            "format": "date-time",
            "pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$",
            "examples": ["2026-11-22T07:34:19.467Z"],
        }
    ),
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """Everything a customer experiences from the first ring to the end."""

    call_id: Annotated[str, Field(description="Never changes, through every transfer.")]
    pbx: str
    direction: Direction
    customer_number: Annotated[str | None, Field(description="E.164, else as received; null: anonymous.")]
    customer_number_raw: str | None
    customer_name: str | None
    hotline: Annotated[str | None, Field(description="The company's number of this call.")]
    queue: str | None
    user_id: Annotated[str | None, Field(description="The agent who answered, the last of several.")]
    user_ids: tuple[str, ...]
    state: CallState
    outcome: Annotated[Outcome | None, Field(description="null while it is open, and for internal calls nobody took.")]
    missed_reason: MissedReason | None
    started_at: Time
    queued_at: Time | None
    rung_at: Annotated[Time | None, Field(description="Incoming: when the first agent's phone rang.")]
    answered_at: Annotated[Time | None, Field(description="When a person answered, not an IVR, music or voicemail.")]
    ended_at: Time | None
    wait_seconds: Annotated[
        float | None,
        Field(description="From the queue, else the first ring, else the start, to the answer or the end."),
    ]
    talk_seconds: float | None
    ended_by: EndedBy | None
    hangup_cause: Annotated[int | None, Field(description="Q.850.")]
    hangup_reason: Annotated[HangupReason | None, Field(description="Why Callwarden hung it up; null: it did not.")]
    connection_lost_at: Annotated[
        Time | None, Field(description="Since when its connection is lost, or was when it ended; null: it is not.")
    ]
    connection_lost_side: Annotated[LostSide | None, Field(description="Whose connection that is.")]
    caught_up: Annotated[
        bool, Field(description="Nobody followed its end: it was read afterwards from what the PBX wrote.")
    ]
    ticket_id: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Ticket:
    """What came of one call, or of several missed ones of a customer on one day."""

    ticket_id: str
    kind: TicketKind
    status: TicketStatus
    customer_number: str | None
    hotline: str | None
    queue: str | None
    assignee: Annotated[str | None, Field(description="The user id of an agent.")]
    note: str
    call_ids: tuple[str, ...]
    missed_count: int
    opened_at: Time
    updated_at: Time
    closed_at: Time | None
    closed_reason: Annotated[str | None, Field(description="`manual`, or the rule that closed it.")]
    reached_at: Annotated[
        Time | None, Field(description="When a talk with the customer last made missed calls of it good.")
    ]
    call_back_seconds: Annotated[
        int | None, Field(description="How long the customer had waited then, since the first of them.")
    ]
    caught_up: Annotated[bool, Field(description="One of its calls was read afterwards from the PBX's records.")]
    tags: tuple[str, ...]
    version: Annotated[int, Field(description="Grows with every change; the `ETag` of the ticket.")]


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangedTickets:
    """What came of a change of several."""

    items: tuple[Ticket, ...]
    missing: Annotated[tuple[str, ...], Field(description="The numbers of those that do not exist.")]


@dataclass(frozen=True, slots=True, kw_only=True)
class TicketCounts:
    """How many there are, at most a thousand."""

    tickets: Annotated[int, Field(description="Not closed yet; of an agent who is signed in: his own.")]
    missed: Annotated[int, Field(description="Missed and not called back yet.")]


@dataclass(frozen=True, slots=True, kw_only=True)
class Agent:
    """A person with one or more phones."""

    user_id: str
    name: str
    endpoints: Annotated[tuple[str, ...], Field(description="As the PBX names the phones: `PJSIP/1001`.")]
    ringtone: str | None
    phone_brand: str | None
    personal_number: Annotated[str | None, Field(description="A mobile that counts as the agent's phone; E.164.")]
    account: Annotated[str | None, Field(description="The account with which this person signs in.")]


@dataclass(frozen=True, slots=True, kw_only=True)
class Queue:
    """What was set for a queue."""

    name: str
    create_tickets: bool
    ringtone: str | None
    sla_target_percent: Annotated[int | None, Field(description="Null: as in the call settings.")]
    sla_answer_within_seconds: Annotated[int | None, Field(description="Null: as in the call settings.")]


@dataclass(frozen=True, slots=True, kw_only=True)
class Hotline:
    """What was set for a number of the company."""

    number: str
    label: str
    ringtone: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportTotals:
    """How many rows come to what."""

    rows: int
    create: int
    update: int
    unchanged: int
    error: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportedRow:
    """One row of a CSV file."""

    line: Annotated[int, Field(description="Where it begins in the file, from 1.")]
    key: Annotated[str, Field(description="The user id, the queue's name or the number.")]
    action: Action
    changes: Annotated[dict[str, Any], Field(description='By field `{"old", "new"}`.')]
    errors: tuple[FieldError, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Import:
    """What a CSV file changes."""

    preview: Annotated[bool, Field(description="Whether nothing was changed.")]
    version: Annotated[str, Field(description="The `ETag`, without its quotes.")]
    columns: tuple[str, ...]
    ignored_columns: Annotated[tuple[str, ...], Field(description="That are read only.")]
    totals: ImportTotals
    rows: tuple[ImportedRow, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RingtoneUse:
    """Where a ringtone was chosen."""

    kind: Literal["call_settings", "agent", "queue", "hotline"]
    key: Annotated[str, Field(description="A user id, a queue's name or a number; empty for the call settings.")]
    label: Annotated[str, Field(description="How people call it; may be empty.")]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ringtone:
    """What a phone plays when it rings."""

    name: str
    label: str
    kind: Kind
    duration_ms: int
    created_at: Annotated[Time | None, Field(description="null: built in.")]
    created_by: str | None
    used_by: tuple[RingtoneUse, ...]
    url: Annotated[str, Field(description="WAV in 16 kHz for phones, which cannot sign in. Keep it secret.")]
    url_8k: Annotated[str, Field(description="The same in 8 kHz, for phones without wideband sound.")]


@dataclass(frozen=True, slots=True, kw_only=True)
class Webhook:
    """An address that is told of events."""

    webhook_id: str
    url: str
    events: tuple[EventType, ...]
    description: str
    enabled: bool
    disabled_reason: Annotated[str | None, Field(description="`paused` by an admin, or what a delivery met with.")]
    created_at: Time
    updated_at: Time


@dataclass(frozen=True, slots=True, kw_only=True)
class NewWebhook(Webhook):
    """A webhook just made, with the secret that signs its messages."""

    secret: Annotated[str, Field(description="Shown this once.")]


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookSecret:
    webhook_id: str
    secret: Annotated[str, Field(description="Shown this once.")]


@dataclass(frozen=True, slots=True, kw_only=True)
class PopupSecret:
    secret: Annotated[str, Field(description="Shown this once.")]


@dataclass(frozen=True, slots=True, kw_only=True)
class TryAnswer:
    """What came of one attempt: a status, or an error in words."""

    status_code: int | None
    latency_ms: int
    error: str | None
    answer: Annotated[str | None, Field(description="The beginning of what was answered.")]


@dataclass(frozen=True, slots=True, kw_only=True)
class PopupTryAnswer(TryAnswer):
    """What came of a popup with sample values."""

    url: Annotated[str, Field(description="What was called.")]


@dataclass(frozen=True, slots=True, kw_only=True)
class Customer:
    """What the company's own system said of a customer. Text, never HTML."""

    name: str | None
    link: Annotated[str | None, Field(description="An absolute http or https URL.")]
    note: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class LookUpTryAnswer:
    """What came of asking who a sample customer is."""

    url: Annotated[str, Field(description="What was asked.")]
    status_code: int | None
    latency_ms: int
    reason: Annotated[str | None, Field(description="Why the answer is of no use, in a word.")]
    error: Annotated[str | None, Field(description="Why there was none, in the system's words.")]
    customer: Annotated[Customer | None, Field(description="null: nobody is known, or `reason` says why.")]


@dataclass(frozen=True, slots=True, kw_only=True)
class Replayed:
    replayed: Annotated[int, Field(description="How many are pending again.")]


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """One message to one target."""

    delivery_id: Annotated[str, Field(description="The `webhook-id` of every attempt.")]
    webhook_id: Annotated[str | None, Field(description="null: the popup URL.")]
    event_type: str
    method: Literal["GET", "POST"]
    url: str
    body: Annotated[str, Field(description="What was signed, byte for byte.")]
    pbx: str | None
    call_id: str | None
    ticket_id: str | None
    user_id: str | None
    status: DeliveryStatus
    attempt_count: int
    next_attempt_at: Time | None
    expires_at: Time
    created_at: Time
    finished_at: Time | None
    last_status_code: int | None
    last_error: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One try of a delivery."""

    number: int
    at: Time
    status_code: int | None
    latency_ms: int
    error: str | None
    answer: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryWithAttempts(Delivery):
    """A delivery and its last hundred attempts, oldest first."""

    attempts: tuple[Attempt, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldError:
    """What is wrong with one field or parameter; the empty name is the body as a whole."""

    field: str
    message: str
