"""Calls made by hand, for tests that need no PBX."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from zoneinfo import ZoneInfo

from daemon.call.model import Call, CallId, CallState, Direction, EndedBy, MissedReason, Outcome, PbxName, UserId
from daemon.call.number import customer_number
from daemon.call.signals import UnixMs

HANOI = ZoneInfo("Asia/Ho_Chi_Minh")


def unix_ms(text: str, zone: str = "Asia/Ho_Chi_Minh") -> UnixMs:
    """`2026-11-22 23:59:59` on the wall clock of `zone`."""
    return UnixMs(int(datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).timestamp() * 1000))


NOON = unix_ms("2026-11-22 12:00:00")

_TEMPLATE = Call(
    call_id=CallId("1795332859.0"),
    pbx=PbxName("main"),
    direction=Direction.INCOMING,
    customer_number="+84901701234",
    customer_number_raw="0901701234",
    customer_name=None,
    hotline="19001234",
    queue=None,
    user_id=None,
    user_ids=(),
    state=CallState.RINGING,
    outcome=None,
    missed_reason=None,
    started_at=NOON,
    queued_at=None,
    answered_at=None,
    ended_at=None,
    ended_by=None,
    hangup_cause=None,
    customer_dialled=False,
)


def ringing(call_id: str = "1795332859.0", *, number: str | None = "0901701234", **changes: object) -> Call:
    """A call that nobody has answered yet."""
    values = {"call_id": CallId(call_id), "customer_number_raw": number, **changes}
    return replace(_TEMPLATE, customer_number=customer_number(number, "VN"), **values)  # type: ignore[arg-type]


def missed(call_id: str = "1795332859.0", *, number: str | None = "0901701234", **changes: object) -> Call:
    """A call that ended unanswered ten seconds after it began."""
    call = ringing(call_id, number=number, **changes)
    return replace(
        call,
        state=CallState.ENDED,
        outcome=Outcome.MISSED,
        missed_reason=MissedReason.ABANDONED,
        ended_at=UnixMs(call.started_at + 10_000),
        ended_by=EndedBy.CUSTOMER,
    )


def answered(call_id: str = "1795332859.0", *, number: str | None = "0901701234", **changes: object) -> Call:
    """A call that agent `an` answered three seconds after it began."""
    call = ringing(call_id, number=number, **changes)
    return replace(
        call,
        state=CallState.ANSWERED,
        outcome=Outcome.ANSWERED,
        answered_at=UnixMs(call.started_at + 3_000),
        user_id=UserId("an"),
        user_ids=(UserId("an"),),
    )
