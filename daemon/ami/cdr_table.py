"""A table of call detail records, as cdr_sqlite3_custom, cdr_adaptive_odbc or cdr_pgsql keep it. It only reads."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, tzinfo
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

from sqlalchemy import (
    URL,
    ColumnElement,
    Connection,
    Engine,
    MetaData,
    NullPool,
    Select,
    String,
    Table,
    create_engine,
    make_url,
    select,
    type_coerce,
)
from sqlalchemy.exc import ArgumentError, NoSuchTableError, SQLAlchemyError
from sqlalchemy.types import DateTime, NullType

from daemon.ami.cdr_row import attempt_of
from daemon.ami.written_time import is_epoch
from daemon.call.records import Attempt
from daemon.call.signals import UnixMs
from daemon.errors import CallwardenError

_CONNECT_S: Final = 10
_AT_ONCE: Final = 1000
_NEWEST: Final = 50
LONGEST_CALL_MS: Final = 6 * 3_600_000
_CLOCKS_BACK_MS: Final = 2 * 3_600_000  # local times of the hour before may be later than now's
_WANTED: Final = frozenset({
    "answer", "billsec", "calldate", "channel", "clid", "cnam", "cnum", "did", "disposition", "dst", "dstchannel",
    "duration", "end", "lastapp", "lastdata", "linkedid", "sequence", "src", "start", "uniqueid",
})  # fmt: skip
_TIMES: Final = ("start", "calldate")
_DRIVERS: Final = {"postgresql": "postgresql", "mysql": "mysql", "mariadb": "mysql"}


class CdrTable:
    """`url` is SQLAlchemy's; it may hold a password and is never printed. Everything blocks."""

    def __init__(self, url: str, table: str, zone: tzinfo | None) -> None:
        self.zone = zone
        self._url = _parsed(url)
        self._name = table

    def rows(self, since: UnixMs, until: UnixMs) -> Iterator[Attempt | None]:
        """Attempts that began at most the longest call before `since`, in the order they began; None: a broken row."""
        with self._open() as (connection, table):
            start = _start_of(table)
            low, high = (
                self._as_kept(connection, start, at) for at in (since - LONGEST_CALL_MS, until + _CLOCKS_BACK_MS)
            )
            wanted = _columns(table).where(start >= low, start <= high).order_by(start)
            yield from self._attempts(connection, wanted)

    def newest(self) -> Iterator[Attempt | None]:
        """The last ones."""
        with self._open() as (connection, table):
            yield from self._attempts(connection, _columns(table).order_by(_start_of(table).desc()).limit(_NEWEST))

    def _attempts(self, connection: Connection, wanted: Select[Any]) -> Iterator[Attempt | None]:
        streamed = connection.execution_options(stream_results=True, max_row_buffer=_AT_ONCE).execute(wanted)
        for place, row in enumerate(streamed.mappings()):
            yield attempt_of({str(name).lower(): value for name, value in row.items()}, self.zone, place)

    def _as_kept(self, connection: Connection, start: ColumnElement[Any], at: int) -> object:
        """A moment as the table writes its own: date, text of a date, or seconds."""
        local = datetime.fromtimestamp(at / 1000, UTC).astimezone(self.zone)
        if isinstance(start.type, DateTime):
            return local if start.type.timezone else local.replace(tzinfo=None)
        newest = connection.execute(select(start).order_by(start.desc()).limit(1)).scalar()
        if is_epoch(newest):
            return str(at // 1000) if isinstance(newest, str) else at // 1000
        return f"{local:%Y-%m-%d %H:%M:%S}"

    @contextmanager
    def _open(self) -> Iterator[tuple[Connection, Table]]:
        try:
            engine = _engine(self._url)
            with engine.connect() as connection:
                schema, _, name = self._name.rpartition(".")
                yield connection, Table(name, MetaData(), schema=schema or None, autoload_with=connection)
        except NoSuchTableError as error:
            raise CallwardenError(f'there is no table "{self._name}" in the CDR database; set cdr_table') from error
        except ModuleNotFoundError as error:
            extra = _DRIVERS.get(self._url.get_backend_name(), "…")
            raise CallwardenError(f"the driver {error.name} is missing: pip install 'callwarden[{extra}]'") from error
        except (SQLAlchemyError, sqlite3.Error, ValueError) as error:
            reason = str(getattr(error, "orig", None) or error).strip().splitlines()[0]
            raise CallwardenError(f"the CDR table cannot be read: {reason}") from error


def _parsed(url: str) -> URL:
    try:
        return make_url(url)
    except (ArgumentError, ValueError) as error:
        raise CallwardenError("cdr is no SQLAlchemy URL; write postgresql+psycopg://USER:PASSWORD@HOST/NAME") from error


def _engine(url: URL) -> Engine:
    backend = url.get_backend_name()
    if backend == "sqlite":
        path = Path(url.database or "")
        if not path.is_file():
            raise CallwardenError(f"{path}: there is no such file; set cdr")
        address = f"file:{quote(str(path.absolute()))}?mode=ro"
        return create_engine("sqlite://", creator=lambda: sqlite3.connect(address, uri=True), poolclass=NullPool)
    engine = create_engine(url, connect_args={"connect_timeout": _CONNECT_S}, poolclass=NullPool)
    return engine.execution_options(postgresql_readonly=True) if backend == "postgresql" else engine


def _columns(table: Table) -> Select[Any]:
    return select(*(column for column in table.columns if str(column.name).lower() in _WANTED))


def _start_of(table: Table) -> ColumnElement[Any]:
    for name in _TIMES:
        for column in table.columns:
            if str(column.name).lower() == name:
                return type_coerce(column, String) if isinstance(column.type, NullType) else column
    raise CallwardenError(f'the table "{table.name}" has neither a column start nor calldate: is it one of CDR?')
