"""The import rules of the house: who may know whom, and which rooms stay free of clocks, chance and the outside."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

DAEMON = Path(__file__).parents[1] / "daemon"
ROOT = "(root)"

MAY_IMPORT = {
    "call": {"call"},
    "policy": {"policy", "call"},
    "ami": {"ami", "call", ROOT},
    "esl": {"esl", "call", ROOT},
    "store": {"store", "call", "policy", ROOT},
    "delivery": {"delivery", "store", "call", "policy", ROOT},
    "web": {"web", "store", "call", "policy", ROOT},
}
PROGRAMS = {"demo", "doctor"}  # around the whole daemon: they may know everything
KNOWN_BY = {"demo": {"cli.py"}, "doctor": {"app.py", "cli_doctor.py"}}

# What the adapters may take from the root: values and failures, never the wiring.
SHARED_ROOT_MODULES = {
    "daemon.errors", "daemon.config", "daemon.log", "daemon.message", "daemon.pbx", "daemon.acts",
    "daemon.diagnosis",
}  # fmt: skip

IMPURE = {
    "aiohttp", "aiosqlite", "asyncio", "http", "io", "logging", "multiprocessing", "os", "panoramisk", "pathlib",
    "pyee", "random", "requests", "secrets", "socket", "sqlalchemy", "sqlite3", "structlog", "subprocess", "threading",
    "time", "uuid",
}  # fmt: skip


def room_of(module: str) -> str:
    parts = module.split(".")
    return parts[1] if len(parts) > 2 or (len(parts) == 2 and (DAEMON / parts[1]).is_dir()) else ROOT


def imports(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative imports hide the room"
            yield from _names(node.module or "", node)


def _names(module: str, node: ast.ImportFrom) -> Iterator[str]:
    """`from daemon.call import talk` imports the module daemon.call.talk."""
    for alias in node.names:
        inner = DAEMON.parent / (module.replace(".", "/") + f"/{alias.name}")
        is_module = inner.with_suffix(".py").exists() or inner.is_dir()
        yield f"{module}.{alias.name}" if is_module else module


def violations(room: str, path: Path) -> list[str]:
    found = []
    for name in imports(path):
        if name.split(".")[0] == "daemon":
            target = room_of(name)
            shared = target == ROOT and room not in {"call", "policy"} and name in SHARED_ROOT_MODULES
            if target not in MAY_IMPORT[room] - {ROOT} and not shared:
                found.append(f"{path.relative_to(DAEMON)} imports {name}")
        elif room in {"call", "policy"} and name.split(".")[0] in IMPURE:
            found.append(f"{path.relative_to(DAEMON)} imports {name}: not pure")
    return found


@pytest.mark.parametrize("room", sorted(MAY_IMPORT))
def test_a_room_knows_only_the_rooms_it_may(room: str) -> None:
    paths = sorted((DAEMON / room).rglob("*.py"))
    assert [line for path in paths for line in violations(room, path)] == []


def test_the_rules_cover_every_room_of_the_house() -> None:
    rooms = {path.name for path in DAEMON.iterdir() if path.is_dir() and list(path.rglob("*.py"))}
    assert rooms <= set(MAY_IMPORT) | PROGRAMS


@pytest.mark.parametrize("program", sorted(PROGRAMS))
def test_nothing_but_commands_and_wiring_knows_a_program(program: str) -> None:
    knowing = [path for path in DAEMON.rglob("*.py") for name in imports(path) if room_of(name) == program]
    assert {path.relative_to(DAEMON).parts[0] for path in knowing} <= {program, *KNOWN_BY[program]}


def test_a_planted_violation_is_found(tmp_path: Path) -> None:
    planted = DAEMON / "policy" / "ticket.py"
    copy = tmp_path / "planted.py"
    copy.write_text(planted.read_text() + "\nimport asyncio\nfrom daemon.web import server\nimport daemon.store\n")
    names = [name for name in imports(copy) if name == "asyncio" or room_of(name) in {"web", "store"}]
    assert names == ["asyncio", "daemon.web.server", "daemon.store"]
