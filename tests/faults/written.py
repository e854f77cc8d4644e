"""`Master.csv` of the simulated PBX: of each call the rows that a real Asterisk 22 was seen to write (recordings/cdr).

Asterisk writes them when a call's first channel ends, whoever listens. Nothing here looks at what was told or judged.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import count
from pathlib import Path

_DISPOSITION = {"BUSY": "BUSY", "NOANSWER": "NO ANSWER", "CANCEL": "NO ANSWER", "ANSWER": "ANSWERED"}

Headers = Mapping[str, str]


@dataclass(slots=True)
class _Row:
    """One attempt to reach a phone; without one it is what the dialplan did after the last."""

    extension: str
    application: str
    started: float
    phone: str = ""
    answered: float | None = None
    ended: float | None = None
    disposition: str = "NO ANSWER"


@dataclass(slots=True)
class _Story:
    channel: str
    number: str
    began: float
    taken: float | None = None
    """When the queue answered the line to play its music."""
    queue: str = ""
    leaves: float | None = None
    """When its caller went by himself: then no dialplan went on."""
    rows: list[_Row] = field(default_factory=list)


class CdrWriter:
    """Give it every event of the PBX in order. `clock` is the PBX's; the file is in UTC."""

    def __init__(self, path: Path, clock: Callable[[], float] = time.time) -> None:
        self._path = path
        self._clock = clock
        self._stories: dict[str, _Story] = {}
        self._sequence = count()
        path.touch()

    def note(self, event: Headers) -> None:
        call, first = event.get("Linkedid", ""), event.get("Uniqueid") == event.get("Linkedid")
        if event["Event"] == "Newchannel" and first:
            self._stories[call] = _Story(event["Channel"], event.get("CallerIDNum", ""), self._clock())
        elif (story := self._stories.get(call)) is not None:
            self._follow(story, event, first=first)
            if event["Event"] == "Hangup" and first:
                self._write(call, self._stories.pop(call))

    def _follow(self, story: _Story, event: Headers, *, first: bool) -> None:
        now = self._clock()
        match event["Event"]:
            case "NewCallerid" if first:
                story.number = event.get("CallerIDNum") or story.number
            case "QueueCallerJoin":
                story.taken, story.queue = now, event["Queue"]
            case "QueueCallerLeave":
                story.queue = ""
            case "HangupRequest" if first:
                story.leaves = now
            case "DialBegin":
                story.rows.append(self._dialled(story, event, now))
            case "DialEnd" if story.rows and story.rows[-1].ended is None:
                self._dial_ended(story.rows[-1], event["DialStatus"], now)
            case "BridgeLeave" if story.rows:
                story.rows[-1].ended = story.rows[-1].ended or now

    def _dialled(self, story: _Story, event: Headers, now: float) -> _Row:
        """A first attempt begins with its call, a later one when the phone is dialled."""
        started = now if story.rows else story.began
        application = f"Queue,{story.queue},t,,,20" if story.queue else "Dial,x,8"
        return _Row(
            event["Exten"], application, started, event["DestChannel"], story.taken and max(started, story.taken)
        )

    def _dial_ended(self, row: _Row, status: str, now: float) -> None:
        row.disposition = _DISPOSITION[status]
        if status == "ANSWER":
            row.answered = row.answered if row.answered is not None else now
        else:
            row.ended = now

    def _write(self, call: str, story: _Story) -> None:
        now = self._clock()
        if story.leaves is None and not any(row.disposition == "ANSWERED" for row in story.rows):
            last = story.rows[-1].extension if story.rows else "s"
            story.rows.append(_Row(last, "Hangup,", now, answered=story.taken and now, ended=now))
        with self._path.open("a") as file:  # in one piece, as cdr_csv does
            file.write("".join(self._line(call, story, row, now) for row in story.rows))

    def _line(self, call: str, story: _Story, row: _Row, now: float) -> str:
        application, _, data = row.application.partition(",")
        ended = row.ended if row.ended is not None else now
        start, answer, end = (_seconds(at) for at in (row.started, row.answered, ended))
        lasted = f"{int(ended) - int(row.started)},{int(ended) - int(row.answered or ended)}"
        texts = ("", story.number, row.extension, "in", f'"" <{story.number}>', story.channel, row.phone)
        fields = [*map(_quoted, (*texts, application, data)), start, answer, end, lasted, _quoted(row.disposition)]
        further = map(_quoted, ("DOCUMENTATION", call, "", "", call))
        return ",".join([*fields, *further, str(next(self._sequence))]) + "\n"


def _quoted(text: str) -> str:
    return '"' + text.replace('"', '""') + '"'


def _seconds(at: float | None) -> str:
    return f'"{datetime.fromtimestamp(int(at), UTC):%Y-%m-%d %H:%M:%S}"' if at is not None else ""
