"""A doctor for the web server alone: it finds what a test put into it, and tells the stories of the store's calls."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

from daemon.diagnosis import Area, Finding, State, Story, in_order
from daemon.doctor.call_story import tell_stories
from daemon.message import Message
from daemon.store.reader import Reader


@dataclass
class Doctor:
    """Something of every state; of the dialplan nothing."""

    reads: Reader
    found: list[Finding] = field(
        default_factory=lambda: [
            Finding(check="pbx.connected", state=State.OK, what=Message("Connected."), about="1"),
            Finding(
                check="pbx.hang_up",
                state=State.WARNING,
                what=Message("Not allowed."),
                why=Message("Calls stay."),
                fix=Message("Change it."),
                about="1",
            ),
            Finding(check="phones.agents", state=State.PROBLEM, what=Message("There are no agents.")),
            Finding(check="queues.known", state=State.UNKNOWN, what=Message("Not looked at.")),
            Finding(check="machine.disk", state=State.OK, what=Message("{free} MB are free.", free=7)),
        ]
    )
    asked: list[Collection[Area]] = field(default_factory=list)

    async def examine(self, areas: Collection[Area] = tuple(Area)) -> Sequence[Finding]:
        self.asked.append(areas)
        return in_order(finding for finding in self.found if finding.group in areas)

    async def stories(self, call_id: str, pbx: str | None = None) -> Sequence[Story]:
        return await tell_stories(self.reads, call_id, pbx)
