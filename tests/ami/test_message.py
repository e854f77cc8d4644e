"""Headers are found whatever else is in the message."""

from __future__ import annotations

import pytest

from daemon.ami.message import Message, MissingHeader


def test_the_first_of_several_headers_wins() -> None:
    message = Message(b"Event: Hangup\r\nUniqueid: 1.1\r\nEvent: Newchannel\r\nUniqueid: 2.2")
    assert message.get("Event") == "Hangup"
    assert message.get("Uniqueid") == "1.1"
    assert message.headers() == {"Event": "Hangup", "Uniqueid": "1.1"}


@pytest.mark.parametrize("value", [b"", b"<unknown>"])
def test_what_the_pbx_does_not_know_is_none(value: bytes) -> None:
    assert Message(b"Event: X\r\nCallerIDNum: " + value + b"\r\nA: b").get("CallerIDNum") is None


def test_a_header_that_is_not_there_is_none_and_not_empty_text() -> None:
    assert Message(b"Event: X").get("Nothing") is None
    with pytest.raises(MissingHeader, match="Nothing"):
        Message(b"Event: X").need("Nothing")


def test_broken_utf8_is_replaced_and_nothing_after_it_lost() -> None:
    message = Message(b"Event: X\r\nCallerIDName: Nguy\xea\r\nExten: 1")
    assert message.get("CallerIDName") == "Nguy\ufffd"
    assert message.get("Exten") == "1"


def test_a_header_named_inside_a_value_is_not_one() -> None:
    message = Message(b"Event: X\r\nCallerIDName: Uniqueid: 6.6\nUniqueid: 7.7\r\nUniqueid: 1.1")
    assert message.get("Uniqueid") == "1.1"
    assert message.headers()["Uniqueid"] == "1.1"


def test_odd_lines_are_harmless() -> None:
    assert Message(b"Event: X\r\n:\r\nno colon\r\n: \r\n\x00\r\nA: b").headers()["A"] == "b"
