"""Hashes and verifies passwords in threads, a few at once: argon2 is slow on purpose and takes 64 MiB each time.

Who asks about an account that does not exist waits as long as for one that does.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Final, TypeVar

from aiohttp import web

from daemon.store.accounts import KnownAccount
from daemon.store.password import hash_password, is_outdated, verify_password
from daemon.web.problem import Problem

T = TypeVar("T")
_AT_ONCE: Final = 2
_WAITING: Final = 30


class PasswordCheck:
    def __init__(self) -> None:
        self._places = asyncio.Semaphore(_AT_ONCE)
        self._present = 0
        self._nobodys: str | None = None

    async def hash(self, password: str) -> str:
        return await self._in_thread(lambda: hash_password(password))

    async def verify(self, known: KnownAccount | None, password: str) -> bool:
        """Whether this is the password of an account that may be used."""
        if self._nobodys is None:
            self._nobodys = await self.hash(secrets.token_hex())
        password_hash = known.password_hash if known else self._nobodys
        right = await self._in_thread(lambda: verify_password(password_hash, password))
        return right and known is not None and known.account.disabled_at is None

    async def rehashed(self, known: KnownAccount, password: str) -> str | None:
        """The hash with today's costs, where the one that is kept has others."""
        return await self.hash(password) if is_outdated(known.password_hash) else None

    async def _in_thread(self, work: Callable[[], T]) -> T:
        async with self._place():
            return await asyncio.to_thread(work)

    @asynccontextmanager
    async def _place(self) -> AsyncIterator[None]:
        if self._present >= _AT_ONCE + _WAITING:
            raise Problem(503, "too many sign in at this moment; try again", headers={"Retry-After": "5"})
        self._present += 1
        try:
            async with self._places:
                yield
        finally:
            self._present -= 1


PASSWORD_CHECK: Final = web.AppKey("password_check", PasswordCheck)
