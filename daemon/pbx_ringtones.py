"""Keeps each PBX's table of ringtones as the admins chose: after every connect, every change, and now and then.

Only differences are written, and only entries of our own kind are taken away. No call waits for any of this: what a
PBX has, it applies by itself, with or without us.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import structlog

from daemon.ami import ringtone_db
from daemon.ami.endpoint_facts import read_user_agent
from daemon.ami.failures import ActionRefused, ActionTimeout, InjectionRefused, LinkLost
from daemon.ami.link import AmiLink, LinkState
from daemon.call.model import PbxName
from daemon.call.signals import LinkUp, Signal, Snapshot
from daemon.errors import TryAgain
from daemon.message import Message
from daemon.pbx import Finding
from daemon.policy import ringtone
from daemon.policy.alert_info import alert_info, brand_of
from daemon.policy.ringtone import Table
from daemon.ringtone_facts import RingtoneFacts
from daemon.store.phone_brands import GENERIC, phone_brands

LOOK_AGAIN_S: Final = 300.0
"""A phone that was exchanged for one of another make is told rightly after so long at most."""
TRY_AGAIN_S: Final = 30.0
_FINDINGS_S: Final = 8.0

_log = structlog.get_logger(__name__)

Read = Callable[[], Awaitable[RingtoneFacts]]

NONE_CHOSEN: Final = Finding(
    "ringtones", ok=True, words=Message("No ringtone is chosen anywhere: phones play their own.")
)


@dataclass(slots=True)
class _Pbx:
    """What is known of one PBX. `brands` is what its phones said, and when they were asked."""

    link: AmiLink
    wanted: asyncio.Event = field(default_factory=asyncio.Event)
    working: asyncio.Lock = field(default_factory=asyncio.Lock)
    facts: RingtoneFacts = field(default_factory=RingtoneFacts)
    table: Table = field(default_factory=Table)
    brands: dict[str, tuple[str, float]] = field(default_factory=dict)
    mine: dict[str, str] = field(default_factory=dict)
    handler: bool | None = None
    store: bool | None = None
    missing: int = 0
    trouble: str | None = None
    is_done: bool = False


class PbxRingtones:
    """Give `run` a task, each PBX's signals to `hear`, and call `changed` when an admin changed anything."""

    def __init__(self, links: Mapping[PbxName, AmiLink], read: Read) -> None:
        self._pbxs = {name: _Pbx(link) for name, link in links.items()}
        self._read = read
        self._written: tuple[int, ...] = ()
        self._looking: set[asyncio.Task[bool]] = set()

    async def run(self) -> None:
        try:
            async with asyncio.TaskGroup() as tasks:
                for name, pbx in self._pbxs.items():
                    tasks.create_task(self._keep(name, pbx))
        finally:
            for task in self._looking:
                task.cancel()
            await asyncio.gather(*self._looking, return_exceptions=True)

    def hear(self, name: PbxName, signal: Signal) -> None:
        if isinstance(signal, LinkUp | Snapshot):
            self._pbxs[name].wanted.set()

    def changed(self, written: tuple[int, ...]) -> None:
        """Nobody waits for the PBXs: they have it a moment later, or when they are back. `written`: as of the store."""
        if written != self._written:
            self._written = written
            for pbx in self._pbxs.values():
                pbx.wanted.set()

    def alert_info(self, name: PbxName, endpoint: str, hotline: str | None) -> str | None:
        """What the agent's own phone is told when we make it ring ourselves (click-to-call)."""
        pbx = self._pbxs[name]
        brand = phone_brands().get(pbx.table.entries.get(f"phone/{endpoint}", ""))
        tone = pbx.facts.tones.get(ringtone.decide(pbx.facts.choices, endpoint, None, hotline).ringtone or "")
        return alert_info(brand, tone) if brand is not None and tone is not None else None

    async def findings(self, name: PbxName) -> Sequence[Finding]:
        """Looks at once, and says what is there and what is not."""
        pbx = self._pbxs[name]
        if pbx.link.state is not LinkState.CONNECTED:
            return []
        looking = asyncio.create_task(self._sync(name, pbx))
        self._looking.add(looking)
        looking.add_done_callback(self._looking.discard)
        await asyncio.wait([looking], timeout=_FINDINGS_S)  # what takes longer is not broken off
        if not pbx.facts.choices.names():
            return [NONE_CHOSEN]
        return [dialplan_finding(pbx.handler, pbx.store), _table_finding(pbx)]

    async def _keep(self, name: PbxName, pbx: _Pbx) -> None:
        wait = LOOK_AGAIN_S
        while True:
            try:
                async with asyncio.timeout(wait):
                    await pbx.wanted.wait()
            except TimeoutError:
                pass  # a look now and then
            pbx.wanted.clear()
            wait = LOOK_AGAIN_S if await self._sync(name, pbx) else TRY_AGAIN_S

    async def _sync(self, name: PbxName, pbx: _Pbx) -> bool:
        """Whether the PBX has what it shall have."""
        if pbx.link.state is not LinkState.CONNECTED:
            return False
        async with pbx.working:
            try:
                await self._bring(pbx)
            except LinkLost:
                return False
            except (ActionRefused, ActionTimeout, InjectionRefused, TryAgain) as error:
                pbx.trouble, pbx.is_done = str(error), False
                _log.warning("ringtones_not_written", pbx=name, reason=pbx.trouble)
            except Exception:  # noqa: BLE001 - our own bug: phones ring as before, and calls must be followed on
                pbx.trouble, pbx.is_done = "see Callwarden's log", False
                _log.exception("ringtones broke", pbx=name)
            return pbx.trouble is None

    async def _bring(self, pbx: _Pbx) -> None:
        actions = pbx.link.actions
        pbx.facts = facts = await self._read()
        pbx.handler = await ringtone_db.is_there(actions, ringtone_db.HANDLER)
        pbx.store = await ringtone_db.is_there(actions, ringtone_db.STORE)
        listed = await ringtone_db.read(actions)
        present = {key: value for key, value in (listed or pbx.mine).items() if ringtone.is_ours(key)}
        phones = await self._phones(pbx, facts, present) if facts.choices.names() else {}
        pbx.table = ringtone.table(facts.choices, phones, phone_brands(), facts.tones)
        wanted = pbx.table.entries
        if pbx.store is not False:
            await self._write(pbx, present, wanted)
            if present != wanted and listed is not None:
                present = await ringtone_db.read(actions) or {}
        await ringtone_db.remove(actions, [key for key in present if ringtone.is_ours(key) and key not in wanted])
        pbx.mine = dict(wanted) if listed is None and pbx.store is not False else {}
        pbx.missing = len(ringtone_db.missing(present, wanted)) if listed is not None else 0
        pbx.trouble = "the database did not keep it" if pbx.missing and pbx.store is not False else None
        pbx.is_done = True

    async def _write(self, pbx: _Pbx, present: Mapping[str, str], wanted: Mapping[str, str]) -> None:
        keys = ringtone.order(ringtone_db.missing(present, wanted))
        await ringtone_db.write(pbx.link.actions, [(key, wanted[key]) for key in keys])

    async def _phones(self, pbx: _Pbx, facts: RingtoneFacts, present: Mapping[str, str]) -> dict[str, str]:
        """The brand of each phone: as an admin said, as the phone says, as it was known before it was switched off."""
        now = time.monotonic()
        asked = {one: pbx.brands[one][1] for one in pbx.brands}
        unknown = [one for one, brand in facts.phones.items() if brand is None]
        await self._ask(pbx, [one for one in unknown if now - asked.get(one, -LOOK_AGAIN_S) >= LOOK_AGAIN_S])
        return {one: brand or self._found(pbx, one, present) for one, brand in facts.phones.items()}

    def _found(self, pbx: _Pbx, endpoint: str, present: Mapping[str, str]) -> str:
        before = present.get(f"phone/{endpoint}", GENERIC)
        return pbx.brands.get(endpoint, (before if before in phone_brands() else GENERIC, 0.0))[0]

    async def _ask(self, pbx: _Pbx, endpoints: Sequence[str]) -> None:
        """One after the other: 0.6 ms each, and nothing waits for it."""
        for endpoint in endpoints:
            said = await read_user_agent(pbx.link.actions, endpoint)
            if said is not None:
                pbx.brands[endpoint] = brand_of(said, phone_brands()) or GENERIC, time.monotonic()


