"""Where phones fetch a ringtone, without signing in: the address holds a key that nobody can guess.

The key is made from an inner secret, the name and the sound. So it stays the same as long as the ringtone does, and
what is behind an address never changes: phones and proxies may keep it.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import secrets
from collections.abc import Awaitable, Callable
from typing import Final

from daemon.call.signals import UnixMs
from daemon.store.reader import Reader
from daemon.store.ringtone_sound import NARROW_HZ, WIDE_HZ
from daemon.store.ringtones import Ringtone, find_ringtone
from daemon.store.settings import keep_inner, read_inner
from daemon.store.work import Work

RINGTONE_SECRET: Final = "ringtone_secret"  # noqa: S105 -- the row's name
_KEY_LENGTH: Final = 22  # 128 bits
_FILE: Final = re.compile(r"([A-Za-z0-9][A-Za-z0-9._-]{0,63}?)(\.8k)?\.wav")

RESERVED_ENDINGS: Final = (".8k", ".16k", ".wav")
"""No ringtone's name may end like this, or two files would have one address."""


def phone_path(secret: str, ringtone: Ringtone, rate: int = WIDE_HZ) -> str:
    """Path and file name, to be put behind `public_url`."""
    ending = ".8k.wav" if rate == NARROW_HZ else ".wav"
    return f"/ringtones/{_key(secret, ringtone)}/{ringtone.name}{ending}"


async def ringtone_at(reads: Reader, key: str, file: str) -> tuple[Ringtone, int] | None:
    """The ringtone and the rate at `/ringtones/{key}/{file}`; None when the key is not that of this file."""
    match = _FILE.fullmatch(file)
    secret = await read_inner(reads, RINGTONE_SECRET)
    ringtone = await find_ringtone(reads, match[1]) if match else None
    if match is None or secret is None or ringtone is None:
        return None
    if not hmac.compare_digest(key.encode(), _key(secret, ringtone).encode()):
        return None
    return ringtone, NARROW_HZ if match[2] else WIDE_HZ


async def ringtone_secret(
    reads: Reader, change: Callable[[Callable[[], Work[str]]], Awaitable[str]], now: UnixMs
) -> str:
    """What the keys are made from; made the first time somebody asks. `change` is the writer's."""
    kept = await read_inner(reads, RINGTONE_SECRET)
    if kept is not None:
        return kept
    fresh = secrets.token_urlsafe(32)
    return await change(lambda: keep_inner(RINGTONE_SECRET, fresh, None, now))


def _key(secret: str, ringtone: Ringtone) -> str:
    made = hmac.digest(secret.encode(), f"{ringtone.name}\n{ringtone.digest}".encode(), hashlib.sha256)
    return base64.urlsafe_b64encode(made).decode()[:_KEY_LENGTH]
