"""The PBXs: how they are, what they have, what to paste into them and whether it works."""

from __future__ import annotations

from typing import Final

from daemon.web.description import pbx_answers as answers
from daemon.web.description.model import Answer, Description, Descriptions, ListOf, path
from daemon.web.pbx import PBX_LIMIT

_NAME: Final = path("name", "The name in the configuration.", PBX_LIMIT)

PBX: Final[Descriptions] = {
    ("GET", "/pbx"): Description(
        tag="PBX",
        summary="Every configured PBX: its state, its events a second, and its last error in words.",
        answers={200: Answer("All of them.", ListOf(answers.Pbx))},
    ),
    ("GET", "/pbx/{name}"): Description(
        tag="PBX",
        summary="One PBX.",
        parameters=(_NAME,),
        answers={200: Answer("The PBX.", answers.Pbx)},
    ),
    ("GET", "/pbx/{name}/stanzas"): Description(
        tag="PBX",
        summary="What to paste into the PBX's files, and the commands that put it in force.",
        more="The secret is never in it.",
        parameters=(_NAME,),
        answers={200: Answer("All texts, in order.", ListOf(answers.Stanza))},
    ),
    ("POST", "/pbx/{name}/check"): Description(
        tag="PBX",
        summary="Tests on the live link that what was pasted works; takes up to 15 seconds.",
        more="Nothing is changed on the PBX. Where a right lacks, Callwarden logs in again before it says so, because "
        "a session keeps the rights of its login.",
        parameters=(_NAME,),
        answers={200: Answer("Every test.", ListOf(answers.Finding))},
    ),
    ("GET", "/discovery"): Description(
        tag="PBX",
        summary="What the PBXs have beside what Callwarden knows: endpoints, queues, company numbers.",
        more="Answers of a PBX are kept for 5 seconds. One that is down or slow is among the problems.",
        answers={200: Answer("Endpoints that look like agents' phones come first.", answers.Discovery)},
    ),
}
