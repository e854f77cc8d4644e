"""`/webphone`: a small window in which an agent calls, acts on his call, gives it on, and has the configured page."""

from __future__ import annotations

from typing import Any, Final

from aiohttp import web

from daemon.acts import WRAP_UP
from daemon.call.model import Call, CallState
from daemon.message import Message
from daemon.store.agents import read_agent
from daemon.store.role import Role
from daemon.store.settings import read_settings
from daemon.web.agent_state import REASON_WORDS
from daemon.web.caller import caller
from daemon.web.click_to_call import hotlines_to_show
from daemon.web.frames import webphone_frame, webphone_origins
from daemon.web.page import show, words
from daemon.web.pages.choices import number_words, spoken
from daemon.web.query import Query
from daemon.web.services import services
from daemon.web.words import Translate

KEYS: Final = ("1", "2", "3", "4", "5", "6", "7", "8", "9", "*", "0", "#")
FAILURES: Final = {
    "busy": Message("Your phone is busy or set to do not disturb. The customer was not called."),
    "no_answer": Message("You did not pick up your phone. The customer was not called."),
    "rejected": Message("Your phone refused the call. The customer was not called."),
    "not_connected": Message("The PBX went away while your phone rang; look whether the call was made."),
}
"""What is said when an agent's own phone was not taken, by the reason of `click_to_call.failed`."""


async def show_webphone(request: web.Request) -> web.Response:
    """Who belongs to no agent reads how he comes to a desk."""
    Query(request, ())
    parts, account = services(request), caller(request).account
    agent = await read_agent(parts.reads, account.user_id) if account and account.user_id else None
    if agent is None:
        return await show(request, "no_desk.html", is_admin=caller(request).role is Role.ADMIN)
    settings, _ = (await read_settings(parts.reads)).settings, words(request)
    hotlines = await hotlines_to_show(parts)
    call = current_call(parts.desks.of(agent.user_id, parts.clock()).calls)
    return await show(
        request,
        "webphone.html",
        frames=webphone_origins(settings),
        agent=agent,
        keys=KEYS,
        hotlines=hotlines,
        labels={number: label for number, label in hotlines if label},
        said=lambda number: spoken(number, settings.country),
        numbers=number_words(settings.country),
        frame=await webphone_frame(request, call, settings, agent.user_id),
        **state_words(_),
    )


def current_call(calls: tuple[Call, ...]) -> Call | None:
    """The one he talks in, else the one that was begun last."""
    return max(calls, key=lambda call: (call.state is CallState.ANSWERED, call.started_at), default=None)


def state_words(_: Translate) -> dict[str, Any]:
    """What `agent_state.js` and `phone_panel.js` say."""
    reasons = {reason.value: _(word) for reason, word in REASON_WORDS.items()}
    return {
        "reasons": reasons,
        "reason_words": {**reasons, WRAP_UP: _("Wrap-up")},
        "failures": {why: _(word) for why, word in FAILURES.items()},
    }
