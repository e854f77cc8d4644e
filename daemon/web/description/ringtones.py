"""Ringtones: listed with where they are used, uploaded, renamed, heard."""

from __future__ import annotations

from typing import Final

from daemon.store.ringtones import UPLOADED_LIMIT
from daemon.web.description import answers
from daemon.web.description.model import PAGING, Answer, Body, Description, Descriptions, ListOf, Parameter, path
from daemon.web.query import ONE_LINE
from daemon.web.ringtones import NAME_LIMIT, RingtoneForm
from daemon.web.settings_rules import RINGTONE
from daemon.web.sound_file import FILE_LIMIT, LONGEST_S

_NAME: Final = path("name", "The ringtone.", NAME_LIMIT)
_OWN: Final = "It is a built-in ringtone, which stays as it is."
_CACHED: Final = {"ETag": "Changes when the sound does.", "Accept-Ranges": "A part can be asked for with `Range`."}

RINGTONES: Final[Descriptions] = {
    ("GET", "/ringtones"): Description(
        tag="Ringtones",
        summary="Ringtones: the built-in ones, then the uploaded ones, by name.",
        parameters=PAGING,
        answers={200: Answer("A page of ringtones.", ListOf(answers.Ringtone))},
    ),
    ("POST", "/ringtones"): Description(
        tag="Ringtones",
        summary="Uploads a ringtone: the sound file itself is the body.",
        more=(
            f"WAV, MP3 or OGG (Vorbis, Opus) of at most {FILE_LIMIT // 2**20} MB and {LONGEST_S} seconds, as `audio/…` "
            "or `application/octet-stream`; its content says what it is. It becomes 16 bit mono WAV in 16 and in "
            "8 kHz, as loud as the built-in ones. A file that cannot be a ringtone is 422 and `errors` says why."
        ),
        parameters=(
            Parameter(
                "name",
                "Its name. No other has it, in small or capital letters; it cannot end in .8k, .16k or .wav.",
                {"type": "string", "maxLength": NAME_LIMIT, "pattern": RINGTONE},
                needed=True,
            ),
            Parameter(
                "label",
                "How people call it; without it, its name.",
                {"type": "string", "minLength": 1, "maxLength": 255, "pattern": ONE_LINE},
            ),
        ),
        body=Body(media="application/octet-stream", schema={"type": "string", "format": "binary"}),
        answers={201: Answer("The ringtone.", answers.Ringtone)},
        refusals={409: f"There is one of this name, or there are {UPLOADED_LIMIT} already. Nothing was changed."},
    ),
    ("GET", "/ringtones/{name}"): Description(
        tag="Ringtones",
        summary="One ringtone.",
        parameters=(_NAME,),
        answers={200: Answer("The ringtone.", answers.Ringtone)},
    ),
    ("PATCH", "/ringtones/{name}"): Description(
        tag="Ringtones",
        summary="Renames an uploaded ringtone; what is left out or null stays.",
        more="Call settings, agents, queues and hotlines that use it follow. Phones get a new address.",
        parameters=(_NAME,),
        body=Body(RingtoneForm, partial=True),
        answers={200: Answer("The ringtone as it is now.", answers.Ringtone)},
        refusals={409: f"The name is taken, or: {_OWN} Nothing was changed."},
    ),
    ("DELETE", "/ringtones/{name}"): Description(
        tag="Ringtones",
        summary="Removes an uploaded ringtone that is used nowhere.",
        parameters=(_NAME,),
        answers={204: Answer("Removed.")},
        refusals={409: f"It is used, `used_by` says where, or: {_OWN} Nothing was changed."},
    ),
    ("GET", "/ringtones/{name}/audio"): Description(
        tag="Ringtones",
        summary="The sound as WAV, to be heard.",
        more="Phones fetch it from `url` without signing in.",
        parameters=(
            _NAME,
            Parameter("rate", "Samples a second.", {"type": "string", "enum": ["16000", "8000"], "default": "16000"}),
        ),
        answers={200: Answer("The file.", headers=_CACHED, media="audio/wav")},
    ),
}
