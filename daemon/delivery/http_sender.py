"""One request out, one answer in: pooled connections to guarded addresses. It never raises what the outside did."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Self

import aiohttp
from aiohttp.abc import AbstractResolver
from yarl import URL

from daemon.delivery.target_guard import AddressRefused, BadUrl, GuardedResolver, TargetGuard
from daemon.policy.retry import AttemptOutcome, Failure

TIMEOUT_S = 10.0
KEEP_ALIVE_S = 30.0
MOST_READ_BYTES = 64 * 1024
KEPT_CHARACTERS = 1_000
LONGEST_ERROR = 255
HEAD_TIMEOUT_S = 2.0
MOST_REDIRECTS = 3
_REDIRECTS = frozenset({301, 302, 303, 307, 308})


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What came back. `latency_ms` is the time to the answer's head, or to the failure."""

    outcome: AttemptOutcome
    latency_ms: int
    error: str | None
    text: str | None

    @property
    def status_code(self) -> int | None:
        return self.outcome.status_code


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """An answer that is wanted whole. `body` is None when it broke off or is longer than may be read (`too_long`)."""

    status_code: int | None
    latency_ms: int
    body: bytes | None = None
    too_long: bool = False
    failure: Failure | None = None
    error: str | None = None


class HttpSender:
    """Keeps connections alive, follows no redirect, keeps no cookie, obeys no proxy variable of the environment."""

    def __init__(
        self,
        guard: TargetGuard,
        user_agent: str,
        *,
        timeout_s: float = TIMEOUT_S,
        resolver: AbstractResolver | None = None,
    ) -> None:
        """`resolver` stands in for the system's name lookup; what it finds is guarded all the same."""
        self._guard = guard
        self._user_agent = user_agent
        self._timeout_s = timeout_s
        self._inner_resolver = resolver
        self._resolver: GuardedResolver | None = None
        self._session: aiohttp.ClientSession | None = None

    async def open(self) -> None:
        self._resolver = GuardedResolver(self._guard, self._inner_resolver)
        connector = aiohttp.TCPConnector(
            limit=0,  # the outbox limits, per target and in all
            resolver=self._resolver,
            socket_factory=self._guard.open_socket,
            keepalive_timeout=KEEP_ALIVE_S,
        )
        self._session = aiohttp.ClientSession(
            connector=connector,
            cookie_jar=aiohttp.DummyCookieJar(),
            trust_env=False,
            auto_decompress=False,  # a small answer must not unpack into a large one
            timeout=aiohttp.ClientTimeout(total=self._timeout_s),
            headers={"User-Agent": self._user_agent, "Accept-Encoding": "identity"},
        )

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()
        if self._resolver is not None:
            await self._resolver.close()

    async def __aenter__(self) -> Self:
        await self.open()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.close()

    async def send(self, method: str, url: str, headers: Mapping[str, str], body: str) -> Answer:
        """Every failure of the outside is an Answer; what is raised is our own bug, or our own cancellation."""
        began = time.perf_counter()
        try:
            return await self._exchange(method, url, headers, body, began)
        except (TimeoutError, aiohttp.ClientError, OSError, BadUrl, ValueError) as error:
            return _failed(error, began)

    async def fetch(self, url: str, headers: Mapping[str, str]) -> Document:
        """A GET whose answer is read to its end, at most 64 KiB, all within the time limit. Raises what `send` does."""
        began = time.perf_counter()
        try:
            async with asyncio.timeout(self._timeout_s):
                return await self._whole(url, headers, began)
        except (TimeoutError, aiohttp.ClientError, OSError, BadUrl, ValueError) as error:
            return Document(status_code=None, latency_ms=_since(began), failure=_failure_of(error), error=_named(error))

    async def _whole(self, url: str, headers: Mapping[str, str], began: float) -> Document:
        assert self._session is not None, "open() comes first"
        target = self._guard.check_url(url)
        asked = {**headers, "Accept": "application/json"}
        async with self._session.get(target, headers=asked, allow_redirects=False) as response:
            found = bytearray()
            while len(found) <= MOST_READ_BYTES and (piece := await response.content.read(MOST_READ_BYTES)):
                found += piece
            too_long = len(found) > MOST_READ_BYTES
            if too_long:
                response.close()  # what follows would be read by the next request
            body = None if too_long else bytes(found)
            return Document(status_code=response.status, latency_ms=_since(began), body=body, too_long=too_long)

    async def read_head(self, url: str) -> tuple[str, list[tuple[str, str]]] | None:
        """The headers of a page and where redirects led to it. None: no answer in time, or the address is refused."""
        try:
            async with asyncio.timeout(HEAD_TIMEOUT_S):
                return await self._head(url)
        except (TimeoutError, aiohttp.ClientError, OSError, BadUrl, ValueError):
            return None

    async def _head(self, url: str) -> tuple[str, list[tuple[str, str]]] | None:
        assert self._session is not None, "open() comes first"
        target = self._guard.check_url(url)
        for _ in range(MOST_REDIRECTS + 1):
            # GET: many sites answer HEAD otherwise, or not at all.
            async with self._session.get(target, headers={"Accept": "text/html"}, allow_redirects=False) as response:
                headers = list(response.headers.items())
                location = response.headers.get("Location")
                response.close()
            if response.status not in _REDIRECTS or not location:
                return str(target), headers
            target = self._guard.check_url(str(target.join(URL(location))))
        return None

    async def _exchange(self, method: str, url: str, headers: Mapping[str, str], body: str, began: float) -> Answer:
        assert self._session is not None, "open() comes first"
        target = self._guard.check_url(url)
        has_body = method not in ("GET", "HEAD")
        async with self._session.request(
            method,
            target,
            data=body.encode() if has_body else None,
            headers={**headers, "Content-Type": "application/json"} if has_body else headers,
            allow_redirects=False,
        ) as response:
            latency = _since(began)
            text, trouble = await _read(response)
            return Answer(
                outcome=AttemptOutcome(response.status, None, response.headers.get("Retry-After")),
                latency_ms=latency,
                error=trouble,
                text=text,
            )


