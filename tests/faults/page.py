"""docs/faults.md from the results. What was not run is said to be so."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from tests.faults.rows import ROWS, Row

_COLUMNS = ("Fault", "Runs", "Calls", "Effects due", "Lost", "Doubled", "Wrong", "Sent again", "Unseen", "Cut")
_HEAD = """# What Callwarden survives

Made by `make faults`, which does harm to whole installations (`tests/faults/`) while calls come and go, and counts.
Short forms of most rows run with every change. What should have happened is known from whoever played the calls,
never from the daemon: the simulated PBX, or SIPp and Asterisk's own console.

*Effects* of a call: its record with the right outcome, people and numbers; its ticket, shared as the merge mode says;
its popup at the receiver, once for each agent; each event at the webhook. *Lost*: it never came. *Doubled*: a second
record, ticket or message, under an id of its own. *Wrong*: anything else than the truth. *Sent again*: the same
message under the same `webhook-id`, which a receiver can tell; that is allowed after a crash, and where a target took
the message but did not answer. *Unseen*: calls that began and ended while the daemon was away or the link was cut.
*Cut*: calls answered and ended where nobody followed, or begun in the last seconds before a cut: either outcome is
taken for them. Neither is counted as lost: nobody told the daemon of them.

Where the PBX has a CDR, the daemon reads it afterwards, and **nothing is excused**: every call, its ticket and the
events of its end are due as if it had been followed (*unseen* says of how many calls only the CDR told), and a popup of
the past counts as wrong.

"""

_LIMITS = """
## Known limits, seen here

- A popup that waits to be sent again while the clock is put forward by more than two minutes is taken for too old, and
  a message that waits while the clock is put back waits so much longer.
- Of a call that came *and* was transferred while the daemon was away, the PBX's list no longer tells which number the
  customer had dialled: its hotline is then the extension it was transferred to.
- An outage of the daemon longer than a call leaves of it what the PBX still knows at the return.
"""


def page(results: Mapping[str, Mapping[str, Any]]) -> str:
    return _HEAD + "\n".join((*_table(results), "", *_notes(results))) + "\n" + _LIMITS


def _table(results: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    yield "| " + " | ".join(_COLUMNS) + " |"
    yield "|---|" + "---:|" * (len(_COLUMNS) - 1)
    for row in ROWS:
        result = results.get(row.name)
        title = row.title if result is None or _is_whole(row, result) else f"{row.title} *(reduced, see below)*"
        yield "| " + " | ".join((title, *_numbers(result))) + " |"


def _is_whole(row: Row, result: Mapping[str, Any]) -> bool:
    """All that was planned was done, as often as planned."""
    return bool(result["did"] == row.did and set(row.seeds) <= set(result["seeds"]))


def _numbers(result: Mapping[str, Any] | None) -> tuple[str, ...]:
    if result is None or result["skipped"]:
        return ("not run", *("" for _ in _COLUMNS[2:]))
    names = ("runs", "calls", "effects", "lost", "doubled", "wrong", "repeats", "unseen", "cut")
    return tuple(f"{result[name]:,}" for name in names)


def _notes(results: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    yield "## What was run"
    yield ""
    for row in ROWS:
        yield f"- **{row.title}**: {_note(row, results.get(row.name))}"


def _note(row: Row, result: Mapping[str, Any] | None) -> str:
    if result is None:
        return f"not run yet. Planned: {row.did}."
    if result["skipped"]:
        return f"not run: {result['skipped']}."
    seeds = ", ".join(map(str, result["seeds"])) or "none"
    planned = "" if set(row.seeds) <= set(result["seeds"]) else f" of {len(row.seeds)} planned"
    return f"{result['did']}. {result['at']} UTC, seeds {seeds}{planned}; {result['machine']}."
