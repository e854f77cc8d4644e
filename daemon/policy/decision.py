"""What policies ask for: values, each with the reason it was asked for. Doing one twice must be harmless."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from daemon.call.model import Call, UserId
from daemon.call.signals import ChannelId, Endpoint, UnixMs


class Reason(StrEnum):
    """Why a policy decided so. Names are shown to operators and kept with the effect."""

    CALL_ANSWERED = "call_answered"
    MISSED_MERGED_BY_CUSTOMER = "missed_merged_by_customer"
    MISSED_MERGED_BY_QUEUE = "missed_merged_by_queue"
    MISSED_NOT_MERGED_BY_MODE = "missed_not_merged_by_mode"
    MISSED_ANONYMOUS = "missed_anonymous"
    INTERNAL_CALL = "internal_call"
    GLOBAL_SWITCH_OFF = "global_switch_off"
    QUEUE_SWITCH_OFF = "queue_switch_off"
    CUSTOMER_NEVER_REACHED = "customer_never_reached"
    CALLED_BACK = "called_back"
    CUSTOMER_GOT_THROUGH = "customer_got_through"
    TICKET_MADE_AT_ANSWER = "ticket_made_at_answer"
    AGENT_ANSWERED = "agent_answered"
    CUSTOMER_ANSWERED = "customer_answered"
    AGENT_JOINED = "agent_joined"
    NO_POPUP_URL = "no_popup_url"
    PHONE_RINGS = "phone_rings"
    PHONE_STOPPED = "phone_stopped"
    NOTIFICATION_SWITCH_OFF = "notification_switch_off"
    NOT_INCOMING = "not_incoming"
    PHONE_MESSAGE_SWITCH_OFF = "phone_message_switch_off"
    PHONE_ELSEWHERE = "phone_elsewhere"
    SUBSCRIBED = "subscribed"
    CUSTOMER_HAS_NUMBER = "customer_has_number"
    CUSTOMER_ANONYMOUS = "customer_anonymous"
    NO_LOOKUP_URL = "no_lookup_url"
    CONNECTION_LOST = "connection_lost"


class TicketKind(StrEnum):
    INCOMING = "incoming"
    OUTGOING = "outgoing"
    MISSED_INCOMING = "missed_incoming"
    MISSED_OUTGOING = "missed_outgoing"


class Connection(StrEnum):
    """What became of a call's connection."""

    LOST = "lost"
    RESTORED = "restored"
    HUNG_UP = "hung_up"


class EventType(StrEnum):
    """The names integrators subscribe to."""

    CALL_RINGING = "call.ringing"
    CALL_ANSWERED = "call.answered"
    CALL_ENDED = "call.ended"
    CALL_MISSED = "call.missed"
    CALL_CONNECTION_LOST = "call.connection_lost"
    TICKET_CREATED = "ticket.created"
    TICKET_MERGED = "ticket.merged"
    TICKET_CLOSED = "ticket.closed"


@dataclass(frozen=True, slots=True)
class OpenTicket:
    """One ticket for this call, or this call into the ticket that already has `merge_key` (reopened if closed)."""

    call: Call
    kind: TicketKind
    merge_key: str
    reason: Reason


@dataclass(frozen=True, slots=True)
class SkipTicket:
    call: Call
    reason: Reason


@dataclass(frozen=True, slots=True)
class CloseMissed:
    """Close the missed tickets of this call's customer from before it was answered: of its queue only, or all."""

    call: Call
    reason: Reason
    every_queue: bool


@dataclass(frozen=True, slots=True)
class PopScreen:
    """The customer's page for this agent, once per call and agent. `url` is complete, parameters filled in."""

    call: Call
    user_id: UserId
    url: str
    time_answer: UnixMs
    to_desk: bool
    to_webhook: bool
    reason: Reason


@dataclass(frozen=True, slots=True)
class SkipPop:
    call: Call
    user_id: UserId
    reason: Reason


@dataclass(frozen=True, slots=True)
class NotifyAgent:
    """Tell the agent that the phone rings. Not kept: worthless once it stops."""

    call: Call
    user_id: UserId
    channel: ChannelId
    reason: Reason


@dataclass(frozen=True, slots=True)
class StopNotifying:
    call: Call
    user_id: UserId
    channel: ChannelId
    reason: Reason


@dataclass(frozen=True, slots=True)
class SkipNotification:
    call: Call
    user_id: UserId
    reason: Reason


@dataclass(frozen=True, slots=True)
class MessagePhone:
    """Show on the ringing phone who calls, once in a call. `number` is written as configured; None: withheld."""

    call: Call
    user_id: UserId
    endpoint: Endpoint
    number: str | None
    language: str
    reason: Reason


@dataclass(frozen=True, slots=True)
class SkipPhoneMessage:
    call: Call
    user_id: UserId
    reason: Reason


@dataclass(frozen=True, slots=True)
class AnnounceCall:
    """Tell the integrators. `about` makes it unique: once per event type, call and `about`."""

    event_type: EventType
    call: Call
    user_id: UserId | None
    about: str
    reason: Reason
    connection: Connection | None = None


@dataclass(frozen=True, slots=True)
class HangUpCall:
    """Have the PBX end this channel, and the call with it. Not kept: what is still so is decided again."""

    call: Call
    channel: ChannelId
    reason: Reason


@dataclass(frozen=True, slots=True)
class LookUpCustomer:
    """Ask the company's own system who this is, once for a number in a call. `url` is complete, parameters filled in.

    `about` (setting, number, hotline) says whose the answer is: it serves other calls too. Nothing waits for it.
    """

    call: Call
    url: str
    about: tuple[str, str, str]
    reason: Reason


@dataclass(frozen=True, slots=True)
class SkipLookUp:
    call: Call
    reason: Reason


Decision = (
    OpenTicket
    | SkipTicket
    | CloseMissed
    | PopScreen
    | SkipPop
    | NotifyAgent
    | StopNotifying
    | SkipNotification
    | MessagePhone
    | SkipPhoneMessage
    | AnnounceCall
    | LookUpCustomer
    | SkipLookUp
    | HangUpCall
)

DURABLE = (OpenTicket, CloseMissed, PopScreen, AnnounceCall)
"""The decisions that are kept; the others are told at once or only shown."""
