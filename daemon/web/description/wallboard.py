"""The wallboard, and the links for screens."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Final

from pydantic import Field

from daemon.store.wall_links import MOST_LINKS
from daemon.web.description.answers import Time
from daemon.web.description.model import Answer, Body, Description, Descriptions, ListOf, path
from daemon.web.wall import WallLinkForm

_TAG: Final = "Wallboard"


@dataclass(frozen=True, slots=True, kw_only=True)
class WallLink:
    """A link with which a screen sees the wallboard, without its secret."""

    link_id: str
    label: str
    created_at: Time
    created_by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NewWallLink(WallLink):
    """A link just made."""

    url: Annotated[str, Field(description="Shown this once; whoever has it sees the board.")]


WALLBOARD: Final[Descriptions] = {
    ("GET", "/wallboard/events"): Description(
        tag=_TAG,
        summary="The wallboard as Server-Sent Events.",
        more=(
            "`board` is the whole board, at once and whenever it changes: calls that wait and since when, today's "
            "service level by queue, missed calls not called back, and what each agent does since when. `beat` comes "
            "every two seconds in which nothing changed. Times are Unix milliseconds by the server's clock, which is "
            "`now` of each event. Nothing in it tells who a customer is."
        ),
        answers={200: Answer("The stream; it does not end.", media="text/event-stream")},
    ),
    ("GET", "/wallboard/links"): Description(
        tag=_TAG,
        summary="The links that show the wallboard where nobody is signed in, newest first.",
        answers={200: Answer("All of them.", ListOf(WallLink))},
    ),
    ("POST", "/wallboard/links"): Description(
        tag=_TAG,
        summary="Makes a link for a screen; it shows the board and opens nothing else.",
        body=Body(WallLinkForm),
        answers={201: Answer("The link.", NewWallLink)},
        refusals={409: f"There are {MOST_LINKS} already."},
    ),
    ("DELETE", "/wallboard/links/{link_id}"): Description(
        tag=_TAG,
        summary="Revokes a link: screens that show it stop at once.",
        parameters=(path("link_id", "The id of a link.", 40),),
        answers={204: Answer("Revoked.")},
    ),
}
