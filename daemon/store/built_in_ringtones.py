"""The ringtones that come with Callwarden. They are files: `sounds/` of a checkout, `daemon/sounds/` once installed."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Final

from daemon.message import Message
from daemon.store.ringtone_sound import Sound

BUILT_IN: Final[Mapping[str, Message]] = MappingProxyType(
    {
        "bamboo": Message("Bamboo"),
        "bird": Message("Bird"),
        "chime": Message("Chime"),
        "classic": Message("Classic"),
        "dawn": Message("Dawn"),
        "harp": Message("Harp"),
        "marimba": Message("Marimba"),
        "pulse": Message("Pulse"),
    }
)
"""Their labels by name. Written here and not read from the folder: pieces of work on the store must not do I/O."""

_DAEMON: Final = Path(__file__).parents[1]
_FOLDERS: Final = (_DAEMON / "sounds", _DAEMON.parent / "sounds")


@cache
def built_in_sound(name: str) -> Sound:
    """All of them are 1.5 MB, so each is kept once read."""
    folder = next((folder for folder in _FOLDERS if folder.is_dir()), _FOLDERS[0])
    return Sound((folder / f"{name}.16k.wav").read_bytes(), (folder / f"{name}.8k.wav").read_bytes())
