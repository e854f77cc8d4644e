"""Turns what somebody uploaded into telephone sound, in a short-lived process that may do nothing else.

The decoders are native code: whatever a file makes of them, the daemon stays as it is. What comes back is doubted too.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Final

import structlog
from aiohttp import web

from daemon.errors import CallwardenError
from daemon.message import Message
from daemon.store.ringtone_sound import NARROW_HZ, WIDE_HZ, Sound, wav

FILE_LIMIT: Final = 2 * 1024 * 1024
LONGEST_S: Final = 30
_DECODER: Final = Path(__file__).with_name("sound_decoder.py")
_ENVIRONMENT: Final = {"LC_ALL": "C.UTF-8", "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
_TIMEOUT_S: Final = 10.0
_OUTPUT_LIMIT: Final = 2 * LONGEST_S * (WIDE_HZ + NARROW_HZ) + 4096

_log = structlog.get_logger(__name__)


class UnusableSound(CallwardenError):
    """This file cannot be a ringtone; the message says why, for whoever uploaded it."""


class SoundFiles:
    """One file at a time: the processor is needed for calls."""

    def __init__(self) -> None:
        self._place = asyncio.Semaphore(1)

    async def sound_of(self, content: bytes) -> Sound:
        """Mono at 16 and 8 kHz, as loud as the built-in ringtones. Raises UnusableSound."""
        async with self._place:
            try:
                async with asyncio.timeout(_TIMEOUT_S):
                    return _sound(await _decoded(content))
            except TimeoutError as error:
                _log.warning("sound_decoder_slow", bytes=len(content))
                raise UnusableSound(_TOO_SLOW) from error


SOUND_FILES: Final = web.AppKey("sound_files", SoundFiles)


async def _decoded(content: bytes) -> bytes:
    """What the decoder says. Its input is a file because it must seek; its complaints, because nobody drains them."""
    with _in_memory(content) as file, _in_memory(b"") as complaints:
        async with _decoder(file, complaints) as process:
            output = await _output(process)
            code = await process.wait()
        if code == 0:
            return output
        said = os.pread(complaints, 1000, max(os.fstat(complaints).st_size - 1000, 0)).decode(errors="replace")
    _log.error("sound_decoder_died", code=code, bytes=len(content), said=said)
    raise UnusableSound(_HOSTILE if code < 0 else _OUR_FAULT)  # by a signal: the file was too much for it


async def _output(process: asyncio.subprocess.Process) -> bytes:
    assert process.stdout is not None, "it is a pipe"
    output = bytearray()
    while part := await process.stdout.read(65536):
        output += part
        if len(output) > _OUTPUT_LIMIT:
            raise UnusableSound(_HOSTILE)
    return bytes(output)


@contextmanager
def _in_memory(content: bytes) -> Iterator[int]:
    """A file without a name."""
    file = os.memfd_create("ringtone")
    try:
        with os.fdopen(file, "wb", closefd=False) as whole:
            whole.write(content)
        os.lseek(file, 0, os.SEEK_SET)
        yield file
    finally:
        os.close(file)


@asynccontextmanager
async def _decoder(file: int, complaints: int) -> AsyncIterator[asyncio.subprocess.Process]:
    """Ended when nobody waits for it any more."""
    command = (sys.executable, "-I", "-B", str(_DECODER))
    process = await asyncio.create_subprocess_exec(
        *command, stdin=file, stdout=asyncio.subprocess.PIPE, stderr=complaints, env=_ENVIRONMENT, cwd="/"
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


def _sound(output: bytes) -> Sound:
    head, _, samples = output.partition(b"\n")
    try:
        found = json.loads(head)
        if "refused" in found:
            raise UnusableSound(_words(found))
        wide, narrow = found["wide"], found["narrow"]
        sizes_fit = all(type(size) is int and size > 0 and size % 2 == 0 for size in (wide, narrow))
        if not sizes_fit or wide + narrow != len(samples):
            raise UnusableSound(_HOSTILE)
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise UnusableSound(_HOSTILE) from error
    return Sound(wide=wav(samples[:wide], WIDE_HZ), narrow=wav(samples[wide:], NARROW_HZ))


_HOSTILE: Final = Message("this file cannot be read; save the sound again as WAV, MP3 or OGG and upload that")
_OUR_FAULT: Final = Message("the server could not read the file; its log says why")
_TOO_SLOW: Final = Message("reading this file takes too long; save the sound again as WAV and upload that")


def _words(found: dict[str, object]) -> Message:
    """What is wrong, for somebody who does not know file formats."""
    match found:
        case {"refused": "unknown"}:
            return Message("this is not a WAV, MP3 or OGG file")
        case {"refused": "coding", "coding": str(coding)}:
            return Message("the sound is coded as {coding}; save it as plain WAV, MP3 or OGG", coding=coding[:40])
        case {"refused": "rate", "rate": int(rate)}:
            return Message("the file has {rate} samples a second; 4000 to 192000 are possible", rate=rate)
        case {"refused": "channels", "channels": int(channels)}:
            return Message("the file has {channels} channels; 1 to 8 are possible", channels=channels)
        case {"refused": "broken", "seconds": float(seconds)}:
            return Message("the file is broken after {seconds} s", seconds=seconds)
        case {"refused": "uneven"}:
            return Message("the file does not say how long it is; save the MP3 again with a constant bit rate")
        case {"refused": "long"}:
            return Message("the sound is longer than {limit} s; cut it first", limit=LONGEST_S)
        case {"refused": "short"}:
            return Message("there is less than a tenth of a second of sound in the file")
        case {"refused": "high"}:
            return Message("the sound is higher than telephones carry")
        case {"refused": "silent"}:
            return Message("the file is silent")
    return _HOSTILE
