"""Keeps each PBX's table of ringtones as the admins chose: after every connect, every change, and now and then.

Only differences are written, and only entries of our own kind are taken away. No call waits for any of this: what a
PBX has, it applies by itself, with or without us.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol

import structlog

from daemon.ami import ringtone_db
from daemon.ami.endpoint_facts import read_user_agent
from daemon.ami.failures import ActionRefused, ActionTimeout, InjectionRefused, LinkLost
from daemon.ami.link import AmiLink, LinkState
from daemon.call.model import PbxName
from daemon.call.signals import ContactChanged, ContactState, LinkUp, Signal, Snapshot
from daemon.errors import TryAgain
from daemon.pbx import Finding
from daemon.policy import ringtone
from daemon.policy.alert_info import alert_info, brand_of
from daemon.policy.ringtone import Table
from daemon.ringtone_facts import RingtoneFacts
from daemon.ringtone_findings import TableState, handler_finding, nothing_chosen, table_finding
from daemon.store.phone_brands import GENERIC, phone_brands

LOOK_AGAIN_S: Final = 300.0
"""A phone exchanged for one of another make, whose registration nobody told us of, is found out by then."""
TRY_AGAIN_S: Final = 30.0
SETTLE_S: Final = 0.5
"""So long phones that register are gathered before they are asked what they are."""
REST_S: Final = 5.0
"""After a phone of another make: what calls itself something else each second is not followed each second."""
_FINDINGS_S: Final = 8.0

_log = structlog.get_logger(__name__)


class Book(Protocol):
    """What was chosen, and the keys that each PBX was given; the keys outlive us."""

    async def facts(self) -> RingtoneFacts: ...

    async def written(self, pbx: PbxName, /) -> frozenset[str]: ...

    async def keep(self, pbx: PbxName, keys: frozenset[str], /) -> None: ...


@dataclass(slots=True)
class _Pbx:
    """What is known of one PBX. `brands` is what its phones said, and when they were asked; `came` have registered.

    `kept` are the keys that the book says it has, None before it was looked at. `mine` is what we wrote where nothing
    can be read.
    """

    name: PbxName
    link: AmiLink
    wanted: asyncio.Event = field(default_factory=asyncio.Event)
    someone_came: asyncio.Event = field(default_factory=asyncio.Event)
    came: set[str] = field(default_factory=set)
    working: asyncio.Lock = field(default_factory=asyncio.Lock)
    facts: RingtoneFacts = field(default_factory=RingtoneFacts)
    table: Table = field(default_factory=Table)
    brands: dict[str, tuple[str, float]] = field(default_factory=dict)
    kept: frozenset[str] | None = None
    mine: dict[str, str] = field(default_factory=dict)
    handler: bool | None = None
    store: bool | None = None
    state: TableState = TableState.UNWRITTEN
    trouble: str | None = None


class PbxRingtones:
    """Give `run` a task, each PBX's signals to `hear`, and call `changed` when an admin changed anything."""

    def __init__(self, links: Mapping[PbxName, AmiLink], book: Book) -> None:
        self._pbxs = {name: _Pbx(name, link) for name, link in links.items()}
        self._book = book
        self._written: tuple[int, ...] = ()
        self._looking: set[asyncio.Task[bool]] = set()

    async def run(self) -> None:
        try:
            async with asyncio.TaskGroup() as tasks:
                for pbx in self._pbxs.values():
                    tasks.create_task(self._keep(pbx))
                    tasks.create_task(self._greet(pbx))
        finally:
            for task in self._looking:
                task.cancel()
            await asyncio.gather(*self._looking, return_exceptions=True)

    def hear(self, name: PbxName, signal: Signal) -> None:
        pbx = self._pbxs[name]
        match signal:
            case LinkUp():
                pbx.brands = {phone: (brand, -LOOK_AGAIN_S) for phone, (brand, _) in pbx.brands.items()}
                pbx.mine = {}
                pbx.wanted.set()
            case Snapshot():
                pbx.wanted.set()
            case ContactChanged(endpoint=phone, state=ContactState.ANSWERS | ContactState.KNOWN) if (
                pbx.facts.is_to_be_found_out(phone)
            ):
                pbx.came.add(phone)
                pbx.someone_came.set()
            case _:
                pass

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
        looking = asyncio.create_task(self._sync(pbx))
        self._looking.add(looking)
        looking.add_done_callback(self._looking.discard)
        await asyncio.wait([looking], timeout=_FINDINGS_S)  # what takes longer is not broken off
        if not pbx.facts.choices.names():
            return [nothing_chosen()]
        has_urls = any(tone.urls for tone in pbx.facts.tones.values())
        state = pbx.state if pbx.store is not False else TableState.NO_WAY
        return [
            handler_finding(pbx.handler, pbx.store),
            table_finding(state, pbx.table, pbx.trouble, has_urls=has_urls),
        ]

    async def _keep(self, pbx: _Pbx) -> None:
        wait = LOOK_AGAIN_S
        while True:
            try:
                async with asyncio.timeout(wait):
                    await pbx.wanted.wait()
            except TimeoutError:
                pass  # a look now and then
            pbx.wanted.clear()
            wait = LOOK_AGAIN_S if await self._sync(pbx) else TRY_AGAIN_S

    async def _greet(self, pbx: _Pbx) -> None:
        """Asks phones that registered what they are, some at a time: only one of another make is news."""
        while True:
            await pbx.someone_came.wait()
            await asyncio.sleep(SETTLE_S)
            pbx.someone_came.clear()
            came, pbx.came = sorted(pbx.came), set()
            try:
                async with pbx.working:
                    await self._ask(pbx, came)
            except (LinkLost, ActionRefused, ActionTimeout, InjectionRefused) as error:
                _log.info("phones_not_asked", pbx=pbx.name, reason=str(error))  # the next look asks them
                continue
            if any(self._found(pbx, one, pbx.table.entries) != pbx.table.entries.get(f"phone/{one}") for one in came):
                pbx.wanted.set()
                await asyncio.sleep(REST_S)

    async def _sync(self, pbx: _Pbx) -> bool:
        """Whether the PBX has what it shall have."""
        if pbx.link.state is not LinkState.CONNECTED:
            return False
        async with pbx.working:
            try:
                await self._bring(pbx)
            except LinkLost:
                return False
            except (ActionRefused, ActionTimeout, InjectionRefused, TryAgain) as error:
                pbx.trouble, pbx.state = str(error), TableState.UNWRITTEN
                _log.warning("ringtones_not_written", pbx=pbx.name, reason=pbx.trouble)
            except Exception:  # noqa: BLE001 - our own bug: phones ring as before, and calls must be followed on
                pbx.trouble, pbx.state = "see Callwarden's log", TableState.UNWRITTEN
                _log.exception("ringtones broke", pbx=pbx.name)
            return pbx.trouble is None

    async def _bring(self, pbx: _Pbx) -> None:
        actions = pbx.link.actions
        pbx.facts = facts = await self._book.facts()
        pbx.kept = kept = await self._book.written(pbx.name) if pbx.kept is None else pbx.kept
        pbx.handler = await ringtone_db.is_there(actions, ringtone_db.HANDLER)
        pbx.store = await ringtone_db.is_there(actions, ringtone_db.STORE)
        listed = await self._listed(pbx)
        present = pbx.mine if listed is None else listed
        phones = await self._phones(pbx, facts, present) if facts.choices.names() else {}
        pbx.table = ringtone.table(facts.choices, phones, phone_brands(), facts.tones)
        wanted = pbx.table.entries if pbx.store is not False else {}
        pbx.mine = {}
        await self._note(pbx, kept | wanted.keys())
        if unlike := ringtone.order(ringtone_db.missing(present, wanted)):
            await ringtone_db.write(actions, [(key, wanted[key]) for key in unlike])
        gone = {key for key in kept | present.keys() if ringtone.is_ours(key) and key not in pbx.table.entries}
        await ringtone_db.remove(actions, sorted(gone))
        await self._note(pbx, (kept | present.keys() | wanted.keys()) - gone)
        pbx.state = await self._read_back(pbx, wanted, None if unlike else listed)
        kept_all = pbx.state is not TableState.UNWRITTEN
        pbx.trouble, pbx.mine = (None, dict(wanted)) if kept_all else ("the database did not keep it", {})

    async def _listed(self, pbx: _Pbx) -> dict[str, str] | None:
        """Our entries that are there; None where this PBX does not list them."""
        listed = await ringtone_db.read(pbx.link.actions)
        return None if listed is None else {key: value for key, value in listed.items() if ringtone.is_ours(key)}

    async def _read_back(self, pbx: _Pbx, wanted: Mapping[str, str], listed: Mapping[str, str] | None) -> TableState:
        """What was asked for has happened only if it is there: that nobody answered says nothing. `listed`: since."""
        try:
            if listed is None:
                listed = await self._listed(pbx)
            if listed is not None:
                missing = ringtone_db.missing(listed, wanted)
                return TableState.UNWRITTEN if missing else TableState.READ_BACK
            absent = await ringtone_db.absent(pbx.link.actions, wanted)
        except (ActionRefused, ActionTimeout):
            return TableState.UNKNOWN
        return TableState.UNWRITTEN if absent else TableState.UNKNOWN

    async def _note(self, pbx: _Pbx, keys: frozenset[str]) -> None:
        if keys != pbx.kept:
            await self._book.keep(pbx.name, keys)
            pbx.kept = keys

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
