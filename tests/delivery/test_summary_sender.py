"""The summary reaches real servers of mail and messengers through apprise, and nothing that it should not reach."""

from __future__ import annotations

import sys
from ipaddress import ip_network

import pytest
from structlog.testing import capture_logs

from daemon.delivery import summary_sender
from daemon.delivery.summary_sender import Letter, SummarySender
from daemon.delivery.target_guard import TargetGuard
from daemon.policy.summary import SummaryReason
from daemon.store.summary_address import KINDS, place_of, refusal, secrets_of
from tests.fakes.mailbox import mailbox
from tests.fakes.messenger import messenger

LETTER = Letter("Cuộc gọi thứ hai: 80 % đúng hạn", "Đến: 5\nGọi lại: https://cw/missed\n", "<p>Đến: <b>5</b></p>")
TOKEN = "abcdefghijklmnopqrstuvwxyz"  # as Mattermost makes them
PLAIN = SummarySender(TargetGuard())


def mail_to(port: int) -> str:
    return f"mailto://127.0.0.1:{port}?from=cw@example.com&to=boss@example.com&smtp=127.0.0.1"


async def test_a_mail_carries_the_same_as_text_and_as_html_with_all_its_accents() -> None:
    async with mailbox() as box:
        assert (await PLAIN.send(mail_to(box.port), LETTER)).ok
    (mail,) = box.messages
    assert box.recipients == ["boss@example.com"]
    assert mail["Subject"] == LETTER.subject
    html, plain = mail.get_body(("html",)), mail.get_body(("plain",))
    assert html is not None
    assert plain is not None
    assert "<b>5</b>" in html.get_content()
    assert "Đến" in plain.get_content()


async def test_a_messenger_gets_the_plain_text() -> None:
    async with messenger() as chat:
        assert (await PLAIN.send(f"mmost://127.0.0.1:{chat.port}/{TOKEN}", LETTER)).ok
    ((path, body),) = chat.taken
    assert path.endswith(TOKEN)
    assert "Đến: 5" in body["text"]
    assert LETTER.subject in body["text"]


async def test_who_does_not_take_it_is_said_without_any_secret() -> None:
    async with mailbox() as box, messenger() as chat:
        box.refuses, chat.status = "550 no such person", 403
        for url in (mail_to(box.port), f"mmost://127.0.0.1:{chat.port}/{TOKEN}"):
            found = await PLAIN.send(url, LETTER)
            assert found.reason is SummaryReason.REFUSED
            assert TOKEN not in (found.said or "")
    gone = await PLAIN.send(mail_to(box.port), LETTER)
    assert gone.reason is SummaryReason.REFUSED


async def test_who_never_answers_is_given_up_at_the_deadline_and_leaves_no_process() -> None:
    async with mailbox() as box:
        box.silent = True
        found = await PLAIN.send(mail_to(box.port), LETTER, within_s=3)
        assert found.reason is SummaryReason.TIMEOUT
        assert found.latency_ms < 6_000
        box.silent = False
        assert (await PLAIN.send(mail_to(box.port), LETTER)).ok


async def test_the_very_address_that_is_connected_to_must_be_allowed() -> None:
    guarded = SummarySender(TargetGuard(deny=(ip_network("127.0.0.0/8"), ip_network("::1/128"))))
    async with mailbox() as box, messenger() as chat:
        for url in (
            mail_to(box.port),
            mail_to(box.port).replace("smtp=127.0.0.1", "smtp=localhost"),
            f"mmost://localhost:{chat.port}/{TOKEN}",
        ):
            assert (await guarded.send(url, LETTER)).reason is SummaryReason.NOT_ALLOWED, url
        assert (box.visits, chat.taken) == (0, [])
    found = await PLAIN.send(f"mmost://169.254.169.254/{TOKEN}", LETTER)
    assert found.reason is SummaryReason.NOT_ALLOWED


async def test_a_messenger_that_leads_elsewhere_is_not_followed() -> None:
    async with messenger() as chat, messenger() as other:
        chat.elsewhere = f"http://127.0.0.1:{other.port}/hook"
        found = await PLAIN.send(f"mmost://127.0.0.1:{chat.port}/{TOKEN}", LETTER)
        assert (found.reason, other.taken) == (SummaryReason.REFUSED, [])


async def test_an_address_is_understood_before_anything_is_sent() -> None:
    async with messenger() as chat:
        assert (await PLAIN.check(f"mmost://127.0.0.1:{chat.port}/{TOKEN}")).ok
        assert (await PLAIN.check("tgram://no-token")).reason is SummaryReason.NOT_USABLE
        assert chat.taken == []


