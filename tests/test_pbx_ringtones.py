"""The table of ringtones is kept in the PBX: written before it is needed, only where it differs, and nothing else."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace

import pytest

from daemon.ami.link import AmiLink
from daemon.ami.settings import AmiConfig
from daemon.ami.simulator import SimulatedPbx
from daemon.call.model import PbxName
from daemon.call.signals import Signal
from daemon.pbx import Finding
from daemon.pbx_ringtones import PbxRingtones
from daemon.policy.alert_info import Tone
from daemon.policy.ringtone import Choices
from daemon.ringtone_facts import RingtoneFacts

MAIN = PbxName("main")
TONES = {name: Tone(name, place) for place, name in enumerate(("bird", "chime", "harp"))}
PHONES = {"PJSIP/1001": None, "PJSIP/1003": None, "PJSIP/1004": None, "PJSIP/1002": "snom"}
FORMS = {"yealink": ";x-line-id=0", "snom": ";x-line-id=0", "grandstream": "", "generic": ""}
WRITTEN = {
    "all": "chime",
    "agent/PJSIP/1001": "bird",
    **{f"ring/{brand}/bird": f"<http://127.0.0.1>;info=bird{more}" for brand, more in FORMS.items()},
    **{f"ring/{brand}/chime": f"<http://127.0.0.1>;info=chime{more}" for brand, more in FORMS.items()},
    "phone/PJSIP/1001": "yealink",
    "phone/PJSIP/1002": "snom",
    "phone/PJSIP/1003": "grandstream",
    "phone/PJSIP/1004": "generic",
}


@dataclass
class Book:
    """As the store: what was chosen, and what the PBX was given. `now_and_then` is what stood there each time."""

    given: frozenset[str] = frozenset()
    chosen: RingtoneFacts = field(
        default_factory=lambda: RingtoneFacts(
            choices=Choices(all_calls="chime", phones={"PJSIP/1001": "bird"}), phones=PHONES, tones=TONES
        )
    )
    now_and_then: list[frozenset[str]] = field(default_factory=list)

    async def facts(self) -> RingtoneFacts:
        return self.chosen

    async def written(self, _pbx: PbxName, /) -> frozenset[str]:
        return self.given

    async def keep(self, _pbx: PbxName, keys: frozenset[str], /) -> None:
        self.given = keys
        self.now_and_then.append(keys)


@dataclass
class Kept:
    """A daemon's part that keeps the table, linked to a simulated PBX."""

    pbx: SimulatedPbx
    link: AmiLink
    book: Book
    ringtones: PbxRingtones = field(init=False)
    changes: int = 0

    def __post_init__(self) -> None:
        self.ringtones = PbxRingtones({MAIN: self.link}, self.book)

    @property
    def facts(self) -> RingtoneFacts:
        return self.book.chosen

    @facts.setter
    def facts(self, chosen: RingtoneFacts) -> None:
        self.book.chosen = chosen

    def put_nowait(self, signal: Signal) -> None:
        self.ringtones.hear(MAIN, signal)

    async def put(self, signal: Signal) -> None:
        self.ringtones.hear(MAIN, signal)

    async def until(self, condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(5):
            while not condition():  # noqa: ASYNC110
                await asyncio.sleep(0.01)

    def change(self, facts: RingtoneFacts) -> None:
        self.facts, self.changes = facts, self.changes + 1
        self.ringtones.changed((self.changes,))

    def writes(self) -> list[str]:
        """The keys that were written or taken away, in order."""
        found = []
        for action in self.pbx.actions:
            lines = (one.split("=", 1) for one in action.get("Variables", "").split("\n"))
            found += [line[1] for line in lines if line[0].startswith("CW_K")]
            if action.get("Variable", "").startswith("DB_DELETE("):
                found.append("-" + action["Variable"][len("DB_DELETE(callwarden/") : -1])
        return found

    async def found(self) -> dict[str, Finding]:
        return {finding.name: finding for finding in await self.ringtones.findings(MAIN)}

    def registers(self, place: int, user_agent: str) -> None:
        """A phone of this make comes where another was."""
        phone = self.pbx.house.phones[place] = replace(self.pbx.house.phones[place], user_agent=user_agent)
        names = (("EndpointName", phone.name), ("AOR", phone.name), ("URI", f"sip:{phone.name}@127.0.0.1:5062"))
        self.pbx.emit((("Event", "ContactStatus"), ("ContactStatus", "Created"), *names))


@pytest.fixture
async def pbx() -> AsyncIterator[SimulatedPbx]:
    pbx = SimulatedPbx()
    await pbx.start()
    yield pbx
    await pbx.close()


@asynccontextmanager
async def kept_on(pbx: SimulatedPbx, book: Book | None = None) -> AsyncIterator[Kept]:
    link = AmiLink(AmiConfig("main", "callwarden", "simulated", port=pbx.port))
    kept = Kept(pbx, link, book or Book())
    tasks = [asyncio.create_task(link.run(kept)), asyncio.create_task(kept.ringtones.run())]
    try:
        yield kept
    finally:
        await link.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def test_after_the_connect_the_pbx_has_the_whole_table(pbx: SimulatedPbx) -> None:
    async with kept_on(pbx) as kept:
        await kept.until(lambda: pbx.database == WRITTEN)
        found = await kept.found()
    assert (found["ringtone_dialplan"].ok, found["ringtones"].ok) == (True, True)
    assert f"{len(WRITTEN)} entries" in found["ringtones"].words
    assert kept.writes()[-1] == "all"  # what it refers to came before


async def test_only_differences_are_written_and_entries_of_others_stay(pbx: SimulatedPbx) -> None:
    pbx.database |= WRITTEN | {"agent/PJSIP/1001": "harp", "queue/gone": "bird", "notes/of-others": "x"}
    async with kept_on(pbx) as kept:
        await kept.until(lambda: pbx.database == WRITTEN | {"notes/of-others": "x"})
        await kept.ringtones.findings(MAIN)
        assert kept.writes() == ["agent/PJSIP/1001", "-queue/gone"]


async def test_a_change_is_written_and_what_is_no_longer_chosen_is_taken_away(pbx: SimulatedPbx) -> None:
    async with kept_on(pbx) as kept:
        await kept.until(lambda: pbx.database == WRITTEN)
        kept.change(replace(kept.facts, choices=Choices(queues={"support": "harp"}), phones={"PJSIP/1002": "snom"}))
        await kept.until(
            lambda: (
                pbx.database
                == {
                    "queue/support": "harp",
                    "phone/PJSIP/1002": "snom",
                    "ring/snom/harp": "<http://127.0.0.1>;info=harp;x-line-id=0",
                }
            )
        )
        kept.change(replace(kept.facts, choices=Choices()))
        await kept.until(lambda: pbx.database == {})


async def test_what_a_pbx_lost_is_there_again_after_the_next_connect(pbx: SimulatedPbx) -> None:
    async with kept_on(pbx) as kept:
        await kept.until(lambda: pbx.database == WRITTEN)
        pbx.database.clear()
        kept.link.log_in_again()
        await kept.until(lambda: pbx.database == WRITTEN)


async def test_a_phone_of_another_make_is_told_rightly_after_the_next_look(
    pbx: SimulatedPbx, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("daemon.pbx_ringtones.LOOK_AGAIN_S", 0.05)
    async with kept_on(pbx) as kept:
        await kept.until(lambda: pbx.database == WRITTEN)
        pbx.house.phones[0] = replace(pbx.house.phones[0], user_agent="Fanvil X4U 2.4.5")
        await kept.until(lambda: pbx.database.get("phone/PJSIP/1001") == "fanvil")
        assert pbx.database["ring/fanvil/bird"] == "<http://127.0.0.1>;info=bird"


async def test_a_new_phone_that_registers_has_its_ring_at_the_next_call(pbx: SimulatedPbx) -> None:
    async with kept_on(pbx) as kept:
        await kept.until(lambda: pbx.database == WRITTEN)
        await kept.found()
        kept.registers(0, "Fanvil X4U 2.4.5")
        await kept.until(lambda: pbx.database.get("phone/PJSIP/1001") == "fanvil")
        assert pbx.database["ring/fanvil/bird"] == "<http://127.0.0.1>;info=bird"


async def at_rest(pbx: SimulatedPbx) -> None:
    """Until nothing more is asked."""
    seen = -1
    while seen != len(pbx.actions):
        seen = len(pbx.actions)
        await asyncio.sleep(0.3)


async def test_registrations_are_gathered_cost_little_and_of_those_that_do_not_matter_nobody_is_asked(
    pbx: SimulatedPbx, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("daemon.pbx_ringtones.SETTLE_S", 0.05)
    async with kept_on(pbx) as kept:
        await kept.until(lambda: pbx.database == WRITTEN)
        await kept.found()
        await at_rest(pbx)
        before = len(pbx.actions)
        for _ in range(50):
            kept.registers(0, "Yealink SIP-T31G 124.86.0.40")  # again, as each does every few minutes
            kept.registers(1, "Snom of which an admin said so")
            kept.registers(4, "a trunk")
        await asyncio.sleep(0.3)
        asked = [action.get("Variable", action["Action"]) for action in pbx.actions[before:]]
        assert [one.partition("(")[0] for one in asked] == ["PJSIP_ENDPOINT", "PJSIP_AOR", "PJSIP_CONTACT"]
        kept.change(RingtoneFacts(phones=PHONES))
        await kept.until(lambda: pbx.database == {})
        before = len(pbx.actions)
        kept.registers(0, "Fanvil X4U 2.4.5")
        await asyncio.sleep(0.2)
        assert not any("PJSIP" in action.get("Variable", "") for action in pbx.actions[before:])


async def test_a_phone_that_calls_itself_something_else_each_time_is_not_followed_each_time(
    pbx: SimulatedPbx, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("daemon.pbx_ringtones.SETTLE_S", 0.01)
    async with kept_on(pbx) as kept:
        await kept.until(lambda: pbx.database == WRITTEN)
        await kept.found()
        for turn in range(20):
            kept.registers(0, ("Fanvil X4U", "snomD735")[turn % 2])
            await asyncio.sleep(0.02)
        assert kept.writes()[len(WRITTEN) :].count("phone/PJSIP/1001") <= 1


async def test_a_phone_that_is_switched_off_stays_of_its_make(pbx: SimulatedPbx) -> None:
    pbx.database["phone/PJSIP/1004"] = "aastra"
    async with kept_on(pbx) as kept:
        await kept.until(lambda: pbx.database.get("all") == "chime")
        assert pbx.database["phone/PJSIP/1004"] == "aastra"


async def test_without_the_contexts_nothing_is_written_and_the_check_says_what_to_do(pbx: SimulatedPbx) -> None:
    pbx.house.no_context |= {"callwarden-ringtone", "callwarden-store"}
    async with kept_on(pbx) as kept:
        await kept.until(lambda: kept.link.logins > 0)
        found = await kept.found()
        assert (found["ringtone_dialplan"].ok, found["ringtones"].ok) == (False, None)
        assert "dialplan reload" in str(found["ringtone_dialplan"].fix)
        assert (pbx.database, kept.writes()) == ({}, [])
        kept.change(RingtoneFacts())
        (only,) = await kept.ringtones.findings(MAIN)
        assert (only.name, only.ok) == ("ringtones", True)  # nothing is chosen, so nothing is missing


ONE_LEFT = Choices(all_calls="chime")
GONE = {"agent/PJSIP/1001", *(f"ring/{brand}/bird" for brand in FORMS)}


@pytest.mark.parametrize("tells_keys", [True, False])
async def test_an_asterisk_that_cannot_list_its_database_gets_everything_and_forgets_what_is_chosen_no_more(
    pbx: SimulatedPbx, *, tells_keys: bool
) -> None:
    pbx.house.commands -= {"DBGetTree"}
    pbx.house.tells_keys = tells_keys
    async with kept_on(pbx) as kept:
        await kept.until(lambda: pbx.database == WRITTEN)
        await kept.found()
        written = len(kept.writes())
        kept.change(replace(kept.facts, choices=ONE_LEFT))
        await kept.until(lambda: not pbx.database.keys() & GONE)
        await kept.found()
        assert {key.removeprefix("-") for key in kept.writes()[written:]} == GONE  # what stays is not written again


async def test_what_was_chosen_no_more_while_the_daemon_was_off_is_taken_away_where_nobody_can_list(
    pbx: SimulatedPbx,
) -> None:
    pbx.house.commands -= {"DBGetTree"}
    pbx.house.tells_keys = False
    book = Book()
    async with kept_on(pbx, book) as kept:
        await kept.until(lambda: book.given == WRITTEN.keys() and pbx.database == WRITTEN)
        await kept.found()
    book.chosen = replace(book.chosen, choices=ONE_LEFT)
    pbx.database["notes/of-others"] = "x"
    async with kept_on(pbx, book) as kept:
        await kept.until(lambda: book.given == WRITTEN.keys() - GONE)
        assert pbx.database.keys() == (WRITTEN.keys() - GONE) | {"notes/of-others"}


async def test_what_is_about_to_be_written_is_noted_before_and_forgotten_only_after_it_is_gone(
    pbx: SimulatedPbx, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("daemon.pbx_ringtones.TRY_AGAIN_S", 0.05)
    book = Book()
    pbx.house.commands -= {"Originate", "DBGetTree"}
    async with kept_on(pbx, book) as kept:
        await kept.until(lambda: bool(book.now_and_then))
        assert (set(book.given), pbx.database) == (set(WRITTEN), {})  # a crash between the two loses nothing
        pbx.house.commands |= {"Originate"}
        await kept.until(lambda: pbx.database == WRITTEN)
        pbx.house.commands -= {"Setvar"}
        kept.change(replace(kept.facts, choices=ONE_LEFT))
        assert (await kept.found())["ringtones"].ok is False
        assert book.given == WRITTEN.keys()
        pbx.house.commands |= {"Setvar"}
        await kept.until(lambda: book.given == pbx.database.keys() == WRITTEN.keys() - GONE)


@pytest.mark.parametrize("tells_keys", [True, False])
async def test_what_cannot_be_read_back_is_said_to_be_unknown_and_never_to_be_there(
    pbx: SimulatedPbx, *, tells_keys: bool
) -> None:
    pbx.house.commands -= {"DBGetTree"}
    pbx.house.tells_keys = tells_keys
    async with kept_on(pbx) as kept:
        await kept.until(lambda: pbx.database == WRITTEN)
        for _ in range(2):  # nothing to write the second time
            said = (await kept.found())["ringtones"]
            assert (said.ok, "unknown" in said.words, "test call" in str(said.fix)) == (None, True, True)
        assert len(kept.writes()) == len(WRITTEN)
        kept.link.log_in_again()  # perhaps another database: everything once more
        await kept.until(lambda: len(kept.writes()) == 2 * len(WRITTEN))
        pbx.house.commands |= {"DBGetTree"}
        assert (await kept.found())["ringtones"].ok is True


class ForgetfulDatabase(dict[str, str]):
    """One whose disk is full."""

    def __setitem__(self, key: str, value: str, /) -> None:
        pass


@pytest.mark.parametrize("lists", [True, False])
async def test_what_the_pbx_did_not_keep_is_said(pbx: SimulatedPbx, *, lists: bool) -> None:
    pbx.database = ForgetfulDatabase()
    pbx.house.commands -= set() if lists else {"DBGetTree"}
    async with kept_on(pbx) as kept:
        await kept.until(lambda: kept.link.logins > 0)
        said = (await kept.found())["ringtones"]
        assert (said.ok, "did not keep" in said.words) == (False, True)


async def test_a_right_that_lacks_is_said_and_tried_again(pbx: SimulatedPbx, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("daemon.pbx_ringtones.TRY_AGAIN_S", 0.05)
    pbx.house.commands -= {"Originate"}
    async with kept_on(pbx) as kept:
        await kept.until(lambda: kept.link.logins > 0)
        found = await kept.found()
        assert found["ringtones"].ok is False
        pbx.house.commands |= {"Originate"}
        await kept.until(lambda: pbx.database == WRITTEN)


async def test_a_bug_of_ours_ends_nothing_and_is_said(pbx: SimulatedPbx, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("daemon.pbx_ringtones.TRY_AGAIN_S", 0.05)
    async with kept_on(pbx) as kept:
        whole, kept.facts = kept.facts, replace(kept.facts, phones={"PJSIP/1001": "no such make"})
        await kept.until(lambda: kept.link.logins > 0)
        assert (await kept.ringtones.findings(MAIN))[-1].ok is False
        kept.facts = whole
        await kept.until(lambda: pbx.database == WRITTEN)


async def test_the_agents_own_phone_is_told_by_the_same_rule_when_we_make_it_ring(pbx: SimulatedPbx) -> None:
    async with kept_on(pbx) as kept:
        kept.facts = replace(kept.facts, choices=replace(kept.facts.choices, hotlines={"1900": "harp"}))
        await kept.until(lambda: pbx.database.get("hotline/1900") == "harp")
        for endpoint, hotline, expected in (
            ("PJSIP/1001", "1900", "bird"),
            ("PJSIP/1003", "1900", "harp"),
            ("PJSIP/1003", None, "chime"),
        ):
            assert f"info={expected}" in (kept.ringtones.alert_info(MAIN, endpoint, hotline) or "")
        assert kept.ringtones.alert_info(MAIN, "PJSIP/stranger", None) is None
