"""New files of the store: readable by their owner alone, who is the owner of their folder when root makes them."""

from __future__ import annotations

import os
from pathlib import Path

PRIVATE = 0o600


def make_private(path: str) -> bool:
    """An empty file; False: there is one already, which is not touched. Raises OSError.

    What root prepares before the first start (an account, a restored backup) must be the service's to write.
    """
    try:
        made = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, PRIVATE)
    except FileExistsError:
        return False
    try:
        _give_to_owner_of_folder(made, path)
    finally:
        os.close(made)
    return True


def _give_to_owner_of_folder(opened: int, path: str) -> None:
    """By its descriptor, so that nobody can put another file in its place meanwhile. Only root can, others own it."""
    if os.geteuid() == 0:
        folder = Path(path).parent.stat()
        os.fchown(opened, folder.st_uid, folder.st_gid)
