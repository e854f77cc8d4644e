"""The unit and its companions: what systemd itself says of them, and what `install-service` writes where."""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import stat
from pathlib import Path

import pytest

from daemon.config import load_config
from daemon.errors import ConfigError
from daemon.service_files import install, service_files
from tests.whole.house import ROOT, command

UNIT = ROOT / "systemd/callwarden.service"
TRUE = Path("/bin/true")
HIGHEST_EXPOSURE = 1.5


async def ran(*arguments: object) -> tuple[int | None, str]:
    process = await asyncio.create_subprocess_exec(*map(str, arguments), stdout=-1, stderr=-2)
    said, _ = await asyncio.wait_for(process.communicate(), 30)
    return process.returncode, said.decode()


def needs(tool: str) -> pytest.MarkDecorator:
    return pytest.mark.skipif(shutil.which(tool) is None, reason=f"{tool} is not installed")


def settings(name: str) -> list[str]:
    return re.findall(rf"^{name}=(.*)$", UNIT.read_text(), re.MULTILINE)


@needs("systemd-analyze")
async def test_it_is_locked_in_by_systemds_own_judgement() -> None:
    code, said = await ran("systemd-analyze", "security", "--offline=true", "--no-pager", UNIT)
    assert code == 0, said
    found = re.search(r"Overall exposure level for callwarden.service: ([0-9.]+)", said)
    assert found is not None
    assert float(found[1]) <= HIGHEST_EXPOSURE


@needs("systemd-analyze")
async def test_systemd_understands_every_line_of_the_unit(tmp_path: Path) -> None:
    (file, *_) = service_files(TRUE)
    path = tmp_path / "callwarden.service"
    path.write_text(file.text or "")
    assert await ran("systemd-analyze", "verify", "--man=no", "--recursive-errors=no", path) == (0, "")


@needs("systemd-sysusers")
@needs("systemd-tmpfiles")
async def test_systemd_makes_user_and_folders_of_the_others(tmp_path: Path) -> None:
    (tmp_path / "etc").mkdir()
    code, said = await ran("systemd-sysusers", f"--root={tmp_path}", ROOT / "systemd/callwarden.sysusers")
    assert code == 0, said
    assert re.search(
        r"^callwarden:.*:/var/lib/callwarden:/usr/sbin/nologin$", (tmp_path / "etc/passwd").read_text(), re.M
    )


def test_a_pbx_that_is_away_neither_delays_nor_ends_it() -> None:
    assert "asterisk.service" in settings("After")[0]
    assert not settings("Requires")
    assert not settings("BindsTo")
    assert not settings("PartOf")


def test_a_wrong_configuration_is_not_tried_again_and_again() -> None:
    assert settings("Restart") == ["on-failure"]
    assert settings("RestartPreventExitStatus") == ["2"]


def test_the_example_is_a_configuration(tmp_path: Path) -> None:
    text = (ROOT / "systemd/callwarden.toml").read_text()
    path = tmp_path / "callwarden.toml"
    path.write_text(text)
    assert load_config(path, {}).pbx == ()
    path.write_text(re.sub(r"(?m)^#(?=\[\[|[a-z_]+ =)", "", text))
    (tmp_path / "secrets").mkdir()
    (tmp_path / "secrets/main").write_text("s3cret\n")
    (pbx,) = load_config(path, {}).pbx
    assert (pbx.name, pbx.secret.reveal()) == ("main", "s3cret")


async def test_install_service_writes_everything_once_and_keeps_what_the_operator_wrote(tmp_path: Path) -> None:
    arguments = ("install-service", "--root", tmp_path, "--command", TRUE)
    assert (await command(*arguments)).count("wrote ") == 5
    config, secrets = tmp_path / "etc/callwarden/callwarden.toml", tmp_path / "etc/callwarden/secrets"
    assert stat.S_IMODE(secrets.stat().st_mode) == 0o700
    assert stat.S_IMODE(config.stat().st_mode) == 0o640
    unit = tmp_path / "etc/systemd/system/callwarden.service"
    assert "\nExecStart=/bin/true serve --config /etc/callwarden/callwarden.toml\n" in unit.read_text()
    config.write_text("# mine")
    unit.write_text("# old")
    again = await command(*arguments)
    assert again.count("wrote ") == 1
    assert "systemctl enable --now callwarden" in again
    assert config.read_text() == "# mine"
    assert "ExecStart=/bin/true" in unit.read_text()


async def test_install_service_can_only_print(tmp_path: Path) -> None:
    said = await command("install-service", "--print", "--root", tmp_path, "--command", TRUE)
    assert "# /etc/systemd/system/callwarden.service\n" in said
    assert "ExecStart=/bin/true serve" in said
    assert os.listdir(tmp_path) == []  # noqa: PTH208 - in an async test


@pytest.mark.parametrize(
    "path", ["/home/an/.venv/bin/callwarden", "bin/callwarden", "/nowhere/callwarden", "/opt/a b/callwarden"]
)
def test_a_command_that_the_service_could_not_run_is_refused(path: str) -> None:
    with pytest.raises(ConfigError):
        service_files(Path(path))


def test_nothing_is_written_twice(tmp_path: Path) -> None:
    assert len(install(service_files(TRUE), tmp_path)) == 5
    assert install(service_files(TRUE), tmp_path) == []
