"""What the demo shows: a live table in a terminal, or a line for each thing that happens where there is none."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from rich.box import SIMPLE_HEAD
from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from daemon.bus import EffectsCommitted, News
from daemon.call.model import Call, CallState, Direction, Outcome
from daemon.demo.crm import Popup
from daemon.store.values import Ticket

_ROWS = 8
_ARROWS = {Direction.INCOMING: "←", Direction.OUTGOING: "→", Direction.INTERNAL: "↔"}
_COLOURS = {"ringing": "yellow", "answered": "green", "missed": "red", "ended": "dim"}


@dataclass
class Screen:
    """Follows the bus and the CRM. `links` are the addresses to look at."""

    console: Console
    links: tuple[str, ...] = ()
    calls: dict[str, Call] = field(default_factory=dict)
    tickets: dict[str, Ticket] = field(default_factory=dict)
    popups: deque[Popup] = field(default_factory=lambda: deque(maxlen=_ROWS))
    popup_count: int = 0
    live: Live | None = None

    def open(self) -> None:
        """Begin to show."""
        for link in self.links:
            self.console.print(link, highlight=False, soft_wrap=True)
        if self.console.is_terminal:
            self.live = Live(self._tables(), console=self.console, refresh_per_second=8, screen=False)
            self.live.start()

    def close(self) -> None:
        """End with the sum of what happened."""
        if self.live is not None:
            self.live.stop()
        ended = [call for call in self.calls.values() if call.state is CallState.ENDED]
        missed = sum(call.outcome is Outcome.MISSED for call in ended)
        self.console.print(
            f"{len(ended)} calls ended ({missed} missed), {len(self.tickets)} tickets, {self.popup_count} popups."
        )

    def happened(self, news: News) -> None:
        """Take in what is safe on disk."""
        if not isinstance(news, EffectsCommitted):
            return
        call = news.committed.unit.call
        before = self.calls.get(call.call_id)
        self.calls[call.call_id] = call
        if before is None or before.state is not call.state:
            self._say("call", _call_words(call))
        change = news.committed.ticket
        if change is not None:
            self.tickets[change.ticket.ticket_id] = change.ticket
            self._say("ticket", ("opened " if change.created else "took in ") + _ticket_words(change.ticket))
        self._draw()

    def popped(self, popup: Popup) -> None:
        """Take in what reached the CRM."""
        self.popups.appendleft(popup)
        self.popup_count += 1
        self._say("popup", f"{popup.user_id} sees {popup.customer_number} ({popup.hotline})")
        self._draw()

    def _say(self, kind: str, words: str) -> None:
        if self.live is None:
            self.console.print(
                f"{datetime.now().astimezone():%H:%M:%S.%f}"[:-3] + f" {kind:6} {words}", highlight=False
            )

    def _draw(self) -> None:
        if self.live is not None:
            self.live.update(self._tables())

    def _tables(self) -> Group:
        calls = [_call_cells(call) for call in list(self.calls.values())[-_ROWS:][::-1]]
        tickets = [_ticket_cells(ticket) for ticket in list(self.tickets.values())[-_ROWS:][::-1]]
        pops = [(p.user_id, p.customer_number, p.hotline, "out" if p.is_call_out else "in") for p in self.popups]
        return Group(
            *(Text(link, style="dim") for link in self.links),
            _table("Calls", ("Customer", "Hotline", "Queue", "Agents", "State", "Waited", "Talked"), calls),
            _table("Tickets", ("No.", "Kind", "Customer", "Queue", "Status", "Missed", "Calls"), tickets),
            _table("Popups at the CRM", ("Agent", "Customer", "Hotline", "Direction"), pops),
        )


def _table(title: str, columns: Iterable[str], rows: Iterable[Iterable[str | Text]]) -> Table:
    table = Table(title=title, title_justify="left", title_style="bold", box=SIMPLE_HEAD, expand=True, pad_edge=False)
    for column in columns:
        table.add_column(column, no_wrap=True)
    for row in rows:
        table.add_row(*row)
    return table


def _state(call: Call) -> str:
    return call.outcome.value if call.state is CallState.ENDED and call.outcome is Outcome.MISSED else call.state.value


def _call_words(call: Call) -> str:
    agents = " then ".join(call.user_ids) or "nobody yet"
    reason = f", {call.missed_reason.value}" if call.missed_reason else ""
    return f"{_state(call)}: {call.direction.value} {_who(call)}, {agents}{reason}"


def _who(call: Call) -> str:
    return "colleagues" if call.direction is Direction.INTERNAL else call.customer_number or "anonymous"


def _call_cells(call: Call) -> tuple[str | Text, ...]:
    return (
        f"{_ARROWS[call.direction]} {_who(call)}",
        call.hotline or "",
        call.queue or "",
        " ".join(call.user_ids),
        Text(_state(call), style=_COLOURS[_state(call)]),
        _seconds(call.wait_seconds),
        _seconds(call.talk_seconds if call.answered_at else None),
    )


def _ticket_words(ticket: Ticket) -> str:
    customer = ticket.customer_number or "anonymous"
    return f"#{ticket.ticket_id} {ticket.kind.value} {customer}, {len(ticket.call_ids)} calls"


def _ticket_cells(ticket: Ticket) -> tuple[str | Text, ...]:
    return (
        f"#{ticket.ticket_id}",
        ticket.kind.value.replace("_", " "),
        ticket.customer_number or "anonymous",
        ticket.queue or "",
        ticket.status.value,
        str(ticket.missed_count or ""),
        str(len(ticket.call_ids)),
    )


def _seconds(value: float | None) -> str:
    return "" if value is None else f"{value:.1f} s"
