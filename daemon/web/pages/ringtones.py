"""`/settings/ringtones`: listen to them, choose one for all calls, upload and rename your own ones."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final
from urllib.parse import quote

from aiohttp import web

from daemon.message import Message
from daemon.store.ringtone_sound import NARROW_HZ, WIDE_HZ
from daemon.store.ringtone_uses import Use
from daemon.store.ringtones import UPLOADED_LIMIT, Kind, Ringtone, read_ringtones
from daemon.store.settings import read_settings
from daemon.web.page import show, words
from daemon.web.pages.choices import ringtone_word
from daemon.web.ringtones import phone_addresses
from daemon.web.services import services
from daemon.web.sound_file import FILE_LIMIT, LONGEST_S
from daemon.web.words import Translate

USES_SHOWN: Final = 5
_API: Final = "/api/v1/ringtones/"
_USES: Final[Mapping[str, tuple[Message, str]]] = {
    "call_settings": (Message("All calls"), "/settings/calls#setting-ringtone"),
    "agent": (Message("Agent {name}"), "/settings/agents/{key}"),
    "queue": (Message("Queue {name}"), "/settings/queues"),
    "hotline": (Message("Hotline {name}"), "/settings/hotlines"),
}


async def show_ringtones(request: web.Request) -> web.Response:
    parts, _ = services(request), words(request)
    chosen = (await read_settings(parts.reads)).settings.ringtone
    found, address = await read_ringtones(parts.reads), await phone_addresses(request)
    tones = [_shown(each, each.name == chosen, address, _) for each in found]
    return await show(
        request,
        "ringtones.html",
        uploaded=[tone for tone in tones if tone["kind"] is Kind.UPLOADED],
        built_in=[tone for tone in tones if tone["kind"] is Kind.BUILT_IN],
        chosen=next((tone["label"] for tone in tones if tone["chosen"]), chosen),
        names=[each.name for each in found],
        is_full=len([each for each in found if each.kind is Kind.UPLOADED]) >= UPLOADED_LIMIT,
        limits={"bytes": FILE_LIMIT, "megabytes": FILE_LIMIT // 2**20, "seconds": LONGEST_S, "files": UPLOADED_LIMIT},
        is_address_configured=(parts.phone_url or parts.public_url) is not None,
    )


def _shown(ringtone: Ringtone, chosen: bool, address: Callable[[Ringtone, int], str], _: Translate) -> dict[str, Any]:
    path = _API + quote(ringtone.name, safe="")
    return {
        "name": ringtone.name,
        "kind": ringtone.kind,
        "label": ringtone_word(ringtone, _),
        "seconds": max(round(ringtone.duration_ms / 1000, 1), 0.1),
        "chosen": chosen,
        "uses": [_use(use, _) for use in ringtone.used_by[:USES_SHOWN]],
        "more_uses": max(len(ringtone.used_by) - USES_SHOWN, 0),
        "api": path,
        "audio": f"{path}/audio",
        "addresses": {rate: address(ringtone, rate) for rate in (WIDE_HZ, NARROW_HZ)},
        "created_at": ringtone.created_at,
        "created_by": ringtone.created_by,
    }


def _use(use: Use, _: Translate) -> tuple[str, str]:
    """In words, and the page where it is chosen."""
    pattern, path = _USES[use.kind]
    return _(pattern).format(name=use.label or use.key), path.format(key=quote(use.key, safe=""))
