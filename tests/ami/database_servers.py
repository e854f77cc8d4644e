"""A PostgreSQL and a MariaDB of one's own on loopback: made in a folder that goes, asked as by the driver's own URL.

Programs of the Debian packages `postgresql` and `mariadb-server-core`; nothing of the machine's own servers is touched.
"""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import create_engine
from sqlalchemy.exc import OperationalError

from tests.live.ports import free_tcp_port

_START_S = 30.0
_PLACES = os.pathsep.join([*map(str, sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)), "/usr/sbin"])


class NotHere(Exception):
    """What has to be installed first."""


@contextmanager
def postgresql() -> Iterator[str]:
    """The URL of an empty database."""
    initdb, server = _program("initdb", "postgresql"), _program("postgres", "postgresql")
    with _folder() as folder:
        data, port = folder / "data", free_tcp_port()
        _run(
            initdb, "--pgdata", data, "--auth=trust", "--username=reader", "--no-sync", "--encoding=UTF8", "--locale=C"
        )
        quick = ("-c", "fsync=off", "-c", "timezone=UTC", "-c", "shared_buffers=16MB")
        command = (server, "-D", data, "-h", "127.0.0.1", "-k", folder, "-p", port, *quick)
        with _serving(command, f"postgresql+psycopg://reader@127.0.0.1:{port}/postgres") as url:
            yield url


@contextmanager
def mariadb() -> Iterator[str]:
    """The URL of an empty database, without its tables of users (that would need more programs): it takes everybody."""
    server = _program("mariadbd", "mariadb-server-core")
    with _folder() as folder:
        data, port, start = folder / "data", free_tcp_port(), folder / "start.sql"
        _run("mkdir", data)
        start.write_text("CREATE DATABASE asteriskcdrdb;\n")
        start.chmod(0o644)
        network = ("--bind-address=127.0.0.1", f"--port={port}", f"--socket={folder / 'socket'}")
        small = (
            "--innodb-buffer-pool-size=16M",
            "--default-time-zone=+00:00",
            "--skip-grant-tables",
            f"--init-file={start}",
        )
        command = (server, "--no-defaults", f"--datadir={data}", *network, *small)
        with _serving(command, f"mysql+pymysql://reader@127.0.0.1:{port}/asteriskcdrdb") as url:
            yield url


SERVERS: dict[str, Callable[[], contextlib.AbstractContextManager[str]]] = {
    "postgresql": postgresql,
    "mariadb": mariadb,
}


def _program(name: str, package: str) -> str:
    found = shutil.which(name) or shutil.which(name, path=_PLACES)
    if found is None:
        raise NotHere(f"no {name}: apt-get install {package}")
    return found


@contextmanager
def _folder() -> Iterator[Path]:
    """One that its user may use: database servers refuse to be root's."""
    with tempfile.TemporaryDirectory(prefix="callwarden-db-") as name:
        if (user := _user()) is not None:
            os.chown(name, user, -1)
        yield Path(name)


def _user() -> int | None:
    return pwd.getpwnam("nobody").pw_uid if os.geteuid() == 0 else None


def _run(*command: object) -> None:
    done = subprocess.run([*map(str, command)], check=False, capture_output=True, text=True, timeout=60, user=_user())
    assert done.returncode == 0, done.stdout + done.stderr


@contextmanager
def _serving(command: Sequence[object], url: str) -> Iterator[str]:
    process = subprocess.Popen(
        [*map(str, command)], stdin=-3, stdout=-3, stderr=-3, user=_user(), extra_groups=[] if _user() else None
    )
    try:
        _wait_for(url)
        yield url
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait_for(url: str) -> None:
    engine, until = create_engine(url), time.monotonic() + _START_S
    try:
        while True:
            try:
                with engine.connect():
                    return
            except OperationalError:
                if time.monotonic() > until:
                    raise
                time.sleep(0.1)
    finally:
        engine.dispose()
