"""The browsers in which an account is signed in, as rows of a table."""

from __future__ import annotations

from collections.abc import Sequence

from daemon.store.session_pages import OpenSession, public_id
from daemon.store.sessions import Session
from daemon.web.browser_name import browser_and_system
from daemon.web.words import Translate


def browser_rows(found: Sequence[OpenSession], mine: Session, _: Translate) -> list[dict[str, object]]:
    """`mine` is the reader's own session: its row is marked."""
    own = public_id(mine.digest)
    return [
        {"session": one, "name": _browser_word(one.user_agent, _), "is_this": one.session_id == own} for one in found
    ]


def _browser_word(user_agent: str, _: Translate) -> str:
    browser, system = browser_and_system(user_agent)
    if browser and system:
        return _("{browser} on {system}").format(browser=browser, system=system)
    return browser or system or user_agent[:60] or _("Unknown browser")
