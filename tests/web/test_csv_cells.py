"""A cell is no formula and no number in any spreadsheet, and reads back as what it was."""

from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from daemon.web.csv_cells import guarded, unguarded
from daemon.web.csv_file import DELIMITERS, read_sheet, write_sheet
from tests.drawn import examples

NASTY = st.text(alphabet="'=+-@ \t\r\n,;\"1aEé\uff10\uff1d\uff0b\u00a0\u3000\x0b\x1c", max_size=14)
TEXTS = NASTY | st.text(max_size=20)


@settings(max_examples=examples(2000), deadline=None)
@given(TEXTS)
def test_every_text_is_read_as_it_was_written(text: str) -> None:
    assert unguarded(guarded(text)) == text


@settings(max_examples=examples(500), deadline=None)
@given(st.lists(TEXTS, min_size=2, max_size=4), st.sampled_from(list(DELIMITERS.values())), st.data())
def test_whatever_delimiter_a_program_takes_no_cell_begins_a_formula(
    texts: list[str], delimiter: str, data: st.DataObject
) -> None:
    file = write_sheet([f"c{n}" for n in range(len(texts))], [texts], delimiter).decode("utf-8-sig")
    taken = data.draw(st.sampled_from(list(DELIMITERS.values())))
    body = file.partition("\r\n")[2]
    for row in csv.reader(io.StringIO(body, newline=""), delimiter=taken):  # as lenient as spreadsheets are
        assert [cell for cell in row if cell.strip().startswith(("=", "+", "-", "@", "\uff1d", "\uff0b"))] == []


@settings(max_examples=examples(500), deadline=None)
@given(
    st.lists(st.lists(TEXTS.filter(lambda t: "\x00" not in t), min_size=2, max_size=2), max_size=5),
    st.sampled_from(list(DELIMITERS.values())),
)
def test_every_file_is_read_as_it_was_written(rows: list[list[str]], delimiter: str) -> None:
    sheet = read_sheet(write_sheet(["key", "more"], rows, delimiter), ("key", "more"), "key")
    assert [list(row.cells.values()) for row in sheet.rows] == [row for row in rows if any(row)]
    assert not any(row.error for row in sheet.rows)


@pytest.mark.parametrize(
    ("text", "cell"),
    [
        ("Nguyễn Văn Ấn", "Nguyễn Văn Ấn"),
        ("", ""),
        ("1001", "1001"),
        ("1900", "1900"),
        ("0", "0"),
        ("02871081234", "'02871081234"),  # a spreadsheet would drop the zero
        ("842871081234", "'842871081234"),  # and make this 8.42871E+11
        ("1E5", "'1E5"),
        ("3/4", "'3/4"),
        ("+84901701234", "'+84901701234"),
        ("'+84901701234", "''+84901701234"),
        ("'quoted'", "'quoted'"),
        ("=cmd|' /C calc'!A0", "'=cmd|' /C calc'!A0"),
        ("  =1+1", "'  =1+1"),
        ("a;=1+1", "a;'=1+1"),
        ('a","@SUM(1)', 'a","\'@SUM(1)'),
        ("-", "'-"),
        ("a-b+c=d@e", "a-b+c=d@e"),
    ],
)
def test_only_what_a_spreadsheet_would_change_gets_an_apostrophe(text: str, cell: str) -> None:
    assert (guarded(text), unguarded(cell)) == (cell, text)


@pytest.mark.parametrize("typed", ["+84901701234", "=x", "02871081234", "'", "''", "O'Neil", "1001", " a "])
def test_what_somebody_typed_without_an_apostrophe_is_taken_as_it_is(typed: str) -> None:
    assert unguarded(typed) == typed
