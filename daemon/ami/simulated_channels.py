"""What a simulated PBX has now, learned from the events it sends: the rows of its CoreShowChannels."""

from __future__ import annotations

import time

from daemon.ami.scenario import Event

_PRIVILEGE = ("Privilege", "call,all")
_SHOWN = (
    *("Channel", "ChannelState", "CallerIDNum", "CallerIDName", "ConnectedLineNum"),
    *("Language", "AccountCode", "Context", "Exten", "Priority", "Uniqueid", "Linkedid"),
)


class SimulatedChannels:
    """Living channels by Uniqueid."""

    def __init__(self) -> None:
        self._rows: dict[str, dict[str, str]] = {}
        self._born: dict[str, float] = {}

    def __len__(self) -> int:
        return len(self._rows)

    def note(self, event: Event) -> None:
        headers = dict(event)
        kind, channel = headers["Event"], headers.get("Uniqueid", "")
        if kind == "Newchannel":
            self._rows[channel] = {"Application": "", "ApplicationData": "", "BridgeId": ""}
            self._born[channel] = time.monotonic()
        if row := self._rows.get(channel):
            row.update((name, headers[name]) for name in _SHOWN if name in headers)
            row.update(_place(kind, headers))
        if kind == "DialBegin" and (callee := self._rows.get(headers["DestUniqueid"])):
            callee.update({"Application": "AppDial", "ApplicationData": "(Outgoing Line)"})
        if kind == "Hangup":
            self._rows.pop(channel, None)
            self._born.pop(channel, None)

    def linked_of(self, name: str) -> str | None:
        """Return the Linkedid of the living channel of this name or Uniqueid."""
        return next((row["Linkedid"] for row in self._rows.values() if name in (row["Channel"], row["Uniqueid"])), None)

    def talking(self) -> list[dict[str, str]]:
        """The channels that are in a bridge."""
        return [row for row in self._rows.values() if row["BridgeId"]]

    def born(self, channel: str) -> float:
        """Of the clock that nobody sets."""
        return self._born.get(channel, time.monotonic())

    def farewell(self, linked: str, cause: str) -> list[Event]:
        """Return the events that end a whole call."""
        now = ("Timestamp", f"{time.time():.6f}")
        ending = [row for row in self._rows.values() if row["Linkedid"] == linked]
        talking = [row for row in ending if row["BridgeId"]]
        leaves = [_leave(row, now) for row in talking]
        return leaves + [(("Event", "Hangup"), _PRIVILEGE, now, *_shown(row), ("Cause", cause)) for row in ending]

    def rows(self) -> list[Event]:
        return [self._row(channel, row) for channel, row in self._rows.items()]

    def _row(self, channel: str, row: dict[str, str]) -> Event:
        seconds = int(time.monotonic() - self._born[channel])
        duration = f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}"
        return (("Event", "CoreShowChannel"), *row.items(), ("Duration", duration))


def _place(kind: str, headers: dict[str, str]) -> dict[str, str]:
    match kind:
        case "QueueCallerJoin":
            return {"Application": "Queue", "ApplicationData": f"{headers['Queue']},t,,,60"}
        case "BridgeEnter":
            return {"BridgeId": headers["BridgeUniqueid"]}
        case "BridgeLeave":
            return {"BridgeId": ""}
    return {}


def _shown(row: dict[str, str]) -> Event:
    return tuple((name, row[name]) for name in _SHOWN if name in row)


def _leave(row: dict[str, str], now: tuple[str, str]) -> Event:
    return (("Event", "BridgeLeave"), _PRIVILEGE, now, ("BridgeUniqueid", row["BridgeId"]), *_shown(row))
