"""Which entries each PBX's own database was given, so that what is chosen no more is taken away unseen, if need be.

Written before the PBX is asked and shortened only after it has done so: what stands here is never too little.
"""

from __future__ import annotations

import json
from collections.abc import Iterable

from pydantic import TypeAdapter, ValidationError

from daemon.call.model import PbxName
from daemon.call.signals import UnixMs
from daemon.store.reader import Reader
from daemon.store.settings import keep_inner, read_inner
from daemon.store.work import Work

_KEYS: TypeAdapter[frozenset[str]] = TypeAdapter(frozenset[str])


async def read_written(reads: Reader, pbx: PbxName) -> frozenset[str]:
    """The keys; none where nothing was ever written, or the row is broken."""
    try:
        return _KEYS.validate_json(await read_inner(reads, _row(pbx)) or "[]")
    except ValidationError:
        return frozenset()


def keep_written(pbx: PbxName, keys: Iterable[str], now: UnixMs) -> Work[str]:
    return keep_inner(_row(pbx), json.dumps(sorted(keys)), None, now, replace=True)


def _row(pbx: PbxName) -> str:
    return f"ringtones_written {pbx}"