async def test_without_apprise_it_is_said_and_nothing_breaks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(summary_sender, "is_installed", lambda: False)
    assert (await PLAIN.send(mail_to(9), LETTER)).reason is SummaryReason.NOT_INSTALLED


async def test_a_child_that_breaks_is_no_harm(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(summary_sender, "_COMMAND", (sys.executable, "-c", "raise SystemExit(3)"))
    assert (await PLAIN.send(mail_to(9), LETTER)).reason is SummaryReason.BROKEN


@pytest.mark.parametrize("way", ["it is told", "it dies of it"])
async def test_no_part_of_a_secret_is_left_where_a_long_complaint_is_cut(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, way: str
) -> None:
    secret = "".join(f"s{number:03}" for number in range(100))
    words = f"{'x' * 180}{secret}{'y' * 180}"
    told = f"import json; print(json.dumps({{'ok': False, 'why': 'refused', 'said': {words!r}}}))"
    dies = f"raise SystemExit({words!r})"
    monkeypatch.setattr(summary_sender, "_COMMAND", (sys.executable, "-c", told if way == "it is told" else dies))
    with capture_logs() as logs:
        found = await PLAIN.send(f"slack://a/b/{secret}", LETTER)
    everything = f"{found}{logs}{caplog.text}"
    assert not any(f"s{number:03}" in everything for number in range(100))
    assert len(found.said or "") <= 200


@pytest.mark.parametrize(
    "url",
    [
        "file:///etc/passwd",
        "syslog://localhost",
        "dbus://",
        "gnome://",
        "macosx://",
        "windows://",
        "exec://rm",
        "json://127.0.0.1/",
        "form://127.0.0.1/",
        "xml://127.0.0.1/",
        "apprise://127.0.0.1/token",
        "https://example.com/",
        "smpp://user:pass@host/1",
        "mailto://a:b@example.com?pgp=yes",
        "mailto://a:b@example.com?pgppub=/etc/passwd",
        "mailto://a:b@example.com?verify=no",
        "slack://a/b/c?template=/etc/passwd",
        "slack://a/b/c?TEMPLATE=/etc/passwd",
        "tgram://1:abc/2?redirect=yes",
        "tgram://1:abc/2?template=file:///etc/passwd",
        "mmost://h/t?icon_url=http://169.254.169.254/",
        "mailto://a:b@example.com?+X-Header=1",
        "mailto://a:b@example.com?a;template=x",
        "mailto://a:b@exa mple.com",
        "mailto://a:b@example.com\r\nBcc: x@example.com",
        "mailto://a:b@example.com?name=a%0d%0aBcc:x@example.com",
        "mailto://a:b@example.com?name=a%250aBcc:x@example.com",
        "mailto:a@example.com",
        "mailto://[::1",
        "mailto://" + "a" * 2001,
        "",
    ],
)
def test_what_is_no_mail_or_messenger_or_reads_files_is_refused(url: str) -> None:
    assert refusal(url) is not None


def test_every_service_that_is_allowed_is_one_of_apprise() -> None:
    apprise = pytest.importorskip("apprise")
    known = {
        name
        for service in apprise.Apprise().details()["schemas"]
        for kind in ("protocols", "secure_protocols")
        for name in service[kind] or ()
    }
    assert set(KINDS) <= known


def test_of_an_address_only_what_is_no_secret_is_shown() -> None:
    mail = "mailtos://mai:geheim@example.com:465/?smtp=mail.example.com&pass=nochgeheimer&to=boss@example.com"
    assert (place_of(mail).kind, place_of(mail).host) == ("E-mail", "example.com")
    assert (place_of("tgram://123456789:AAtoken/42").kind, place_of("tgram://123456789:AAtoken/42").host) == (
        "Telegram",
        None,
    )
    assert {"geheim", "nochgeheimer"} <= set(secrets_of(mail))
    assert "AAtoken" in " ".join(secrets_of("tgram://123456789:AAtoken/42"))
    webhook = "rockets://bot:GEbCXoBZRhhjgDfAA/Jcabcdef123@chat.example.com/%23sales"  # a token with a / in it
    assert place_of(webhook).host is None
    assert place_of(webhook.replace("bot:", "")).host is None
    assert {"GEbCXoBZRhhjgDfAA", "Jcabcdef123"} <= set(secrets_of(webhook.replace("bot:", "")))
    assert {"GEbCXoBZRhhjgDfAA", "Jcabcdef123"} <= set(secrets_of(webhook))
    for hostile in ("", "x", "tgram://[", "mailto://a:port@x:99999999"):
        place_of(hostile)
        secrets_of(hostile)
