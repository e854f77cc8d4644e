"""Whether the company's own system is asked who calls or is called, and by which address."""

from __future__ import annotations

from dataclasses import dataclass

from daemon.call.events import CallChanged, CallEvent, CallStarted
from daemon.call.model import Call, Direction
from daemon.call.number import write_number
from daemon.call.signals import UnixMs
from daemon.policy.call_settings import CallSettings, Rulebook
from daemon.policy.decision import Decision, LookUpCustomer, Reason, SkipLookUp
from daemon.policy.popup_url import LOOKUP_PARAMETERS, fill


@dataclass(frozen=True, slots=True, kw_only=True)
class Customer:
    """What that system said of a customer. At least one is there; `link` is an absolute http(s) URL."""

    name: str | None = None
    link: str | None = None
    note: str | None = None

    def as_json(self) -> dict[str, object]:
        return {"name": self.name, "link": self.link, "note": self.note}


def decide(event: CallEvent, rules: Rulebook, now: UnixMs) -> list[Decision]:  # noqa: ARG001 - a policy's signature
    """Ask as soon as the number is there, which is before a phone rings.

    Each later change of the call asks again, which is harmless: whoever does it knows what was asked in this call.
    """
    if not isinstance(event, CallStarted | CallChanged):
        return []
    call, url = event.call, rules.settings.customer_lookup_url
    skipped = _reason_to_skip(call, url)
    if url is None or skipped is not None:
        return [SkipLookUp(call, skipped)] if skipped is not None and isinstance(event, CallStarted) else []
    values = parameters(call, rules.settings)
    about = (url, values["customerNumber"], values["hotline"])
    return [LookUpCustomer(call, fill(url, values, LOOKUP_PARAMETERS), about, Reason.CUSTOMER_HAS_NUMBER)]


def parameters(call: Call, settings: CallSettings) -> dict[str, str]:
    """The four parameters, written as the popup's are."""
    number = write_number(call.customer_number, call.customer_number_raw, settings.number_format, settings.country)
    return {
        "customerNumber": number,
        "hotline": call.hotline or "",
        "isCallOut": "true" if call.direction is Direction.OUTGOING else "false",
        "callId": call.call_id,
    }


def _reason_to_skip(call: Call, url: str | None) -> Reason | None:
    if call.direction is Direction.INTERNAL:
        return Reason.INTERNAL_CALL
    if url is None:
        return Reason.NO_LOOKUP_URL
    return Reason.CUSTOMER_ANONYMOUS if call.customer_number is None else None
