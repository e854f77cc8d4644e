"""One cell of a CSV file, so that a spreadsheet neither computes it nor takes it for a number, and back again.

An apostrophe is put where a spreadsheet would begin a formula: at the start of the cell, and after a character that
another program may take for the end of a cell (https://owasp.org/www-community/attacks/CSV_Injection). Reading takes
one apostrophe away at exactly these places, and a text that has one there of its own gets a second: nothing is lost.
"""

from __future__ import annotations

import re
from typing import Final

_BEGINS_FORMULA: Final = (
    r"=+\-@\t\r\n\uff1d\uff0b\uff0d\uff20"  # the wide ones too: Excel in East Asia reads them alike
)
_PADDING: Final = r"(?:[^\S\t\r\n]|')*"  # what a program may skip, and apostrophes of the text itself
_START: Final = re.compile(rf"{_PADDING}(?:[{_BEGINS_FORMULA}]|[0-9])")
_INNER: Final = re.compile(rf"(?<=[,;\"\t\r\n])(?={_PADDING}[{_BEGINS_FORMULA}])")
_INNER_GUARDED: Final = re.compile(rf"(?<=[,;\"\t\r\n])'(?={_PADDING}[{_BEGINS_FORMULA}])")

# A spreadsheet drops leading zeros, shortens over 11 digits to 8.4E+11 and makes dates of 1-2, and saves that.
_PLAIN_NUMBER: Final = re.compile(r"0|[1-9][0-9]{0,10}")


def guarded(text: str) -> str:
    """The text as it stands in the file."""
    inner = _INNER.sub("'", text)
    return f"'{inner}" if _START.match(text) and not _PLAIN_NUMBER.fullmatch(text) else inner


def unguarded(cell: str) -> str:
    """The text that was meant; a cell that somebody typed without the apostrophe is that text as well."""
    inner = _INNER_GUARDED.sub("", cell)
    return inner[1:] if inner.startswith("'") and _START.match(inner, 1) else inner
