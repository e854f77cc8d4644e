"""The texts of pages and refusals in the reader's language: gettext catalogues in `locales/`; English is in the code.

The catalogues are read as people write them (.po): there is no compiled file that could be out of date.
"""

from __future__ import annotations

import gettext
import re
from collections.abc import Callable
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import Final

from aiohttp import web
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

from daemon.message import Message
from daemon.store.accounts import LANGUAGES

LOCALES: Final = Path(__file__).parent / "locales"
Translate = Callable[[str], str]


@cache
def translations(language: str) -> gettext.NullTranslations:
    """English, and whatever has no catalogue, is the text itself."""
    path = LOCALES / language / "LC_MESSAGES" / "callwarden.po"
    if not path.is_file():
        return gettext.NullTranslations()
    compiled = BytesIO()
    with path.open("rb") as file:
        write_mo(compiled, read_po(file, locale=language))
    compiled.seek(0)
    return gettext.GNUTranslations(compiled)


@cache
def translator(language: str) -> Translate:
    """The function that code and templates call `_`; it takes a plain text or a Message."""
    catalogue = translations(language).gettext

    def translate(text: str) -> str:
        if isinstance(text, Message):
            return text.translated(catalogue)
        return catalogue(text) if text else ""  # the empty text names the catalogue's own header

    return translate


def browser_language(request: web.Request) -> str:
    """The first of ours in Accept-Language; its order is taken as it is, as browsers write it by preference."""
    asked = re.findall(r"[A-Za-z]{2,3}", request.headers.get("Accept-Language", "")[:200])
    return next((name.lower() for name in asked if name.lower() in LANGUAGES), "en")
