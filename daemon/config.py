"""The configuration file and the environment, read once at start into frozen values. It must never print a secret."""

from __future__ import annotations

import json
import os
import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields
from difflib import get_close_matches
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Annotated, Any, ClassVar, Final, Literal, get_type_hints

from annotated_types import Interval, Len
from pydantic import ConfigDict, PlainValidator, StringConstraints, TypeAdapter, ValidationError

from daemon.config_values import iana_zone, place_of_records, same_records
from daemon.errors import ConfigError

ENVIRONMENT_PREFIX: Final = "CALLWARDEN_"
_SECRET_FILE_LIMIT: Final = 4096
_STRICT: Final = ConfigDict(strict=True, extra="forbid", str_max_length=4096)


class Secret:
    """Text that prints `***` wherever it is shown by accident; `reveal` is the only way to read it."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        return self._text

    def __repr__(self) -> str:
        return "***"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._text == self._text

    def __hash__(self) -> int:
        return hash(self._text)


@dataclass(frozen=True, slots=True)
class Listen:
    """Where the web server listens. An empty host is every interface."""

    host: str
    port: int


def _listen(value: object) -> object:
    """`host:port`, `[v6]:port` or `:port`."""
    if isinstance(value, Listen):
        return value
    text = value if isinstance(value, str) else ""
    match = re.fullmatch(r"(?:\[([0-9A-Fa-f:.]+)\]|([A-Za-z0-9.-]*)):([0-9]{1,5})", text)
    if match is None or int(match[3]) > 65535:
        raise ValueError('must be "host:port", as "127.0.0.1:8088"')
    return Listen(match[1] or match[2], int(match[3]))


def _web_address(value: object) -> str:
    if not isinstance(value, str) or not re.fullmatch(r"https?://[^\s/?#@]+(/[^\s?#]*)?", value):
        raise ValueError('must be an absolute http or https address without a query, as "https://calls.example.com"')
    return value.rstrip("/")


def _store_url(value: object) -> str:
    if not isinstance(value, str) or not re.match(r"(sqlite|postgresql)(\+[a-z0-9]+)?://", value):
        raise ValueError('must begin with "sqlite://" or "postgresql://"')
    return value


def _secret(value: object) -> Secret:
    # A line end inside a secret would end the AMI header and begin another one.
    if not isinstance(value, str) or not value or not value.isprintable():
        raise ValueError("must be one line of text that is not empty")
    return Secret(value)


def _network(value: object) -> IPv4Network | IPv6Network:
    if not isinstance(value, str):
        raise ValueError('must be a network, as "10.0.0.0/8"')  # noqa: TRY004 -- pydantic turns ValueError into a report
    return ip_network(value)


Port = Annotated[int, Interval(ge=1, le=65535)]
Text = Annotated[str, StringConstraints(min_length=1, max_length=255, pattern=r"^[^\x00-\x1f\x7f]+$")]
Network = Annotated[IPv4Network | IPv6Network, PlainValidator(_network)]
TableName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z_][A-Za-z0-9_]*)?$")]
Context = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_.-]{1,79}$")]
PbxKey = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$")]


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpConfig:
    """`public_url` is how people reach the server (behind a proxy), without a slash at the end; None: as `listen`.

    `phone_url` is where phones fetch ringtones, None: at `public_url`. Many phones cannot do today's https.
    `trusted_proxies` are believed about where a request comes from (X-Forwarded-For). `metrics_from` may read /metrics
    without a token: nobody unless named, as a proxy on this machine may make everybody look like it.
    """

    __pydantic_config__: ClassVar[ConfigDict] = _STRICT
    listen: Annotated[Listen, PlainValidator(_listen)] = Listen("127.0.0.1", 8088)
    public_url: Annotated[str, PlainValidator(_web_address)] | None = None
    phone_url: Annotated[str, PlainValidator(_web_address)] | None = None
    trusted_proxies: tuple[Network, ...] = (ip_network("127.0.0.0/8"), ip_network("::1/128"))
    metrics_from: tuple[Network, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreConfig:
    """The URL may hold a password, so it is not printed."""

    __pydantic_config__: ClassVar[ConfigDict] = _STRICT
    url: Annotated[str, PlainValidator(_store_url)] = field(
        default="sqlite:////var/lib/callwarden/callwarden.db", repr=False
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class PbxConfig:
    """One PBX. The link logs in by challenge, so that the secret stays off an unencrypted wire.

    `originate_context` is where numbers are dialled that agents call or transfer to from the desk. `wrap_up_seconds`:
    so long the queues leave an agent alone after a call; 0: not at all. `cdr` (a file, or an SQLAlchemy URL with
    `cdr_table`) and `queue_log` are what the PBX wrote of its calls, read after an outage; `cdr_time_zone` None: this
    machine's own.
    """

    __pydantic_config__: ClassVar[ConfigDict] = _STRICT
    name: PbxKey
    kind: Literal["asterisk", "freeswitch"] = "asterisk"
    host: Text = "127.0.0.1"
    port: Port = 5038
    username: Text = "callwarden"
    secret: Annotated[Secret, PlainValidator(_secret)]
    tls: bool = False
    tls_verify: bool = True
    tls_ca_file: Path | None = None
    tls_server_name: Text | None = None
    originate_context: Context = "from-internal"
    wrap_up_seconds: Annotated[int, Interval(ge=0, le=600)] = 0
    # A URL may hold a password.
    cdr: Annotated[str, PlainValidator(place_of_records)] | None = field(default=None, repr=False)
    cdr_table: TableName = "cdr"
    cdr_time_zone: Annotated[str, PlainValidator(iana_zone)] | None = None
    queue_log: Path | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryConfig:
    """`deny_networks` are refused to webhooks and popups, `allow_networks` make exceptions from them.

    So a list of the only ones allowed needs `deny_networks = ["0.0.0.0/0", "::/0"]`. Link-local and the like are
    refused whatever stands here.
    """

    __pydantic_config__: ClassVar[ConfigDict] = _STRICT
    allow_networks: tuple[Network, ...] = ()
    deny_networks: tuple[Network, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class LogConfig:
    __pydantic_config__: ClassVar[ConfigDict] = _STRICT
    level: Literal["debug", "info", "warning", "error"] = "info"
    format: Literal["json", "console"] = "json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """`pbx` may be empty here: making a token needs only the store. `serve` decides what it can do without."""

    __pydantic_config__: ClassVar[ConfigDict] = _STRICT
    http: HttpConfig = HttpConfig()
    store: StoreConfig = StoreConfig()
    pbx: Annotated[tuple[PbxConfig, ...], Len(0, 32)] = ()
    delivery: DeliveryConfig = DeliveryConfig()
    log: LogConfig = LogConfig()


_TABLES: Final[Mapping[str, type]] = {
    "http": HttpConfig,
    "store": StoreConfig,
    "pbx": PbxConfig,
    "delivery": DeliveryConfig,
    "log": LogConfig,
}
_ADAPTER: Final = TypeAdapter(Config)

RawTable = dict[str, Any]


def load_config(path: Path | None, environ: Mapping[str, str] | None = None) -> Config:
    """The file (None: defaults only), overridden by `CALLWARDEN_<TABLE>_<KEY>` and `CALLWARDEN_PBX_<NAME>_<KEY>`."""
    try:
        return _load(path, environ)
    except ConfigError as error:
        if error.message.isprintable():
            raise
        said = "".join(char if char.isprintable() else "\ufffd" for char in error.message)
        raise ConfigError(said) from None


def _load(path: Path | None, environ: Mapping[str, str] | None) -> Config:
    text = "" if path is None else _read_text(path, "write it as README.md shows, or name another with --config")
    where = "environment" if path is None else str(path)
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{where}: this is not TOML: {error}") from error
    return _build(document, os.environ if environ is None else environ, where, path.parent if path else Path())


def _build(document: RawTable, environ: Mapping[str, str], where: str, folder: Path) -> Config:
    _refuse_unknown(document, where)
    _override(document, environ)
    for entry in _pbx_tables(document):
        _resolve_files(entry, folder, environ)
    try:
        config = _ADAPTER.validate_json(json.dumps(document, default=lambda value: [str(value)]))
    except ValidationError as error:
        raise ConfigError(f"{where}: {_explain(error, document)}") from None  # its text shows the values: secrets too
    _refuse_same(config, where)
    return config


def _read_text(path: Path, advice: str) -> str:
    try:
        return path.read_text("utf-8")
    except FileNotFoundError as error:
        raise ConfigError(f"{path}: there is no such file; {advice}") from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path}: this is not UTF-8 text; save it as UTF-8") from error
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read ({error.strerror}); {advice}") from error


def _pbx_tables(document: RawTable) -> list[RawTable]:
    tables: list[RawTable] = document.get("pbx", [])
    return tables


def _keys(table: str) -> set[str]:
    """The keys a table may have in the file. A PBX's secret may be a file's content."""
    return {item.name for item in fields(_TABLES[table])} | ({"secret_file"} if table == "pbx" else set())


def _refuse_unknown(document: RawTable, where: str) -> None:
    for table, content in document.items():
        if table not in _TABLES:
            raise ConfigError(f'{where}: unknown key "{table}"{_nearest(table)}')
        for entry in _entries(table, content, where):
            for key in set(entry) - _keys(table):
                raise ConfigError(f'{where}: unknown key "{table}.{key}"{_nearest(f"{table}.{key}")}')


def _entries(table: str, content: object, where: str) -> list[RawTable]:
    entries = content if table == "pbx" else [content]
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        advice = "a list of tables, each written [[pbx]]" if table == "pbx" else f"a table, written [{table}]"
        raise ConfigError(f'{where}: "{table}" must be {advice}')
    return entries


def _nearest(unknown: str) -> str:
    """The known key most like the unknown one, whether its table was named or forgotten."""
    spellings = {name: name for name in _TABLES}
    for table in _TABLES:
        spellings |= {key: f"{table}.{key}" for key in _keys(table)}
        spellings |= {f"{table}.{key}": f"{table}.{key}" for key in _keys(table)}
    close = get_close_matches(unknown, spellings, n=1, cutoff=0.5)
    return f'; did you mean "{spellings[close[0]]}"?' if close else "; remove it"


def _override(document: RawTable, environ: Mapping[str, str]) -> None:
    for variable, text in sorted(environ.items()):
        table = variable.removeprefix(ENVIRONMENT_PREFIX).partition("_")[0].lower()
        # Other CALLWARDEN_ variables are not about the configuration (a unit file's, a test's).
        if not variable.startswith(ENVIRONMENT_PREFIX) or table not in _TABLES:
            continue
        entry, key = _target(document, table, variable)
        if key in ("secret", "secret_file"):
            entry.pop("secret", None)
            entry.pop("secret_file", None)
        entry[key] = _from_text(table, key, text, variable)


def _target(document: RawTable, table: str, variable: str) -> tuple[RawTable, str]:
    """The table a variable speaks of, and the key in it."""
    prefix, entry = f"{ENVIRONMENT_PREFIX}{table.upper()}_", document
    if table == "pbx":
        prefix, entry = _pbx_of(document, variable)
    else:
        entry = document.setdefault(table, {})
    key = variable.removeprefix(prefix).lower()
    if key not in _keys(table):
        close = get_close_matches(key, _keys(table), n=1, cutoff=0.4)
        advice = f"did you mean {prefix}{close[0].upper()}?" if close else "remove it"
        raise ConfigError(f"{variable}: unknown variable; {advice}")
    return entry, key


def _pbx_of(document: RawTable, variable: str) -> tuple[str, RawTable]:
    """The PBX whose name a variable begins with; the longest name wins (`main` and `main-2`)."""
    names = {_variable_name(str(entry.get("name"))): entry for entry in _pbx_tables(document)}
    for name in sorted(names, key=len, reverse=True):
        if variable.startswith(prefix := f"{ENVIRONMENT_PREFIX}PBX_{name}_"):
            return prefix, names[name]
    raise ConfigError(f"{variable}: no [[pbx]] has this name; add one or remove the variable")


def _variable_name(name: str) -> str:
    return re.sub(r"[^A-Z0-9]", "_", name.upper())


def _from_text(table: str, key: str, text: str, variable: str) -> object:
    """A variable is text; what it must become follows from the key's type."""
    kind = str(get_type_hints(_TABLES[table]).get(key, str))
    if kind == str(bool):
        if text.lower() not in ("true", "false"):
            raise ConfigError(f"{variable}: must be true or false")
        return text.lower() == "true"
    if kind == str(int):
        if not re.fullmatch(r"[0-9]{1,9}", text):
            raise ConfigError(f"{variable}: must be a whole number")
        return int(text)
    if kind.startswith("tuple"):
        return [part.strip() for part in text.split(",") if part.strip()]
    return text


