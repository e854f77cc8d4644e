"""The configuration: what is wrong is named in one line that says what to do, and never shows a secret."""

from __future__ import annotations

from ipaddress import ip_network
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.app import Daemon
from daemon.config import Config, Listen, Secret, load_config
from daemon.delivery.target_guard import AddressRefused
from daemon.errors import ConfigError

GOOD = """
[http]
listen = "127.0.0.1:8088"
public_url = "https://calls.example.com/"
[store]
url = "sqlite:////tmp/x.db"
[[pbx]]
name = "main"
kind = "asterisk"
host = "127.0.0.1"
port = 5038
username = "callwarden"
secret = "hunter2"
[[pbx]]
name = "main-2"
secret_file = "second.secret"
tls = true
[delivery]
deny_networks = ["10.0.0.0/8", "fd00::/8"]
[log]
level = "debug"
"""


def load(folder: Path, text: str = GOOD, **environ: str) -> Config:
    (folder / "second.secret").write_text("hunter3\n")
    (folder / "callwarden.toml").write_text(text)
    return load_config(folder / "callwarden.toml", environ)


def test_the_file_of_the_contract_is_read(tmp_path: Path) -> None:
    config = load(tmp_path)
    assert config.http.listen == Listen("127.0.0.1", 8088)
    assert config.http.public_url == "https://calls.example.com"
    assert [pbx.secret.reveal() for pbx in config.pbx] == ["hunter2", "hunter3"]
    assert (config.pbx[1].tls, config.pbx[1].port, config.log.level, config.log.format) == (True, 5038, "debug", "json")
    assert config.delivery.deny_networks == (ip_network("10.0.0.0/8"), ip_network("fd00::/8"))


def test_without_a_file_the_defaults_and_the_environment_count() -> None:
    assert load_config(None, {}) == Config()
    assert load_config(None, {"CALLWARDEN_STORE_URL": "sqlite:///x.db"}).store.url == "sqlite:///x.db"


@pytest.mark.parametrize("context", ["", "a b", "from,1", "x)}${SHELL(id)", "a\\r\\nAction: Ping", "a" * 80])
def test_a_context_that_would_be_more_than_a_name_is_refused(tmp_path: Path, context: str) -> None:
    assert [pbx.originate_context for pbx in load(tmp_path).pbx] == ["from-internal"] * 2
    text = GOOD.replace('name = "main"\n', f'name = "main"\noriginate_context = "{context}"\n')
    with pytest.raises(ConfigError, match=r"main\.originate_context"):
        load(tmp_path, text)


def test_a_secret_is_not_printed(tmp_path: Path) -> None:
    config = load(tmp_path, GOOD.replace("sqlite:////tmp/x.db", "postgresql://u:hunter4@db/x"))
    assert "hunter" not in repr(config) + str(config.pbx[0].secret) + f"{config.pbx[0].secret}"
    assert Secret("a") == Secret("a") != Secret("b")
    assert len({Secret("a"), Secret("a")}) == 1


