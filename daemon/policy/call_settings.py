"""The call settings of the settings page, and what queues add to them. Ranges are checked once, where they enter."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import Annotated, Literal

from annotated_types import Interval, Len

from daemon.call.number import NumberFormat


class MissedCallMerge(StrEnum):
    """Which missed calls of one customer and day share a ticket."""

    INCOMING = "incoming"
    NONE = "none"
    INCOMING_AND_OUTGOING = "incoming_and_outgoing"
    INCOMING_PER_QUEUE_AND_OUTGOING = "incoming_per_queue_and_outgoing"


class PopupDelivery(StrEnum):
    DESK_AND_WEBHOOK = "desk_and_webhook"
    DESK = "desk"
    WEBHOOK = "webhook"


class Weekday(StrEnum):
    """In the order of `date.weekday`."""

    MON = "mon"
    TUE = "tue"
    WED = "wed"
    THU = "thu"
    FRI = "fri"
    SAT = "sat"
    SUN = "sun"


Percent = Annotated[int, Interval(ge=0, le=100)]
KeptDays = Annotated[int, Interval(ge=1, le=36_500)]
AnswerWithinSeconds = Annotated[int, Interval(ge=1, le=3600)]
ShortAbandonSeconds = Annotated[int, Interval(ge=0, le=3600)]
WaitingCalls = Annotated[int, Interval(ge=1, le=1000)]
WaitSeconds = Annotated[int, Interval(ge=1, le=3600)]
Weekdays = Annotated[tuple[Weekday, ...], Len(0, 7)]


@dataclass(frozen=True, slots=True, kw_only=True)
class CallSettings:
    """Keys and defaults as the contract names them (the API's `call-settings`)."""

    auto_create_tickets: bool = True
    notify_incoming_calls: bool = True
    notify_phone_message: bool = False
    missed_call_merge: MissedCallMerge = MissedCallMerge.INCOMING
    popup_answer_url: str | None = None
    popup_answer_delivery: PopupDelivery = PopupDelivery.DESK_AND_WEBHOOK
    incoming_iframe_url: str | None = None
    outgoing_iframe_url: str | None = None
    webphone_embed_url: str | None = None
    customer_lookup_url: str | None = None
    recording_url: str | None = None
    sla_target_percent: Percent = 80
    sla_answer_within_seconds: AnswerWithinSeconds = 20
    sla_short_abandon_seconds: ShortAbandonSeconds = 5
    disconnect_timeout_seconds: int = 0  # 0 is off, else 5 to 3600
    ringtone: Annotated[str, Len(1, 64)] | None = None
    wallboard_waiting_alarm: WaitingCalls | None = None
    wallboard_wait_alarm_seconds: WaitSeconds | None = None
    time_zone: str = "Asia/Ho_Chi_Minh"
    country: str = "VN"
    language: Literal["vi", "en"] = "vi"
    number_format: NumberFormat = NumberFormat.E164_DIGITS
    summary_time: Annotated[str, Len(5, 5)] = "07:00"  # of the day after, in `time_zone`
    summary_days: Weekdays = tuple(Weekday)  # on which one is sent
    retention_days_calls: KeptDays | None = None  # None keeps them for ever
    retention_days_tickets: KeptDays | None = None
    retention_days_notes: KeptDays | None = None
    retention_days_deliveries: KeptDays | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueSettings:
    """What is None is as in the call settings."""

    create_tickets: bool = True
    ringtone: str | None = None
    sla_target_percent: Percent | None = None
    sla_answer_within_seconds: AnswerWithinSeconds | None = None


@dataclass(frozen=True, slots=True)
class Rulebook:
    """Everything a policy may look at besides the event: replaced as a whole when an admin saves."""

    settings: CallSettings = CallSettings()
    queues: Mapping[str, QueueSettings] = field(default_factory=lambda: MappingProxyType({}))

    def queue_creates_tickets(self, queue: str) -> bool:
        """A queue nobody configured counts as on (contract)."""
        configured = self.queues.get(queue)
        return configured is None or configured.create_tickets