def dialplan_finding(handler: bool | None, store: bool | None) -> Finding:
    """Whether the PBX has our two contexts; None: it cannot be told."""
    name = "ringtone_dialplan"
    if handler and store:
        said = Message(
            "The dialplan has Callwarden's ringtone contexts. Whether each Dial and Queue uses them shows a test call."
        )
        return Finding(name, ok=True, words=said)
    if handler is None or store is None:
        said = Message("Whether the dialplan has Callwarden's ringtone contexts cannot be asked (func_dialplan).")
        return Finding(name, ok=None, words=said)
    said = Message("The dialplan does not have Callwarden's ringtone contexts, so phones ring as they always did.")
    fix = Message(
        "Paste the dialplan file shown under What to paste, add the #include line, then run: {command}, "
        "and check again.",
        command="asterisk -rx 'dialplan reload'",
    )
    return Finding(name, ok=False, words=said, fix=fix)


def _table_finding(pbx: _Pbx) -> Finding:
    name, count = "ringtones", len(pbx.table.entries)
    if pbx.store is False:
        return Finding(name, ok=None, words=Message("Not written: the dialplan lacks the context that writes."))
    if pbx.trouble is not None or not pbx.is_done:
        said = Message("The ringtones could not be written: {reason}", reason=pbx.trouble or "?")
        fix = Message("It is tried again by itself. The right originate must be allowed; see above.")
        return Finding(name, ok=False, words=said, fix=fix)
    if pbx.table.refused:
        said = Message(
            "{count} entries are in the PBX's database. Not written, because no phone could be told safely: {names}",
            count=count,
            names=", ".join(pbx.table.refused[:10]),
        )
        fix = Message(
            "Only PJSIP phones and plain names (letters, digits, + * # _ . @ -) can be written, and no ringtone "
            "whose name makes phones answer by themselves."
        )
        return Finding(name, ok=False, words=said, fix=fix)
    said = Message("{count} entries are in the PBX's database, as chosen.", count=count)
    if not any(tone.urls for tone in pbx.facts.tones.values()):
        said = Message(
            "{count} entries are in the PBX's database, as chosen. Phones are told names only: http.public_url or "
            "http.phone_url is missing in Callwarden's configuration, so they cannot fetch the sounds.",
            count=count,
        )
    return Finding(name, ok=True, words=said)
