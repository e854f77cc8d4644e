"""Where Callwarden sends to: whether each host answers, whether sites let themselves be framed, what piles up.

A host is asked for nothing but `HEAD /`: no event, no number, no token of the configured URL ever leaves for a look.
It goes through the same guard as every delivery.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from daemon.call.signals import UnixMs
from daemon.delivery.http_sender import HttpSender
from daemon.diagnosis import Finding, State
from daemon.doctor.patient import Patient
from daemon.doctor.wording import one_line, origin
from daemon.message import Message
from daemon.policy.call_settings import CallSettings, PopupDelivery
from daemon.policy.retry import RetryReason
from daemon.store.delivery_pages import Backlog, read_backlog
from daemon.store.settings import read_settings
from daemon.store.webhooks import PAUSED, WEBHOOK_LIMIT, Webhook, read_webhooks
from daemon.web.framing import Origin, for_nobody, refuses_framing
from daemon.web.services import PageHead
from daemon.web.vocabulary import REASONS

PROBE_S: Final = 5.0
_AT_ONCE: Final = 16
_AWAY: Final = (502, 503, 504)
"""A proxy answers for a system that does not."""
_LATE_MS: Final = 5 * 60_000
_DAY_MS: Final = 24 * 3_600_000
_FRAMES: Final = ("incoming_iframe_url", "outgoing_iframe_url", "webphone_embed_url")


@dataclass(frozen=True, slots=True)
class _Target:
    """`key` is a webhook id, '' the popups, or a setting's name."""

    key: str
    name: Message
    url: str


async def look_at_targets(patient: Patient) -> Iterable[Finding]:
    settings = (await read_settings(patient.reads)).settings
    webhooks = await read_webhooks(patient.reads, "", WEBHOOK_LIMIT)
    targets = [*_from_settings(settings), *(_of_webhook(one) for one in webhooks if one.enabled)]
    answers = await _probed(patient, {origin(target.url) for target in targets})
    return [
        *(_reached(target, answers[origin(target.url)]) for target in targets),
        *(_switched_off(one) for one in webhooks if not one.enabled and one.disabled_reason != PAUSED),
    ]


def _from_settings(settings: CallSettings) -> list[_Target]:
    targets = []
    if settings.popup_answer_url and settings.popup_answer_delivery is not PopupDelivery.DESK:
        targets.append(_Target("", Message("The system that popups are sent to"), settings.popup_answer_url))
    if settings.customer_lookup_url:
        name = Message("The system that is asked who a customer is")
        targets.append(_Target("customer_lookup_url", name, settings.customer_lookup_url))
    return targets


def _of_webhook(webhook: Webhook) -> _Target:
    return _Target(webhook.webhook_id, _webhook_name(webhook), webhook.url)


def _webhook_name(webhook: Webhook) -> Message:
    named = one_line(webhook.description) or webhook.webhook_id
    return Message("The target of the webhook {name}", name=named)


@dataclass(frozen=True, slots=True)
class _Probe:
    status: int | None
    trouble: Message | None


async def _probed(patient: Patient, origins: set[str]) -> Mapping[str, _Probe]:
    """Each host once, whoever names it."""
    gate = asyncio.Semaphore(_AT_ONCE)
    async with HttpSender(patient.guard, patient.user_agent, timeout_s=PROBE_S) as sender:

        async def probe(place: str) -> tuple[str, _Probe]:
            async with gate:
                return place, await _probe(sender, place)

        return dict(await asyncio.gather(*(probe(place) for place in origins)))


async def _probe(sender: HttpSender, place: str) -> _Probe:
    answer = await sender.send("HEAD", f"{place}/", {}, "")
    if answer.outcome.failure is None:
        return _Probe(answer.status_code, None)
    return _Probe(None, REASONS.get(RetryReason(answer.outcome.failure.value)))


def _reached(target: _Target, probe: _Probe) -> Finding:
    check, where = "web.targets", origin(target.url)
    if probe.trouble is None and probe.status not in _AWAY:
        what = Message("{name} answers at {where}.", name=target.name, where=where)
        return Finding(check=check, state=State.OK, what=what, about=target.key or None)
    why = Message("What is sent there waits and is tried again for a day; popups come too late to be of use.")
    if probe.trouble is None:
        what = Message("{name} is away: {where} answers {status}.", name=target.name, where=where, status=probe.status)
        fix = Message("Start that system again, or look into the log of the proxy before it.")
        return Finding(check=check, state=State.WARNING, what=what, why=why, fix=fix, about=target.key or None)
    what = Message(
        "{name} cannot be reached at {where}. {trouble}", name=target.name, where=where, trouble=probe.trouble
    )
    fix = Message(
        "Compare the address with the settings; then, on this machine: curl -I {where}/ tells more. A network that is "
        "refused on purpose stands under [delivery] in the configuration.",
        where=where,
    )
    return Finding(check=check, state=State.PROBLEM, what=what, why=why, fix=fix, about=target.key or None)


