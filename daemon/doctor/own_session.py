"""What `callwarden doctor` needs beside a daemon, running or not: its own sessions on the PBXs, a store it only reads.

Nothing is migrated, written or followed: what the PBXs tell of calls is thrown away.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Final

from sqlalchemy import Executable

from daemon.ami.link import AmiLink, LinkState
from daemon.ami.settings import AmiTimings
from daemon.app import ami_config
from daemon.call.model import PbxName
from daemon.call.signals import Signal
from daemon.clock import now_ms
from daemon.config import Config
from daemon.delivery.target_guard import guard_from_config
from daemon.doctor.checks import CHECKS
from daemon.doctor.dialplan import only_looking
from daemon.doctor.examination import Examination
from daemon.doctor.patient import Patient
from daemon.errors import CallwardenError
from daemon.pbx_desk import PbxDesk
from daemon.policy.call_settings import CallSettings
from daemon.store.reader import FileReader, Reader
from daemon.store.settings import read_settings
from daemon.store.sqlite import MEMORY
from daemon.store.store import database_path
from daemon.store.trouble import StoreUnavailable
from daemon.store.work import Row, Values
from daemon.version import program_version

CONNECT_S: Final = 5.0
_TIMINGS: Final = AmiTimings(connect=4.0, login=4.0, challenge=2.0, action=5.0, retry_first=0.1, retry_most=1.0)
_AGAIN_S: Final = 0.05


class _Forgets:
    """Takes every signal and keeps none."""

    def put_nowait(self, signal: Signal, /) -> None: ...

    async def put(self, signal: Signal, /) -> None: ...


class _NoStore:
    """Says to whoever reads why there is nothing to read."""

    def __init__(self, why: CallwardenError) -> None:
        self._why = why

    async def fetch(self, statement: Executable, values: Values = {}) -> list[Row]:  # noqa: ARG002, B006 - never read
        raise self._why

    async def fetch_slowly(self, statement: Executable, values: Values = {}) -> list[Row]:  # noqa: B006 - never read
        return await self.fetch(statement, values)

    async def close(self) -> None: ...


@asynccontextmanager
async def open_doctor(config: Config) -> AsyncIterator[Examination]:
    """Ready when every PBX has let it in, refused it, or said nothing for a few seconds."""
    links = {PbxName(pbx.name): AmiLink(replace(ami_config(pbx), timings=_TIMINGS)) for pbx in config.pbx}
    reads = await _open_reader(config)
    tasks = [asyncio.create_task(link.run(_Forgets())) for link in links.values()]
    try:
        await _settled(links)
        examination = Examination(await _patient(config, links, reads), CHECKS)
        try:
            yield examination
        finally:
            await examination.close()
    finally:
        await asyncio.gather(*(link.close() for link in links.values()))
        await asyncio.gather(*tasks, return_exceptions=True)
        await reads.close()


@asynccontextmanager
async def open_stories(config: Config) -> AsyncIterator[Reader]:
    """For what stands in the store alone. Raises what keeps it from being read."""
    reads = await FileReader.open(_existing(config))
    try:
        yield reads
    finally:
        await reads.close()


async def _patient(config: Config, links: Mapping[PbxName, AmiLink], reads: Reader) -> Patient:
    settings = await _settings(reads)
    return Patient(
        config=config,
        reads=reads,
        links=links,
        desk=PbxDesk(links, lambda _: {}, lambda: settings, only_looking(links, reads)),
        guard=guard_from_config(
            [str(network) for network in config.delivery.allow_networks],
            [str(network) for network in config.delivery.deny_networks],
        ),
        clock=now_ms,
        user_agent=f"callwarden/{program_version()}",
        is_daemon=False,
    )


async def _settings(reads: Reader) -> CallSettings:
    """For the rights that are wanted; those of a store that cannot be read are the defaults."""
    try:
        return (await read_settings(reads)).settings
    except Exception:  # noqa: BLE001 - also of another version of it: that is a finding, not ours to raise
        return CallSettings()


async def _open_reader(config: Config) -> Reader:
    try:
        return await FileReader.open(_existing(config))
    except CallwardenError as error:
        return _NoStore(error)


def _existing(config: Config) -> str:
    """Raises ConfigError for a URL that is none."""
    path = database_path(config.store.url)
    if path == MEMORY:
        raise StoreUnavailable("the store is in memory (store.url); only the daemon itself can look into it")
    if not Path(path).exists():
        raise StoreUnavailable(f"the store cannot be used now: there is no file {path}")
    if not os.access(path, os.R_OK):
        raise StoreUnavailable(f"the store cannot be used now: {path} may not be read; be root or its owner")
    return path


async def _settled(links: Mapping[PbxName, AmiLink]) -> None:
    """A first attempt that failed was long enough to say why."""
    until = time.monotonic() + CONNECT_S
    while time.monotonic() < until and any(_is_trying(link) for link in links.values()):  # noqa: ASYNC110
        await asyncio.sleep(_AGAIN_S)


def _is_trying(link: AmiLink) -> bool:
    return link.state is LinkState.CONNECTING and link.last_failure is None
