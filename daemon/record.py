"""Keeps what a PBX sends in a file, to be replayed later. Never writes what was sent to the PBX."""

from __future__ import annotations

import asyncio
import gzip
import os
from contextlib import suppress
from io import TextIOWrapper
from pathlib import Path
from typing import TextIO

from rich.console import Console

from daemon.ami.link import AmiLink
from daemon.ami.masking import Masker
from daemon.ami.recording import Recorder
from daemon.ami.settings import AmiConfig
from daemon.call.signals import Signal, UnixMs
from daemon.errors import CallwardenError

_REPORT_EVERY_S = 1.0


class _Nowhere:
    """Takes the signals that a recording has no use for."""

    def put_nowait(self, _: Signal, /) -> None: ...

    async def put(self, _: Signal, /) -> None: ...


async def record(config: AmiConfig, out: Path, *, mask: bool, seconds: float) -> None:
    """Record until cancelled, or for `seconds` (0: no end). Refuses to overwrite a file."""
    with _create(out) as stream:
        recorder = Recorder(stream, Masker() if mask else None)
        link = AmiLink(config, tap=lambda data, at: _keep(recorder, data, at))
        following = asyncio.create_task(link.run(_Nowhere()))
        try:
            with suppress(TimeoutError):
                async with asyncio.timeout(seconds or None):
                    await _report(link)
        finally:
            await link.close()
            await following


def _keep(recorder: Recorder, data: bytes, at: UnixMs) -> None:
    recorder.write(data, at / 1000)


def _create(path: Path) -> TextIO:
    """A new file that only its owner may read: it holds customers' numbers."""
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as error:
        raise CallwardenError(f"{path}: {error.strerror}; name a new file") from error
    file = os.fdopen(descriptor, "wb")
    if path.suffix != ".gz":
        return TextIOWrapper(file, encoding="utf-8", write_through=True)
    return TextIOWrapper(gzip.GzipFile(fileobj=file, mode="wb"), encoding="utf-8")


async def _report(link: AmiLink) -> None:
    console = Console(stderr=True)
    with console.status("connecting") as status:
        while True:
            await asyncio.sleep(_REPORT_EVERY_S)
            words = link.last_error or f"{link.counters.events} events, {link.counters.bytes} bytes"
            status.update(f"{link.state.value}: {words}")
