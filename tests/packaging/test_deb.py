"""The Debian package: built, installed into a folder of its own, run from there, removed, purged.

dpkg is told to install below a folder (`--root`) and to run the package's own scripts there (dpkg(1),
`--force-script-chrootless`), so nothing of the machine changes and no root file system is needed.
"""

from __future__ import annotations

import os
import re
import shutil
import stat
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SYSTEM_PYTHON = Path(f"/usr/bin/python3.{sys.version_info.minor}")

pytestmark = [
    pytest.mark.skipif(shutil.which("dpkg-deb") is None, reason="no dpkg-deb: this is no Debian"),
    pytest.mark.skipif(os.geteuid() != 0, reason="installing with owners needs root"),
]


def run(*command: object, environ: dict[str, str] | None = None) -> str:
    done = subprocess.run(
        [*map(str, command)],
        check=False,
        capture_output=True,
        text=True,
        timeout=120,
        env={**os.environ, **(environ or {})},
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def deb(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """As `make deb` builds it, but for the time that packing takes."""
    out = tmp_path_factory.mktemp("dist")
    return Path(run(ROOT / "packaging/deb/build", out, sys.prefix, environ={"DEB_COMPRESSION": "0"}).strip())


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("root")
    for name in ("info", "updates"):
        (folder / "var/lib/dpkg" / name).mkdir(parents=True)
    (folder / "var/lib/dpkg/status").touch()
    (folder / "etc").mkdir()
    return folder


def dpkg(root: Path, *arguments: object) -> str:
    return run(
        "dpkg", f"--root={root}", f"--log={root}/dpkg.log", "--force-script-chrootless", "--force-depends", *arguments
    )


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_what_the_package_says_of_itself(deb: Path) -> None:
    version = re.search(r'^version = "(.+)"$', (ROOT / "pyproject.toml").read_text(), re.M)
    assert version is not None
    assert run("dpkg-deb", "-f", deb, "Version").strip() == version[1]
    assert f"python3.{sys.version_info.minor}" in run("dpkg-deb", "-f", deb, "Depends")
    assert "@" not in run("dpkg-deb", "-f", deb).replace("@localhost", "")
    listing = run("dpkg-deb", "-c", deb)
    assert all(line.split()[1] == "root/root" for line in listing.splitlines())
    assert str(ROOT) not in listing
    assert not re.search(r"__pycache__|/tests/.*callwarden", listing)


def test_it_is_installed_run_removed_and_purged(deb: Path, root: Path) -> None:
    said = dpkg(root, "--install", deb)
    assert "systemctl enable --now callwarden" in said
    config, unit = root / "etc/callwarden/callwarden.toml", root / "usr/lib/systemd/system/callwarden.service"
    assert "ExecStart=/usr/bin/callwarden " in unit.read_text()
    assert (root / "usr/bin/callwarden").resolve() == root / "usr/lib/callwarden/bin/callwarden"
    assert (mode(config), mode(root / "etc/callwarden/secrets")) == (0o640, 0o700)
    if shutil.which("systemd-sysusers"):
        assert re.search(r"^callwarden:", (root / "etc/passwd").read_text(), re.M)
    if SYSTEM_PYTHON.exists():
        python = root / "usr/lib/callwarden/bin/python3"
        assert "fine (no PBX yet)" in run(python, "-I", "-m", "daemon", "check-config", "--config", config)
        where = run(python, "-I", "-c", "import daemon, sys; print(daemon.__file__, sys.prefix)").split()
        assert all(Path(path).is_relative_to(root) for path in where)
        run(
            python, "-I", "-c", "import psycopg, pymysql"
        )  # FreePBX keeps its CDR in MariaDB; nobody adds a driver here
        assert "chime" in run(python, "-I", "-c", "from daemon.store.built_in_ringtones import *; print(*BUILT_IN)")
    config.write_text("# mine\n")
    (root / "var/lib/callwarden").mkdir(exist_ok=True)
    (root / "var/lib/callwarden/callwarden.db").write_text("calls")
    dpkg(root, "--remove", "callwarden")
    assert not (root / "usr/lib/callwarden").exists()
    assert not unit.exists()
    assert (config.read_text(), (root / "var/lib/callwarden/callwarden.db").read_text()) == ("# mine\n", "calls")
    dpkg(root, "--purge", "callwarden")
    assert not (root / "etc/callwarden").exists()
    assert not (root / "var/lib/callwarden").exists()
