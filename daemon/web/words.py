"""The texts of pages in the reader's language: gettext catalogues in `locales/`, English where there is none."""

from __future__ import annotations

import gettext
import re
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Final

from aiohttp import web

from daemon.store.accounts import LANGUAGES

LOCALES: Final = Path(__file__).parent / "locales"


@cache
def translations(language: str) -> gettext.NullTranslations:
    return gettext.translation("callwarden", LOCALES, languages=[language], fallback=True)


def translator(language: str) -> Callable[[str], str]:
    """The function that code and templates call `_`."""
    return translations(language).gettext


def spoken(language: str) -> str:
    """The language that readers really get: English while its catalogue is missing."""
    return language if (LOCALES / language).is_dir() else "en"


def browser_language(request: web.Request) -> str:
    """The first of ours in Accept-Language; its order is taken as it is, as browsers write it by preference."""
    asked = re.findall(r"[A-Za-z]{2,3}", request.headers.get("Accept-Language", "")[:200])
    return next((name.lower() for name in asked if name.lower() in LANGUAGES), "en")
