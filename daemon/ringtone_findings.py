"""What the PBX page says of ringtones: whether the dialplan can play them, and whether the PBX has what was chosen."""

from __future__ import annotations

from enum import StrEnum
from typing import Final, assert_never

from daemon.message import Message
from daemon.pbx import Finding
from daemon.policy.ringtone import Table

_DIALPLAN: Final = "ringtone_dialplan"
_TABLE: Final = "ringtones"


class TableState(StrEnum):
    """How the PBX's database stands to what was chosen."""

    UNWRITTEN = "unwritten"
    NO_WAY = "no_way"
    UNKNOWN = "unknown"
    READ_BACK = "read_back"


def nothing_chosen() -> Finding:
    return Finding(_TABLE, ok=True, words=Message("No ringtone is chosen anywhere: phones play their own."))


def handler_finding(handler: bool | None, store: bool | None) -> Finding:
    """Whether the dialplan has the context that tells phones and the one that writes; None: it cannot be asked."""
    if handler and store:
        said = Message(
            "The dialplan has Callwarden's ringtone contexts. Whether each Dial and Queue uses them shows a test call."
        )
        return Finding(_DIALPLAN, ok=True, words=said)
    if handler is None or store is None:
        said = Message("Whether the dialplan has Callwarden's ringtone contexts cannot be asked (func_dialplan).")
        return Finding(_DIALPLAN, ok=None, words=said)
    said = Message("The dialplan does not have Callwarden's ringtone contexts, so phones ring as they always did.")
    fix = Message(
        "Paste the dialplan file shown under What to paste, add the #include line, then run: {command}, "
        "and check again.",
        command="asterisk -rx 'dialplan reload'",
    )
    return Finding(_DIALPLAN, ok=False, words=said, fix=fix)


def table_finding(state: TableState, table: Table, trouble: str | None, *, has_urls: bool) -> Finding:
    count = len(table.entries)
    match state:
        case TableState.NO_WAY:
            return Finding(_TABLE, ok=None, words=Message("Not written: the dialplan lacks the context that writes."))
        case TableState.UNWRITTEN:
            said = Message("The ringtones could not be written: {reason}", reason=trouble or "?")
            fix = Message("It is tried again by itself. The right originate must be allowed; see above.")
            return Finding(_TABLE, ok=False, words=said, fix=fix)
        case TableState.UNKNOWN:
            return _unknown(count)
        case TableState.READ_BACK:
            return _refused(table) if table.refused else _written(count, has_urls=has_urls)
    assert_never(state)


def _unknown(count: int) -> Finding:
    said = Message(
        "{count} entries were sent to the PBX's database, but whether they stand there as chosen is unknown: this PBX "
        "does not let them be read back.",
        count=count,
    )
    fix = Message(
        "A test call shows it. With the right reporting and Asterisk 16.28, 18.14, 19.6 or newer, Callwarden sees it "
        "by itself."
    )
    return Finding(_TABLE, ok=None, words=said, fix=fix)


def _refused(table: Table) -> Finding:
    said = Message(
        "{count} entries are in the PBX's database. Not written, because no phone could be told safely: {names}",
        count=len(table.entries),
        names=", ".join(table.refused[:10]),
    )
    fix = Message(
        "Only PJSIP phones and plain names (letters, digits, + * # _ . @ -) can be written, and no ringtone "
        "whose name makes phones answer by themselves."
    )
    return Finding(_TABLE, ok=False, words=said, fix=fix)


def _written(count: int, *, has_urls: bool) -> Finding:
    if has_urls:
        said = Message("{count} entries are in the PBX's database, as chosen.", count=count)
    else:
        said = Message(
            "{count} entries are in the PBX's database, as chosen. Phones are told names only: http.public_url or "
            "http.phone_url is missing in Callwarden's configuration, so they cannot fetch the sounds.",
            count=count,
        )
    return Finding(_TABLE, ok=True, words=said)
