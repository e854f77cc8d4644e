"""The dialplan that is printed: whole, harmless, and the same names on both sides."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from daemon.ami import ringtone_db
from daemon.ami.dialplan import FREEPBX_CONTEXT, Kind, printed, snippets, text
from daemon.ami.failures import InjectionRefused
from tests.ami.conftest import Linked

OWN = text("asterisk/extensions_callwarden.conf")
LINES = [line for line in OWN.splitlines() if not line.startswith(";")]


def test_the_file_has_the_contexts_that_are_asked_for() -> None:
    for context, exten in (ringtone_db.HANDLER, ringtone_db.STORE):
        assert f"[{context}]\n" in OWN
        assert f"exten => {exten},1," in OWN
    assert str(ringtone_db.AT_ONCE) in next(line for line in LINES if "<=" in line)


def test_nothing_in_it_waits_or_asks_anybody_and_no_line_ends_in_a_comment_by_mistake() -> None:
    applications = {found for line in LINES for found in re.findall(r"(?:,1|n(?:\(\w+\))?),(\w+)\(", line)}
    assert applications == {"GotoIf", "Gosub", "Set", "Return", "Hangup"}
    assert not any(";" in line for line in LINES)


def test_what_comes_from_outside_is_filtered_before_it_becomes_a_key() -> None:
    for line in LINES:
        for key in re.findall(r"\$\{DB\(callwarden/(.*?)\)\}", line):
            assert set(re.findall(r"\$\{([A-Z_]+)", key)) <= {"CHANNEL", "CW_BRAND", "CW_RING", "CW_KEY"}
        if "Set(LOCAL(CW_KEY)=" in line or "Set(CW_KEY=" in line or "__CALLWARDEN_QUEUE" in line:
            assert "=${FILTER(" in line


def test_every_label_is_there_once() -> None:
    for exten in re.split(r"\nexten => ", OWN)[1:]:
        labels = re.findall(r"n\((\w+)\)", exten)
        assert len(labels) == len(set(labels))
        assert set(re.findall(r"\?(\w+)\)", exten)) <= set(labels)


def test_freepbx_gets_its_own_file_and_no_generated_one() -> None:
    own, override = snippets(Kind.FREEPBX)
    assert own.text == OWN
    assert override.file == "/etc/asterisk/extensions_override_freepbx.conf"
    assert f"[{FREEPBX_CONTEXT}]" in override.text
    assert "#include extensions_callwarden.conf" in override.text
    assert "#include extensions_callwarden.conf" in printed(Kind.ASTERISK)


def test_the_files_of_the_checkout_are_what_is_printed() -> None:
    folder = Path(__file__).parents[2] / "dialplan"
    assert {path.relative_to(folder).as_posix() for path in folder.rglob("*.conf")} == {
        "asterisk/extensions_callwarden.conf",
        "freepbx/extensions_override_freepbx.conf",
    }


@pytest.mark.parametrize("text", ["a,b", 'a"b', "a\\b", "a b", "${X}", "a)", "a\r\nAction: x", "é", "", "x" * 901])
async def test_what_would_be_read_as_more_is_never_written(linked: Linked, text: str) -> None:
    for key, value in ((text, "x"), ("all", text)):
        with pytest.raises(InjectionRefused):
            await ringtone_db.write(linked.link.actions, [(key, value)])
    with pytest.raises(InjectionRefused):
        await ringtone_db.remove(linked.link.actions, [text])


async def test_many_entries_are_written_a_few_at_a_time_and_read_back(linked: Linked) -> None:
    entries = {f"queue/{number}": f"<http://h/{number}>;info=a=b" for number in range(95)}
    await ringtone_db.write(linked.link.actions, entries.items())
    assert await ringtone_db.read(linked.link.actions) == entries
    assert linked.pbx.asked.count("Originate") == 3
