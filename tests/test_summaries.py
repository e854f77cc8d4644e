"""The daily summary is sent once to each target, at its time, through crashes, refusals and long absences."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path

import pytest

from daemon.call.model import Direction, MissedReason
from daemon.call.signals import UnixMs
from daemon.delivery.summary_sender import SummarySender
from daemon.delivery.target_guard import TargetGuard
from daemon.policy.decision import OpenTicket, Reason, TicketKind
from daemon.policy.report import REASONS, Counts
from daemon.policy.service_level import Tally
from daemon.policy.summary import SummaryReason
from daemon.store.report_calls import Calls
from daemon.store.report_customers import Missed
from daemon.store.settings import change_settings, read_settings
from daemon.store.store import Store
from daemon.store.summaries import SummaryStatus, begin_sending, read_last_sendings, read_sending
from daemon.store.summary_figures import SummaryFigures, TopAgent, read_figures
from daemon.store.summary_targets import SummaryTarget, add_target, delete_target, read_targets
from daemon.store.values import Unit
from daemon.summaries import Summaries
from daemon.web.services import SummaryOutcome
from daemon.web.summary_text import summary_text
from tests.database import database_in
from tests.factory import answered, missed, unix_ms
from tests.fakes.mailbox import Mailbox, mailbox
from tests.fakes.messenger import messenger

DAY = date(2026, 11, 22)
SEVEN = unix_ms("2026-11-23 07:00:00")
MINUTE = 60_000


@dataclass
class Desk:
    store: Store
    box: Mailbox
    now: UnixMs = SEVEN
    summaries: Summaries = field(init=False)

    def __post_init__(self) -> None:
        self.start()

    def start(self) -> None:
        """As after a restart: nothing is remembered but what is stored."""
        sender = SummarySender(TargetGuard())
        self.summaries = Summaries(lambda: self.store, sender, lambda: self.now, "https://cw.example.com")

    async def look(self, minutes: int = 0) -> None:
        self.now = UnixMs(self.now + minutes * MINUTE)
        await self.summaries.look()

    async def add(self, name: str, port: int | None = None, language: str = "en", at: int = 0) -> SummaryTarget:
        url = f"mailto://127.0.0.1:{port or self.box.port}?from=cw@example.com&to={name}@example.com"
        await self.store.writer.change(lambda: add_target(f"sum_{name}", url, name, language, UnixMs(at)))
        return next(one for one in await read_targets(self.store.reader) if one.label == name)

    async def status(self, name: str, day: date = DAY) -> tuple[SummaryStatus, int, SummaryReason | None] | None:
        found = await read_sending(self.store.reader, f"sum_{name}", day)
        return None if found is None else (found.status, found.attempts, found.reason)


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    store = await Store.open(database_in(tmp_path))
    async with mailbox() as box:
        yield Desk(store, box)
    await store.close()


async def test_each_target_gets_yesterday_once_however_often_it_is_looked_at_and_started(desk: Desk) -> None:
    await desk.add("an")
    await desk.add("binh", language="vi")
    for _ in range(3):
        await desk.look(1)
        desk.start()
    assert sorted(desk.box.recipients) == ["an@example.com", "binh@example.com"]
    assert await desk.status("an") == (SummaryStatus.SENT, 1, None)
    subjects = sorted(str(mail["Subject"]) for mail in desk.box.messages)
    assert subjects[0].startswith("Calls of Sunday")
    assert "Chủ Nhật" in subjects[1]
    desk.now = UnixMs(SEVEN + 24 * 60 * MINUTE)
    await desk.look()
    assert len(desk.box.messages) == 4


async def test_nothing_is_sent_before_its_time_nor_to_who_was_added_after_it(desk: Desk) -> None:
    await desk.add("an", at=unix_ms("2026-11-22 12:00:00"))
    desk.now = UnixMs(SEVEN - 1)
    await desk.look()
    await desk.add("late", at=SEVEN + MINUTE)
    await desk.look(10)
    assert desk.box.recipients == ["an@example.com"]


async def test_one_that_is_refused_is_tried_again_in_the_morning_and_the_others_do_not_wait(desk: Desk) -> None:
    await desk.add("an")
    async with mailbox() as good:
        await desk.add("binh", good.port)
        desk.box.refuses = "451 not now"
        await desk.look()
        assert await desk.status("an") == (SummaryStatus.PENDING, 1, SummaryReason.REFUSED)
        assert len(good.messages) == 1
        await desk.look()
        assert (await desk.status("an") or (None, 0))[1] == 1
        desk.box.refuses = None
        await desk.look(2)
        assert await desk.status("an") == (SummaryStatus.SENT, 2, None)
        assert len(good.messages) == 1


async def test_after_six_hours_it_is_given_up_with_its_reason(desk: Desk) -> None:
    await desk.add("an")
    desk.box.refuses = "550 never"
    for _ in range(3):
        await desk.look(2)
    desk.now = UnixMs(SEVEN + 6 * 60 * MINUTE + MINUTE)
    desk.box.refuses = None
    await desk.look()
    found = await desk.status("an")
    assert found is not None
    assert (found[0], found[2]) == (SummaryStatus.FAILED, SummaryReason.REFUSED)
    await desk.look(10)
    assert desk.box.messages == []


async def test_what_was_missed_while_callwarden_was_down_comes_late_or_is_noted(desk: Desk) -> None:
    await desk.add("an")
    desk.now = UnixMs(SEVEN + 5 * 60 * MINUTE)
    await desk.look()
    assert await desk.status("an") == (SummaryStatus.SENT, 1, None)
    desk.now = UnixMs(SEVEN + 3 * 24 * 60 * MINUTE + 7 * 60 * MINUTE)
    await desk.look()
    await desk.look(1)
    assert await desk.status("an", date(2026, 11, 25)) == (SummaryStatus.SKIPPED, 0, SummaryReason.TOO_LATE)
    assert len(desk.box.messages) == 1
    assert (await read_last_sendings(desk.store.reader))["sum_an"].day == date(2026, 11, 25)


async def test_an_attempt_that_a_crash_cut_off_is_made_again(desk: Desk) -> None:
    target = await desk.add("an")
    assert await desk.store.writer.change(lambda: begin_sending(target.target_id, DAY, desk.now)) == 1
    desk.start()
    await desk.look(2)
    assert await desk.status("an") == (SummaryStatus.SENT, 2, None)
    assert len(desk.box.messages) == 1


@pytest.mark.parametrize("again", [False, True])
async def test_what_a_command_is_sending_the_daemon_does_not_send_too_nor_the_other_way_round(
    desk: Desk, *, again: bool
) -> None:
    target = await desk.add("an")
    assert await desk.store.writer.change(lambda: begin_sending(target.target_id, DAY, desk.now)) == 1
    await desk.look(1)
    assert await desk.summaries.send(target, DAY, again=again) is None
    assert desk.box.messages == []
    desk.now = UnixMs(SEVEN - 30 * MINUTE)  # clocks that are put back hold up nothing
    assert was_taken(await desk.summaries.send(target, DAY, again=again))


async def test_nobody_notes_an_attempt_that_waits_for_its_turn(desk: Desk) -> None:
    names = [f"n{place}" for place in range(8)]
    for name in names:
        await desk.add(name)
    looking = asyncio.create_task(desk.look())
    noted: list[int] = []
    while not looking.done():
        sent = await read_last_sendings(desk.store.reader)
        noted.append(sum(one.status is SummaryStatus.PENDING for one in sent.values()))
        await asyncio.sleep(0.02)
    await looking
    assert 0 < max(noted) <= 3
    assert len(desk.box.messages) == len(names)


async def test_who_is_deleted_gets_nothing_and_leaves_nothing(desk: Desk) -> None:
    target = await desk.add("an")
    await desk.look()
    assert await desk.store.writer.change(lambda: delete_target(target.target_id))
    assert not await desk.store.writer.change(lambda: delete_target(target.target_id))
    assert await read_last_sendings(desk.store.reader) == {}
    assert await desk.store.writer.change(lambda: begin_sending(target.target_id, DAY, desk.now)) == 0
    await desk.look(1)
    assert len(desk.box.messages) == 1


async def test_a_test_is_sent_and_noted_nowhere_and_by_hand_once_unless_again(desk: Desk) -> None:
    target = await desk.add("an")
    assert was_taken(await desk.summaries.try_out("sum_an"))
    assert await desk.status("an") is None
    assert await desk.summaries.try_out("sum_nobody") is None
    assert was_taken(await desk.summaries.send(target, DAY, again=False))
    assert await desk.summaries.send(target, DAY, again=False) is None
    assert was_taken(await desk.summaries.send(target, DAY, again=True))
    await desk.look()
    assert len(desk.box.messages) == 3


async def test_a_time_that_is_chosen_after_it_was_counts_from_the_next_day(desk: Desk) -> None:
    await desk.add("an")
    desk.now = unix_ms("2026-11-23 19:00:00")
    await desk.store.writer.change(lambda: change_settings({"summary_time": "08:30"}, "mai", desk.now))
    await desk.look(1)
    assert await read_last_sendings(desk.store.reader) == {}
    desk.now = unix_ms("2026-11-24 08:30:00")
    await desk.look()
    assert await desk.status("an", date(2026, 11, 23)) == (SummaryStatus.SENT, 1, None)


async def test_one_that_never_answers_holds_up_no_other(desk: Desk) -> None:
    await desk.add("an")
    async with mailbox() as good:
        desk.box.silent = True
        await desk.add("binh", good.port)
        looking = asyncio.create_task(desk.look())
        async with asyncio.timeout(15):
            while not good.messages:  # noqa: ASYNC110 - the mailbox knows nobody to tell
                await asyncio.sleep(0.1)
        looking.cancel()
        await asyncio.gather(looking, return_exceptions=True)


async def test_what_fails_by_hand_in_the_morning_is_still_tried_again(desk: Desk) -> None:
    target = await desk.add("an")
    desk.box.refuses = "451 not now"
    assert not was_taken(await desk.summaries.send(target, DAY, again=False))
    desk.box.refuses = None
    await desk.look(2)
    assert await desk.status("an") == (SummaryStatus.SENT, 2, None)


async def test_a_messenger_gets_it_too(desk: Desk) -> None:
    async with messenger() as chat:
        url = f"mmost://127.0.0.1:{chat.port}/abcdefghijklmnopqrstuvwxyz"
        await desk.store.writer.change(lambda: add_target("sum_chat", url, "chat", "vi", UnixMs(0)))
        await desk.look()
        ((_, body),) = chat.taken
        assert "https://cw.example.com/missed" in body["text"]


async def test_the_figures_are_of_that_day_alone(desk: Desk) -> None:
    start = unix_ms("2026-11-22 09:00:00")
    calls = [
        replace(answered("1.1", started_at=start, queued_at=start), ended_at=UnixMs(start + 63_000)),
        answered("1.2", started_at=UnixMs(start + MINUTE), queued_at=UnixMs(start + MINUTE)),
        missed("1.3", started_at=unix_ms("2026-11-22 23:59:59")),
        missed("1.4", started_at=unix_ms("2026-11-23 00:00:00")),
        missed("1.5", started_at=start, missed_reason=MissedReason.LEFT_IN_IVR),
        missed("1.6", started_at=start, direction=Direction.OUTGOING, number="0902222222"),
    ]
    calls[4] = replace(calls[4], missed_reason=MissedReason.LEFT_IN_IVR)
    opened = OpenTicket(calls[2], TicketKind.MISSED_INCOMING, "k1", Reason.MISSED_NOT_MERGED_BY_MODE)
    for call in calls:
        decisions = (opened,) if call is calls[2] else ()
        await desk.store.writer.submit(Unit(UnixMs(call.started_at + 1), call, decisions))
    await desk.store.writer.drain()
    settings = (await read_settings(desk.store.reader)).settings
    found = await read_figures(desk.store.reader, DAY, settings)
    assert (found.level.answered, found.level.missed) == (2, 1)
    assert (found.left_in_ivr, found.outgoing.missed, found.internal.calls, found.open_tickets) == (1, 1, 0, 1)
    assert (found.missed.not_served, found.missed.customers) == (1, 1)
    assert found.busiest is not None
    assert (found.busiest[0][11:16], found.busiest[1]) == ("09:00", 2)
    assert [(one.name, one.answered) for one in found.agents] == [("an", 2)]


def was_taken(outcome: SummaryOutcome | None) -> bool:
    return outcome is not None and outcome.ok


_IVR = tuple(2 * (reason is MissedReason.LEFT_IN_IVR) + (reason is MissedReason.ABANDONED) for reason in REASONS)
FIGURES = SummaryFigures(
    day=DAY,
    level=Tally(answered=5, within=4, missed=1, waited=41_000, longest=25_000),
    target_percent=80,
    within_seconds=20,
    has_several_limits=False,
    incoming=Calls(
        {"2026-11-22T09:00+07:00": Counts(answered=5, missed=3, reasons=_IVR, waited=41_000, longest=25_000)}, []
    ),
    outgoing=Counts(answered=3, missed=1),
    internal=Counts(),
    agents=(TopAgent("Nguyễn <b>An</b>\nX", 5, 600_000),),
    missed=Missed(customers=3, not_served=1, anonymous_calls=0),
    open_tickets=7,
)


def test_the_text_says_the_service_level_in_words_and_whom_to_call_back() -> None:
    made = summary_text(FIGURES, "en", "https://cw.example.com/missed")
    assert made.subject == "Calls of Sunday, 22 November 2026: 80 % in time, 1 missed"
    for line in (
        "Service level: 80 %: 4 of 5 answered calls within 20 s. Target of 80 % met.",
        "Incoming: 5 answered, 1 missed, 2 left in the menu",
        "Missed of all who called: 16.7 %",
        "Average wait (ASA): 8.2 s",
        "Longest wait: 25 s",
        "Busiest hour: 09:00, 6 calls",
        "Outgoing: 3 reached, 1 not reached",
        "Customers not served yet: 1 of 3",
        "Call them back: https://cw.example.com/missed",
        "Open tickets: 7",
        "- Nguyễn <b>An</b> X: 5 answered, 10 min of talk",
    ):
        assert line in made.text.splitlines(), made.text
    assert "<b>An</b>" not in made.html
    assert 'href="https://cw.example.com/missed"' in made.html


def test_where_queues_have_limits_of_their_own_no_one_limit_is_named() -> None:
    made = summary_text(replace(FIGURES, has_several_limits=True), "en", None)
    line = "Service level: 80 %: 4 of 5 answered calls within the limit of their queue. Target of 80 % met."
    assert line in made.text.splitlines()


@pytest.mark.parametrize("language", ["en", "vi"])
def test_a_day_without_calls_is_told_without_inventing_figures(language: str) -> None:
    nothing = replace(
        FIGURES,
        level=Tally(),
        incoming=Calls({"2026-11-22T09:00+07:00": Counts()}, []),
        outgoing=Counts(),
        agents=(),
        missed=Missed(customers=0, not_served=0, anonymous_calls=0),
    )
    made = summary_text(nothing, language, None)
    assert "%" not in made.subject
    assert "http" not in made.text
    assert len(made.text) < 600
    assert nothing.busiest is None


def test_in_vietnamese_nothing_is_left_in_english_and_numbers_are_written_as_there() -> None:
    made = summary_text(FIGURES, "vi", "https://cw.example.com/missed")
    english = set(summary_text(FIGURES, "en", "https://cw.example.com/missed").text.split())
    left = {word for word in made.text.split() if word.isascii() and word.isalpha() and len(word) > 3} & english
    assert left == set()
    assert "8,2" in made.text


def test_a_share_is_never_rounded_up_to_a_target_that_was_missed() -> None:
    made = summary_text(replace(FIGURES, level=Tally(answered=10_000, within=7_999)), "en", None)
    assert made.subject.endswith(": 79.9 % in time, 0 missed")
    assert "79.9 %: 7,999 of 10,000 answered calls within 20 s. Below the target of 80 %." in made.text