async def _read(response: aiohttp.ClientResponse) -> tuple[str, str | None]:
    """The beginning of the answer. The status already says what came of it: a broken body changes nothing."""
    found = bytearray()
    trouble = None
    try:
        while len(found) < MOST_READ_BYTES and (piece := await response.content.read(MOST_READ_BYTES - len(found))):
            found += piece
    except (TimeoutError, aiohttp.ClientError, OSError) as error:
        trouble = f"answer not read to its end: {_named(error)}"
    if trouble is not None or not response.content.at_eof():
        response.close()  # more may come; the connection is good for nothing else
    return _printable(bytes(found[: KEPT_CHARACTERS * 4])), trouble


def _printable(data: bytes) -> str:
    """At most 1,000 characters. NUL is no text for PostgreSQL, and no control character belongs on a page."""
    text = data.decode("utf-8", errors="replace")[:KEPT_CHARACTERS]
    return "".join(char if char.isprintable() or char in "\n\t" else "\ufffd" for char in text)


def _failed(error: Exception, began: float) -> Answer:
    return Answer(
        outcome=AttemptOutcome(failure=_failure_of(error)),
        latency_ms=_since(began),
        error=_named(error),
        text=None,
    )


def _failure_of(error: Exception) -> Failure:
    cause = getattr(error, "os_error", error)
    match cause:
        case AddressRefused():
            return Failure.ADDRESS_REFUSED
        case socket.gaierror():
            return Failure.NAME_UNKNOWN
        case _:
            pass
    match error:
        case TimeoutError():
            return Failure.TIMEOUT
        case aiohttp.ClientSSLError():
            return Failure.TLS
        case aiohttp.ClientResponseError() | aiohttp.ClientPayloadError():
            return Failure.BROKEN_ANSWER
        case BadUrl() | ValueError():  # aiohttp's InvalidURL, and a host name no name server can be asked for
            return Failure.BAD_URL
        case _:
            return Failure.CONNECTION


def _named(error: Exception) -> str:
    """One line for the list of attempts: the system's words where there are any, never a traceback."""
    if isinstance(error, aiohttp.ClientResponseError):  # its own text holds the URL, with numbers and keys
        return f"{error.status} {error.message}".splitlines()[0][:LONGEST_ERROR]
    cause = getattr(error, "os_error", error)
    text = str(getattr(cause, "strerror", None) or cause).splitlines()
    return (text[0] if text else type(error).__name__)[:LONGEST_ERROR]


def _since(began: float) -> int:
    return round((time.perf_counter() - began) * 1000)
