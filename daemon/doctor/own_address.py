"""How people reach the pages: their address, its certificate, and whether passwords travel in the open."""

from __future__ import annotations

import asyncio
import ssl
import time
from collections.abc import Iterable
from ipaddress import ip_address
from typing import Final
from urllib.parse import urlsplit

from daemon.delivery.http_sender import HttpSender
from daemon.delivery.target_guard import TargetGuard
from daemon.diagnosis import Finding, State
from daemon.doctor.patient import Patient
from daemon.doctor.wording import one_line, origin
from daemon.message import Message
from daemon.policy.retry import RetryReason
from daemon.web.vocabulary import REASONS

ASK_S: Final = 5.0
_DAY_S: Final = 24 * 3600
_RENEW_DAYS: Final = 14
_OPEN: Final = Message("Passwords and customers' numbers can be read on the way.")
_TLS: Final = Message(
    "Put a proxy with a certificate before it (docs/operators.md), and write its address as http.public_url."
)


async def look_at_daemon(patient: Patient) -> Iterable[Finding]:
    """Beside a daemon: whether one runs with this configuration. It asks only this machine."""
    listen = patient.config.http.listen
    if patient.is_daemon or not listen.port:
        return []
    host = "127.0.0.1" if listen.host in ("", "0.0.0.0", "::") else listen.host  # noqa: S104 - it is compared
    status = await _status(patient, f"http://{f'[{host}]' if ':' in host else host}:{listen.port}/healthz")
    if status == 200:
        return [Finding(check="web.daemon", state=State.OK, what=Message("Callwarden is running."))]
    what = Message("Callwarden is not running with this configuration, or does not answer.")
    why = Message("Nobody follows the calls: those that are missed now are not seen.")
    fix = Message("Start it: {command}; then look into its log.", command="systemctl start callwarden")
    return [Finding(check="web.daemon", state=State.PROBLEM, what=what, why=why, fix=fix)]


async def look_at_address(patient: Patient) -> Iterable[Finding]:
    public = patient.config.http.public_url
    if public is None:
        return [_without_public_url(patient)]
    found = [await _answers(patient, public)]
    if public.startswith("https:"):
        found.append(await _certificate(public))
    elif not _is_here(urlsplit(public).hostname or ""):
        what = Message("http.public_url is http, not https.")
        found.append(Finding(check="web.tls", state=State.WARNING, what=what, why=_OPEN, fix=_TLS))
    return found


def _without_public_url(patient: Patient) -> Finding:
    if _is_here(patient.config.http.listen.host):
        what = Message("The pages are served to this machine only; no http.public_url is set.")
        fix = Message("For people at other machines, put a proxy before it and write its address as http.public_url.")
        return Finding(check="web.address", state=State.OK, what=what, fix=fix)
    what = Message("The pages are served to the network without TLS, and no http.public_url is set.")
    return Finding(check="web.address", state=State.WARNING, what=what, why=_OPEN, fix=_TLS)


def _is_here(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


async def _answers(patient: Patient, public: str) -> Finding:
    check, where = "web.address", origin(public)
    status = await _status(patient, f"{public}/healthz")
    if status == 200:
        what = Message("The pages are reached at {where}.", where=where)
        return Finding(check=check, state=State.OK, what=what)
    said = Message("it answers {status}", status=status) if isinstance(status, int) else status
    what = Message("The pages are not reached at {where} from this machine: {said}", where=where, said=said)
    why = Message("It is the address that people open and that stands in links.")
    fix = Message(
        "Where only this machine cannot reach it (a router that does not turn around), all is well. Else: is the proxy "
        "running, does it lead to {listen}, and is http.public_url right?",
        listen=f"{patient.config.http.listen.host or '*'}:{patient.config.http.listen.port}",
    )
    return Finding(check=check, state=State.WARNING, what=what, why=why, fix=fix)


async def _status(patient: Patient, url: str) -> int | Message:
    """Our own address, which an operator wrote into the file: no network that is denied to targets counts."""
    async with HttpSender(TargetGuard(), patient.user_agent, timeout_s=ASK_S) as sender:
        answer = await sender.send("GET", url, {}, "")
    if answer.outcome.failure is None:
        return answer.status_code or 0
    return REASONS[RetryReason(answer.outcome.failure.value)]


async def _certificate(public: str) -> Finding:
    """How long it lasts; renewing them is what is forgotten."""
    parts, check = urlsplit(public), "web.tls"
    try:
        days = await _days_left(parts.hostname or "", parts.port or 443)
    except ssl.SSLCertVerificationError as error:
        what = Message(
            "The certificate at {where} is not valid: {reason}",
            where=origin(public),
            reason=one_line(error.verify_message),
        )
        why = Message("Browsers show a warning instead of the pages.")
        return Finding(check=check, state=State.PROBLEM, what=what, why=why, fix=Message("Renew it on the proxy."))
    except (OSError, TimeoutError):
        what = Message("The certificate at {where} could not be looked at.", where=origin(public))
        return Finding(check=check, state=State.UNKNOWN, what=what)
    what = Message("Days for which the certificate at {where} is still valid: {days}.", where=origin(public), days=days)
    if days >= _RENEW_DAYS:
        return Finding(check=check, state=State.OK, what=what)
    why = Message("After that browsers show a warning instead of the pages.")
    fix = Message("Renew it on the proxy, and see why it was not renewed by itself.")
    return Finding(check=check, state=State.WARNING, what=what, why=why, fix=fix)


async def _days_left(host: str, port: int) -> int:
    async with asyncio.timeout(ASK_S):
        _, writer = await asyncio.open_connection(host, port, ssl=ssl.create_default_context(), server_hostname=host)
    try:
        certificate = writer.get_extra_info("peercert") or {}
    finally:
        writer.transport.abort()
    return int((ssl.cert_time_to_seconds(str(certificate["notAfter"])) - time.time()) // _DAY_S)