@pytest.mark.parametrize(
    ("variable", "text", "found"),
    [
        ("CALLWARDEN_HTTP_LISTEN", "[::1]:9000", lambda c: c.http.listen == Listen("::1", 9000)),
        ("CALLWARDEN_HTTP_LISTEN", ":9000", lambda c: c.http.listen == Listen("", 9000)),
        ("CALLWARDEN_STORE_URL", "sqlite:///y.db", lambda c: c.store.url == "sqlite:///y.db"),
        ("CALLWARDEN_PBX_MAIN_SECRET", "new", lambda c: c.pbx[0].secret == Secret("new")),
        ("CALLWARDEN_PBX_MAIN_SECRET_FILE", "second.secret", lambda c: c.pbx[0].secret == Secret("hunter3")),
        ("CALLWARDEN_PBX_MAIN_2_SECRET", "new", lambda c: c.pbx[1].secret == Secret("new")),
        ("CALLWARDEN_PBX_MAIN_2_PORT", "5039", lambda c: [p.port for p in c.pbx] == [5038, 5039]),
        ("CALLWARDEN_PBX_MAIN_TLS", "true", lambda c: c.pbx[0].tls),
        ("CALLWARDEN_DELIVERY_DENY_NETWORKS", "1.0.0.0/8, ::1/128", lambda c: len(c.delivery.deny_networks) == 2),
        ("CALLWARDEN_LOG_LEVEL", "error", lambda c: c.log.level == "error"),
        ("CALLWARDEN_SOMETHING", "else", lambda c: c.log.level == "debug"),
        ("PATH", "/bin", lambda c: c.log.level == "debug"),
    ],
)
def test_the_environment_overrides_the_file(tmp_path: Path, variable: str, text: str, found: object) -> None:
    assert callable(found)
    assert found(load(tmp_path, **{variable: text}))


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("listen =", "lisen =", ["http.lisen", 'did you mean "http.listen"']),
        ("[store]", "[stor]", ['"stor"', '"store"']),
        ("username", "user_name", ["pbx.user_name", "pbx.username"]),
        ("[http]", 'listen = ":80"\n[http]', ['"listen"', "http.listen"]),
        ("[log]", "[log]\nzzzzzz = 1", ["log.zzzzzz", "remove it"]),
        ("port = 5038", 'port = "5038"', ["pbx.main.port", "integer"]),
        ("port = 5038", "port = true", ["pbx.main.port"]),
        ("port = 5038", "port = 70000", ["pbx.main.port", "65535"]),
        ("port = 5038", "port = 2026-01-01", ["pbx.main.port"]),
        ('"asterisk"', '"3cx"', ["pbx.main.kind", "asterisk", "freeswitch"]),
        ('"127.0.0.1:8088"', '"8088"', ["http.listen", "127.0.0.1:8088"]),
        ('"127.0.0.1:8088"', '"a:99999"', ["http.listen"]),
        ('"127.0.0.1:8088"', "8088", ["http.listen"]),
        ("https://calls.example.com/", "calls.example.com", ["http.public_url"]),
        ("sqlite:////tmp/x.db", "mysql://x", ["store.url", "sqlite://"]),
        ('"10.0.0.0/8"', '"10.0.0.1/8"', ["delivery.deny_networks", "host bits"]),
        ('"10.0.0.0/8"', "10", ["delivery.deny_networks"]),
        ('name = "main-2"', 'name = "Main"', ["two [[pbx]]", "rename"]),
        ('name = "main-2"', 'name = "a b"', ["pbx.a b.name"]),
        ('name = "main-2"', "", ["pbx.1.name"]),
        ('secret = "hunter2"', "", ["main", "secret_file"]),
        ('secret = "hunter2"', 'secret = ""', ["pbx.main.secret"]),
        ('secret = "hunter2"', 'secret = "hunter2\\nAction: x"', ["pbx.main.secret"]),
        ('secret = "hunter2"', "secret = 42", ["pbx.main.secret"]),
        ('secret = "hunter2"', 'secret = "hunter2"\nsecret_file = "second.secret"', ["main", "remove one"]),
        ("second.secret", "missing.secret", ["missing.secret", "main-2", "no such file"]),
        ("second.secret", "../../", ["cannot be read", "main-2"]),
        ("[[pbx]]", "[pbx]", ["TOML"]),
        ("[http]", "[http", ["TOML"]),
    ],
)
def test_what_is_wrong_is_named_in_one_line(tmp_path: Path, old: str, new: str, words: list[str]) -> None:
    with pytest.raises(ConfigError) as caught:
        load(tmp_path, GOOD.replace(old, new, 1))
    message = str(caught.value)
    assert "\n" not in message
    assert "hunter" not in message
    assert all(word in message for word in words), message


FILE = "/var/log/asterisk/cdr-csv/Master.csv"
MYSQL = "mysql+pymysql://a:hunter2@db/asteriskcdrdb"


def with_records(folder: Path, one: str, two: str) -> Config:
    text = GOOD.replace('secret = "hunter2"', f'secret = "hunter2"\n{one}')
    return load(folder, text.replace("tls = true", two))


@pytest.mark.parametrize(
    ("one", "two"),
    [
        (f'cdr = "{FILE}"', f'cdr = "{FILE}"'),
        (f'cdr = "{FILE}"', 'cdr = "/var/log/asterisk/./cdr-csv/Master.csv"'),
        (f'cdr = "{MYSQL}"', f'cdr = "{MYSQL}"'),
        (f'cdr = "{MYSQL}"', 'cdr = "mariadb://b:hunter/3@DB:3306/asteriskcdrdb?charset=utf8"\ncdr_table = "CDR"'),
        ('cdr = "postgresql://localhost/x"', 'cdr = "postgresql+psycopg://127.0.0.1:5432/x"'),
        ('cdr = "sqlite:////var/x.db"', 'cdr = "sqlite:////var/../var/x.db"'),
    ],
)
def test_two_pbxs_with_the_same_records_are_refused_in_words(tmp_path: Path, one: str, two: str) -> None:
    with pytest.raises(ConfigError, match='"main" and "main-2" have the same cdr, and no row says') as refused:
        with_records(tmp_path, one, two)
    assert "hunter" not in str(refused.value)


@pytest.mark.parametrize(
    ("one", "two"),
    [
        ("", ""),
        (f'cdr = "{FILE}"', 'cdr = "/var/log/second/Master.csv"'),
        (f'cdr = "{MYSQL}"', f'cdr = "{MYSQL}"\ncdr_table = "cdr_2"'),
        (f'cdr = "{MYSQL}"', f'cdr = "{MYSQL}2"'),
        (f'cdr = "{MYSQL}"', f'cdr = "{MYSQL.replace("@db", "@db:3307")}"'),
    ],
)
def test_records_of_their_own_are_read(tmp_path: Path, one: str, two: str) -> None:
    assert len(with_records(tmp_path, one, two).pbx) == 2