def _switched_off(webhook: Webhook) -> Finding:
    reason = webhook.disabled_reason or ""
    what = Message(
        "{name} was switched off by itself: {reason}", name=_webhook_name(webhook), reason=REASONS.get(reason, reason)
    )
    why = Message("It is told of nothing any more.")
    fix = Message("Put the target in order, then switch the webhook on again on the page Settings, Webhooks.")
    return Finding(check="web.targets", state=State.WARNING, what=what, why=why, fix=fix, about=webhook.webhook_id)


async def look_at_frames(patient: Patient) -> Iterable[Finding]:
    """Whether what is shown inside tickets and the webphone lets itself be shown there."""
    settings = (await read_settings(patient.reads)).settings
    urls = {name: url for name in _FRAMES if (url := getattr(settings, name))}
    if not urls:
        return []
    ours = Origin.of(patient.config.http.public_url or _own_address(patient))
    async with HttpSender(patient.guard, patient.user_agent, timeout_s=PROBE_S) as sender:
        return await asyncio.gather(*(_framed(sender, name, url, ours) for name, url in urls.items()))


async def _framed(sender: HttpSender, name: str, url: str, ours: Origin) -> Finding:
    check, where = "web.frames", origin(url)
    why = Message("Beside the call stands an empty space instead of the customer's page.")
    if (ours.scheme, Origin.of(url).scheme) == ("https", "http"):
        what = Message("A browser shows no http page like {where} inside our https one.", where=where)
        fix = Message("Enter an https address in the call settings ({name}).", name=name)
        return Finding(check=check, state=State.PROBLEM, what=what, why=why, fix=fix, about=name)
    head = await sender.read_head(for_nobody(url))
    if head is None:
        what = Message("Whether {where} lets itself be shown in a frame is not known: it did not answer.", where=where)
        fix = Message("The agents' browsers may reach it all the same. Open it in one of them.")
        return Finding(check=check, state=State.UNKNOWN, what=what, fix=fix, about=name)
    if not refuses_framing(PageHead(*head), ours):
        what = Message("{where} lets itself be shown in a frame.", where=where)
        return Finding(check=check, state=State.OK, what=what, about=name)
    what = Message("{where} does not let itself be shown in a frame of ours.", where=where)
    fix = Message(
        "Have its server send Content-Security-Policy: frame-ancestors {ours}, and no X-Frame-Options.",
        ours=f"{ours.scheme}://{ours.host}:{ours.port}",
    )
    return Finding(check=check, state=State.PROBLEM, what=what, why=why, fix=fix, about=name)


def _own_address(patient: Patient) -> str:
    listen = patient.config.http.listen
    host = f"[{listen.host}]" if ":" in listen.host else listen.host or "localhost"
    return f"http://{host}:{listen.port or 80}"


async def look_at_deliveries(patient: Patient) -> Iterable[Finding]:
    now = patient.clock()
    backlog = await read_backlog(patient.reads, UnixMs(now - _LATE_MS), UnixMs(now - _DAY_MS))
    if not backlog:
        what = Message("No message waits for long, and none was given up in the last 24 hours.")
        return [Finding(check="web.deliveries", state=State.OK, what=what)]
    webhooks: Sequence[Webhook] = await read_webhooks(patient.reads, "", WEBHOOK_LIMIT)
    named = {"": Message("Popups"), **{one.webhook_id: _webhook_name(one) for one in webhooks}}
    return [_piled_up(named.get(key, Message("A webhook that was deleted")), key, one) for key, one in backlog.items()]


def _piled_up(name: Message, key: str, backlog: Backlog) -> Finding:
    what = Message(
        "{name}: waiting for more than five minutes: {late}, given up in 24 hours: {failed}. {error}",
        name=name,
        late=backlog.late,
        failed=backlog.failed,
        error=REASONS.get(backlog.error or "", one_line(backlog.error or "", 120)),
    )
    why = Message("Whoever should have been told of these calls was not.")
    fix = Message("The page Settings, Deliveries, shows every attempt and its answer, and sends again.")
    state = State.PROBLEM if backlog.late else State.WARNING
    return Finding(check="web.deliveries", state=state, what=what, why=why, fix=fix, about=key or None)
