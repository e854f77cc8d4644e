"""`/settings/check-up`: what is wrong with this installation; `/calls/{call_id}/decisions`: why a call went so.

The first is shown at once and asks for its parts one by one, as looking at them takes seconds.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from aiohttp import web

from daemon.diagnosis import Area, Finding, State, Story, worst
from daemon.message import Message
from daemon.web.doctor import stories_of
from daemon.web.page import show, words
from daemon.web.query import Query
from daemon.web.services import services
from daemon.web.words import Translate

TITLES: Final = {
    Area.PBX: Message("PBX"),
    Area.DIALPLAN: Message("Dialplan and ringtones"),
    Area.PHONES: Message("Agents and phones"),
    Area.QUEUES: Message("Queues"),
    Area.WEB: Message("Web and webhooks"),
    Area.MACHINE: Message("Database and machine"),
}
STATES: Final = {
    State.PROBLEM: (Message("Problem"), "bad"),
    State.WARNING: (Message("Warning"), "warn"),
    State.UNKNOWN: (Message("Not known"), ""),
    State.OK: (Message("In order"), "good"),
}


async def show_check_up(request: web.Request) -> web.Response:
    """With `group` that part is looked at now; the others, and all without it, are left to be asked for."""
    wanted, _ = Query(request, ("group",)).choice("group", Area), words(request)
    looked = {Area(wanted): await services(request).doctor.examine((Area(wanted),))} if wanted else {}
    return await show(
        request,
        "check_up.html",
        groups=[_group(group, looked.get(group), _) for group in Area],
    )


def _group(group: Area, findings: Sequence[Finding] | None, _: Translate) -> dict[str, Any]:
    found = findings or ()
    word, colour = STATES[worst(found)]
    return {
        "name": group.value,
        "title": _(TITLES[group]),
        "is_looked_at": findings is not None,
        "word": _(word),
        "colour": colour,
        "wrong": [_shown(one, _) for one in found if one.state is not State.OK],
        "fine": [_shown(one, _) for one in found if one.state is State.OK],
        "counts": {state.value: sum(one.state is state for one in found) for state in State},
    }


def _shown(finding: Finding, _: Translate) -> dict[str, Any]:
    word, colour = STATES[finding.state]
    return {
        "word": _(word),
        "colour": colour,
        "about": finding.about if finding.about and finding.about not in finding.what else "",
        "what": _(finding.what),
        "why": _(finding.why) if finding.why else "",
        "fix": _(finding.fix) if finding.fix else "",
    }


async def show_call_story(request: web.Request) -> web.Response:
    _ = words(request)
    return await show(request, "call_story.html", stories=[_story(story, _) for story in await stories_of(request)])


def _story(story: Story, _: Translate) -> dict[str, Any]:
    return {
        "pbx": story.pbx,
        "call_id": story.call_id,
        "verdicts": [_shown(verdict, _) for verdict in story.verdicts],
        "steps": [
            {"at": step.at, "what": _(step.what), "user_id": step.user_id or "", "reason": step.reason or ""}
            for step in story.steps
        ],
    }
