"""What really happened on the PBX, told by whoever played the calls; and what a daemon could know of it. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Talk:
    """An agent and the customer heard each other; times are Unix seconds."""

    user_id: str
    since: float
    until: float


@dataclass(frozen=True, slots=True)
class Played:
    """One call as it was. `talks` is empty where nobody answered; `caller` is the agent who dialled.

    One that lives has no end yet: `ended` is infinite.
    """

    call_id: str
    direction: str
    customer: str
    hotline: str
    queue: str | None
    began: float
    ended: float
    talks: tuple[Talk, ...] = ()
    caller: str | None = None

    @property
    def outcome(self) -> str:
        return "answered" if self.talks else "missed"


@dataclass(frozen=True, slots=True)
class Heard:
    """The spans in which the daemon followed the PBX: from a whole list of channels to the cut.

    What came in the last `margin_s` before a cut may have been read and not yet kept.
    """

    spans: Sequence[tuple[float, float]]
    margin_s: float = 2.0

    def surely(self, since: float, until: float) -> bool:
        """Some moment between the two was followed and its effect is kept."""
        return any(max(since, start) <= min(until, stop - self.margin_s) for start, stop in self.spans)

    def perhaps(self, since: float, until: float) -> bool:
        return any(since < stop + self.margin_s and until > start - self.margin_s for start, stop in self.spans)

    def wholly(self, since: float, until: float) -> bool:
        """Everything between the two was followed without a cut."""
        return any(start < since and until < stop - self.margin_s for start, stop in self.spans)


ALWAYS = Heard(((0.0, float("inf")),))
