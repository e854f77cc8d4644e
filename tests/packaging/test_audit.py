"""The audit of dependencies, against a source of advisories on loopback: found, accepted, withdrawn, away."""

from __future__ import annotations

import asyncio
import shutil
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

ROOT = Path(__file__).parents[2]
Told = tuple[int, str]


class Source:
    """OSV's two questions. `known` is by package name; `asked` keeps the packages of each batch."""

    def __init__(self) -> None:
        self.known: dict[str, list[list[str]]] = {}
        self.withdrawn: set[str] = set()
        self.asked: list[dict[str, str]] = []
        self.broken: Any = None

    async def batch(self, request: web.Request) -> web.Response:
        queries = (await request.json())["queries"]
        self.asked.append({query["package"]["name"]: query["version"] for query in queries})
        results = [self._result(query["package"]["name"], int(query.get("page_token", 0))) for query in queries]
        return web.json_response(self.broken or {"results": results})

    async def one(self, request: web.Request) -> web.Response:
        found = {"id": request.match_info["id"]}
        return web.json_response(found | ({"withdrawn": "2026-01-01"} if found["id"] in self.withdrawn else {}))

    def _result(self, name: str, page: int) -> dict[str, Any]:
        pages = self.known.get(name, [])
        if page >= len(pages):
            return {}
        following = {"next_page_token": str(page + 1)} if page + 1 < len(pages) else {}
        return {"vulns": [{"id": one} for one in pages[page]], **following}


@pytest.fixture
async def source() -> AsyncIterator[tuple[Source, str]]:
    known, app = Source(), web.Application()
    app.router.add_post("/v1/querybatch", known.batch)
    app.router.add_get("/v1/vulns/{id}", known.one)
    async with TestServer(app) as server:
        yield known, str(server.make_url("")).rstrip("/")


@pytest.fixture
def audit(tmp_path: Path) -> Callable[..., Awaitable[Told]]:
    """Runs a copy beside a list of pinned packages and of acceptances."""

    async def run(
        address: str, *arguments: str, accepted: str = "", pinned: str = "Some_Name==1.0\nother==2\n"
    ) -> Told:
        (tmp_path / "packaging").mkdir(exist_ok=True)
        shutil.copy(ROOT / "packaging/audit.py", tmp_path / "packaging")
        (tmp_path / "constraints.txt").write_text(pinned)
        (tmp_path / "packaging/accepted_advisories.txt").write_text(accepted)
        process = await asyncio.create_subprocess_exec(
            sys.executable, "packaging/audit.py", *arguments, cwd=tmp_path, stdout=-1, stderr=asyncio.subprocess.STDOUT,
            env={"CALLWARDEN_ADVISORIES": address},
        )  # fmt: skip
        out, _ = await asyncio.wait_for(process.communicate(), 30)
        return process.returncode or 0, out.decode()

    return run


async def test_every_pinned_package_is_asked_about_under_its_plain_name(source: Any, audit: Any) -> None:
    known, address = source
    assert await audit(address) == (0, "audit: 2 packages, 0 advisories, 0 accepted\n")
    assert known.asked == [{"some-name": "1.0", "other": "2"}]


async def test_what_is_known_fails_on_every_page_of_it_and_what_was_withdrawn_does_not(source: Any, audit: Any) -> None:
    known, address = source
    known.known = {"some-name": [["PYSEC-1", "PYSEC-2"], ["PYSEC-3"]], "other": [["PYSEC-4"]]}
    known.withdrawn = {"PYSEC-2"}
    code, told = await audit(address)
    assert (code, [one in told for one in ("PYSEC-1", "PYSEC-2", "PYSEC-3", "PYSEC-4")]) == (
        1,
        [True, False, True, True],
    )


async def test_an_acceptance_says_why_and_ends(source: Any, audit: Any) -> None:
    known, address = source
    known.known = {"other": [["PYSEC-4"]]}
    assert (await audit(address, accepted="PYSEC-4 2999-01-01 not used\n"))[0] == 0
    assert (await audit(address, accepted="PYSEC-4 2020-01-01 not used\n"))[0] == 1


@pytest.mark.parametrize("broken", [{"results": []}, ["x"], {"results": "x"}])
async def test_what_was_not_answered_is_said_and_never_passes_in_silence(source: Any, audit: Any, broken: Any) -> None:
    known, address = source
    known.broken = broken
    assert (await audit(address, "--strict"))[0] == 1
    for where in (address, "http://127.0.0.1:1"):
        code, told = await audit(where)
        assert (code, "AUDIT SKIPPED" in told, "2 packages" in told) == (0, True, True)


def test_every_line_of_the_real_list_pins_a_version_and_every_acceptance_a_reason() -> None:
    lines = [line for line in (ROOT / "constraints.txt").read_text().splitlines() if line]
    assert len(lines) > 50
    assert [line for line in lines if len(line.split("==")) != 2] == []
    accepted = (ROOT / "packaging/accepted_advisories.txt").read_text().splitlines()
    assert [line for line in accepted if not line.startswith("#") and len(line.split()) < 3] == []
