"""The manager user may see and do what the daemon needs and no more."""

from __future__ import annotations

import re

from daemon.ami.manager_conf import ManagerUser, stanza
from daemon.ami.signal_table import SIGNAL_TABLE


def value(text: str, key: str) -> str:
    [found] = re.findall(rf"^{key} = (.*)$", text, re.MULTILINE)
    return str(found)


def test_the_rights_are_the_least_that_do() -> None:
    text = stanza(ManagerUser(secret="s3cret"))
    assert value(text, "read") == "call,agent"
    assert value(text, "write") == "call,originate,reporting"
    assert "deny = 0.0.0.0/0.0.0.0\ndeny = ::/0\npermit = 127.0.0.1/255.255.255.255\n" in text
    assert value(stanza(ManagerUser(set_ringtones=True)), "write") == "call,originate,system"


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
