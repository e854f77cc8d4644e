"""Tells a ringing phone in writing who calls: decided by the policy, worded here, sent by the PBX.

Nothing waits for it and nothing is tried again: it is about a ring, which is over soon.
"""

from __future__ import annotations

import asyncio
import unicodedata
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Final

import structlog

from daemon.ami.failures import ActionRefused, ActionTimeout, InjectionRefused, LinkLost
from daemon.ami.link import AmiLink
from daemon.ami.phone_message import is_reachable, send_message
from daemon.bus import Bus, CallHappened, News, PhoneToMessage, Topic
from daemon.call.events import CallEnded
from daemon.call.model import CallId, PbxName
from daemon.call.signals import Endpoint
from daemon.message import Message
from daemon.policy.customer_lookup import Customer
from daemon.policy.decision import MessagePhone
from daemon.web.words import translator

_AT_ONCE: Final = 200
_NAME: Final = 64
_LONGEST: Final = 200

Known = Callable[[str, str], Customer | None]
"""Who the customer of a call is, by PBX and call id."""

_log = structlog.get_logger(__name__)


class PhoneMessages:
    """Each phone is told once of a call, however often a queue rings it. `failures` counts by kind."""

    def __init__(self, bus: Bus, links: Mapping[PbxName, AmiLink], known: Known) -> None:
        self.sent = 0
        self.failures: Counter[str] = Counter()
        self._links = links
        self._known = known
        self._told: dict[tuple[PbxName, CallId], set[Endpoint]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        bus.subscribe(Topic.PHONE_MESSAGE, self._wanted)
        bus.subscribe(Topic.CALL, self._happened)

    async def close(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _wanted(self, news: News) -> None:
        if not isinstance(news, PhoneToMessage):
            return
        wanted = news.decision
        told = self._told.setdefault((wanted.call.pbx, wanted.call.call_id), set())
        if wanted.endpoint in told:
            return
        told.add(wanted.endpoint)
        if len(self._tasks) >= _AT_ONCE:
            self._failed(wanted, "too_many", "")
            return
        task = asyncio.get_running_loop().create_task(self._send(wanted))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _happened(self, news: News) -> None:
        if isinstance(news, CallHappened) and isinstance(news.event, CallEnded):
            self._told.pop((news.event.call.pbx, news.event.call.call_id), None)

    async def _send(self, wanted: MessagePhone) -> None:
        call, link = wanted.call, self._links.get(wanted.call.pbx)
        if link is None or not is_reachable(wanted.endpoint):
            self._failed(wanted, "not_pjsip", "")
            return
        customer = self._known(call.pbx, call.call_id)
        text = message_text(wanted, customer.name if customer is not None else None)
        try:
            await send_message(link.actions, wanted.endpoint, text)
        except (LinkLost, ActionTimeout, ActionRefused, InjectionRefused) as error:
            self._failed(wanted, _kind(error), str(error))
        else:
            self.sent += 1

    def _failed(self, wanted: MessagePhone, kind: str, error: str) -> None:
        """Each kind stands in the log once; a PBX that lacks the right would fill it."""
        self.failures[kind] += 1
        if self.failures[kind] == 1:
            call = wanted.call
            _log.warning("phone_message_failed", kind=kind, error=error, pbx=call.pbx, call_id=call.call_id)


def message_text(wanted: MessagePhone, known_name: str | None = None) -> str:
    """Who calls and where, in the house's language, on one line: names are the caller's own words."""
    call = wanted.call
    number = wanted.number or Message("Number withheld")
    name = plain(known_name or call.customer_name or "", _NAME)
    has_both = name and wanted.number and name != number  # withheld: the name is Anonymous, or what he likes
    who = Message("{name}, {number}", name=name, number=number) if has_both else number
    if call.queue:
        said = Message("Call from {who}. Queue: {queue}", who=who, queue=plain(call.queue, _NAME))
    elif call.hotline:
        said = Message("Call from {who}. Hotline: {hotline}", who=who, hotline=plain(call.hotline, _NAME))
    else:
        said = Message("Call from {who}", who=who)
    return plain(translator(wanted.language)(said), _LONGEST)


def plain(text: str, limit: int) -> str:
    """One line of what can be seen: no line breaks, nothing that controls or turns around; not longer than that."""
    words = text.split()  # at every line break of Unicode, too
    seen = ("".join(one for one in word if not unicodedata.category(one).startswith("C")) for word in words)
    return " ".join(word for word in seen if word)[:limit].rstrip()


def _kind(error: Exception) -> str:
    said = str(error)
    match error:
        case LinkLost():
            return "not_connected"
        case ActionTimeout():
            return "no_answer"
        case _ if "Permission denied" in said:
            return "no_right"
        case _ if "technology not found" in said or "unknown command" in said:
            return "no_module"  # res_pjsip_messaging
        case _:
            return "refused"  # no contact, or no such endpoint