@pytest.mark.parametrize(
    ("variable", "text", "words"),
    [
        ("CALLWARDEN_HTTP_LISEN", "x", ["CALLWARDEN_HTTP_LISTEN"]),
        ("CALLWARDEN_PBX_OTHER_SECRET", "x", ["CALLWARDEN_PBX_OTHER_SECRET", "no [[pbx]]"]),
        ("CALLWARDEN_PBX_MAIN_SECRETS", "x", ["CALLWARDEN_PBX_MAIN_SECRET?"]),
        ("CALLWARDEN_PBX_MAIN_PORT", "many", ["CALLWARDEN_PBX_MAIN_PORT", "whole number"]),
        ("CALLWARDEN_PBX_MAIN_TLS", "perhaps", ["true or false"]),
        ("CALLWARDEN_LOG_LEVEL", "loud", ["log.level"]),
    ],
)
def test_a_wrong_variable_is_named(tmp_path: Path, variable: str, text: str, words: list[str]) -> None:
    with pytest.raises(ConfigError) as caught:
        load(tmp_path, **{variable: text})
    assert all(word in str(caught.value) for word in words), caught.value


@pytest.mark.parametrize("environ", [{}, {"CALLWARDEN_HTTP_LISTEN": ":80"}])
@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("http = 5", ['"http"', "[http]"]),
        ("[[http]]\nlisten = ':80'", ['"http"', "[http]"]),
        ("pbx = 5", ['"pbx"', "[[pbx]]"]),
        ("pbx = [5]", ['"pbx"', "[[pbx]]"]),
        ("[pbx]\nname = 'a'\nsecret = 's'", ['"pbx"', "[[pbx]]"]),
    ],
)
def test_a_key_that_must_be_a_table_is_named_as_one(
    tmp_path: Path, text: str, words: list[str], environ: dict[str, str]
) -> None:
    with pytest.raises(ConfigError) as caught:
        load(tmp_path, text, **environ)
    assert all(word in str(caught.value) for word in words), caught.value


LISTED = 'allow_networks = ["10.1.0.0/16", "169.254.0.0/16"]\ndeny_networks = ["0.0.0.0/0", "::/0"]'


@pytest.mark.parametrize(
    ("delivery", "reached", "refused"),
    [
        ("", ["10.0.0.1", "8.8.8.8", "::1"], ["169.254.169.254", "100.100.100.200"]),
        ('deny_networks = ["10.0.0.0/8"]', ["8.8.8.8"], ["10.0.0.1", "::ffff:10.0.0.1"]),
        ('allow_networks = ["10.1.0.0/16"]\ndeny_networks = ["10.0.0.0/8"]', ["10.1.0.1", "8.8.8.8"], ["10.0.0.1"]),
        ('allow_networks = ["10.1.0.0/16"]', ["10.1.0.1", "8.8.8.8"], ["169.254.169.254"]),
        (LISTED, ["10.1.0.1"], ["10.0.0.1", "8.8.8.8", "::1", "169.254.169.254"]),
    ],
)
def test_deny_networks_refuse_allow_networks_make_exceptions_and_some_are_never_called(
    tmp_path: Path, delivery: str, reached: list[str], refused: list[str]
) -> None:
    text = GOOD.replace('deny_networks = ["10.0.0.0/8", "fd00::/8"]', delivery)
    guard = Daemon(load(tmp_path, text)).guard
    for address in reached:
        guard.check_address(address)
    for address in refused:
        with pytest.raises(AddressRefused):
            guard.check_address(address)


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    (tmp_path / "latin1.toml").write_bytes(b'x = "\xff"')
    for name, word in (("none.toml", "no such file"), ("", "cannot be read"), ("latin1.toml", "UTF-8")):
        with pytest.raises(ConfigError, match=word):
            load_config(tmp_path / name, {})


_VALUES = st.sampled_from(
    ["true", "-1", "1e999", '""', '"\\u0000"', "[]", "{}", "[[1]]", "1979-05-27", "'''x\\n'''", "0x7fffffffffffffff"]
)
_LINES = st.builds("{} = {}".format, st.sampled_from(["listen", "url", "name", "port", "secret", "tls", "x"]), _VALUES)
_TABLES = st.sampled_from(["[http]", "[[pbx]]", "[pbx]", "[store]", "[[store]]", "[delivery]", "[log]", "[x.y]"])
_CUT = st.builds(
    lambda a, b, c: GOOD[:a] + b + GOOD[a + c :], st.integers(0, 500), st.text(max_size=5), st.integers(0, 9)
)


@given(text=_CUT | st.lists(_LINES | _TABLES | st.text(max_size=20), max_size=8).map("\n".join))
def test_any_file_is_a_configuration_or_refused_in_one_line_without_its_secrets(
    tmp_path_factory: pytest.TempPathFactory, text: str
) -> None:
    folder = tmp_path_factory.getbasetemp() / "drawn"
    folder.mkdir(exist_ok=True)
    (folder / "second.secret").write_text("hunter3\n")
    (folder / "callwarden.toml").write_bytes(text.encode("utf-8", "surrogatepass"))
    said = "taken"
    try:
        load_config(folder / "callwarden.toml", {})
    except ConfigError as error:
        said = error.message
    assert len(said.splitlines()) == 1
    assert said.isprintable()
    assert "hunter3" not in said
