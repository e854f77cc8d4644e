"""For whom the customer's page opens, when, and at which address."""

from __future__ import annotations

from daemon.call.events import AgentConnected, CallEvent
from daemon.call.model import Call, Direction, UserId
from daemon.call.number import write_number
from daemon.call.signals import UnixMs
from daemon.policy.call_settings import CallSettings, PopupDelivery, Rulebook
from daemon.policy.decision import Decision, PopScreen, Reason, SkipPop
from daemon.policy.popup_url import fill


def decide(event: CallEvent, rules: Rulebook, now: UnixMs) -> list[Decision]:  # noqa: ARG001 - a policy's signature
    """Pop for each agent who comes to talk to the customer: by answer, transfer or pickup; never for anybody else."""
    if not isinstance(event, AgentConnected):
        return []
    call, settings = event.call, rules.settings
    if call.direction is Direction.INTERNAL:
        return [SkipPop(call, event.user_id, Reason.INTERNAL_CALL)]
    if not settings.popup_answer_url:
        return [SkipPop(call, event.user_id, Reason.NO_POPUP_URL)]
    url = fill(settings.popup_answer_url, parameters(call, event.user_id, event.answered_at, settings))
    delivery = settings.popup_answer_delivery
    pop = PopScreen(
        call=call,
        user_id=event.user_id,
        url=url,
        time_answer=event.answered_at,
        to_desk=delivery is not PopupDelivery.WEBHOOK,
        to_webhook=delivery is not PopupDelivery.DESK,
        reason=_reason(call, event),
    )
    return [pop]


def parameters(call: Call, user_id: UserId, time_answer: UnixMs, settings: CallSettings) -> dict[str, str]:
    """The six popup parameters as the contract writes them."""
    number = write_number(call.customer_number, call.customer_number_raw, settings.number_format, settings.country)
    return {
        "userId": user_id,
        "hotline": call.hotline or "",
        "customerNumber": number,
        "isCallOut": "true" if call.direction is Direction.OUTGOING else "false",
        "timeAnswer": str(time_answer),
        "callId": call.call_id,
    }


def _reason(call: Call, event: AgentConnected) -> Reason:
    if event.at != call.answered_at:
        return Reason.AGENT_JOINED
    return Reason.CUSTOMER_ANSWERED if call.direction is Direction.OUTGOING else Reason.AGENT_ANSWERED
