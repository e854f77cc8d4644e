"""Why a call had a popup or none: told from what is kept, by the rules of that moment."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sqlalchemy import select

from daemon.call.model import Call, CallState, Direction, MissedReason, UserId
from daemon.call.signals import UnixMs
from daemon.diagnosis import State, Story
from daemon.doctor.call_story import tell_stories
from daemon.policy.decision import PopScreen, Reason
from daemon.store.audit import By, audited
from daemon.store.outbox import Settlement, record_settlements
from daemon.store.pops import give_back_pop, open_pop
from daemon.store.settings import SETTINGS, change_settings
from daemon.store.store import Store
from daemon.store.tables import deliveries
from daemon.store.values import DeliveryStatus, Unit
from tests.factory import NOON, answered, missed, ringing

URL = "https://crm.example.com/pop?token=secret"
AN = UserId("an")


async def store_with(*units: Unit) -> Store:
    store = await Store.open("sqlite://")
    for unit in units:
        await store.writer.submit(unit)
    await store.writer.drain()
    return store


def popped(call: Call, *, desk: bool = True, webhook: bool = True) -> Unit:
    assert call.answered_at is not None
    return Unit(
        call.answered_at, call, (PopScreen(call, AN, URL, call.answered_at, desk, webhook, Reason.AGENT_ANSWERED),)
    )


async def story_of(store: Store, call: Call) -> Story:
    (story,) = await tell_stories(store.reader, call.call_id, None)
    await store.close()
    return story


async def save(store: Store, at: int, **values: object) -> None:
    who = By("boss", UnixMs(at))
    await store.writer.change(lambda: audited(who, SETTINGS, "", lambda: change_settings(values, who.name, who.at)))


async def test_without_a_popup_url_the_reason_is_named() -> None:
    call = answered()
    story = await story_of(await store_with(Unit(NOON, call, ())), call)
    (verdict,) = story.verdicts
    assert (verdict.state, verdict.about, "no popup URL was set" in verdict.what) == (State.OK, "an", True)
    assert ("skip_pop", "no_popup_url", "an") in [(one.decision, one.reason, one.user_id) for one in story.steps]


async def test_the_rules_are_those_of_that_moment_not_of_today() -> None:
    call = answered()
    store = await store_with(Unit(NOON, call, ()))
    await save(store, NOON - 60_000, popup_answer_url=None, auto_create_tickets=False)
    await save(store, NOON + 60_000, popup_answer_url=URL)
    await save(store, NOON + 90_000, auto_create_tickets=True)
    story = await story_of(store, call)
    reasons = [one.reason for one in story.steps]
    assert "no_popup_url" in reasons
    assert "global_switch_off" in reasons


async def test_a_popup_that_was_due_and_never_made_points_at_a_restart() -> None:
    call = answered()
    store = await store_with(Unit(NOON, call, ()))
    await save(store, NOON - 60_000, popup_answer_url=URL)
    (verdict,) = (await story_of(store, call)).verdicts
    assert (verdict.state, "not connected" in str(verdict.why)) == (State.WARNING, True)


async def test_of_a_call_that_was_read_afterwards_no_popup_was_due_and_it_says_why() -> None:
    """Its decisions are those of a catch-up: a ticket, and what webhooks are told of its end."""
    call = replace(answered(), state=CallState.ENDED, ended_at=UnixMs(NOON + 60_000), caught_up=True)
    store = await store_with(Unit(NOON, call, ()))
    await save(store, NOON - 60_000, popup_answer_url=URL)
    story = await story_of(store, call)
    (verdict,) = story.verdicts
    assert (verdict.state, "for the past" in verdict.what, verdict.about) == (State.OK, True, "an")
    assert [one.decision for one in story.steps][:2] == ["call_started", "caught_up"]
    told = {(one.decision, one.what.values.get("event")) for one in story.steps[2:]}
    assert told == {("open_ticket", None), ("close_missed", None), ("announce_call", "call.ended")}


async def test_a_popup_that_a_desk_opened_is_told_with_when() -> None:
    call = answered()
    store = await store_with(popped(call, webhook=False))
    await store.writer.change(lambda: open_pop(call.pbx, call.call_id, "an", "window-1", UnixMs(NOON + 3_200)))
    story = await story_of(store, call)
    assert [one.state for one in story.verdicts] == [State.OK]
    assert [one.at for one in story.steps if one.decision == "popup_opened"] == [NOON + 3_200]


async def test_a_popup_that_nobody_took_and_one_that_a_browser_blocked_are_told_apart() -> None:
    call = answered()
    (waits,) = (await story_of(await store_with(popped(call, webhook=False)), call)).verdicts
    assert (waits.state, "no desk took it" in waits.what) == (State.WARNING, True)
    store = await store_with(popped(call, webhook=False))
    key = (call.pbx, call.call_id, "an", "window-1")
    await store.writer.change(lambda: open_pop(*key, UnixMs(NOON + 3_200)))
    await store.writer.change(lambda: give_back_pop(*key, UnixMs(NOON + 3_300)))
    (blocked,) = (await story_of(store, call)).verdicts
    assert (blocked.state, "allow popups" in str(blocked.fix)) == (State.PROBLEM, True)


async def test_a_popup_that_the_crm_refused_is_told_without_its_url() -> None:
    call = answered()
    store = await store_with(popped(call, desk=False))
    rows = await store.reader.fetch(select(deliveries))
    settled = Settlement(
        delivery_id=rows[0]["delivery_id"],
        webhook_id="",
        url=URL,
        at=UnixMs(NOON + 4_000),
        status=DeliveryStatus.FAILED,
        next_attempt_at=None,
        error="client_error",
        attempt=None,
    )
    await store.writer.change(lambda: record_settlements([settled]))
    story = await story_of(store, call)
    (verdict,) = story.verdicts
    assert (verdict.state, "refused the message" in verdict.what) == (State.PROBLEM, True)
    assert "secret" not in repr(story)


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (missed(), "the customer hung up"),
        (replace(missed(), missed_reason=MissedReason.FORWARDED), "forwarded"),
        (replace(missed(), missed_reason=MissedReason.UNOBSERVED), "not connected"),
        (ringing(), "nobody has answered"),
    ],
)
async def test_a_call_that_no_agent_had_says_why(call: Call, said: str) -> None:
    (verdict,) = (await story_of(await store_with(Unit(NOON, call, ())), call)).verdicts
    assert said in verdict.what


async def test_an_internal_call_opens_nothing() -> None:
    call = replace(answered(), direction=Direction.INTERNAL, state=CallState.ENDED, ended_at=UnixMs(NOON + 9_000))
    story = await story_of(await store_with(Unit(NOON, call, ())), call)
    assert "between agents" in story.verdicts[0].what


async def test_steps_are_in_order_and_a_call_that_is_not_kept_has_no_story() -> None:
    call = replace(answered(), state=CallState.ENDED, ended_at=UnixMs(NOON + 9_000))
    store = await store_with(popped(call))
    assert await tell_stories(store.reader, "none", None) == []
    assert await tell_stories(store.reader, call.call_id, "another") == []
    story = await story_of(store, call)
    times = [one.at for one in story.steps if one.at is not None]
    assert times == sorted(times)
    assert (story.steps[0].decision, times[0]) == ("call_started", NOON)
