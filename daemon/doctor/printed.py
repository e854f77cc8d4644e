"""What the doctor says, for a terminal. What a PBX, caller or target wrote never reaches it as markup or control."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from itertools import groupby
from typing import Final

from rich.console import Console
from rich.table import Table
from rich.text import Text

from daemon.diagnosis import Area, Finding, State, Step, Story, worst
from daemon.doctor.wording import one_line

_LONGEST: Final = 2_000
_MARKS: Final = {
    State.OK: ("ok", "green"),
    State.WARNING: ("warning", "yellow"),
    State.PROBLEM: ("problem", "bold red"),
    State.UNKNOWN: ("unknown", "cyan"),
}
_TITLES: Final = {
    Area.PBX: "PBX",
    Area.DIALPLAN: "Dialplan and ringtones",
    Area.PHONES: "Agents and phones",
    Area.QUEUES: "Queues",
    Area.WEB: "Web and webhooks",
    Area.MACHINE: "Database and machine",
}


def print_findings(findings: Sequence[Finding], console: Console) -> None:
    """By group, the worst first, and a last line that sums it up."""
    for group, members in groupby(findings, key=lambda one: one.group):
        console.print(Text(_TITLES[group], style="bold"))
        _print_all(members, console)
        console.print()
    counts = ", ".join(f"{sum(one.state is state for one in findings)} {state.value}" for state in State)
    _, style = _MARKS[worst(findings)]
    console.print(Text(counts, style=style))


def print_stories(stories: Iterable[Story], console: Console) -> None:
    for story in stories:
        console.print(Text(_plain(f"Call {story.call_id} on {story.pbx}"), style="bold"))
        _print_all(story.verdicts, console)
        console.print()
        for step in story.steps:
            console.print(_step(step))


def _print_all(findings: Iterable[Finding], console: Console) -> None:
    """In two columns, so that long lines stay under their beginning."""
    table = Table.grid(padding=(0, 2))
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for finding in findings:
        word, style = _MARKS[finding.state]
        table.add_row(Text(f"  {word}", style=style), _told(finding))
    console.print(table)


def _told(finding: Finding) -> Text:
    about = f"{finding.about}: " if finding.about and finding.about not in finding.what else ""
    lines = [Text(_plain(about + finding.what))]
    if finding.why:
        lines.append(Text(_plain(finding.why), style="dim"))
    if finding.fix:
        lines.append(Text.assemble(("What to do: ", "bold"), _plain(finding.fix)))
    return Text("\n").join(lines)


def _step(step: Step) -> Text:
    at = datetime.fromtimestamp(step.at / 1000).astimezone().strftime("%H:%M:%S.%f")[:-3] if step.at else " " * 12
    who = f" [{step.user_id}]" if step.user_id else ""
    reason = f" ({step.reason})" if step.reason else ""
    return Text.assemble("  ", (at, "dim"), "  ", _plain(step.what), (_plain(who + reason), "dim"))


def _plain(text: str) -> str:
    return one_line(text, _LONGEST)
