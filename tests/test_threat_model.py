"""Every threat has a row, every row a test, and every test that is named exists."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs/threat-model.md").read_text()
SIDES = ("PBX side", "Web side", "Webhook side", "Local user")
NAMED = """AMI injection, Hostile caller ID, SIP names, XSS, CSRF, Session fixation, Brute force, SSE and token leakage,
SSRF by DNS rebinding, Header injection, CSV injection, Path traversal in ringtones, Zip and decompression bombs,
Slowloris, Oversized bodies, Log injection, Timing of token checks, Secrets in logs, Process list, Error pages"""
ROWS = [
    [cell.strip() for cell in line.strip("|").split(" | ")]
    for line in PAGE.splitlines()
    if line.startswith("| ") and not line.startswith("| Threat ")
]


@cache
def names_in(path: str) -> frozenset[str]:
    tree = ast.parse((ROOT / path).read_text())
    return frozenset(node.name for node in tree.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0].strip("| "))
def test_each_row_names_tests_that_exist(row: list[str]) -> None:
    assert len(row) == 4, row
    assert all(row)
    named = re.findall(r"`(tests/[\w/]+\.py)::(test_\w+)`", row[3])
    assert named, row[0]
    assert len(named) == row[3].count("`") // 2  # nothing else stands there
    assert [name for path, name in named if name not in names_in(path)] == []


def test_each_threat_has_one_row() -> None:
    threats = [row[0].strip("| ") for row in ROWS]
    assert len(threats) == len(set(threats))
    assert [name for name in re.split(r",\s+", NAMED) if name not in threats] == []
    assert [side for side in SIDES if f"\n## {side}: " not in PAGE] == []
