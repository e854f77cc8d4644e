"""The manager user may see and do what the daemon needs and no more."""

from __future__ import annotations

import re

import pytest

from daemon.ami.link import AmiLink
from daemon.ami.manager_conf import ManagerUser, Wishes, stanza, stanza_without_secret
from daemon.ami.settings import AmiConfig
from daemon.ami.signal_table import SIGNAL_TABLE
from daemon.ami.snippets import snippets
from tests.ami.conftest import Linked


def value(text: str, key: str) -> str:
    [found] = re.findall(rf"^{key} = (.*)$", text, re.MULTILINE)
    return str(found)


def test_the_rights_are_the_least_that_do() -> None:
    text = stanza(ManagerUser(secret="s3cret"))
    assert value(text, "read") == "call,agent,reporting,system"
    assert value(text, "write") == "call,originate,agent,reporting"
    assert "deny = 0.0.0.0/0.0.0.0\ndeny = ::/0\npermit = 127.0.0.1/255.255.255.255\n" in text
    messages, keys = Wishes(phone_messages=True), Wishes(phone_messages=True, phone_keys=True)
    assert value(stanza(ManagerUser(wishes=messages)), "write") == "call,originate,agent,reporting,message"
    assert value(stanza(ManagerUser(wishes=keys)), "write") == "call,originate,agent,system,message"


def test_the_filter_lets_every_used_event_through_and_no_varset() -> None:
    pattern = re.compile(value(stanza(), "eventfilter"))
    assert all(pattern.match(f"Event: {name.decode()}\r\n") for name in SIGNAL_TABLE)
    assert not pattern.match("Event: VarSet\r\n")


def test_a_secret_is_made_where_none_is_given() -> None:
    secrets = {value(stanza(), "secret") for _ in range(3)}
    assert len(secrets) == 3
    assert all(len(secret) >= 32 for secret in secrets)
    assert value(stanza(ManagerUser(secret="mine")), "secret") == "mine"


def test_no_line_is_too_long_for_asterisk() -> None:
    assert max(map(len, stanza().splitlines())) < 512


def test_the_text_for_a_page_lets_nobody_in_before_the_secret_is_written() -> None:
    """Asterisk refuses every login of a user without a secret; a placeholder would be a secret everybody knows."""
    text = stanza_without_secret(ManagerUser(secret="s3cret", permit="192.0.2.7/255.255.255.255"))
    assert not re.search(r"^\s*secret", text, re.MULTILINE)
    assert "s3cret" not in text
    assert value(text, "permit") == "192.0.2.7/255.255.255.255"
    assert value(text, "write") == value(stanza(), "write")


@pytest.mark.parametrize(
    ("host", "tls", "expected"),
    [
        ("127.0.0.1", False, "bindaddr = 127.0.0.1\nport = 5038\n"),
        ("localhost", False, "bindaddr = 127.0.0.1\n"),
        ("pbx.example.invalid", False, "bindaddr = 0.0.0.0\n"),
        ("::1", True, "tlsenable = yes\ntlsbindaddr = [::1]:5038\n"),
    ],
)
async def test_what_to_paste_fits_the_configuration(host: str, tls: bool, expected: str) -> None:
    general, user, *_ = await snippets(AmiLink(AmiConfig("main", "warden", "s3cret", host=host, tls=tls)))
    assert expected in general.text
    assert "timestampevents = yes" in general.text
    assert user.text.startswith("[warden]\n")
    assert {general.file, user.file} == {"/etc/asterisk/manager.conf"}
    assert "s3cret" not in general.text + user.text


async def test_permit_names_where_we_come_from(linked: Linked) -> None:
    for link in (linked.link, AmiLink(AmiConfig("main", "warden", "s", host="127.0.0.5"))):
        (_, user, *_) = await snippets(link)
        (_, wider, *_) = await snippets(link, Wishes(phone_messages=True))
        assert value(wider.text, "write") == value(user.text, "write") + ",message"
        assert re.search(r"^permit = 127\.0\.0\.\d/255\.255\.255\.255$", user.text, re.MULTILINE)
    (_, user, *_) = await snippets(AmiLink(AmiConfig("main", "warden", "s", host="::1")))
    assert value(user.text, "permit") == "::1/128"
    (_, user, *_) = await snippets(AmiLink(AmiConfig("main", "warden", "s", host="nowhere.invalid")))
    assert "Write this machine's address" in user.purpose
