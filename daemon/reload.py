"""What a running daemon takes over of a changed configuration: the log's level and form, and the secrets of the PBXs.

Everything else needs a restart, and is named: half a configuration in force would be worse than an old one.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Protocol

from daemon.ami.link import AmiLink
from daemon.call.model import PbxName
from daemon.config import Config, PbxConfig, load_config
from daemon.errors import ConfigError
from daemon.log import configure_logging


class Links(Protocol):
    """What is changed: the daemon's."""

    @property
    def links(self) -> Mapping[PbxName, AmiLink]: ...


@dataclass(frozen=True, slots=True)
class Reloaded:
    """`config` is what is in force now. `taken` and `needs_restart` name keys, as `log.level` or `pbx.main.secret`."""

    config: Config
    taken: tuple[str, ...] = ()
    needs_restart: tuple[str, ...] = ()
    error: str | None = None

    @property
    def words(self) -> str:
        if self.error is not None:
            return f"the configuration was not reloaded: {self.error}"
        if self.needs_restart:
            return f"reloaded; only a restart puts in force: {', '.join(self.needs_restart)}"
        return f"reloaded: {', '.join(self.taken)}" if self.taken else "reloaded: nothing has changed"


def reload_config(path: Path, old: Config, daemon: Links, environ: Mapping[str, str] | None = None) -> Reloaded:
    """Read the file again and put in force what can be; `old` is what was in force until now."""
    try:
        new = load_config(path, environ)
    except ConfigError as error:
        return Reloaded(old, error=" ".join(str(error).split()))
    changed = tuple(_changed(old, new))
    whole = {pbx.name for pbx in new.pbx if _only_secret(pbx, old)}
    taken = tuple(key for key in changed if _can_be_taken(key, whole))
    if new.log != old.log:
        configure_logging(new.log.level, new.log.format)
    ours = tuple(pbx for pbx in new.pbx if pbx.name in whole)
    for pbx in ours:
        _take_secret(daemon.links.get(PbxName(pbx.name)), pbx)
    in_force = replace(old, log=new.log, pbx=tuple(_with_secret(pbx, ours) for pbx in old.pbx))
    return Reloaded(in_force, taken, tuple(key for key in changed if key not in taken))


def _only_secret(pbx: PbxConfig, old: Config) -> bool:
    """A new secret belongs to a new host or user, where those are new too: never half of a login."""
    return any(replace(before, secret=pbx.secret) == pbx for before in old.pbx)


def _can_be_taken(key: str, whole: Collection[str]) -> bool:
    """`whole` are the PBXs of which nothing but the secret is new."""
    table, *middle, name = key.split(".")
    return table == "log" or (table == "pbx" and name == "secret" and ".".join(middle) in whole)


def _take_secret(link: AmiLink | None, pbx: PbxConfig) -> None:
    """For the next login. The session that lives goes on: a PBX that was told a new secret keeps it, and no event is
    missed for it."""
    if link is not None:
        link.config = replace(link.config, secret=pbx.secret.reveal())


def _with_secret(pbx: PbxConfig, new: tuple[PbxConfig, ...]) -> PbxConfig:
    return next((replace(pbx, secret=one.secret) for one in new if one.name == pbx.name), pbx)


def _changed(old: Config, new: Config) -> Iterator[str]:
    for table in ("http", "store", "delivery", "log"):
        yield from _keys(table, getattr(old, table), getattr(new, table))
    before, after = ({pbx.name: pbx for pbx in config.pbx} for config in (old, new))
    for name in before.keys() | after.keys():
        if name in before and name in after:
            yield from _keys(f"pbx.{name}", before[name], after[name])
        else:
            yield f"pbx.{name}"


def _keys(table: str, old: object, new: object) -> Iterator[str]:
    names = (item.name for item in fields(type(old)))  # type: ignore[arg-type]  # they are the configuration's tables
    return (f"{table}.{name}" for name in names if getattr(old, name) != getattr(new, name))
