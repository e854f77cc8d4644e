"""Our stylesheet and scripts, read once at start. Their address holds a digest of them all, so browsers may keep them.

Scripts import each other by relative addresses and so stay within one version.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Final

from aiohttp import web

FOLDER: Final = Path(__file__).parent / "assets"
_TYPES: Final = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
_FOR_EVER: Final = "public, max-age=31536000, immutable"


@cache
def assets() -> Mapping[str, bytes]:
    """Every file by its name; what is not here is not served."""
    files = sorted(path for path in FOLDER.iterdir() if path.suffix in _TYPES)
    return MappingProxyType({path.name: path.read_bytes() for path in files})


@cache
def version() -> str:
    digest = hashlib.sha256()
    for name, content in assets().items():
        digest.update(f"{name}\n{len(content)}\n".encode() + content)
    return digest.hexdigest()[:16]


def asset_path(name: str) -> str:
    assert name in assets(), name
    return f"/assets/{version()}/{name}"


async def get_asset(request: web.Request) -> web.Response:
    """An old version's address gives the present file, but not for ever: a page may outlive an upgrade."""
    name = request.match_info["name"]
    content = assets().get(name)
    if content is None:
        raise web.HTTPNotFound
    current = request.match_info["version"] == version()
    return web.Response(
        body=content,
        content_type=_TYPES[Path(name).suffix],
        charset="utf-8",
        headers={"Cache-Control": _FOR_EVER if current else "no-cache"},
    )


async def get_icon(_: web.Request) -> web.Response:
    """Browsers ask for this name whatever a page says."""
    return web.Response(
        body=assets()["icon.svg"], content_type="image/svg+xml", headers={"Cache-Control": "public, max-age=86400"}
    )
