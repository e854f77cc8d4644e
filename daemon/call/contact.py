"""Which endpoints the PBX cannot reach any more: they answered its question, and then none of their contacts did.

A place that never answered (a trunk that ignores OPTIONS, a phone that is registered twice) says nothing.
"""

from __future__ import annotations

from typing import Final

from daemon.call.board import Board
from daemon.call.signals import ContactChanged, ContactState

_MOST_ENDPOINTS: Final = 50_000
_MOST_CONTACTS: Final = 100
_THERE: Final = frozenset({ContactState.ANSWERS, ContactState.KNOWN})


def contact_changed(board: Board, signal: ContactChanged) -> None:
    contacts = board.contacts.setdefault(signal.endpoint, {})
    before = contacts.pop(signal.contact, None)
    if signal.state is not ContactState.GONE and len(contacts) < _MOST_CONTACTS:
        # registered anew, it goes on answering until it fails to
        goes_on = signal.state is ContactState.KNOWN and before is ContactState.ANSWERS
        contacts[signal.contact] = ContactState.ANSWERS if goes_on else signal.state
    if not _THERE.isdisjoint(contacts.values()):
        board.unreachable.pop(signal.endpoint, None)
    elif before is ContactState.ANSWERS:
        board.unreachable.setdefault(signal.endpoint, signal.at)
    if len(board.contacts) > _MOST_ENDPOINTS:
        board.unreachable.pop(oldest := next(iter(board.contacts)), None)
        del board.contacts[oldest]
