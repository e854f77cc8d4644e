"""`/ringtones/{token}/{file}`: what phones fetch. They cannot sign in, so the address itself is the permission."""

from __future__ import annotations

from aiohttp import web

from daemon.store.ringtone_address import ringtone_at
from daemon.store.ringtones import read_wav
from daemon.web.problem import Problem
from daemon.web.query import path_part
from daemon.web.services import services
from daemon.web.sound_response import FOREVER, sound_response


async def get_phone_sound(request: web.Request) -> web.Response:
    """`NAME.wav` is wideband, `NAME.8k.wav` for all other phones. One and the same 404 for whatever is wrong.

    Any query is taken: some phones add their own.
    """
    reads = services(request).reads
    found = await ringtone_at(reads, path_part(request, "token", 64), path_part(request, "file", 80))
    wav = await read_wav(reads, found[0].name, found[1]) if found else None
    if found is None or wav is None:
        raise Problem(404, "there is nothing at this address")
    return sound_response(request, wav, f"{found[0].digest[:32]}-{found[1]}", FOREVER)