def _resolve_files(entry: RawTable, folder: Path, environ: Mapping[str, str]) -> None:
    """`secret_file` becomes `secret`; paths are taken from the configuration file's folder."""
    for key in ("tls_ca_file", "queue_log", "cdr"):
        if isinstance(entry.get(key), str) and "://" not in entry[key]:
            entry[key] = str((folder / entry[key]).absolute()) if entry[key] else ""
    name = entry.get("name")
    if "secret_file" not in entry:
        if "secret" not in entry:
            raise ConfigError(f'pbx "{name}": there is no secret; add secret or secret_file')
        return
    path = _credential(folder, str(entry.pop("secret_file")), environ)
    if "secret" in entry:
        raise ConfigError(f'pbx "{name}": both secret and secret_file are given; remove one of them')
    text = _read_text(path, f'it is the secret_file of pbx "{name}", readable by the daemon\'s user')
    if not text.strip() or len(text) > _SECRET_FILE_LIMIT:
        raise ConfigError(f'{path}: the secret_file of pbx "{name}" must hold the secret and nothing else')
    entry["secret"] = text.strip()


def _credential(folder: Path, name: str, environ: Mapping[str, str]) -> Path:
    """The file itself, or what systemd has read of it for us as root (LoadCredential=, systemd.exec(5)).

    A folder `secrets` that is loaded as `secrets` comes as `secrets_FILE`; so the id is the path with _ for /.
    """
    path = folder / name
    loaded = environ.get("CREDENTIALS_DIRECTORY")
    home = folder.absolute()
    if loaded and path.absolute().is_relative_to(home):
        credential = Path(loaded) / str(path.absolute().relative_to(home)).replace("/", "_")
        return credential if os.access(credential, os.R_OK) else path
    return path


