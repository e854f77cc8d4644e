"""A name and a password as somebody typed them: whose they are, or why not. The answer never tells which was wrong."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import structlog
from aiohttp import web

from daemon.store.accounts import KnownAccount, account_name, find_account
from daemon.store.sessions import Opening, new_session_id
from daemon.web.brake import BRAKE
from daemon.web.password_check import PASSWORD_CHECK
from daemon.web.remote import remote_of
from daemon.web.services import services

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Refusal:
    """`wait_s` is how long further attempts are not looked at; None: the name or the password is wrong."""

    wait_s: int | None = None

    @property
    def status(self) -> int:
        return 403 if self.wait_s is None else 429

    @property
    def headers(self) -> dict[str, str]:
        return {} if self.wait_s is None else {"Retry-After": str(self.wait_s)}

    def message(self, _: Any) -> str:
        if self.wait_s is None:
            return str(_("The account or the password is wrong."))
        return str(_("Too many attempts from here. Please wait {seconds} seconds.")).format(seconds=self.wait_s)


async def verified(request: web.Request, typed_name: str, password: str) -> KnownAccount | Refusal:
    """The account whose password this is. Takes as long for an account that does not exist."""
    name, remote, now = account_name(typed_name), remote_of(request), services(request).clock()
    wait_ms = request.app[BRAKE].begin(name or "", remote, now)
    if wait_ms > 0:
        return Refusal(-(-wait_ms // 1000))
    known = await find_account(services(request).reads, name or "")
    right = await request.app[PASSWORD_CHECK].verify(known, password)
    if known is not None and right:
        request.app[BRAKE].succeeded(known.account.name, remote)
        return known
    # What was typed as a name may be a password: only names that exist are written down.
    _log.warning("sign_in_refused", account=known and known.account.name, remote=remote)
    return Refusal()


def opening(request: web.Request) -> Opening:
    """A session for this browser, under an id that nobody has seen yet."""
    agent = request.headers.get("User-Agent", "")[:255].encode("utf-8", "replace").decode()
    return Opening(new_session_id(), "".join(char for char in agent if char.isprintable()))
