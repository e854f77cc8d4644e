"""The daily summary: whether what sends it is there, and whether the last ones came through."""

from __future__ import annotations

from collections.abc import Iterable

from daemon.delivery.summary_sender import INSTALL, is_installed
from daemon.diagnosis import Finding, State
from daemon.doctor.patient import Patient
from daemon.doctor.wording import one_line
from daemon.message import Message
from daemon.store.summaries import Sending, SummaryStatus, read_last_sendings
from daemon.store.summary_targets import SummaryTarget, read_targets
from daemon.web.vocabulary import SUMMARY_REASONS

_CHECK = "web.summary"


async def look_at_summaries(patient: Patient) -> Iterable[Finding]:
    """Nothing where nobody gets one."""
    targets = await read_targets(patient.reads)
    if not targets:
        return []
    if not is_installed():
        what = Message("The daily summary is set up, but apprise, which sends it, is not installed.")
        why = Message("Nobody gets it.")
        fix = Message("On this machine: {command}, then start Callwarden again.", command=INSTALL)
        return [Finding(check=_CHECK, state=State.PROBLEM, what=what, why=why, fix=fix)]
    sent = await read_last_sendings(patient.reads)
    failed = [_failed(one, last) for one in targets if (last := sent.get(one.target_id)) and _is_bad(last)]
    fine = Message("The last daily summary reached everybody who should have it, as far as one was due.")
    return failed or [Finding(check=_CHECK, state=State.OK, what=fine)]


def _is_bad(last: Sending) -> bool:
    return last.status in (SummaryStatus.FAILED, SummaryStatus.SKIPPED) or last.reason is not None


def _failed(target: SummaryTarget, last: Sending) -> Finding:
    what = Message(
        "The daily summary of {day} did not reach {name} ({kind}): {reason} {said}",
        day=last.day.isoformat(),
        name=one_line(target.label),
        kind=target.place.kind,
        reason=SUMMARY_REASONS[last.reason] if last.reason is not None else "",
        said=one_line(last.said or "", 120),
    )
    if last.status is SummaryStatus.PENDING:
        fix = Message("It is tried again for some hours. On the page Settings, Daily summary: send a test.")
    else:
        fix = Message("On the page Settings, Daily summary: send a test; if the address is wrong, add it anew.")
    why = Message("Whoever reads it each morning has no figures of that day.")
    return Finding(check=_CHECK, state=State.WARNING, what=what, why=why, fix=fix, about=target.target_id)