def _explain(error: ValidationError, document: RawTable) -> str:
    """Every wrong key once, in one line, without the value: it may be a secret."""
    found: dict[str, str] = {}
    for item in error.errors(include_input=False, include_url=False, include_context=False):
        key = ".".join(_loc_names(item["loc"], document))
        found.setdefault(key, item["msg"].removeprefix("Value error, "))
    return "; ".join(f"{key}: {message}" for key, message in list(found.items())[:5])


def _loc_names(loc: tuple[int | str, ...], document: RawTable) -> Iterator[str]:
    """`('pbx', 0, 'port')` becomes `pbx.main.port`; what a type says of itself is left out."""
    for position, part in enumerate(loc[:3]):
        if position == 1 and loc[0] == "pbx" and isinstance(part, int):
            entry = document["pbx"][part]
            yield str(entry.get("name", part)) if isinstance(entry, dict) else str(part)
        else:
            yield str(part)


def _refuse_same(config: Config, where: str) -> None:
    seen: dict[str, PbxConfig] = {}
    for pbx in config.pbx:
        if (other := seen.setdefault(_variable_name(pbx.name), pbx)) is not pbx:
            raise ConfigError(f'{where}: two [[pbx]] are named "{other.name}" (case, - and _ do not count); rename one')
    if (same := same_records((pbx.name, pbx.cdr, pbx.cdr_table) for pbx in config.pbx)) is not None:
        raise ConfigError(f"{where}: {same}")
