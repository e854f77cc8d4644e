"""The daily summary through the API and its page: who gets it, what comes of a test, and no secret comes back."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from html import unescape

import pytest

from daemon.call.signals import UnixMs
from daemon.delivery import summary_sender
from daemon.policy.call_settings import CallSettings
from daemon.policy.summary import SummaryReason, yesterday
from daemon.store.role import Role
from daemon.store.summaries import begin_sending, settle_sending
from daemon.store.summary_targets import MOST_TARGETS, add_target, read_address
from tests.fakes.mailbox import Mailbox, mailbox
from tests.web.browser import has_no_inline_code, signed_in
from tests.web.conftest import NOW, House

TARGETS = "/api/v1/summary/targets"
PASSWORD = "sehr-geheim"


@pytest.fixture
async def box() -> AsyncIterator[Mailbox]:
    async with mailbox() as found:
        yield found


def address(box: Mailbox) -> str:
    return f"mailto://127.0.0.1:{box.port}?from=cw@example.com&to=boss@example.com&pass={PASSWORD}&user=cw"


async def test_a_target_is_added_tested_and_deleted_and_its_address_is_in_no_answer_log_or_note(
    house: House, box: Mailbox, capsys: pytest.CaptureFixture[str]
) -> None:
    made = await house.ask("POST", TARGETS, json={"url": address(box), "label": "Sếp", "language": "vi"})
    assert (made.status, made.body["kind"], made.body["host"]) == (201, "E-mail", "127.0.0.1")
    box.refuses = "535 who are you, cw with sehr-geheim?"
    refused = await house.ask("POST", f"{TARGETS}/{made.body['target_id']}/test")
    assert (refused.status, refused.body["sent"], refused.body["reason"]) == (200, False, "refused")
    listed = await house.ask("GET", TARGETS)
    browser = await signed_in(house, "chief", Role.ADMIN)
    page = await browser.get("/settings/summary")
    notes = await house.audit(kind="summary_target")
    assert [note["action"] for note in notes] == ["summary_target.create"]
    assert (await house.ask("DELETE", f"{TARGETS}/{made.body['target_id']}")).status == 204
    assert (await house.ask("DELETE", f"{TARGETS}/{made.body['target_id']}")).status == 404
    said = capsys.readouterr()
    for text in (made.body, refused.body, listed.body, page.text, notes, await house.audit(), said.out, said.err):
        assert PASSWORD not in str(text)
    assert "Sếp" in page.text


async def test_a_test_says_in_words_that_it_was_taken(house: House, box: Mailbox) -> None:
    made = await house.ask("POST", TARGETS, json={"url": f"mailto://127.0.0.1:{box.port}?from=a@b.vn&to=c@d.vn"})
    assert made.body["label"] == "E-mail"
    answer = await house.ask("POST", f"{TARGETS}/{made.body['target_id']}/test")
    assert (answer.body["sent"], answer.body["words"]) == (True, "The summary was taken.")
    assert box.recipients == ["c@d.vn"]
    assert (await house.ask("POST", f"{TARGETS}/sum_nobody/test")).status == 404


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"url": "file:///etc/passwd"}, "url"),
        ({"url": "slack://a/b/c?template=/etc/passwd"}, "url"),
        ({"url": "tgram://no-token"}, "url"),
        ({"url": ""}, "url"),
        ({}, "url"),
        ({"url": "mailto://a:b@c.vn", "language": "fr"}, "language"),
        ({"url": "mailto://a:b@c.vn", "label": "a\nb"}, "label"),
        ({"url": "mailto://a:b@c.vn", "attach": "/etc/passwd"}, "attach"),
    ],
)
async def test_what_may_be_no_target_is_refused_beside_its_field(
    house: House, body: dict[str, str], field: str
) -> None:
    assert (await house.ask("POST", TARGETS, json=body)).fields() == {field}
    assert (await house.ask("GET", TARGETS)).body["items"] == []


async def test_without_apprise_it_is_said_how_to_install_it(
    house: House, box: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("daemon.summaries.is_installed", lambda: False)
    monkeypatch.setattr(summary_sender, "is_installed", lambda: False)
    refused = await house.ask("POST", TARGETS, json={"url": address(box)})
    assert refused.status == 409
    assert "pip install" in refused.body["detail"]
    browser = await signed_in(house, "chief", Role.ADMIN)
    assert "pip install" in (await browser.get("/settings/summary")).text


async def test_there_are_only_so_many_targets(house: House, box: Mailbox) -> None:
    for number in range(MOST_TARGETS):
        await house.store.writer.change(
            lambda number=number: add_target(f"sum_{number}", "mailto://x", "x", "vi", NOW)  # type: ignore[misc]
        )
    assert (await house.ask("POST", TARGETS, json={"url": address(box)})).status == 409
    assert await read_address(house.store.reader, "sum_1") == "mailto://x"


async def test_the_summary_of_a_day_is_told_in_both_languages(house: House) -> None:
    await house.miss(1, queue="support")
    told = await house.ask("GET", "/api/v1/summary?day=2026-11-22&language=en", Role.SUPERVISOR)
    assert "Incoming: 0 answered, 1 missed" in told.body["text"]
    assert (await house.ask("GET", "/api/v1/summary")).body["language"] == "vi"
    for query, field in (("day=22.11.2026", "day"), ("day=2026-02-30", "day"), ("language=fr", "language")):
        assert (await house.ask("GET", f"/api/v1/summary?{query}")).fields() == {field}


async def test_time_and_days_are_call_settings_and_checked(house: House) -> None:
    path = "/api/v1/call-settings"
    kept = await house.ask("PATCH", path, json={"summary_time": "18:30", "summary_days": ["mon", "fri"]})
    assert (kept.body["summary_time"], kept.body["summary_days"]) == ("18:30", ["mon", "fri"])
    for wrong in ("7:00", "24:00", "abcde", "12:60"):
        assert (await house.ask("PATCH", path, json={"summary_time": wrong})).fields() == {"summary_time"}
    assert (await house.ask("PATCH", path, json={"summary_days": ["someday"]})).status == 422


@pytest.mark.parametrize("language", ["en", "vi"])
async def test_the_page_shows_whom_when_what_and_what_came_of_the_last(house: House, language: str) -> None:
    await house.store.writer.change(lambda: add_target("sum_1", "tgram://12345:abcdef/99", "<b>Sếp", "vi", NOW))
    day = yesterday(CallSettings(), NOW)
    await house.store.writer.change(lambda: begin_sending("sum_1", day, NOW))
    await house.store.writer.change(
        lambda: settle_sending("sum_1", day, NOW, SummaryReason.REFUSED, "401 <i>no", UnixMs(NOW + 60_000))
    )
    browser = await signed_in(house, "chief", Role.ADMIN)
    await house.ask("PATCH", "/api/v1/accounts/chief", json={"language": language})
    page = await browser.get("/settings/summary")
    content = page.text.partition("<main")[2]
    assert has_no_inline_code(content)
    said = " ".join(unescape(re.sub(r"<[^>]+>", " ", content)).split())
    assert "abcdef" not in page.text
    assert "<b>Sếp" in unescape(content)
    assert "<b>Sếp" not in content
    assert "Telegram" in said
    assert ("Not yet sent" if language == "en" else "Chưa gửi được, sẽ thử lại") in said
