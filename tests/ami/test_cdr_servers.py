"""CDR tables of real database servers: the recorded day is read from them as it is from `Master.csv`."""

from __future__ import annotations

import csv
import importlib.util
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from daemon.ami.call_records import CallRecords, RecordsConfig
from daemon.call.model import PbxName
from daemon.call.past_call import understand
from daemon.call.signals import UnixMs
from daemon.errors import CallwardenError
from tests.ami.database_servers import SERVERS, NotHere
from tests.catch_up.recorded_day import recordings, span_of, written

_COLUMNS = (
    *("accountcode", "src", "dst", "dcontext", "clid", "channel", "dstchannel", "lastapp", "lastdata", "start"),
    *("answer", "end", "duration", "billsec", "disposition", "amaflags"),
    *("uniqueid", "userfield", "peeraccount", "linkedid", "sequence"),
)
_DRIVERS = {"postgresql": "psycopg", "mariadb": "pymysql"}
_TABLES = {
    # As README and contrib of Asterisk have it for cdr_pgsql and cdr_adaptive_odbc.
    "postgresql": """CREATE TABLE cdr (start timestamp, answer timestamp, "end" timestamp, clid varchar(80),
        src varchar(80), dst varchar(80), dcontext varchar(80), channel varchar(80), dstchannel varchar(80),
        lastapp varchar(80), lastdata varchar(80), duration int, billsec int, disposition varchar(45), amaflags text,
        accountcode varchar(20), uniqueid varchar(150), userfield varchar(255), peeraccount varchar(80),
        linkedid varchar(150), sequence int)""",
    # As FreePBX makes it: neither answer nor end.
    "mariadb": """CREATE TABLE cdr (calldate datetime NOT NULL DEFAULT '0000-00-00 00:00:00', clid varchar(80),
        src varchar(80), dst varchar(80), dcontext varchar(80), channel varchar(80), dstchannel varchar(80),
        lastapp varchar(80), lastdata varchar(80), duration int, billsec int, disposition varchar(45), amaflags text,
        accountcode varchar(20), uniqueid varchar(32), userfield varchar(255), did varchar(50),
        recordingfile varchar(255), cnum varchar(80), cnam varchar(80), outbound_cnum varchar(80),
        outbound_cnam varchar(80), dst_cnam varchar(80), linkedid varchar(32), peeraccount varchar(80), sequence int,
        KEY calldate (calldate)) DEFAULT CHARSET=utf8mb4""",
}

DAY = recordings()
Call = tuple[object, ...]


@pytest.fixture(scope="module", params=SERVERS)
def kind(request: pytest.FixtureRequest) -> str:
    kind = str(request.param)
    if importlib.util.find_spec(_DRIVERS[kind]) is None:
        pytest.skip(f"no {_DRIVERS[kind]}: pip install it")
    return kind


@pytest.fixture(scope="module")
def url(kind: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A server whose table `cdr` has everything that Asterisk wrote that day."""
    folder = tmp_path_factory.mktemp("day")
    written(folder, DAY)
    try:
        with SERVERS[kind]() as url:
            _fill(url, kind, folder / "Master.csv")
            yield url
    except NotHere as missing:
        pytest.skip(str(missing))


def _fill(url: str, kind: str, master: Path) -> None:
    engine = create_engine(url)
    with master.open(newline="", encoding="latin-1") as file, engine.begin() as table:
        table.execute(text(_TABLES[kind]))
        for values in csv.reader(file):
            row: dict[str, object] = {name: value for name, value in zip(_COLUMNS, values, strict=True) if value}
            if kind == "mariadb":
                row["calldate"] = row.pop("start")
                row = {name: value for name, value in row.items() if name not in ("answer", "end")}
            quote = engine.dialect.identifier_preparer.quote
            names, places = ", ".join(map(quote, row)), ", ".join(f":{name}" for name in row)
            table.execute(text(f"INSERT INTO cdr ({names}) VALUES ({places})"), row)  # noqa: S608 - our own names
    engine.dispose()


def _calls(records: CallRecords) -> list[Call]:
    span = span_of(DAY)
    found: list[Call] = []
    for gathered in records.gathered(span.since, span.until):
        assert (gathered.broken, gathered.unlinked) == (0, 0)
        for rows, notes in gathered.calls:
            past = understand(PbxName("main"), rows, notes, DAY[0].directory)
            if past is not None:
                call = past.call
                what = call.outcome, call.missed_reason, call.customer_number, call.hotline, call.queue, call.user_ids
                found.append((call.call_id, call.direction, *what))
    return sorted(found, key=str)


def test_a_day_is_the_same_in_the_table_and_in_the_file(url: str, tmp_path: Path) -> None:
    from_table = _calls(CallRecords(RecordsConfig(cdr=url, time_zone="UTC")))
    assert from_table == _calls(written(tmp_path, DAY, queue_log=False))
    assert len(from_table) > 100


def test_only_the_span_is_read_from_a_server(url: str) -> None:
    records = CallRecords(RecordsConfig(cdr=url, time_zone="UTC"))
    look = records.require_usable()
    assert (look.broken, look.has_links, look.newest_at is not None) == (0, True, True)
    newest = look.newest_at or UnixMs(0)
    assert sum(len(one.calls) for one in records.gathered(newest, newest)) == 1


def test_times_of_another_zone_are_refused_and_not_read_as_ours(url: str) -> None:
    with pytest.raises(CallwardenError, match="-7 hours off"):
        CallRecords(RecordsConfig(cdr=url, time_zone="Asia/Ho_Chi_Minh")).require_usable()


def test_a_server_is_only_read(url: str) -> None:
    """Two readings at once, and the table can be dropped in between: no lock of ours is left."""
    list(CallRecords(RecordsConfig(cdr=url, time_zone="UTC")).gathered(UnixMs(0), UnixMs(2_000_000_000_000)))
    engine = create_engine(url)
    with engine.begin() as connection:
        before = connection.execute(text("SELECT count(*) FROM cdr")).scalar()
        connection.execute(text("ALTER TABLE cdr ADD COLUMN later int"))
        assert connection.execute(text("SELECT count(*) FROM cdr")).scalar() == before
    engine.dispose()


def test_a_wrong_name_is_said_in_words_and_without_the_password(url: str) -> None:
    where = url.replace("reader@", "reader:hunter2@")
    with pytest.raises(CallwardenError, match='no table "calls"') as refused:
        CallRecords(RecordsConfig(cdr=where, cdr_table="calls")).look()
    assert "hunter2" not in str(refused.value)
