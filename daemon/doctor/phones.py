"""Agents and their phones: who has none, which the PBX does not know, which are away, which nobody would miss."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from daemon.ami.endpoint_facts import read_qualify
from daemon.ami.link import AmiLink
from daemon.diagnosis import Finding, State
from daemon.doctor.patient import Patient
from daemon.doctor.wording import names
from daemon.message import Message
from daemon.pbx import EndpointSeen, Inventory
from daemon.store.agents import Agent, read_agents, read_phone_owners

MOST_ASKED: Final = 200
"""Two questions a phone: a moment for these, and what is true of them is true of the others."""
_AT_ONCE: Final = 8

NOT_ASKED: Final = Message("Not looked at: no PBX is connected.")


async def look_at_agents(patient: Patient) -> Iterable[Finding]:
    agents = await read_agents(patient.reads)
    if not agents:
        return [
            Finding(
                check="phones.agents",
                state=State.PROBLEM,
                what=Message("There are no agents."),
                why=Message("Every call counts as missed: nobody is known who could answer it, and no page opens."),
                fix=Message("Add them on the page Settings, Agents; the PBX's phones are offered there."),
            )
        ]
    return [_without_phone(agents)]


def _without_phone(agents: Sequence[Agent]) -> Finding:
    bare = [agent.user_id for agent in agents if not agent.endpoints and agent.personal_number is None]
    if not bare:
        what = Message("Every agent has a phone: {count}.", count=len(agents))
        return Finding(check="phones.agents", state=State.OK, what=what)
    return Finding(
        check="phones.agents",
        state=State.WARNING,
        what=Message("Agents without a phone: {count} ({names}).", count=len(bare), names=names(bare)),
        why=Message("Calls that they answer count as missed, and no page opens for them."),
        fix=Message("Give each a phone or a personal number on the page Settings, Agents, or remove the agent."),
    )


async def look_at_phones(patient: Patient) -> Iterable[Finding]:
    owners = await read_phone_owners(patient.reads)
    if not owners:
        return []
    if not patient.connected():
        return [Finding(check="phones.registered", state=State.UNKNOWN, what=NOT_ASKED)]
    found = await patient.desk.inventories(owners.keys(), again=True)
    seen = {one.endpoint: one for inventory in found for one in inventory.endpoints}
    return [*_listing(found), *_unknown(patient, owners, found, seen), *_unregistered(owners, seen)]


def _listing(found: Sequence[Inventory]) -> list[Finding]:
    """What a PBX did not tell limits what the others mean."""
    return [
        Finding(check="phones.listed", state=State.UNKNOWN, what=problem, about=inventory.pbx)
        for inventory in found
        for problem in inventory.problems
    ]


def _unknown(
    patient: Patient, owners: Mapping[str, str], found: Sequence[Inventory], seen: Mapping[str, EndpointSeen]
) -> list[Finding]:
    if any(inventory.problems for inventory in found) or len(patient.connected()) < len(patient.links):
        return []  # it may be of the PBX that did not tell
    unknown = [f"{endpoint} {owner}" for endpoint, owner in owners.items() if endpoint not in seen]
    if not unknown:
        what = Message("The PBX knows every agent's phone: {count}.", count=len(owners))
        return [Finding(check="phones.known", state=State.OK, what=what)]
    what = Message(
        "Agents' phones that the PBX does not know: {count} ({names}).", count=len(unknown), names=names(unknown)
    )
    why = Message("Such a phone never rings. If the agent has another one, calls that he answers count as missed.")
    fix = Message("Compare the names with the PBX's endpoints; they are written as PJSIP/1001, capitals count.")
    return [Finding(check="phones.known", state=State.WARNING, what=what, why=why, fix=fix)]


def _unregistered(owners: Mapping[str, str], seen: Mapping[str, EndpointSeen]) -> list[Finding]:
    mine = {endpoint: seen[endpoint] for endpoint in owners if endpoint in seen}
    away = [f"{endpoint} {owners[endpoint]}" for endpoint, one in mine.items() if one.registered is False]
    told = [one for one in mine.values() if one.registered is not None]
    if not away:
        what = Message("Agents' phones that are registered: {count}; none of them is away.", count=len(told))
        return [Finding(check="phones.registered", state=State.OK, what=what)] if told else []
    what = Message(
        "Agents' phones that are not registered or do not answer: {count} of {all} ({names}).",
        count=len(away),
        all=len(mine),
        names=names(away),
    )
    why = Message("They do not ring. Where nobody is at work now, that is as it should be.")
    fix = Message("Look at the phone: power, network, user name and secret of its account on the PBX.")
    return [Finding(check="phones.registered", state=State.WARNING, what=what, why=why, fix=fix)]


async def look_at_qualify(patient: Patient) -> Iterable[Finding]:
    """Without its question every minute the PBX takes a phone that lost its network for one that rings."""
    owners, links = await read_phone_owners(patient.reads), list(patient.connected().values())
    phones = sorted(endpoint for endpoint in owners if endpoint.startswith("PJSIP/"))[:MOST_ASKED]
    asked = await _frequencies(links, phones)
    if not asked:
        return []
    never = [f"{endpoint} {owners[endpoint]}" for endpoint, seconds in asked.items() if seconds == 0]
    if not never:
        return [
            Finding(
                check="phones.qualify",
                state=State.OK,
                what=Message("The PBX asks agents' phones again and again whether they are there (qualify)."),
            )
        ]
    what = Message(
        "Agents' phones that the PBX never asks whether they are still there (qualify): {count} of {all} ({names}).",
        count=len(never),
        all=len(asked),
        names=names(never),
    )
    why = Message(
        "A phone that lost its network goes on counting as there until its registration runs out, often an hour: calls "
        "ring into the void, and a call whose connection is lost is found later."
    )
    fix = Message("In pjsip.conf, for each aor: qualify_frequency = 60; FreePBX has it as Qualify Frequency.")
    return [Finding(check="phones.qualify", state=State.WARNING, what=what, why=why, fix=fix)]


async def _frequencies(links: Sequence[AmiLink], phones: Sequence[str]) -> dict[str, int]:
    """Of those of these phones that one of the PBXs tells it of."""
    told: dict[str, int] = {}
    waiting = iter([(link, phone) for link in links for phone in phones])

    async def ask() -> None:
        for link, phone in waiting:
            seconds = await read_qualify(link.actions, phone)
            if seconds is not None:
                told[phone] = max(seconds, told.get(phone, 0))

    await asyncio.gather(*(ask() for _ in range(_AT_ONCE)))
    return told
