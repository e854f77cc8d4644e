"""A database file as the daemon's first start makes it. The migrations run once a process, every test gets a copy."""

from __future__ import annotations

import tempfile
from functools import cache
from pathlib import Path

from daemon.store import schema


def database_in(folder: Path) -> str:
    """The URL of the one in this folder, which is made where there is none."""
    path = folder / "store.db"
    if not path.exists():
        path.touch(mode=0o600)
        path.write_bytes(_migrated())
    return f"sqlite:///{path}"


@cache
def _migrated() -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "new.db"
        schema.upgrade(str(path))
        return path.read_bytes()
