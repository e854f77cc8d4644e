"""Gives a summary to apprise, in a process of its own that is ended at a deadline. It keeps and repeats nothing."""

from __future__ import annotations

import asyncio
import importlib.util
import json
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final

import structlog

from daemon.delivery.target_guard import TargetGuard
from daemon.policy.summary import SummaryReason
from daemon.store.summary_address import MAILS, refusal, secrets_of

PATIENT_S: Final = 60.0
SHORTLY_S: Final = 15.0
"""Somebody looks at a page and waits."""
INSTALL: Final = f"{sys.executable} -m pip install 'apprise>=1.9'"
"""By the very Python that runs here, into its own environment."""
_COMMAND: Final = (sys.executable, "-I", "-B", "-m", "daemon.delivery.summary_child")
_ENVIRONMENT: Final = {"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8"}
_SAID: Final = 200
_AT_ONCE: Final = 3

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Letter:
    """`text` for messengers, `html` for mail (which gets the text beside it)."""

    subject: str
    text: str
    html: str


@dataclass(frozen=True, slots=True)
class Posted:
    """What came of it. `reason` None: it was taken. `said` is the service's word, without secrets."""

    reason: SummaryReason | None = None
    said: str | None = None
    latency_ms: int = 0

    @property
    def ok(self) -> bool:
        return self.reason is None


def is_installed() -> bool:
    return importlib.util.find_spec("apprise") is not None


class SummarySender:
    """A few at a time: each is a process of some tens of megabytes. Who waits at a page has a place of his own."""

    def __init__(self, guard: TargetGuard) -> None:
        self._guard = guard
        self._places = asyncio.Semaphore(_AT_ONCE)
        self._quick = asyncio.Semaphore(1)

    async def check(self, url: str) -> Posted:
        """Whether apprise understands this address; nothing is sent."""
        return await self._ask(url, None, SHORTLY_S)

    async def send(self, url: str, letter: Letter, within_s: float = PATIENT_S) -> Posted:
        return await self._ask(url, letter, within_s)

    async def _ask(self, url: str, letter: Letter | None, within_s: float) -> Posted:
        if not is_installed():
            return Posted(SummaryReason.NOT_INSTALLED)
        if (why := refusal(url)) is not None:
            return Posted(SummaryReason.NOT_USABLE, str(why))
        began = time.monotonic()
        try:
            async with self._quick if within_s <= SHORTLY_S else self._places, asyncio.timeout(within_s):
                answer = await self._run(url, letter)
        except TimeoutError:
            return Posted(SummaryReason.TIMEOUT, None, _since(began))
        if answer.get("ok") is True:
            return Posted(None, None, _since(began))
        reason = SummaryReason(str(answer.get("why", SummaryReason.BROKEN)))
        return Posted(reason, _without_secrets(str(answer.get("said") or ""), url)[:_SAID] or None, _since(began))

    async def _run(self, url: str, letter: Letter | None) -> dict[str, object]:
        asked = {
            "url": url,
            "mail": url.lower().startswith(MAILS),
            "letter": None if letter is None else {"subject": letter.subject, "text": letter.text, "html": letter.html},
            "allow": [str(network) for network in self._guard.allow],
            "deny": [str(network) for network in self._guard.deny],
        }
        async with _child() as process:
            out, complaints = await process.communicate(json.dumps(asked).encode())
        try:
            found = json.loads(out)
        except ValueError:
            found = None
        if not isinstance(found, dict):
            said = _without_secrets(complaints.decode(errors="replace").strip(), url)[-_SAID:]
            _log.error("summary_child_died", code=process.returncode, said=said)
            return {"ok": False, "why": SummaryReason.BROKEN.value}
        return found


@asynccontextmanager
async def _child() -> AsyncIterator[asyncio.subprocess.Process]:
    """Ended when nobody waits for it any more."""
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(
        *_COMMAND, stdin=pipe, stdout=pipe, stderr=pipe, env=_ENVIRONMENT, cwd="/"
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


def _without_secrets(said: str, url: str) -> str:
    """To be cut only afterwards: half a secret would not be known for one."""
    for secret in secrets_of(url):
        said = said.replace(secret, "***")
    return " ".join(said.split())


def _since(began: float) -> int:
    return round((time.monotonic() - began) * 1000)
