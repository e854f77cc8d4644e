"""`/api/v1/ringtones`: the built-in ones and the uploaded ones, where each is used, and what phones fetch."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Final

from aiohttp import web
from annotated_types import Len
from pydantic import TypeAdapter

from daemon.message import Message
from daemon.store.built_in_ringtones import BUILT_IN
from daemon.store.ringtone_address import phone_path, ringtone_secret
from daemon.store.ringtone_sound import NARROW_HZ, WIDE_HZ
from daemon.store.ringtones import (
    RINGTONE,
    UPLOADED_LIMIT,
    InUse,
    NameTaken,
    Ringtone,
    TooMany,
    add_ringtone,
    change_ringtone,
    delete_ringtone,
    find_ringtone,
    read_ringtone,
    read_ringtones,
    read_wav,
)
from daemon.web.audit import change
from daemon.web.body import json_object, validated
from daemon.web.caller import by
from daemon.web.listing import json_response, page_response
from daemon.web.problem import FieldError, Problem, invalid, not_found
from daemon.web.query import Query, path_part
from daemon.web.server_address import server_address
from daemon.web.services import services
from daemon.web.sound_file import FILE_LIMIT, SOUND_FILES, UnusableSound
from daemon.web.sound_response import PRIVATE, sound_response
from daemon.web.texts import Label, NewRingtone

NAME_LIMIT: Final = 64
TYPES: Final = frozenset({"application/octet-stream", "application/ogg", "video/ogg"})
"""What programs and browsers call sound files, besides `audio/…`; what a file is, is seen from its content."""
_RATES: Final = {None: WIDE_HZ, "16000": WIDE_HZ, "8000": NARROW_HZ}


@dataclass(frozen=True, slots=True, kw_only=True)
class RingtoneForm:
    """The body of a PATCH: what is left out, or null, stays."""

    name: NewRingtone | None = None
    label: Annotated[Label, Len(1)] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class UploadForm:
    """The query of an upload; a missing label is the name."""

    name: NewRingtone
    label: Annotated[Label, Len(1)] | None = None


_FORM: Final = TypeAdapter(RingtoneForm)
_UPLOAD: Final = TypeAdapter(UploadForm)


async def list_ringtones(request: web.Request) -> web.Response:
    query = Query(request, ("cursor", "limit"))
    limit, after = query.limit(), query.cursor(int, str)
    found = await read_ringtones(services(request).reads)
    rest = [each for each in found if after is None or each.place() > tuple(after)]
    return page_response(rest, limit, await _shown(request), lambda each: list(each.place()))


async def get_ringtone(request: web.Request) -> web.Response:
    Query(request, ())
    return await _answer(request, _name(request))


async def upload_ringtone(request: web.Request) -> web.Response:
    """The file itself is the body. 201; whatever it was, phones get WAV."""
    query = Query(request, ("name", "label"))
    form = validated(_UPLOAD, {key: value for key in ("name", "label") if (value := query.text(key)) is not None})
    await _refuse_taken(request, form.name)
    content = await _content(request)
    try:
        sound = await request.app[SOUND_FILES].sound_of(content)
    except UnusableSound as unusable:
        raise invalid([FieldError("", unusable.message)]) from unusable
    who, label = by(request), form.label or form.name
    try:
        await change(request, RINGTONE, form.name, lambda: add_ringtone(form.name, label, sound, who))
    except NameTaken as taken:
        raise _taken(taken) from taken
    except TooMany as error:
        detail = Message("there are {limit} uploaded ringtones already; delete one first", limit=UPLOADED_LIMIT)
        raise Problem(409, detail) from error
    await services(request).rules_changed()
    return await _answer(request, form.name, 201)


async def patch_ringtone(request: web.Request) -> web.Response:
    """Another name follows into the call settings, agents, queues and hotlines, in the same transaction."""
    Query(request, ())
    parts, name, form = services(request), _uploaded(request), validated(_FORM, await json_object(request))
    who = by(request)
    try:
        known = await parts.writes.change(lambda: change_ringtone(name, form.name, form.label, who))
    except NameTaken as taken:
        raise _taken(taken) from taken
    if not known:
        raise not_found("ringtone")
    await parts.rules_changed()
    return await _answer(request, form.name or name)


async def remove_ringtone(request: web.Request) -> web.Response:
    """409 while it is used anywhere, naming where."""
    Query(request, ())
    name = _uploaded(request)
    try:
        known = await change(request, RINGTONE, name, lambda: delete_ringtone(name))
    except InUse as error:
        detail = Message("this ringtone is in use; choose another one there first")
        raise Problem(409, detail, used_by=[use.as_json() for use in error.uses]) from error
    if not known:
        raise not_found("ringtone")
    await services(request).rules_changed()
    return web.Response(status=204)


async def get_audio(request: web.Request) -> web.Response:
    """For listening to it on a page; phones have their own address."""
    query, reads, name = Query(request, ("rate",)), services(request).reads, _name(request)
    rate = _RATES.get(query.text("rate"))
    if rate is None:
        raise invalid([FieldError("rate", Message("must be 16000 or 8000"))])
    ringtone = await find_ringtone(reads, name)
    wav = await read_wav(reads, name, rate) if ringtone else None
    if ringtone is None or wav is None:
        raise not_found("ringtone")
    return sound_response(request, wav, f"{ringtone.digest[:32]}-{rate}", PRIVATE)


async def _content(request: web.Request) -> bytes:
    """A limit of its own: every other body is smaller."""
    if request.content_type not in TYPES and not request.content_type.startswith("audio/"):
        raise Problem(415, Message("send the sound file itself, as audio/wav, audio/mpeg or audio/ogg"))
    too_large = Problem(413, Message("the file is larger than {limit} MB", limit=FILE_LIMIT // 2**20))
    if (request.content_length or 0) > FILE_LIMIT:
        raise too_large
    content = bytearray()
    async for part in request.content.iter_chunked(65536):
        content += part
        if len(content) > FILE_LIMIT:
            raise too_large
    return bytes(content)


async def _refuse_taken(request: web.Request, name: str) -> None:
    """Before the file is read; whoever is as fast as another is refused by the store."""
    if await find_ringtone(services(request).reads, name):
        raise _taken(NameTaken(name))


def _taken(error: NameTaken) -> Problem:
    return Problem(409, Message("nothing was changed"), errors=[FieldError("name", error.message)])


async def _answer(request: web.Request, name: str, status: int = 200) -> web.Response:
    found = await read_ringtone(services(request).reads, name)
    if found is None:
        raise not_found("ringtone")
    return json_response((await _shown(request))(found), status)


async def _shown(request: web.Request) -> Callable[[Ringtone], dict[str, object]]:
    address = await phone_addresses(request)
    return lambda each: {**each.as_json(), "url": address(each, WIDE_HZ), "url_8k": address(each, NARROW_HZ)}


async def phone_addresses(request: web.Request) -> Callable[[Ringtone, int], str]:
    """Where phones fetch a ringtone, by its rate; without a configured address the host is the one that was asked."""
    parts = services(request)
    secret = await ringtone_secret(parts.reads, parts.writes.change, parts.clock())
    base = parts.phone_url or server_address(request)
    return lambda ringtone, rate: base + phone_path(secret, ringtone, rate)


def _name(request: web.Request) -> str:
    return path_part(request, "name", NAME_LIMIT)


def _uploaded(request: web.Request) -> str:
    name = _name(request)
    if name in BUILT_IN:
        raise Problem(409, Message("a built-in ringtone cannot be changed; upload one of your own"))
    return name
