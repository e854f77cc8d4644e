"""Asks OSV, the open database of advisories, about every pinned package. What could not be asked is said aloud.

Exit 0: nothing known, or not asked and not `--strict`. Exit 1: something known, or not asked with `--strict`.
"""

from __future__ import annotations

import json
import os
import re
import sys
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, Final

HERE: Final = Path(__file__).parent
SOURCE: Final = os.environ.get("CALLWARDEN_ADVISORIES", "https://api.osv.dev")
TIMEOUT_S: Final = 8.0
PAGES: Final = 5


class NotAsked(Exception):
    """Nobody answered, or not as expected."""


def main(arguments: Sequence[str]) -> int:
    pinned = dict(packages((HERE.parent / "constraints.txt").read_text()))
    accepted = dict(acceptances((HERE / "accepted_advisories.txt").read_text(), datetime.now(UTC).date()))
    try:
        found = [one for one in advisories(pinned) if one[1] not in accepted]
    except NotAsked as error:
        print(f"AUDIT SKIPPED: {SOURCE} was not asked about {len(pinned)} packages: {error}", file=sys.stderr)
        return 1 if "--strict" in arguments else 0
    for name, advisory in found:
        print(f"{name} {pinned[name]}: {SOURCE}/v1/vulns/{advisory}", file=sys.stderr)
    print(f"audit: {len(pinned)} packages, {len(found)} advisories, {len(accepted)} accepted")
    return 1 if found else 0


def packages(text: str) -> Iterator[tuple[str, str]]:
    """Name, as OSV spells it, and version of each `name==version`; any other line is an error."""
    for line in filter(None, (line.partition("#")[0].strip() for line in text.splitlines())):
        name, equal, version = line.partition("==")
        if not equal:
            raise SystemExit(f"constraints.txt: {line!r} pins no version")
        yield re.sub(r"[-_.]+", "-", name).lower(), version


def acceptances(text: str, today: date) -> Iterator[tuple[str, str]]:
    """`ID UNTIL reason`: an acceptance ends, so that somebody looks again."""
    for line in filter(None, (line.partition("#")[0].strip() for line in text.splitlines())):
        advisory, until, reason = line.split(maxsplit=2)
        if date.fromisoformat(until) >= today:
            yield advisory, reason


def advisories(pinned: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Package and advisory; those that were withdrawn are none. A package with many is told page by page."""
    asked: dict[str, str | None] = dict.fromkeys(pinned)
    for _ in range(PAGES):
        queries = [
            {"package": {"name": name, "ecosystem": "PyPI"}, "version": pinned[name]}
            | ({"page_token": page} if page else {})
            for name, page in asked.items()
        ]
        results = answer("/v1/querybatch", {"queries": queries}).get("results")
        if not isinstance(results, list) or len(results) != len(queries):
            raise NotAsked("the answer is not one for each package")
        more: dict[str, str | None] = {}
        for name, result in zip(asked, results, strict=True):
            for one in result.get("vulns", ()):
                if not answer(f"/v1/vulns/{one['id']}").get("withdrawn"):
                    yield name, one["id"]
            if result.get("next_page_token"):
                more[name] = result["next_page_token"]
        if not more:
            return
        asked = more
    raise NotAsked("the answers do not end")


def answer(path: str, question: Mapping[str, Any] | None = None) -> dict[str, Any]:
    body = None if question is None else json.dumps(question).encode()
    request = urllib.request.Request(SOURCE + path, body, {"Content-Type": "application/json"})  # noqa: S310 -- ours
    try:
        with urllib.request.urlopen(request, timeout=TIMEOUT_S) as response:  # noqa: S310 -- the same
            found = json.load(response)
    except (OSError, ValueError) as error:
        raise NotAsked(str(getattr(error, "reason", error))) from error
    if not isinstance(found, dict):
        raise NotAsked("the answer is no object")
    return found


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
